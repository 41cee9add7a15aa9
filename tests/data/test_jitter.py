"""Pixels and points move together, within the protocol's ranges, and predictions find their way back."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmn_legacy.data.boxes import crop_face, face_box
from crmn_legacy.data.jitter import FaceAugmentation
from crmn_legacy.data.randomness import Generators, Purpose, generator
from tests.oracles import bilinear
from tests.oracles.jitter import jitter

FREE = FaceAugmentation(occlusion=None)
SEEDS = st.integers(0, 2**32)


def ring(points=68):
    """Points on a circle about the crop's middle."""
    turn = np.linspace(0, 2 * np.pi, points, endpoint=False)
    return (0.5 + 0.29 * np.column_stack([np.cos(turn), np.sin(turn)])).astype(np.float32)


def draw(seed):
    return Generators(seed, Purpose.AUGMENTATION, 0, [0])


def jittered_one(augmentation, image, keypoints, visible, generators):
    """A face alone, jittered."""
    return tuple(part[0] for part in augmentation(image[None], keypoints[None], visible[None], generators))


def plain_one(augmentation, image, keypoints, visible):
    """A face alone, without jitter."""
    return tuple(part[0] for part in augmentation.plain(image[None], keypoints[None], visible[None]))


VISIBLE = np.ones(68, dtype=bool)


class Fixed:
    """Numbers as if they had been drawn."""

    def __init__(self, scale=0.0, translation=(0.0, 0.0), degrees=0):
        self._uniform = [np.array([scale]), np.array([translation])]
        self._degrees = np.array([degrees])

    def uniform(self, low, high, size=None):
        return self._uniform.pop(0)

    def integers(self, low, high, endpoint):
        return self._degrees


@settings(max_examples=150)
@given(seed=SEEDS, place=st.integers(0, 67), x=st.integers(30, 129), y=st.integers(30, 129))
def test_dot_lands_where_its_point_says(seed, place, x, y):
    image = np.zeros((160, 160), np.uint8)
    # Three pixels wide, so that shrinking does not step over it.
    image[y - 1 : y + 2, x - 1 : x + 2] = 255
    keypoints = ring()
    keypoints[place] = (x + 0.5) / 160, (y + 0.5) / 160
    warped, moved, mask = jittered_one(FREE, image, keypoints, VISIBLE, draw(seed))
    landed = moved[place].astype(float) * 80
    if not ((landed > 3) & (landed < 77)).all():
        return
    weights = warped.astype(float)
    found = np.array([(weights.sum(axis) * (np.arange(80) + 0.5)).sum() for axis in (0, 1)]) / weights.sum()
    assert np.hypot(*(found - landed)) < 0.3
    assert mask[place] == 1


@given(seed=SEEDS)
def test_smooth_picture_is_sampled_where_its_points_lie(seed):
    # A slope of gray tells each pixel its own place.
    across = np.broadcast_to(np.arange(160, dtype=np.uint8), (160, 160))
    keypoints = ring()
    for image, axis in ((across, 0), (across.T, 1)):
        warped, moved, mask = jittered_one(FREE, image, keypoints, VISIBLE, draw(seed))
        for (x, y), place, counts in zip(moved.astype(float) * 80, keypoints * 160, mask, strict=True):
            if counts and min(x, y) > 1 and max(x, y) < 79:
                gray = float(warped[int(y), int(x)])
                # A pixel is at most half of one away from its point along each axis, or 1.02 in the crop.
                assert abs(gray + 0.5 - place[axis]) < 1.7


@pytest.mark.parametrize("seed", range(4))
def test_warp_is_bilinear_and_black_beyond_the_crop(seed):
    image = np.random.default_rng(seed).integers(0, 256, (160, 160), dtype=np.uint8)
    # A box that reaches over the crop's edge.
    far = replace(FREE, ratio=2.0, translation=0.3)
    warped, moved, _ = jittered_one(far, image, ring(), VISIBLE, draw(seed))
    # The map from points to points is known by its effect on three of them.
    before, after = ring()[[0, 20, 45]] * 160.0, moved[[0, 20, 45]] * 80.0
    matrix = np.linalg.solve(before[1:] - before[0], after[1:] - after[0]).T
    expected = bilinear.warp(image, np.linalg.inv(matrix), after[0] - matrix @ before[0], 80)
    difference = np.abs(warped.astype(int) - expected)
    assert difference.max() <= 1
    assert (difference == 0).mean() > 0.98
    assert (warped == 0).mean() > 0.1


