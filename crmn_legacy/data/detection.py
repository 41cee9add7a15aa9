"""Faces in a photograph: OpenCV's cascade, an optional extra whose model comes in its wheel."""

import numpy as np

from crmn_legacy.errors import UserError

# It found the face in 282 of 300 training pictures of Helen, as 300-W has them, and what is none 11 times; the other
# cascades were not tried.
_MODEL = "haarcascade_frontalface_alt2.xml"
_SCALE, _NEIGHBOURS = 1.1, 3
# A face is at least so large a part of the picture's shorter side, and so many pixels.
_LEAST_PART, _LEAST_PIXELS = 0.1, 24
# The picture is continued at its edges by this part of its shorter side, for the cascade's square is larger than the
# face: of those pictures cut to 1.15 times the face it found 275, without this 56.
_MARGIN = 0.25

# Where the points' tight box lies in that of the cascade: its centre off the middle, and its sides, in the cascade's.
# Medians over the 282; the deviations are 0.08 and 0.04, 0.08 and 0.08.
_OFF = np.array([0.01, 0.15])
_SIDES = np.array([0.85, 0.825])


def detect_faces(picture):
    """Faces that look towards the camera.

    Parameters
    ----------
    picture : uint8 array (height, width)

    Returns
    -------
    boxes : float64 array (faces, 4)
        Tight boxes, brows to chin, x0, y0, x1, y1 in pixels, to a thousandth; the largest first, of equal ones the
        leftmost.
    scores : int64 array (faces,)
        In how many windows each face was found, at least 3; more for a face that is surer.

    Raises
    ------
    UserError
        OpenCV is not installed.
    """
    try:
        import cv2
    except ImportError:
        raise UserError(
            "--detect got no OpenCV, expected it: install what requirements-detect.lock names (`make detect`), or give "
            "each face's --box"
        ) from None
    cascade = cv2.CascadeClassifier(cv2.data.haarcascades + _MODEL)
    least = max(_LEAST_PIXELS, round(_LEAST_PART * min(picture.shape)))
    margin = round(_MARGIN * min(picture.shape))
    found = cascade.detectMultiScale2(np.pad(picture, margin, "edge"), _SCALE, _NEIGHBOURS, minSize=(least, least))
    squares, scores = np.array(found[0], dtype=np.float64).reshape(-1, 4), np.array(found[1], dtype=np.int64).ravel()
    boxes = (np.array([_tight(*square) for square in squares]).reshape(-1, 4) - margin).round(3)
    order = np.lexsort((boxes[:, 1], boxes[:, 0], boxes[:, 0] - boxes[:, 2]))
    return boxes[order], scores[order]


def _tight(x, y, width, height):
    size = np.array([width, height])
    centre = np.array([x, y]) + size / 2 + _OFF * size
    return np.concatenate([centre - _SIDES * size / 2, centre + _SIDES * size / 2])
