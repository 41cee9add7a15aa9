"""A picture of one shape: placed, sized, turned and lit at random before a ground of another shade."""

import colorsys
import math

import numpy as np

from data_prep.shape_kinds import KINDS

SIDE = 32
_OVERSAMPLING = 4

# Hue of each plain coating, in turns, or None.
_HUES = {"red": 0.0, "orange": 0.08, "yellow": 0.16, "green": 0.34, "blue": 0.6, "violet": 0.79}
_PATTERNS = ("striped", "chequered")
COATINGS = (*_HUES, "white", "black", *_PATTERNS)


def render(kind, coating, generator):
    """Take a picture of one shape.

    Parameters
    ----------
    kind : str
        One of :data:`data_prep.shape_kinds.KINDS`.
    coating : str or None
        One of `COATINGS`; None draws it.
    generator : numpy.random.Generator

    Returns
    -------
    uint8 array (3, SIDE, SIDE)
    """
    if coating is None:
        coating = COATINGS[int(generator.integers(len(COATINGS)))]
    side = SIDE * _OVERSAMPLING
    grid = (np.arange(side) + 0.5) / _OVERSAMPLING
    column, row = np.broadcast_to(grid, (side, side)), np.broadcast_to(grid[:, None], (side, side))
    size = generator.uniform(8.5, 13.0)
    place = SIDE / 2 + generator.uniform(-1, 1, size=2) * (SIDE / 2 - size) * 0.9
    angle = generator.uniform(-0.45, 0.45)
    # Python's own functions: NumPy's depend on the processor's vector instructions in the last bit.
    cosine, sine = math.cos(angle) / size, math.sin(angle) / size
    right, down = column - place[0], row - place[1]
    x, y = cosine * right + sine * down, cosine * down - sine * right
    shape = KINDS[kind](x, y)
    ground, coat = _ground(column, row, coating, generator), _coat(coating, x, y, generator)
    picture = np.where(shape, coat, ground) * _light(column, row, generator)
    pixels = picture.reshape(3, SIDE, _OVERSAMPLING, SIDE, _OVERSAMPLING).mean(axis=(2, 4))
    grain = generator.integers(-6, 6, size=pixels.shape, endpoint=True)
    return (pixels * 255 + grain).clip(0, 255).astype(np.uint8)


def _ground(column, row, coating, generator):
    """Two dull colours that run into one another across the picture; (3, side, side) in 0 to 1."""
    # Neither white nor black is laid on its like.
    low, high = {"white": (0.1, 0.5), "black": (0.5, 0.9)}.get(coating, (0.15, 0.85))
    ends = [_colour(generator.random(), generator.uniform(0, 0.3), generator.uniform(low, high)) for _ in range(2)]
    angle = generator.uniform(0, 2 * math.pi)
    along = (math.cos(angle) * (column / SIDE - 0.5) + math.sin(angle) * (row / SIDE - 0.5)) / 1.5 + 0.5
    return ends[0] * along + ends[1] * (1 - along)


def _coat(coating, x, y, generator):
    """The shape's own colours, fixed to it; (3, side, side) or (3, 1, 1) in 0 to 1."""
    if coating in _HUES:
        return _colour(_HUES[coating] + generator.uniform(-0.025, 0.025), generator.uniform(0.8, 1), 0.95)
    if coating in ("white", "black"):
        low = 0.92 if coating == "white" else 0.02
        return _colour(generator.random(), 0.05, generator.uniform(low, low + 0.08))
    hue = generator.random()
    first, second = _colour(hue, 0.9, 0.95), _colour(hue + generator.uniform(0.3, 0.7), 0.9, 0.5)
    width = generator.uniform(0.3, 0.45)
    fields = np.floor(x / width)
    if coating == "chequered":
        fields = fields + np.floor(y / width)
    return np.where(fields % 2 == 0, first, second)


def _light(column, row, generator):
    """Brightness that falls across the picture; (side, side)."""
    angle, depth = generator.uniform(0, 2 * math.pi), generator.uniform(0, 0.4)
    along = math.cos(angle) * (column / SIDE - 0.5) + math.sin(angle) * (row / SIDE - 0.5)
    return 1 - depth * (along / 1.5 + 0.5)


def _colour(hue, saturation, value):
    return np.array(colorsys.hsv_to_rgb(hue % 1, saturation, value))[:, None, None]
