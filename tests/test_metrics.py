"""Metrics agree with cases worked by hand and with their definitions written out."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmn_legacy.metrics import accuracy, error_curve, interocular_error, typical


def face(eyes=((0, 0), (2, 0), (4, 0), (6, 0))):
    """68 points at the origin but for the corners of the eyes: 36, 39, 42, 45."""
    points = np.zeros((68, 2))
    points[[36, 39, 42, 45]] = eyes
    return points


def test_error_of_a_case_worked_by_hand():
    target = face()  # centres at 1 and 5: a distance of 4
    predicted = np.add(target, (3, 4))  # each point is off by 5
    assert interocular_error(predicted[None], target[None]) == pytest.approx([5 / 4])


def test_distance_is_between_eye_centres_not_outer_corners():
    wide, narrow = face(((0, 0), (2, 0), (4, 0), (6, 0))), face(((-2, 0), (4, 0), (2, 0), (8, 0)))
    errors = interocular_error(np.stack([wide, narrow]) + 1, np.stack([wide, narrow]))
    assert errors[0] == pytest.approx(errors[1])


def test_error_is_the_mean_over_points_written_out():
    random = np.random.default_rng(0)
    target, predicted = random.normal(size=(2, 5, 68, 2))
    for picture, error in enumerate(interocular_error(predicted, target)):
        eyes = [(target[picture, a] + target[picture, b]) / 2 for a, b in ((36, 39), (42, 45))]
        total = sum(math.dist(predicted[picture, point], target[picture, point]) for point in range(68))
        assert error == pytest.approx(total / 68 / math.dist(*eyes), rel=1e-12)


def test_error_of_flat_rows_is_that_of_points():
    target, predicted = np.random.default_rng(0).normal(size=(2, 3, 68, 2))
    np.testing.assert_array_equal(
        interocular_error(predicted.reshape(3, 136), target.reshape(3, 136)), interocular_error(predicted, target)
    )


def test_mask_leaves_points_out_but_keeps_the_eyes():
    target = face()
    predicted = target.copy()
    predicted[0] += 100
    predicted[1] += (0, 8)
    mask = np.zeros((1, 68))
    mask[0, [1, 2]] = 1
    assert interocular_error(predicted[None], target[None], mask) == pytest.approx([(8 + 0) / 2 / 4])


def test_picture_without_a_point_that_counts_is_nan():
    assert np.isnan(interocular_error(face()[None], face()[None], np.zeros((1, 68)))).all()


@given(scale=st.floats(0.01, 100), x=st.floats(-50, 50), y=st.floats(-50, 50))
def test_error_does_not_depend_on_the_frame(scale, x, y):
    target, predicted = np.random.default_rng(0).normal(size=(2, 3, 68, 2))
    moved = interocular_error(predicted * scale + (x, y), target * scale + (x, y))
    np.testing.assert_allclose(moved, interocular_error(predicted, target), rtol=1e-9)


@pytest.mark.parametrize("shape", [(3, 10), (3, 5, 2), (2, 136)])
def test_error_refuses_shapes_that_do_not_fit(shape):
    with pytest.raises(ValueError, match="expected"):
        interocular_error(np.zeros(shape), np.zeros((3, 136)))


def test_error_refuses_a_mask_that_does_not_fit():
    with pytest.raises(ValueError, match="expected"):
        interocular_error(np.zeros((3, 136)), np.zeros((3, 136)), np.ones((3, 136)))


def test_curve_of_a_case_worked_by_hand():
    curve = error_curve([0.02, 0.04, 0.06, 0.5], limit=0.08, points=5)
    np.testing.assert_allclose(curve.thresholds, [0, 0.02, 0.04, 0.06, 0.08])
    np.testing.assert_allclose(curve.fractions, [0, 0.25, 0.5, 0.75, 0.75])
    # The steps' areas: 0.06 + 0.04 + 0.02 of 0.08, a quarter each.
    assert curve.area == pytest.approx(0.12 / 4 / 0.08)
    assert curve.failure_rate == 0.25


def test_curve_ends_at_its_bounds():
    assert error_curve([0.0, 0.0]).area == 1
    assert error_curve([1.0]).area == 0
    assert error_curve([0.08]).failure_rate == 0


def test_area_is_that_of_a_fine_curve():
    errors = np.random.default_rng(0).gamma(2, 0.03, size=500)
    fine = error_curve(errors, limit=0.1, points=100_001)
    assert fine.area == pytest.approx(np.trapz(fine.fractions, fine.thresholds) / 0.1, abs=1e-4)


def test_error_that_is_not_finite_is_a_failure():
    curve = error_curve([0.0, np.nan, np.inf, 0.0])
    assert (curve.area, curve.failure_rate) == (0.5, 0.5)


@pytest.mark.parametrize(("errors", "limit"), [([], 0.08), ([0.1], 0), ([0.1], np.nan)])
def test_curve_refuses_what_has_none(errors, limit):
    with pytest.raises(ValueError, match="expected"):
        error_curve(errors, limit)


def test_accuracy_counts_most_probable_classes():
    probabilities = [[0.1, 0.9, 0.0], [0.8, 0.1, 0.1], [0.2, 0.3, 0.5], [0.4, 0.35, 0.25]]
    assert accuracy(probabilities, [1, 0, 2, 1]) == 0.75


@pytest.mark.parametrize(("probabilities", "labels"), [([[1.0]], [0, 0]), ([0.5, 0.5], [0, 1]), (np.zeros((0, 3)), [])])
def test_accuracy_refuses_shapes_that_do_not_fit(probabilities, labels):
    with pytest.raises(ValueError, match="expected"):
        accuracy(probabilities, labels)


def test_typical_pictures_are_the_best_the_middle_and_the_worst():
    quality = np.random.default_rng(0).permutation(31).astype(float)
    found = typical(quality, 3)
    assert {kind: quality[chosen].tolist() for kind, chosen in found.items()} == {
        "best": [30, 29, 28],
        "median": [16, 15, 14],
        "worst": [2, 1, 0],
    }


@pytest.mark.parametrize("pictures", range(7))
def test_no_picture_is_typical_of_two_kinds(pictures):
    found = np.concatenate(list(typical(np.zeros(pictures), 4).values()))
    assert len(set(found)) == len(found) == 3 * (pictures // 3)


def test_what_is_not_finite_is_worst():
    assert typical([0.0, np.nan, -1.0])["worst"].tolist() == [1]
