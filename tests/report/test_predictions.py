"""Errors of single pictures, from the file of `evaluate --predictions`."""

import hashlib

import numpy as np
import pytest

from crmn_legacy import archive
from crmn_legacy.archive.record import Score
from crmn_legacy.errors import UserError
from crmn_legacy.report import read_predictions


def score(mean, pictures):
    return Score(mean=mean, pictures=pictures, complete=True)


def arrays(pictures=5, off=0.01):
    target = np.random.default_rng(0).uniform(0.2, 0.8, (pictures, 136)).astype(np.float32)
    return {"predicted": target + np.float32(off), "target": target}


def write(tmp_path, **columns):
    archive.write_arrays(tmp_path / "predictions.npz", columns)
    return tmp_path / "predictions.npz"


def test_errors_are_the_mean_distance_over_that_of_the_eyes(tmp_path):
    columns = arrays()
    path = write(tmp_path, **columns)
    found = read_predictions(path)
    points = columns["target"].astype(float).reshape(-1, 68, 2)
    eyes = points[:, [36, 39]].mean(axis=1) - points[:, [42, 45]].mean(axis=1)
    expected = 0.01 * np.sqrt(2) / np.linalg.norm(eyes, axis=1)
    np.testing.assert_allclose(found.scores, expected, rtol=1e-4)
    assert found.metric == "error"
    assert found.digest == hashlib.sha256(path.read_bytes()).hexdigest() and found.name == "predictions.npz"


def test_it_knows_the_run_whose_test_result_it_is(tmp_path):
    found = read_predictions(write(tmp_path, **arrays()))
    one, four = float(found.scores[:1].mean()), float(found.scores[1:].mean())
    both = (one + 4 * four) / 5
    assert found.agrees_with({"helen": score(one, 1), "lfpw": score(four, 4), "common": score(both, 5)})
    assert not found.agrees_with({"helen": score(one, 1)})
    assert not found.agrees_with({"rendered": score(both + 0.001, 5)})
    assert not found.agrees_with({})


@pytest.mark.parametrize(
    "columns",
    [
        {},
        {"predicted": np.zeros((2, 136), np.float32)},
        {"predicted": np.zeros((0, 136)), "target": np.zeros((0, 136))},
        {"predicted": np.zeros((2, 136)), "target": np.zeros((3, 136))},
        {"predicted": np.zeros((2, 10)), "target": np.zeros((2, 10))},
        {"predicted": np.zeros((2, 136), "U3"), "target": np.zeros((2, 136), "U3")},
        {"predicted": np.zeros(136), "target": np.zeros(136)},
    ],
)
def test_what_holds_no_keypoints_is_refused(tmp_path, columns):
    with pytest.raises(UserError, match="expected `predicted` and `target`"):
        read_predictions(write(tmp_path, **columns))


def test_numbers_that_are_none_do_not_stop_it(tmp_path):
    columns = arrays()
    columns["predicted"][0] = np.nan
    assert not read_predictions(write(tmp_path, **columns)).agrees_with({"rendered": score(0.1, 5)})


def test_a_classifier_s_are_right_or_wrong(tmp_path):
    labels = np.array([0, 1, 2, 2, 6, 3], np.int32)
    predicted = np.full((6, 7), 0.01, np.float32)
    # Right, right, taken for 5 twice (2 is second then), right, and the last of seven.
    for place, best in enumerate((0, 1, 5, 5, 6, 0)):
        predicted[place, best] = 0.5
    predicted[2:4, 2] = 0.2
    predicted[5] = [0.3, 0.2, 0.15, 0.01, 0.1, 0.12, 0.12]
    found = read_predictions(write(tmp_path, predicted=predicted, target=labels))
    assert found.metric == "accuracy" and found.scores.tolist() == [1, 1, 0, 0, 1, 0]
    assert found.among_five == pytest.approx(5 / 6) and found.confusions == ((2, 5, 2), (3, 0, 1))
    assert found.agrees_with({"all": score(0.5, 6)}) and not found.agrees_with({"all": score(0.4, 6)})


@pytest.mark.parametrize("labels", [[0, 9], [-1, 0], [0]])
def test_labels_that_name_no_class_are_refused(tmp_path, labels):
    columns = {"predicted": np.full((2, 9), 0.1, np.float32), "target": np.array(labels, np.int32)}
    with pytest.raises(UserError, match="without keypoints or classes"):
        read_predictions(write(tmp_path, **columns))