def test_plain_box_is_a_slice_when_nothing_is_resized():
    image = np.random.default_rng(0).integers(0, 256, (160, 160), dtype=np.uint8)
    keypoints = ring()
    x0, y0, x1, y1 = face_box(keypoints.astype(float) * 160, 1.3)
    same_size = replace(FREE, size=x1 - x0)
    warped, moved, mask = plain_one(same_size, image, keypoints, VISIBLE)
    np.testing.assert_array_equal(warped, image[y0:y1, x0:x1])
    np.testing.assert_allclose(moved * (x1 - x0) + (x0, y0), keypoints.astype(float) * 160, atol=1e-4)
    assert mask.all()


def test_plain_fills_the_input_with_the_face():
    _, moved, _ = plain_one(FREE, np.zeros((160, 160), np.uint8), ring(), VISIBLE)
    extent = np.ptp(moved, axis=0)
    np.testing.assert_allclose(extent, 1 / 1.3, atol=0.03)
    np.testing.assert_allclose((moved.min(axis=0) + moved.max(axis=0)) / 2, 0.5, atol=0.01)


def test_moving_the_box_moves_the_face_the_other_way():
    plain = plain_one(FREE, np.zeros((160, 160), np.uint8), ring(), VISIBLE)[1]
    moved = jittered_one(FREE, np.zeros((160, 160), np.uint8), ring(), VISIBLE, Fixed(translation=(0.1, -0.05)))[1]
    np.testing.assert_allclose(moved - plain, np.broadcast_to([-0.1, 0.05], (68, 2)), atol=1e-6)


def test_larger_box_shrinks_the_face():
    plain = plain_one(FREE, np.zeros((160, 160), np.uint8), ring(), VISIBLE)[1]
    moved = jittered_one(FREE, np.zeros((160, 160), np.uint8), ring(), VISIBLE, Fixed(scale=0.1))[1]
    np.testing.assert_allclose(moved - 0.5, (plain - 0.5) / 1.1, atol=1e-6)


def test_turning_the_box_clockwise_turns_the_face_anticlockwise():
    plain = plain_one(FREE, np.zeros((160, 160), np.uint8), ring(), VISIBLE)[1] - 0.5
    moved = jittered_one(FREE, np.zeros((160, 160), np.uint8), ring(), VISIBLE, Fixed(degrees=30))[1] - 0.5
    turned = np.degrees(np.arctan2(moved[:, 1], moved[:, 0]) - np.arctan2(plain[:, 1], plain[:, 0]))
    # y runs down, so a turn against the clock makes angles smaller.
    np.testing.assert_allclose((turned + 180) % 360 - 180, -30, atol=0.01)


def test_box_is_moved_before_it_is_turned():
    plain = plain_one(FREE, np.zeros((160, 160), np.uint8), ring(), VISIBLE)[1] - 0.5
    moved = jittered_one(FREE, np.zeros((160, 160), np.uint8), ring(), VISIBLE, Fixed(0.1, (0.1, 0.0), 90))[1] - 0.5
    # Against the moved and enlarged box each point lies at (x - 0.1, y) / 1.1; turned by 90 degrees, (y, -x).
    expected = np.column_stack([plain[:, 1], 0.1 - plain[:, 0]]) / 1.1
    np.testing.assert_allclose(moved, expected, atol=1e-6)


