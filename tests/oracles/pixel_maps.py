"""NumPy oracle of maps over pixels: targets, noise, cross-entropy, joint prediction (Honari et al., 2016)."""

import numpy as np

# Coordinates are limited to this before they become pixels, so that 1 is in the last one.
LARGEST = 0.99999


def pixels(keypoints, height, width):
    """The number of the pixel that each point lies in, row by row; keypoints (batch, 2 points) as x0, y0, x1, ..."""
    points = np.clip(keypoints.reshape(len(keypoints), -1, 2), 0, LARGEST)
    return (np.floor(points[:, :, 1] * height) * width + np.floor(points[:, :, 0] * width)).astype(int)


def one_hot(numbers, height, width):
    """Maps (batch, points, height, width): 1 at each point's pixel, else 0."""
    batch, points = numbers.shape
    maps = np.zeros((batch, points, height * width))
    for picture in range(batch):
        for point in range(points):
            maps[picture, point, numbers[picture, point]] = 1
    return maps.reshape(batch, points, height, width)


def moved(draws, count):
    """Which points are moved, 1 or 0: in each row of `draws` (batch, points) those of the `count` least numbers."""
    marks = np.zeros(draws.shape)
    for row, drawn in zip(marks, draws, strict=True):
        row[np.argsort(drawn, kind="stable")[:count]] = 1
    return marks


def noisy(numbers, marks, draws, size):
    """Pixels of which those that are marked lie somewhere among `size` pixels, by a draw from 0 to 1 each."""
    return np.where(marks > 0, np.minimum(np.floor(draws * size), size - 1), numbers).astype(int)


def cross_entropy(maps, numbers):
    """Minus the logarithm of the softmax over a map's pixels, at the point's pixel; (batch, points)."""
    flat = maps.reshape(*numbers.shape, -1)
    flat = flat - flat.max(axis=2, keepdims=True)
    logarithms = flat - np.log(np.exp(flat).sum(axis=2, keepdims=True))
    return -np.take_along_axis(logarithms, numbers[:, :, None], axis=2)[:, :, 0]


def picture_box(pictures):
    """First and last column and row that are not all black, (batch, 4) as x0, y0, x1, y1; all of a black picture."""
    boxes = []
    for picture in pictures:
        rows, columns = (np.flatnonzero(picture.any(axis=axis)) for axis in (1, 0))
        height, width = picture.shape
        rows = rows if len(rows) else np.arange(height)
        columns = columns if len(columns) else np.arange(width)
        boxes.append([columns[0], rows[0], columns[-1], rows[-1]])
    return np.array(boxes)


def joint_prediction(first, second, pictures):
    """The pixel of the greatest sum of two sets of maps, moved into the picture, as its centre: (batch, 2 points)."""
    batch, points, height, width = first.shape
    best = (first + second).reshape(batch, points, -1).argmax(axis=2)
    x0, y0, x1, y1 = picture_box(pictures).T[:, :, None]
    x = np.clip(best % width, x0, x1)
    y = np.clip(best // width, y0, y1)
    return np.stack([(x + 0.5) / width, (y + 0.5) / height], axis=2).reshape(batch, -1)
