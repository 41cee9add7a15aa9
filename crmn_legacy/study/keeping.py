"""What outlives the machine that trained a study: light folders of its runs, and errors of single test pictures.

No picture and no true point of the data is kept, only how far the predictions were from them.
"""

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from crmn_legacy import archive
from crmn_legacy.data.files.faces import read_faces
from crmn_legacy.errors import UserError
from crmn_legacy.landmarks import PARTS
from crmn_legacy.metrics import interocular_error
from crmn_legacy.report.predictions import read_predictions
from crmn_legacy.report.reading import read_run

KEPT, BEGUN, FINISHED = "kept", "begun", "finished"


@dataclass(frozen=True)
class Places:
    """Where a study's runs are.

    Attributes
    ----------
    runs : Path
        Holds a folder a run, as they are trained.
    kept : Path
        The study's own folder, in which its page lies.
    """

    runs: Path
    kept: Path

    def run(self, run):
        """The folder in which a `StudyRun` is trained."""
        return self.runs / run.name

    def light(self, run):
        """The light folder that is kept of it."""
        return self.kept / "records" / run.name

    def errors(self, name):
        """The file of the test pictures' errors of a run, or of a guess."""
        return self.kept / "errors" / f"{name}.npz"

    def state(self, run):
        """How far a `StudyRun` is: ``new``, `BEGUN`, `FINISHED` or `KEPT`.

        Raises
        ------
        UserError
            A folder holds another run.
        """
        return KEPT if run.state(self.light(run)) == FINISHED else run.state(self.run(run))


def keep(run, places, data):
    """Keep what a page is made from of a finished run.

    Parameters
    ----------
    run : StudyRun
    places : Places
    data : path
        Of the data file that it was trained on.

    Raises
    ------
    UserError
        The run is altered, its weights cannot be evaluated, or do not give the test error that it recorded.
    """
    read = read_run(places.run(run))
    if read.metric == "error" and not run.trial:
        _keep_errors(run, places, data, read.test())
    # Last, because a run counts as kept by its folder.
    archive.lighten(places.run(run), places.light(run), with_paths=False)


def _keep_errors(run, places, data, recorded):
    with tempfile.TemporaryDirectory() as folder:
        predictions = Path(folder) / "test.npz"
        _evaluate(run, places.run(run), data, predictions)
        if not read_predictions(predictions).agrees_with(recorded):
            raise UserError(
                f"got another test error of '{places.run(run)}' on '{data}' than the run recorded; expected the data "
                "that it was trained on"
            )
        arrays = archive.read_arrays(predictions)
    places.errors(run.name).parent.mkdir(parents=True, exist_ok=True)
    archive.write_arrays(places.errors(run.name), errors_by_part(arrays["predicted"], arrays["target"]))
    faces = read_faces(data)
    mean = faces.keypoints[faces.split == "train"].mean(axis=0)
    true = faces.keypoints[faces.split == "test"]
    archive.write_arrays(places.errors("mean_face"), errors_by_part(np.broadcast_to(mean, true.shape), true))


def _evaluate(run, folder, data, predictions):
    words = ["evaluate", folder, "--recipe", run.script(), "--data", data, "--predictions", predictions]
    status = subprocess.run(
        [sys.executable, "-m", "crmn_legacy", *map(str, words)], stdout=subprocess.DEVNULL
    ).returncode
    if status:
        raise UserError(f"got status {status} of `evaluate` of '{folder}'; expected 0: mend what it told above")


def errors_by_part(predicted, target):
    """Mean error of each picture by part of the face.

    Parameters
    ----------
    predicted, target : array (pictures, 136) or (pictures, 68, 2)

    Returns
    -------
    dict of str to float64 array (pictures,)
        In percent of the distance between the eyes' centres.
    """
    masks = {part: np.isin(np.arange(68), points) for part, points in PARTS.items()}
    counted = {part: np.broadcast_to(mask, (len(target), 68)) for part, mask in masks.items()}
    return {part: 100 * interocular_error(predicted, target, mask) for part, mask in counted.items()}


def read_errors(path):
    """Errors of a file by part, in percent (a dict of str to float64 array (pictures,)).

    Raises
    ------
    UserError
        The file is missing or damaged, or holds other arrays.
    """
    errors = archive.read_arrays(path)
    alike = {(array.dtype, array.ndim, len(array)) for array in errors.values() if array.ndim}
    if errors.keys() != PARTS.keys() or len(alike) != 1 or alike.pop()[:2] != (np.float64, 1):
        raise UserError(f"got '{path}' without errors by part of the face; expected what the study keeps: keep it anew")
    return errors