def test_jitter_stays_within_its_ranges_and_uses_them():
    plain = plain_one(FREE, np.zeros((160, 160), np.uint8), ring(), VISIBLE)[1].astype(float)
    scales, angles, shifts = [], [], []
    for seed in range(400):
        moved = jittered_one(FREE, np.zeros((160, 160), np.uint8), ring(), VISIBLE, draw(seed))[1].astype(float)
        a, b = (plain[0] - plain[34]), (moved[0] - moved[34])
        scale = math.hypot(*a) / math.hypot(*b)
        angle = math.degrees(math.atan2(a[1], a[0]) - math.atan2(b[1], b[0]))
        scales.append(scale)
        angles.append((angle + 180) % 360 - 180)
        # The face's middle, undone of turn and scale, is where the box was moved from.
        turn = math.radians(angles[-1])
        x, y = (0.5 - moved.mean(axis=0)) * scale
        shifts.append([x * math.cos(turn) - y * math.sin(turn), x * math.sin(turn) + y * math.cos(turn)])
    assert 0.9 - 1e-4 < min(scales) < 0.905
    assert 1.095 < max(scales) < 1.1 + 1e-4
    assert sorted({round(angle) for angle in angles}) == list(range(-20, 21))
    np.testing.assert_allclose(angles, np.round(angles), atol=0.01)
    offsets = np.array(shifts) - (0.5 - plain.mean(axis=0))
    assert np.abs(offsets).max() < 0.1 + 1e-3
    assert np.abs(offsets).max() > 0.095


@given(seed=SEEDS)
def test_one_black_rectangle_with_sides_in_range(seed):
    image = np.full((160, 160), 255, np.uint8)
    # No other black: the box is not moved off the crop.
    still = FaceAugmentation(scale=0.0, translation=0.0, rotation=0)
    warped, _, _ = jittered_one(still, image, ring(), VISIBLE, draw(seed))
    rows, columns = np.nonzero(warped == 0)
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    assert len(rows) == height * width
    assert 20 <= height <= 50
    assert 20 <= width <= 50


def test_rectangles_reach_every_size_and_corner():
    image = np.full((160, 160), 255, np.uint8)
    still = FaceAugmentation(scale=0.0, translation=0.0, rotation=0)
    covered, heights, widths = np.zeros((80, 80), bool), set(), set()
    for seed in range(1500):
        black = jittered_one(still, image, ring(), VISIBLE, draw(seed))[0] == 0
        covered |= black
        heights.add(int(black.any(axis=1).sum()))
        widths.add(int(black.any(axis=0).sum()))
    assert heights == widths == set(range(20, 51))
    assert covered.mean() > 0.99


def test_rectangle_changes_neither_points_nor_jitter():
    image = np.random.default_rng(0).integers(1, 256, (160, 160), dtype=np.uint8)
    with_it, without = (
        jittered_one(FaceAugmentation(), image, ring(), VISIBLE, draw(3)),
        jittered_one(FREE, image, ring(), VISIBLE, draw(3)),
    )
    np.testing.assert_array_equal(with_it[1], without[1])
    np.testing.assert_array_equal(with_it[2], without[2])
    kept = with_it[0] != 0
    np.testing.assert_array_equal(with_it[0][kept], without[0][kept])


def test_mask_is_zero_for_hidden_points_and_for_points_pushed_out():
    visible = VISIBLE.copy()
    visible[5] = False
    wild = FaceAugmentation(scale=0.0, translation=0.45, rotation=0, occlusion=None)
    seen = np.zeros(2, dtype=bool)
    for seed in range(20):
        _, moved, mask = jittered_one(wild, np.zeros((160, 160), np.uint8), ring(), visible, draw(seed))
        inside = ((moved >= 0) & (moved < 1)).all(axis=1)
        np.testing.assert_array_equal(mask, inside & visible)
        seen |= [inside.all(), not inside.all()]
    assert seen[1]


def test_result_has_the_network_s_types():
    image, keypoints, mask = jittered_one(FaceAugmentation(), np.zeros((160, 160), np.uint8), ring(), VISIBLE, draw(0))
    assert (image.shape, keypoints.shape, mask.shape) == ((80, 80), (68, 2), (68,))
    assert (image.dtype, keypoints.dtype, mask.dtype) == (np.uint8, np.float32, np.float32)


