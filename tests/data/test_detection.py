"""Faces found in photographs."""

import sys

import numpy as np
import pytest

from crmn_legacy import samples
from crmn_legacy.data import detection
from crmn_legacy.data.files.faces import read_faces
from crmn_legacy.errors import UserError


@pytest.fixture(scope="module")
def faces():
    pytest.importorskip("cv2", reason="no OpenCV: make detect")
    return read_faces(samples.path("rendered_faces.h5"))


def overlap(one, other):
    """Intersection over union of two boxes."""
    sides = np.clip(np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2]), 0, None)
    areas = [np.prod(box[2:] - box[:2]) for box in (one, other)]
    return sides.prod() / (sum(areas) - sides.prod())


def test_boxes_are_tight_about_the_points(faces):
    overlaps = []
    for image, keypoints in zip(faces.images[:40], faces.keypoints[:40], strict=True):
        points = keypoints * image.shape[::-1]
        true = np.concatenate([points.min(axis=0), points.max(axis=0)])
        overlaps += [overlap(found, true) for found in detection.detect_faces(image)[0][:1]]
    # It was made for photographs, and finds most of the rendered ones all the same.
    assert len(overlaps) >= 25 and np.median(overlaps) > 0.65


def test_a_face_that_fills_its_picture_is_found(faces):
    found = []
    for image, keypoints in zip(faces.images[:20], faces.keypoints[:20], strict=True):
        points = keypoints * image.shape[::-1]
        (x0, y0), (x1, y1) = (points.min(axis=0) - 3).clip(0).astype(int), (points.max(axis=0) + 3).astype(int)
        boxes, _ = detection.detect_faces(np.ascontiguousarray(image[y0:y1, x0:x1]))
        found += [overlap(boxes[0], np.array([3, 3, x1 - x0 - 3, y1 - y0 - 3]))] if len(boxes) else []
    assert len(found) >= 8 and np.median(found) > 0.65


def test_the_largest_face_comes_first(faces):
    image = next(image for image in faces.images if len(detection.detect_faces(image)[0]) == 1)
    small = image[::2, ::2]
    beside = np.zeros((len(image), image.shape[1] + small.shape[1]), np.uint8)
    beside[: len(small), : small.shape[1]], beside[:, small.shape[1] :] = small, image
    found, scores = detection.detect_faces(beside)
    assert scores.dtype == np.int64 and (scores >= 3).all() and (found == found.round(3)).all()
    assert len(found) == len(scores) == 2 and found[0, 0] >= small.shape[1] > found[1, 2]
    assert found[0, 2] - found[0, 0] > 1.5 * (found[1, 2] - found[1, 0])


def test_where_there_is_no_face_none_is_found(faces):
    boxes, scores = detection.detect_faces(np.full((80, 90), 128, np.uint8))
    assert boxes.shape == (0, 4) and scores.shape == (0,)


def test_without_opencv_it_is_told_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(UserError, match=r"--detect got no OpenCV, expected it: install .*`make detect`"):
        detection.detect_faces(np.zeros((50, 50), np.uint8))
