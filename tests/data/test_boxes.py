"""Boxes, crops and the way back to the picture."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from crmn_legacy.data.boxes import (
    crop_face,
    crop_to_picture,
    enlarge_box,
    face_box,
    face_boxes,
    square_box,
    tight_box,
    visible_points,
)
from crmn_legacy.errors import UserError

COORDINATE = st.floats(-300, 600)
POINTS = st.lists(st.tuples(COORDINATE, COORDINATE), min_size=2, max_size=68).map(np.array)


def test_tight_box_rounds_outwards():
    assert tight_box(np.array([[1.2, 7.0], [3.4, 9.1]])) == (1, 7, 4, 10)


@pytest.mark.parametrize(
    ("box", "square"),
    [
        ((0, 0, 10, 10), (0, 0, 10, 10)),
        ((0, 0, 10, 13), (-2, 0, 11, 13)),
        ((0, 0, 13, 10), (0, -2, 13, 11)),
        ((5, 5, 6, 9), (3, 5, 7, 9)),
    ],
)
def test_square_box_grows_the_shorter_side_more_before_it(box, square):
    assert square_box(box) == square


@pytest.mark.parametrize(
    ("ratio", "enlarged"), [(1.7, (-35, -35, 135, 135)), (1.3, (-15, -15, 115, 115)), (1.0, (0, 0, 100, 100))]
)
def test_enlarge_box_is_about_the_centre(ratio, enlarged):
    assert enlarge_box((0, 0, 100, 100), ratio) == enlarged


def test_enlarge_box_is_not_moved_by_rounding_errors():
    for side in range(20, 2000, 20):
        assert enlarge_box((0, 0, side, side), 1.7)[2] == side + 35 * side // 100


@given(points=POINTS, ratio=st.sampled_from([1.0, 1.3, 1.7]))
def test_face_box_is_square_and_holds_the_points(points, ratio):
    assume(np.ptp(points, axis=0).max() > 0)
    x0, y0, x1, y1 = face_box(points, ratio)
    assert x1 - x0 == y1 - y0
    assert (points >= (x0, y0)).all()
    assert (points <= (x1, y1)).all()
    tight = tight_box(points)
    longer = max(tight[2] - tight[0], tight[3] - tight[1])
    assert ratio * longer <= x1 - x0 + 1e-9 <= ratio * longer + 2.1


@pytest.mark.parametrize(
    "points", [[[3, 4]] * 5, [[3, 4]], [3, 4, 5, 6], [[np.nan, 0], [5, 5]], [[0, 0], [np.inf, 1]], [[0, 0], [1e300, 1]]]
)
def test_points_that_make_no_box_are_the_users_mistake(points):
    with pytest.raises(UserError, match="expected"):
        face_box(points, 1.7)


@given(faces=st.lists(POINTS.map(lambda points: np.resize(points, (68, 2))), max_size=6), ratio=st.floats(1, 3))
def test_boxes_of_many_faces_are_those_of_each(faces, ratio):
    assume(all(np.ptp(points, axis=0).max() > 0 for points in faces))
    expected = [enlarge_box(square_box(tight_box(points)), ratio) for points in faces]
    np.testing.assert_array_equal(face_boxes(np.reshape(faces, (-1, 68, 2)), ratio), np.reshape(expected, (-1, 4)))
    assert [face_box(points, ratio) for points in faces] == expected


def test_the_face_that_spans_nothing_is_told():
    with pytest.raises(UserError, match=r"all lie on \(3\.0, 4\.0\)"):
        face_boxes([[[0, 0], [5, 5]], [[3, 4], [3, 4]]], 1.3)


def test_points_are_hidden_only_near_an_edge_that_the_box_crosses():
    points = np.array([[5, 50], [50, 5], [98, 50], [50, 98], [50, 50], [9.9, 9.9], [-4, 50], [96, 96]])
    everywhere = visible_points(points, (-10, -10, 110, 110), 100, 100)
    assert everywhere.tolist() == [False, False, False, False, True, False, False, True]
    assert visible_points(points, (-10, 0, 100, 100), 100, 100).tolist() == [
        *(False, True, True, True, True, False, False, True)
    ]
    assert visible_points(points, (0, 0, 100, 100), 100, 100).all()


def picture_of(height=300, width=400):
    y, x = np.mgrid[0:height, 0:width]
    return (40 + 0.3 * x + 0.2 * y).astype(np.uint8)


def test_crop_without_resizing_is_a_slice():
    picture = np.random.default_rng(0).integers(0, 256, (300, 400), dtype=np.uint8)
    crop = crop_face(picture, [[100, 80], [200, 180]], size=170)
    np.testing.assert_array_equal(crop.box, [65, 45, 235, 215])
    np.testing.assert_array_equal(crop.image, picture[45:215, 65:235])
    np.testing.assert_allclose(crop.keypoints, [[35 / 170, 35 / 170], [135 / 170, 135 / 170]], rtol=1e-6)
    assert crop.visible.all()


def test_crop_is_black_beyond_the_picture():
    crop = crop_face(np.full((100, 100), 200, np.uint8), [[10, 20], [60, 70]], size=86)
    x0, y0, x1, y1 = crop.box.astype(int)
    assert (x0, y0, x1, y1) == (-8, 2, 78, 88)
    assert (crop.image[:, :8] == 0).all()
    assert (crop.image[:, 8:] == 200).all()


def test_crop_has_the_types_that_are_stored():
    crop = crop_face(picture_of(), [[100, 80], [200, 180]])
    assert crop.image.shape == (160, 160)
    assert [array.dtype for array in (crop.image, crop.keypoints, crop.visible, crop.box)] == [
        *(np.uint8, np.float32, bool, np.float32)
    ]


def test_corners_of_a_box_do_for_its_points():
    points = np.random.default_rng(0).uniform(100, 200, size=(68, 2))
    corners = np.array([points.min(axis=0), points.max(axis=0)])
    whole, by_corners = crop_face(picture_of(), points), crop_face(picture_of(), corners)
    np.testing.assert_array_equal(whole.image, by_corners.image)
    np.testing.assert_array_equal(whole.box, by_corners.box)


@given(points=POINTS)
def test_points_go_to_the_crop_and_back(points):
    assume(np.ptp(points, axis=0).max() > 1)
    try:
        crop = crop_face(picture_of(), points)
    except UserError:
        # The box may lie off the picture.
        x0, y0, x1, y1 = face_box(points, 1.7)
        assert x1 <= 0 or y1 <= 0 or x0 >= 400 or y0 >= 300
        return
    assert ((crop.keypoints >= 0) & (crop.keypoints <= 1)).all()
    np.testing.assert_allclose(crop_to_picture(crop.keypoints, crop.box), points, atol=1e-3)


@given(x=st.integers(60, 160), y=st.integers(60, 160), side=st.integers(40, 90))
def test_dot_lands_where_its_point_says(x, y, side):
    picture = np.zeros((400, 400), np.uint8)
    picture[y + 100, x + 100] = 255
    centre = np.array([x + 100.5, y + 100.5])
    crop = crop_face(picture, [[100 + x - side, 100 + y - side], centre, [100 + x + side, 100 + y + side]])
    weights = crop.image.astype(float)
    found = np.array([(weights.sum(axis) * (np.arange(160) + 0.5)).sum() for axis in (0, 1)]) / weights.sum()
    np.testing.assert_allclose(found, crop.keypoints[1] * 160, atol=0.3)


@pytest.mark.parametrize(
    "points",
    [[[5000, 5000], [5100, 5100]], [[-900, -900], [-800, -800]], [[0, 0], [1e7, 1e7]], [[-1e15, 0], [1e15, 5]]],
)
def test_points_off_the_picture_are_refused_before_memory_is_taken(points):
    with pytest.raises(UserError, match="expected them on the picture"):
        crop_face(picture_of(), points)
