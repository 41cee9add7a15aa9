"""A small picture in a large empty field, bent, moved and coloured there as Graham (2014) does it."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import ndimage


@dataclass(frozen=True)
class FieldDistortion:
    """Put a picture in the middle of a field of zeros; in training stretched, turned or slanted, moved, coloured.

    Numbers are those of the network's input, background 0. Draws, in this order: the stretch of each axis, the flip,
    which one of two slants and a turn, its amount, the shift along each axis, the colours' noise.

    Parameters
    ----------
    size : int
        Side of the field in pixels.
    stretch : float
        Each axis is stretched by a factor drawn evenly from 1 - stretch to 1 + stretch.
    slant : float
        Slant, or turn in radians, drawn evenly from -slant to slant.
    shift : int
        The picture is moved, along each axis, by a whole number of pixels, at most this many either way.
    colour : (float, float, float, float)
        Standard deviations of what is added to each channel: a constant; a multiple of the pixel; a slope a pixel
        from left to right; one from top to bottom. Both slopes are 0 in the picture's middle.
    threshold : float
        A pixel whose channels are all this close to the background is background: noise leaves it alone, and the
        network sees 0.
    flip : bool
        Whether half of the pictures are mirrored left to right.
    last_epoch : int or None
        Training pictures are distorted up to this epoch; None for always.

    Raises
    ------
    ValueError
        A range that makes no sense.

    References
    ----------
    Graham, 2014, "Fractional max-pooling", Section 3, and its released code, `cifar10big.cpp` and `OpenCVPicture.cpp`.
    """

    size: int
    stretch: float
    slant: float
    shift: int
    colour: tuple
    threshold: float
    flip: bool = True
    last_epoch: int | None = None

    def __post_init__(self):
        ranges = self.stretch, self.slant, self.shift, self.threshold, *self.colour
        if self.size < 1 or not 0 <= self.stretch < 1 or min(ranges) < 0 or len(self.colour) != 4:
            raise ValueError(
                f"expected size of at least 1, stretch below 1, four numbers of colour, nothing negative, got {self}"
            )

    def __call__(self, pictures, generators):
        """Distort pictures.

        Parameters
        ----------
        pictures : float32 array (pictures, channels, height, width)
            After preprocessing, background 0.
        generators : iterable of numpy.random.Generator
            One for each picture, as of :class:`crmn_legacy.data.randomness.Generators`.

        Returns
        -------
        float32 array (pictures, channels, size, size)
        """
        distorted = np.empty((*pictures.shape[:2], self.size, self.size), np.float32)
        # One by one: what is drawn from a bell curve takes as many random words as it needs.
        for place, (picture, generator) in enumerate(zip(pictures, generators, strict=True)):
            distorted[place] = self._distorted(picture, generator)
        return distorted

    def _distorted(self, picture, generator):
        stretches = 1 + generator.uniform(-self.stretch, self.stretch, size=2)
        mirrored = bool(generator.integers(2)) and self.flip
        kind = int(generator.integers(3))
        amount = float(generator.uniform(-self.slant, self.slant))
        shift = generator.integers(-self.shift, self.shift, size=2, endpoint=True)
        noise = generator.normal(size=(4, len(picture), 1, 1)) * np.reshape(self.colour, (4, 1, 1, 1))
        matrix = affine(stretches, mirrored, kind, amount)
        field = self._placed(picture, matrix, shift)
        visible = self._visible(field)
        x, y = (np.arange(self.size) + 0.5 - self.size / 2 - along for along in shift)
        coloured = field + noise[0] + noise[1] * field + noise[2] * x + noise[3] * y[:, None]
        return self._cleared(np.where(visible, coloured, field))

    def plain(self, pictures):
        """The same without distortion, as test pictures are seen; see `__call__`."""
        *leading, height, width = pictures.shape
        if max(height, width) > self.size:
            raise ValueError(f"expected pictures of at most {self.size} pixels a side, got {height} x {width}")
        field = np.zeros((*leading, self.size, self.size))
        top, left = (self.size - height) // 2, (self.size - width) // 2
        field[..., top : top + height, left : left + width] = pictures
        return self._cleared(field)

    def _placed(self, picture, matrix, shift):
        """The picture under the map (x, y) -> (x, y) @ matrix about the middles, then moved; float64."""
        (a, b), (c, d) = matrix
        determinant = a * d - b * c
        # Of rows and columns instead of x and y, and from the field back to the picture.
        inverse = np.array([[a, -b], [-c, d]]) / determinant
        middle = self.size / 2 + shift[::-1] - 0.5
        start = np.array(picture.shape[1:]) / 2 - 0.5 - inverse @ middle
        channels = [
            ndimage.affine_transform(
                channel.astype(np.float64),
                inverse,
                start,
                output_shape=(self.size, self.size),
                order=1,
                mode="grid-constant",
                cval=0.0,
                prefilter=False,
            )
            for channel in picture
        ]
        return np.stack(channels)

    def _visible(self, field):
        """Where a pixel is not background, (..., 1, size, size)."""
        return (np.abs(field) > self.threshold).any(axis=-3, keepdims=True)

    def _cleared(self, field):
        return np.where(self._visible(field), field, 0.0).astype(np.float32)


def affine(stretches, mirrored, kind, amount):
    """The matrix of a distortion, for points as rows: (x, y) -> (x, y) @ matrix, x to the right and y down.

    Parameters
    ----------
    stretches : (float, float)
        Of x and y.
    mirrored : bool
        Whether x changes its sign.
    kind : int
        0: x is slanted by y; 1: y by x; 2: both are turned.
    amount : float
        The slant, or the turn in radians.

    Returns
    -------
    float64 array (2, 2)
    """
    # Python's own functions: NumPy's depend on the processor's vector instructions in the last bit.
    cosine, sine = math.cos(amount), math.sin(amount)
    x, y = (float(stretch) for stretch in stretches)
    bend = (
        ((1.0, 0.0), (amount, 1.0)),
        ((1.0, amount), (0.0, 1.0)),
        ((cosine, -sine), (sine, cosine)),
    )[kind]
    return np.array([[(-x if mirrored else x)], [y]]) * np.array(bend)
