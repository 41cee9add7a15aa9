"""Axes of a chart: where a value lies, and which values have a tick."""

import math
from dataclasses import dataclass

# A spread wider than this reads better in decades.
_WIDE = 5.0
# A narrower one is not shown as if it were noise blown up.
_LEAST_SPREAD = 1e-9


@dataclass(frozen=True)
class Axis:
    """An axis.

    Attributes
    ----------
    low, high : float
        The values at its ends.
    logarithmic : bool
    ticks : list of float
        In ascending order.
    """

    low: float
    high: float
    logarithmic: bool
    ticks: list

    def place(self, value):
        """Where `value` lies, 0 at the low end, 1 at the high one; None if it lies nowhere."""
        if value is None or (self.logarithmic and value <= 0):
            return None
        if self.logarithmic:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return min(max(share, 0.0), 1.0)


def fitted(values, logarithmic=None, from_zero=True):
    """An axis that holds all values.

    Parameters
    ----------
    values : iterable of float
        Finite; none at all gives 0 to 1.
    logarithmic : bool, optional
        By default where all are positive and the largest is over five times the least.
    from_zero : bool
        Whether a linear axis begins at 0 if no value is negative.

    Returns
    -------
    Axis
    """
    # Beyond these a picture says nothing, and the arithmetic of ticks ends.
    values = [min(max(value, -1e12), 1e12) for value in values] or [0.0, 1.0]
    low, high = min(values), max(values)
    if logarithmic is None:
        logarithmic = low > 1e-12 and high / low > _WIDE
    if logarithmic:
        return _in_decades(max(low, 1e-12), max(high, 1e-12))
    if from_zero and low >= 0:
        low = 0.0
    if high - low < _LEAST_SPREAD * max(1.0, abs(high)):
        high = low + (abs(low) or 1.0)
    step = _step((high - low) / 5)
    # Outwards to whole steps, so that both ends have names.
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return Axis(first * step, last * step, False, [k * step for k in range(first, last + 1)])


def of_epochs(last):
    """The axis of epochs, from 0 to the last one: whole numbers are named."""
    last = max(last, 1)
    step = max(1, round(_step(last / 6)))
    return Axis(0.0, float(last), False, [float(k) for k in range(0, last + 1, step)])


def _step(rough):
    """The next of 1, 2, 5, 10, ... times a power of ten."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * (1 - 1e-9))


def _in_decades(low, high):
    decades = math.log10(high / low)
    factors = (1, 2, 5) if decades < 3 else (1,)
    every = max(1, math.ceil(decades / 8))
    first, last = math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)
    powers = [power for power in range(first, max(last, first) + 1) if power % every == 0]
    named = [float(f"{factor}e{power}") for power in powers for factor in factors]
    low = max((tick for tick in named if tick <= low * (1 + 1e-9)), default=low)
    high = min((tick for tick in named if tick >= high * (1 - 1e-9)), default=high)
    if not high > low:
        high = low * 10
    return Axis(low, high, True, [tick for tick in named if low <= tick <= high])


def label(value):
    """A tick's name: ``0.2``, ``40``, ``1e-06``."""
    return f"{value:.6g}"
