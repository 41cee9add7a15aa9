"""Pseudorandom overlapping fractional max-pooling (Graham, 2014), region by region."""

from fractions import Fraction
from math import floor

import numpy as np


def starts(u, side, length):
    """Where the regions of an axis begin, in exact fractions."""
    alpha = Fraction(side - 2, length - 1)
    u = Fraction(float(u))
    return [floor((j + u) * alpha) - floor(u * alpha) for j in range(length)]


def forward(x, u, rows, columns):
    """Maxima over regions of 2 x 2 of x (batch, channels, height, width); u (2, batch) for rows and columns."""
    result = np.empty((*x.shape[:2], rows, columns), x.dtype)
    for picture, (of_rows, of_columns) in enumerate(u.T):
        for i, top in enumerate(starts(of_rows, x.shape[2], rows)):
            for j, left in enumerate(starts(of_columns, x.shape[3], columns)):
                region = x[picture, :, top : top + 2, left : left + 2]
                assert region.shape[1:] == (2, 2)
                result[picture, :, i, j] = region.max(axis=(1, 2))
    return result


def gradient(x, u, d_out):
    """Gradient by x: each region's goes to its greatest element (x without ties)."""
    result = np.zeros_like(x)
    batch, channels, rows, columns = d_out.shape
    for picture in range(batch):
        for i, top in enumerate(starts(u[0, picture], x.shape[2], rows)):
            for j, left in enumerate(starts(u[1, picture], x.shape[3], columns)):
                for channel in range(channels):
                    region = x[picture, channel, top : top + 2, left : left + 2]
                    row, column = np.unravel_index(region.argmax(), (2, 2))
                    result[picture, channel, top + row, left + column] += d_out[picture, channel, i, j]
    return result
