"""What is kept of a finished run: its light folder and its errors, and nothing of the data."""

import numpy as np
import pytest

from crmn_legacy import archive
from crmn_legacy.errors import UserError
from crmn_legacy.study import StudyRun, keeping
from crmn_legacy.study.keeping import Places, keep, read_errors
from crmn_legacy.study.results import of_faces
from tests.training.runs import TINY, faces


class FinishedRun(StudyRun):
    """A run whose folder the fixtures made."""

    def state(self, folder):
        return "finished" if (folder / archive.MANIFEST).is_file() else "new"

    def script(self):
        return TINY


@pytest.fixture
def places(finished, tmp_path):
    folder, _ = finished
    run = FinishedRun("made", "table1_crmn", {}, epochs=2)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / run.name).symlink_to(folder)
    return run, Places(tmp_path / "runs", tmp_path / "kept")


def test_a_kept_run_has_its_record_and_the_errors_that_it_recorded(places, data):
    run, places = places
    assert places.state(run) == "finished"
    keep(run, places, data)
    assert places.state(run) == "kept" and archive.verify(places.light(run)) == []
    assert not any((places.light(run) / name).exists() for name in archive.ARRAYS)
    errors = of_faces(read_errors(places.errors(run.name)))
    recorded = archive.read_record(places.light(run)).result.test["rendered"]
    assert len(errors) == recorded.pictures and errors.mean() == pytest.approx(100 * recorded.mean, rel=1e-5)


def test_the_mean_face_is_that_of_the_training_pictures(places, data):
    run, places = places
    keep(run, places, data)
    made = faces()
    mean = made.keypoints[made.split == "train"].mean(axis=0)
    true = made.keypoints[made.split == "test"]
    eyes = np.linalg.norm(true[:, [36, 39]].mean(axis=1) - true[:, [42, 45]].mean(axis=1), axis=1)
    expected = 100 * np.linalg.norm(true - mean, axis=2).mean(axis=1) / eyes
    assert of_faces(read_errors(places.errors("mean_face"))) == pytest.approx(expected, rel=1e-5)


def test_of_a_trial_no_errors_are_kept(finished, places, data):
    run, places = places
    trial = FinishedRun("made", "table1_crmn", {}, epochs=2, trial=True)
    keep(trial, places, data)
    assert places.state(trial) == "kept" and not places.errors(run.name).exists()


def test_other_data_than_the_run_was_trained_on_are_refused(places, data, monkeypatch):
    run, places = places
    monkeypatch.setattr(keeping.read_predictions.__globals__["Predictions"], "agrees_with", lambda ours, test: False)
    with pytest.raises(UserError, match="expected the data that it was trained on"):
        keep(run, places, data)
    assert places.state(run) == "finished"