def test_pixels_are_rounded_not_cut():
    image = np.tile(np.array([10, 11], np.uint8), (160, 80))
    # An even reduction to a half puts each sample between a 10 and an 11.
    half = FaceAugmentation(size=40, ratio=1.0, occlusion=None)
    keypoints = np.array([[40, 40], [120, 120]], np.float32) / 160
    warped, _, _ = plain_one(half, image, keypoints, np.ones(2, bool))
    assert set(np.unique(warped)) == {11}


def test_stored_arrays_are_left_alone():
    image = np.random.default_rng(0).integers(1, 256, (160, 160), dtype=np.uint8)
    keypoints, before = ring(), image.copy()
    jittered_one(FaceAugmentation(), image, keypoints, VISIBLE, draw(0))
    np.testing.assert_array_equal(image, before)
    np.testing.assert_array_equal(keypoints, ring())


@given(
    points=st.lists(st.tuples(st.floats(50, 350), st.floats(50, 250)), min_size=2, max_size=68).map(np.array),
)
def test_predictions_go_back_to_the_picture(points):
    points = np.concatenate([points, [[100, 100], [180, 190]]])
    crop = crop_face(np.zeros((300, 400), np.uint8), points)
    _, moved, _ = plain_one(FREE, crop.image, crop.keypoints, crop.visible)
    np.testing.assert_allclose(FREE.to_picture(moved, crop), points, atol=1e-3)


def test_corners_of_a_box_give_the_input_that_all_points_give():
    picture = np.random.default_rng(0).integers(0, 256, (300, 400), dtype=np.uint8)
    points = 150 + 60 * (ring().astype(float) - 0.5) / 0.29
    whole = crop_face(picture, points)
    corners = crop_face(picture, [points.min(axis=0), points.max(axis=0)])
    np.testing.assert_array_equal(
        plain_one(FREE, whole.image, whole.keypoints, whole.visible)[0],
        plain_one(FREE, corners.image, corners.keypoints, corners.visible)[0],
    )


@pytest.mark.parametrize(
    "options",
    [{"occlusion": (50, 20)}, {"occlusion": (20, 81)}, {"occlusion": (0, 5)}, {"scale": 1.0}, {"rotation": -1}],
)
def test_ranges_that_make_no_sense_are_refused(options):
    with pytest.raises(ValueError, match="expected"):
        FaceAugmentation(**options)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"occlusion": None},
        {"rotation": 0, "scale": 0.0, "translation": 0.0},
        {"size": 16, "occlusion": (2, 6)},
        {"size": 33, "occlusion": (33, 33)},
        {"ratio": 2.0, "translation": 0.6, "rotation": 180, "scale": 0.5},
    ],
)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**64 - 1), epoch=st.integers(0, 2**32), rows=st.lists(st.integers(0, 2**40), max_size=5))
def test_a_batch_is_its_faces_one_by_one(changes, seed, epoch, rows):
    augmentation, random = FaceAugmentation(**changes), np.random.default_rng([epoch, *rows])
    images = random.integers(0, 256, (len(rows), 160, 150), dtype=np.uint8)
    keypoints = (ring() + random.uniform(-0.1, 0.1, size=(len(rows), 68, 2))).astype(np.float32)
    visible = random.random((len(rows), 68)) < 0.9
    found = augmentation(images, keypoints, visible, Generators(seed, Purpose.AUGMENTATION, epoch, rows))
    without = augmentation.plain(images, keypoints, visible)
    for place, row in enumerate(rows):
        face, drawn = (
            (images[place], keypoints[place], visible[place]),
            generator(seed, Purpose.AUGMENTATION, epoch, row),
        )
        for parts, expected in (
            (found, jitter(augmentation, *face, drawn)),
            (without, jitter(augmentation, *face, None)),
        ):
            for part, array in zip(parts, expected, strict=True):
                np.testing.assert_array_equal(part[place], array)
                assert part.dtype == array.dtype
