"""A picture bent and moved in a field of zeros (Graham, 2014), pixel by pixel, by bilinear interpolation."""

import math

import numpy as np


def matrix(stretch_x, stretch_y, mirrored, kind, amount):
    """The product of the source's two matrices, for points (x, y) as rows."""
    first = np.diag([-stretch_x if mirrored else stretch_x, stretch_y])
    second = {
        0: [[1, 0], [amount, 1]],
        1: [[1, amount], [0, 1]],
        2: [[math.cos(amount), -math.sin(amount)], [math.sin(amount), math.cos(amount)]],
    }[kind]
    return first @ np.array(second)


def placed(picture, forward, shift, size):
    """What the field shows: middle upon middle, then moved by `shift` (x, y); a pixel's centre is at one half."""
    channels, height, width = picture.shape
    inverse = np.linalg.inv(forward)
    result = np.zeros((channels, size, size))
    for row in range(size):
        for column in range(size):
            there = np.array([column + 0.5, row + 0.5]) - size / 2 - shift
            x, y = there @ inverse + [width / 2 - 0.5, height / 2 - 0.5]
            left, top = math.floor(x), math.floor(y)
            for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
                if 0 <= top + i < height and 0 <= left + j < width:
                    weight = abs(1 - i - (y - top)) * abs(1 - j - (x - left))
                    result[:, row, column] += weight * picture[:, top + i, left + j]
    return result


def coloured(field, deltas, middle, threshold):
    """Noise on each pixel that is not background; `deltas` (4, channels), `middle` (x, y) in pixels of the field."""
    result = np.zeros_like(field)
    for row in range(field.shape[1]):
        for column in range(field.shape[2]):
            pixel = field[:, row, column]
            if np.abs(pixel).max() <= threshold:
                continue
            x, y = column + 0.5 - middle[0], row + 0.5 - middle[1]
            pixel = pixel + deltas[0] + deltas[1] * pixel + deltas[2] * x + deltas[3] * y
            if np.abs(pixel).max() > threshold:
                result[:, row, column] = pixel
    return result
