"""The jitter of Honari et al. (2016) of one face, by SciPy, with numbers drawn one after the other."""

import math

import numpy as np
from scipy import ndimage

from crmn_legacy.data.boxes import face_box


def jitter(augmentation, image, keypoints, visible, generator):
    """What `FaceAugmentation` makes of a face, by a `numpy.random.Generator`; without jitter if that is None."""
    a, forward = augmentation, (1.0, (0.0, 0.0), 0)
    if generator is not None:
        scale = 1 + generator.uniform(-a.scale, a.scale)
        translation = generator.uniform(-a.translation, a.translation, size=2)
        forward = scale, translation, int(generator.integers(-a.rotation, a.rotation, endpoint=True))
    image, keypoints, mask = warp(a.size, image, keypoints, visible, *affine(a, image.shape, keypoints, *forward))
    if generator is not None and a.occlusion is not None:
        height, width = generator.integers(*a.occlusion, size=2, endpoint=True)
        row = generator.integers(0, a.size - height, endpoint=True)
        column = generator.integers(0, a.size - width, endpoint=True)
        image[row : row + height, column : column + width] = 0
    return image, keypoints, mask


def affine(augmentation, shape, keypoints, scale, translation, degrees):
    """The map of (x, y) in the crop to (x, y) in the input: a matrix and an offset."""
    x0, y0, x1, y1 = face_box(np.asarray(keypoints, dtype=np.float64) * shape[::-1], augmentation.ratio)
    side = x1 - x0
    x, y = (x0 + x1) / 2 + translation[0] * side, (y0 + y1) / 2 + translation[1] * side
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    matrix = augmentation.size / (side * scale) * np.array([[cosine, sine], [-sine, cosine]])
    centre = augmentation.size / 2
    return matrix, np.array([centre - (row[0] * x + row[1] * y) for row in matrix])


def warp(size, image, keypoints, visible, matrix, offset):
    """A face under a map, its points, and which of them count."""
    (a, b), (c, d) = matrix
    rows_first = (np.array([[d, -b], [-c, a]]) / (a * d - b * c))[::-1, ::-1]
    half = np.array([0.5, 0.5])
    start = rows_first @ (half - offset[::-1]) - half
    warped = ndimage.affine_transform(
        image, rows_first, start, (size, size), np.uint8, order=1, mode="grid-constant", cval=0, prefilter=False
    )
    points = np.asarray(keypoints, dtype=np.float64) * image.shape[::-1]
    moved = ((points @ matrix.T + offset) / size).astype(np.float32)
    return warped, moved, (visible & ((moved >= 0) & (moved < 1)).all(axis=1)).astype(np.float32)
