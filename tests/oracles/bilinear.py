"""An affine warp by bilinear interpolation, pixel by pixel, as OpenCV defines it but for the pixels' centres."""

import math

import numpy as np


def warp(image, inverse, offset, size):
    """Warp `image` to `size` x `size`: the output's point p shows the image's point ``inverse @ (p - offset)``.

    Points are (x, y), pixel i covers the interval from i to i + 1, and beyond the image all is black.
    """
    height, width = image.shape
    result = np.empty((size, size), np.uint8)

    def gray(row, column):
        return float(image[row, column]) if 0 <= row < height and 0 <= column < width else 0.0

    for row in range(size):
        for column in range(size):
            x, y = inverse @ (np.array([column + 0.5, row + 0.5]) - offset) - 0.5
            left, top = math.floor(x), math.floor(y)
            right, down = x - left, y - top
            value = (
                (1 - down) * (1 - right) * gray(top, left)
                + (1 - down) * right * gray(top, left + 1)
                + down * (1 - right) * gray(top + 1, left)
                + down * right * gray(top + 1, left + 1)
            )
            result[row, column] = math.floor(value + 0.5)
    return result
