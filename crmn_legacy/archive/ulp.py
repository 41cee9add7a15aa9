"""How far apart two arrays are, in units in the last place."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Largest:
    """The largest difference of two arrays.

    Attributes
    ----------
    apart : int or None
        Units in the last place between two floating-point numbers, whole numbers otherwise; None where one is NaN
        and the other is not.
    unit : str
        ``ULP (float32)`` or the like.
    index : tuple of int
        Where it is.
    values : tuple
        Of both, NumPy scalars.
    elements, of : int
        How many elements differ in their bits, and how many there are.
    """

    apart: int | None
    unit: str
    index: tuple
    values: tuple
    elements: int
    of: int

    def __str__(self):
        place = f" at [{', '.join(map(str, self.index))}]" if self.index else ""
        ours, theirs = self.values
        head = f"NaN in one only{place}" if self.apart is None else f"{self.apart:,} {self.unit}{place}"
        return f"{head}: {ours} | {theirs}; {self.elements:,} of {self.of:,} elements differ"

    def described(self):
        """The same as plain values (a dict)."""
        return {
            "apart": self.apart,
            "unit": self.unit,
            "index": list(self.index),
            "values": [value.item() for value in self.values],
            "elements": self.elements,
            "of": self.of,
        }


def largest_difference(ours, theirs):
    """The largest difference of two arrays of one shape and dtype, or None if all bits are equal.

    Between two floating-point numbers it is counted in units in the last place: how many numbers of the format lie
    between them, plus one. So 0.0 and -0.0 are 0 apart, and the smallest numbers below and above them 2; infinity
    lies one beyond the largest. NaNs are 0 apart from one another, and further than anything from a number.

    Parameters
    ----------
    ours, theirs : array
        float16, float32 or float64; whole numbers; truth values.

    Returns
    -------
    Largest or None

    Raises
    ------
    ValueError
        Unlike shapes or dtypes, or a dtype that has no such order.
    """
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    if (ours.shape, ours.dtype) != (theirs.shape, theirs.dtype):
        raise ValueError(f"{ours.dtype} {ours.shape} | {theirs.dtype} {theirs.shape}")
    if ours.dtype.kind not in "fiub" or ours.dtype.itemsize > 8:
        raise ValueError(f"{ours.dtype} has no units in the last place")
    unlike = _bits(ours) != _bits(theirs)
    if not unlike.any():
        return None
    apart = _apart(ours, theirs)
    one_is_nan = np.isnan(ours) ^ np.isnan(theirs) if ours.dtype.kind == "f" else np.zeros(ours.shape, bool)
    # Among equal distances the first whose bits differ: where all are 0 apart, a sign of zero or a NaN's payload.
    weight = np.where(unlike, apart, 0)
    chosen = one_is_nan if one_is_nan.any() else unlike & (apart == weight.max())
    place = int(np.argmax(chosen))
    index = np.unravel_index(place, ours.shape) if ours.shape else ()
    return Largest(
        apart=None if one_is_nan.any() else int(apart.reshape(-1)[place]),
        unit=f"ULP ({ours.dtype.name})" if ours.dtype.kind == "f" else f"({ours.dtype.name})",
        index=tuple(map(int, index)),
        values=(ours[index], theirs[index]),
        elements=int(unlike.sum()),
        of=ours.size,
    )


def _bits(array):
    """An array's elements as unsigned numbers of their own size."""
    array = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("="), copy=False))
    return array.view(f"u{array.dtype.itemsize}").reshape(array.shape)


def _apart(ours, theirs):
    """Distance of each pair of elements, uint64; 0 where one is NaN."""
    ours_at, theirs_at = _ordered(ours), _ordered(theirs)
    # Modulo 2**64, so that the whole range of a format fits.
    apart = np.maximum(ours_at, theirs_at).astype("u8") - np.minimum(ours_at, theirs_at).astype("u8")
    if ours.dtype.kind == "f":
        apart = np.where(np.isnan(ours) | np.isnan(theirs), np.uint64(0), apart)
    return apart


def _ordered(array):
    """Whole numbers in the order of an array's elements; neighbours of a floating-point format are 1 apart."""
    if array.dtype.kind != "f":
        return array.astype("u8" if array.dtype.kind in "ub" else "i8")
    bits = _bits(array).view(f"i{array.dtype.itemsize}").astype("i8")
    # The sign bit set means a magnitude below zero, not two's complement.
    lowest = np.int64(-(2 ** (8 * array.dtype.itemsize - 1)))
    return np.where(bits < 0, lowest - bits, bits)
