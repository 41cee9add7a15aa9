"""Errors of single pictures, from the file of `evaluate --predictions`."""

import hashlib

import numpy as np
import pytest

from crmn_legacy import archive
from crmn_legacy.errors import UserError
from crmn_legacy.report import read_predictions


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
    np.testing.assert_allclose(found.errors, expected, rtol=1e-4)
    assert found.digest == hashlib.sha256(path.read_bytes()).hexdigest() and found.name == "predictions.npz"


def test_it_knows_the_run_whose_test_result_it_is(tmp_path):
    found = read_predictions(write(tmp_path, **arrays()))
    one, four = float(found.errors[:1].mean()), float(found.errors[1:].mean())
    both = (one + 4 * four) / 5
    assert found.agrees_with({"helen": (one, 1, True), "lfpw": (four, 4, True), "common": (both, 5, True)})
    assert not found.agrees_with({"helen": (one, 1, True)})
    assert not found.agrees_with({"rendered": (both + 0.001, 5, True)})
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
    assert not read_predictions(write(tmp_path, **columns)).agrees_with({"rendered": (0.1, 5, True)})
