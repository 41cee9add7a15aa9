"""What came out of a study: its finished runs by variant, with the errors of single test pictures."""

import statistics
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from crmn_legacy import archive
from crmn_legacy.errors import UserError
from crmn_legacy.metrics import INTEROCULAR, error_curve
from crmn_legacy.report.predictions import read_predictions
from crmn_legacy.report.reading import WHOLE, read_run

# The 68-point mark-up, counted from 0.
PARTS = {
    "jaw": range(17),
    "brows": range(17, 27),
    "nose": range(27, 36),
    "eyes": range(36, 48),
    "mouth": range(48, 68),
}


@dataclass(frozen=True, eq=False)
class Result:
    """A finished run, and its predictions of the test pictures.

    Attributes
    ----------
    run : crmn_legacy.report.reading.Run
    trial : bool
        Whether nothing is to be said of the test pictures.
    predicted, target : float64 array (pictures, 68, 2)
        None of a trial, and of a classifier.
    """

    run: object
    trial: bool = False
    predicted: np.ndarray | None = None
    target: np.ndarray | None = None

    @cached_property
    def errors(self):
        """Of each picture and point, in percent of the distance between the eyes (pictures, 68)."""
        distances = np.linalg.norm(self.predicted - self.target, axis=2)
        return 100 * distances / INTEROCULAR.distance(self.target)[:, None]

    @cached_property
    def curve(self):
        """The cumulative curve of the pictures' errors (`ErrorCurve`)."""
        return error_curve(self.errors.mean(axis=1) / 100)

    def numbers(self):
        """What tables show (a dict of str to float), errors and accuracies in percent."""
        found = {"seconds": sum(epoch.seconds or 0.0 for epoch in self.run.epochs)}
        result = self.run.record.result
        if result.validation_accuracy is not None:
            found["validation"] = 100 * result.validation_accuracy
            if result.test and not self.trial:
                (score,) = result.test.values()
                found["test"] = 100 * score.mean
            return found
        found["validation"] = 100 * result.validation_error
        if self.predicted is not None:
            found["test"] = float(self.errors.mean())
            found["area"], found["failures"] = 100 * self.curve.area, 100 * self.curve.failure_rate
            found |= {part: float(self.errors[:, list(points)].mean()) for part, points in PARTS.items()}
        return found


@dataclass(frozen=True, eq=False)
class Variant:
    """Results that differ by their seed alone.

    Attributes
    ----------
    name : str
    results : list of Result
        In the order of the study; at least one.
    """

    name: str
    results: list = field(default_factory=list)

    def spread(self, number):
        """Mean of one of `Result.numbers`, and its deviation of a sample; None of a single run.

        Returns
        -------
        (float, float or None)
            Both None where a run has no such number.
        """
        values = [result.numbers().get(number) for result in self.results]
        if None in values:
            return None, None
        return statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None


def read(runs, folder, data):
    """Results of the finished runs, by variant.

    Parameters
    ----------
    runs : list of StudyRun
    folder : Path
        Holds their folders; predictions are kept in its ``predictions``.
    data : path
        Of the data file, for predictions that are not there yet.

    Returns
    -------
    list of Variant

    Raises
    ------
    UserError
        A finished run's folder is altered, its weights cannot be evaluated, or kept predictions are not its own.
    """
    found = {}
    for run in runs:
        if run.state(folder / run.name) == "finished":
            found.setdefault(run.variant, []).append(_result(run, folder, data))
    return [Variant(name, results) for name, results in found.items()]


def _result(run, folder, data):
    read = read_run(folder / run.name)
    if read.verdict != WHOLE:
        raise UserError(
            f"got '{folder / run.name}', which is {read.verdict} ({'; '.join(read.problems[:1])}); expected a finished "
            "run as it was written: remove it, and train it again"
        )
    if read.metric != "error" or run.trial:
        return Result(read, run.trial)
    points = _points(run, folder, data)
    kept = _kept(run, folder)
    if not read_predictions(kept).agrees_with(read.test()):
        raise UserError(
            f"got '{kept}', whose errors are not those that the run recorded; expected its own predictions: remove it"
        )
    return Result(read, run.trial, **points)


def mean_face(result, runs, folder, data):
    """The error of the training pictures' mean points on the test pictures, in percent.

    Parameters
    ----------
    result : Result
        Of a run on faces, for its test pictures.
    runs, folder, data
        As for `read`.
    """
    run = next(run for run in runs if run.name == result.run.folder.name)
    mean = _points(run, folder, data, "train")["target"].mean(axis=0)
    guessed = np.broadcast_to(mean, result.target.shape)
    return float(Result(result.run, predicted=guessed, target=result.target).errors.mean())


def _kept(run, folder, split="test"):
    return folder / "predictions" / f"{run.name}_{split}.npz"


def _points(run, folder, data, split="test"):
    """What a run's weights give, and the true points, as `evaluate` has them; kept once computed."""
    kept = _kept(run, folder, split)
    if not kept.exists():
        _evaluate(folder / run.name, data, split, kept)
    arrays = archive.read_arrays(kept)
    return {name: np.asarray(arrays[name], np.float64).reshape(-1, 68, 2) for name in ("predicted", "target")}


def _evaluate(folder, data, split, kept):
    kept.parent.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "crmn_legacy", "evaluate", str(folder), "--data", str(data), "--split", split]
    status = subprocess.run([*command, "--predictions", str(kept)], stdout=subprocess.DEVNULL).returncode
    if status:
        raise UserError(f"got status {status} of `evaluate` of '{folder}'; expected 0: mend what it told above")
