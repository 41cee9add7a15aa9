"""From a picture and its points to the square crop that is stored, and back.

The boxes are those of Honari et al. (2016): the tight box of the points, made square, enlarged about its
centre. Coordinates are (x, y) in pixels of the picture, where pixel i covers the interval from i to i + 1;
the points of a ``.pts`` file are taken as they stand. A box is (x0, y0, x1, y1) in whole pixels.
"""

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

from crmn_legacy.errors import UserError

CROP_SIZE = 160
CROP_RATIO = 1.7

# A point this near to the picture's edge (left and top, right and bottom) is taken as cut off by it, where
# the box leaves the picture: the annotators moved such points on to the edge.
_NEAR_START = 10
_NEAR_END = 3

# Whole numbers of pixels below it are exact, whatever is done with them here.
_FARTHEST = 2.0**50

# A box may be this many times as wide as the picture. What is larger comes from wrong points.
_WIDEST = 8


@dataclass(frozen=True)
class Crop:
    """A square piece of a picture, and the points in it.

    Attributes
    ----------
    image : uint8 array (size, size)
        Gray; black where the box leaves the picture.
    keypoints : float32 array (points, 2)
        (x, y) in [0, 1] of the crop.
    visible : bool array (points,)
        False for points that the picture's edge has cut off.
    box : float32 array (4,)
        (x0, y0, x1, y1) of the crop in the picture.
    """

    image: np.ndarray
    keypoints: np.ndarray
    visible: np.ndarray
    box: np.ndarray


def tight_box(points):
    """The smallest boxes in whole pixels around `points`, an array (..., points, 2): four int64 arrays (...)."""
    x0, y0 = np.moveaxis(np.floor(points.min(axis=-2)).astype(np.int64), -1, 0)
    x1, y1 = np.moveaxis(np.ceil(points.max(axis=-2)).astype(np.int64), -1, 0)
    return x0, y0, x1, y1


def square_box(box):
    """A `box`, or arrays of them, with its shorter side grown to the longer, the odd pixel before it."""
    x0, y0, x1, y1 = box
    difference = (y1 - y0) - (x1 - x0)
    before, after = (abs(difference) + 1) // 2, abs(difference) // 2
    high = difference > 0
    wide = 1 - high
    return x0 - before * high, y0 - before * wide, x1 + after * high, y1 + after * wide


def enlarge_box(box, ratio):
    """A square `box`, or arrays of them, `ratio` times as wide about its centre, rounded outwards to whole pixels."""
    x0, y0, x1, y1 = box
    # Rounding first: 0.7 / 2 * 20 is 7.000000000000001 on some routes, which would grow the box by two pixels. Python's
    # own, one by one, is exact, NumPy's is not.
    margin_of = np.vectorize(lambda side: math.ceil(round((ratio - 1) / 2 * side, 9)), otypes=[np.int64])
    margin = margin_of(x1 - x0)
    return x0 - margin, y0 - margin, x1 + margin, y1 + margin


def face_boxes(points, ratio):
    """:func:`face_box` of many faces, points (faces, points, 2); int64 array (faces, 4)."""
    points = np.asarray(points, dtype=np.float64)
    if points.ndim != 3 or points.shape[2] != 2 or points.shape[1] < 2:
        raise UserError(f"got keypoints of shape {points.shape[1:]}; expected (points, 2) with at least 2 points")
    if not (np.abs(points) < _FARTHEST).all():
        raise UserError(
            "got keypoints that are not finite, or of no picture; expected numbers in pixels of the picture"
        )
    box = square_box(tight_box(points))
    if (empty := box[2] - box[0] < 1).any():
        point = tuple(points[np.argmax(empty), 0].tolist())
        raise UserError(f"got keypoints that all lie on {point}; expected them to span a box")
    return np.stack(enlarge_box(box, ratio), axis=1)


def face_box(points, ratio):
    """The square box around `points`, `ratio` times as wide as they need; four int.

    Parameters
    ----------
    points : array (points, 2)
        (x, y) in pixels; at least two of them.
    ratio : float
        1.7 for the stored crop, 1.3 for the network's box inside it.

    Raises
    ------
    UserError
        If the points are not finite, or span nothing.
    """
    return tuple(face_boxes(np.asarray(points)[None], ratio)[0].tolist())


def visible_points(points, box, width, height):
    """Which `points` the edge of a `width` x `height` picture has not cut off; bool array (points,).

    A point is cut off if it lies beyond or very near an edge of the picture that `box` crosses, so that what
    surrounds it in the crop is padding.
    """
    x, y = np.asarray(points, dtype=np.float64).T
    x0, y0, x1, y1 = box
    hidden = np.zeros(len(x), dtype=bool)
    if x0 < 0:
        hidden |= x < _NEAR_START
    if y0 < 0:
        hidden |= y < _NEAR_START
    if x1 > width:
        hidden |= width - x <= _NEAR_END
    if y1 > height:
        hidden |= height - y <= _NEAR_END
    return ~hidden


def crop_face(picture, points, size=CROP_SIZE, ratio=CROP_RATIO):
    """Cut the box around `points` out of `picture`, black beyond its edges, and resize it (Lanczos).

    Parameters
    ----------
    picture : uint8 array (height, width)
        Gray.
    points : array (points, 2)
        (x, y) in pixels of the picture; the two corners of a box will do.
    size : int
        Side of the crop in pixels.
    ratio : float
        Side of the box over the longer side of the points' tight box.

    Returns
    -------
    Crop

    Raises
    ------
    UserError
        If the points span nothing, lie off the picture, or span many times its size.
    """
    points = np.asarray(points, dtype=np.float64)
    box = face_box(points, ratio)
    height, width = picture.shape
    x0, y0, x1, y1 = box
    if x1 - x0 > _WIDEST * max(width, height) or x1 <= 0 or y1 <= 0 or x0 >= width or y0 >= height:
        raise UserError(
            f"got keypoints in the box {box} of a picture of {width} x {height} pixels; expected them on the picture"
        )
    cut = Image.fromarray(np.ascontiguousarray(picture)).crop(box)
    image = np.asarray(cut.resize((size, size), Image.Resampling.LANCZOS))
    keypoints = (points - (x0, y0)) / (x1 - x0)
    return Crop(
        image=image,
        keypoints=keypoints.astype(np.float32),
        visible=visible_points(points, box, width, height),
        box=np.array(box, dtype=np.float32),
    )


def crop_to_picture(points, box):
    """Carry `points` in [0, 1] of a crop back to the picture's pixels; array (..., 2) in float64.

    Parameters
    ----------
    points : array (..., 2)
    box : array (4,)
        :attr:`Crop.box`.
    """
    x0, y0, x1, y1 = np.asarray(box, dtype=np.float64)
    return np.asarray(points, dtype=np.float64) * (x1 - x0, y1 - y0) + (x0, y0)
