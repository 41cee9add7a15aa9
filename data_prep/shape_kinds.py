"""Ten flat shapes, each a test of which points of the plane lie within it.

Each takes arrays x and y, x to the right and y downwards, and gives a bool array; the shape reaches to about 1 from the
origin. Only sums, products and comparisons of arrays are used, whose bits are the same on every processor.
"""

import math

import numpy as np

_STAR = [
    (radius * math.sin(math.pi * corner / 5), -radius * math.cos(math.pi * corner / 5))
    for corner, radius in enumerate([1.0, 0.42] * 5)
]
_TRIANGLE = [(0.0, -1.0), (0.92, 0.72), (-0.92, 0.72)]
_ARROW = [(0.0, -1.0), (0.8, -0.1), (0.3, -0.1), (0.3, 0.95), (-0.3, 0.95), (-0.3, -0.1), (-0.8, -0.1)]


def _polygon(corners, x, y):
    """Whether a ray to the right crosses the outline an odd number of times."""
    inside = np.zeros(x.shape, dtype=bool)
    for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
        if y0 != y1:
            inside ^= ((y0 > y) != (y1 > y)) & (x < (x1 - x0) / (y1 - y0) * (y - y0) + x0)
    return inside


def _box(width, height, x, y):
    return (np.abs(x) <= width) & (np.abs(y) <= height)


def _disc(radius, x, y):
    return x * x + y * y <= radius * radius


# Name -> test.
KINDS = {
    "disc": lambda x, y: _disc(0.9, x, y),
    "ring": lambda x, y: _disc(0.95, x, y) & ~_disc(0.5, x, y),
    "square": lambda x, y: _box(0.78, 0.78, x, y),
    "bar": lambda x, y: _box(1.0, 0.28, x, y),
    "triangle": lambda x, y: _polygon(_TRIANGLE, x, y),
    "star": lambda x, y: _polygon(_STAR, x, y),
    "cross": lambda x, y: _box(0.95, 0.27, x, y) | _box(0.27, 0.95, x, y),
    "crescent": lambda x, y: _disc(0.95, x, y) & ~_disc(0.8, x - 0.5, y),
    "bowl": lambda x, y: _disc(0.95, x, y + 0.35) & (y >= -0.35),
    "arrow": lambda x, y: _polygon(_ARROW, x, y),
}
