"""What came out of a study: its kept runs by variant, with the errors of single test pictures."""

import statistics
from dataclasses import dataclass, field
from functools import cached_property

from crmn_legacy.errors import UserError
from crmn_legacy.landmarks import PARTS
from crmn_legacy.metrics import error_curve
from crmn_legacy.report.predictions import Predictions
from crmn_legacy.report.reading import WHOLE, read_run
from crmn_legacy.study.keeping import KEPT, read_errors


@dataclass(frozen=True, eq=False)
class Result:
    """A finished run, and how far its predictions of the test pictures were off.

    Attributes
    ----------
    run : crmn_legacy.report.reading.Run
    planned : StudyRun
    parts : dict of str to float64 array (pictures,)
        Mean errors by part of the face, in percent; None of a trial, and of a classifier.
    """

    run: object
    planned: object
    parts: dict | None = None

    @cached_property
    def errors(self):
        """Of each picture, over all its points, in percent of the distance between the eyes (pictures,)."""
        return of_faces(self.parts)

    @cached_property
    def curve(self):
        """The cumulative curve of the pictures' errors (`ErrorCurve`)."""
        return error_curve(self.errors / 100)

    def numbers(self):
        """What tables show (a dict of str to float), errors and accuracies in percent."""
        found = {"seconds": sum(epoch.seconds or 0.0 for epoch in self.run.epochs)}
        result = self.run.record.result
        if result.validation_accuracy is not None:
            found["validation"] = 100 * result.validation_accuracy
            if result.test and not self.planned.trial:
                (score,) = result.test.values()
                found["test"] = 100 * score.mean
            return found
        found["validation"] = 100 * result.validation_error
        if self.parts is not None:
            found["test"] = float(self.errors.mean())
            found["area"], found["failures"] = 100 * self.curve.area, 100 * self.curve.failure_rate
            found |= {part: float(errors.mean()) for part, errors in self.parts.items()}
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


def of_faces(parts):
    """Errors of whole faces (pictures,), from those of their parts (a dict as `keeping.read_errors` gives it)."""
    points = {part: len(PARTS[part]) for part in parts}
    return sum(points[part] * errors for part, errors in parts.items()) / sum(points.values())


def read(runs, places):
    """Results of the kept runs, by variant.

    Parameters
    ----------
    runs : list of StudyRun
    places : crmn_legacy.study.keeping.Places

    Returns
    -------
    list of Variant

    Raises
    ------
    UserError
        A folder is altered, or errors that were kept are not its run's.
    """
    found = {}
    for run in runs:
        if places.state(run) == KEPT:
            found.setdefault(run.variant, []).append(_result(run, places))
    return [Variant(name, results) for name, results in found.items()]


def _result(run, places):
    read = read_run(places.light(run))
    if read.verdict != WHOLE:
        raise UserError(
            f"got '{places.light(run)}', which is {read.verdict} ({'; '.join(read.problems[:1])}); expected a run "
            "as it was kept: restore it, or remove it and train it again"
        )
    if read.metric != "error" or run.trial:
        return Result(read, run)
    result = Result(read, run, read_errors(places.errors(run.name)))
    kept = places.errors(run.name)
    if not Predictions(kept.name, "", read.metric, result.errors / 100).agrees_with(read.test()):
        raise UserError(
            f"got '{kept}', whose errors are not those that the run recorded; expected its own: "
            "restore it, or remove the run's folder and train it again"
        )
    return result


def mean_face(places):
    """The error of the training pictures' mean points on the test pictures, in percent.

    Parameters
    ----------
    places : crmn_legacy.study.keeping.Places
        Of a study on faces.
    """
    return float(of_faces(read_errors(places.errors("mean_face"))).mean())
