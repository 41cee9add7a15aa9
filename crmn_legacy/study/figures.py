"""A study's figures: learning curves and the cumulative curves of errors."""

import numpy as np

from crmn_legacy.metrics import error_curve
from crmn_legacy.report.axes import fitted, of_epochs
from crmn_legacy.report.charts import Chart, Line
from crmn_legacy.report.comparison import Group

_UNITS = {"error": "error, % of the inter-ocular distance", "accuracy": "accuracy, %"}


def learning(variants):
    """The validation's score over the epochs, mean and deviation over the seeds (`Chart`).

    Parameters
    ----------
    variants : list of crmn_legacy.study.results.Variant
    """
    lines = [_learning_line(variant, style) for style, variant in enumerate(variants)]
    values = [value for line in lines for _, value in line.points]
    metric = variants[0].results[0].run.metric
    return Chart(
        title=f"Validation {metric}",
        description=f"Validation {metric}, in percent, over the epochs, of {len(variants)} networks.",
        across=of_epochs(max(place for line in lines for place, _ in line.points)),
        across_title="epoch",
        up=fitted(values),
        up_title=_UNITS[metric],
        lines=lines,
    )


def _learning_line(variant, style):
    runs = [result.run for result in variant.results]
    if len(runs) == 1:
        return Line(variant.name, [(epoch.epoch, 100 * epoch.score) for epoch in runs[0].epochs], style)
    spread = Group(variant.name, runs).spread(lambda run, epoch: 100 * epoch.score)
    points = [(epoch, mean) for epoch, mean, _ in spread]
    band = [(epoch, mean - deviation, mean + deviation) for epoch, mean, deviation in spread]
    return Line(variant.name, points, style, band=band)


def cumulative(variants, limit=0.2, points=81):
    """The share of test pictures whose error is no larger (`Chart`), the seeds of a variant taken together.

    Parameters
    ----------
    variants : list of crmn_legacy.study.results.Variant
    limit : float
        The largest error shown, a fraction.
    points : int
    """
    lines = []
    for style, variant in enumerate(variants):
        errors = np.concatenate([result.errors / 100 for result in variant.results])
        curve = error_curve(errors, limit, points)
        places = zip(100 * curve.thresholds, 100 * curve.fractions, strict=True)
        lines.append(Line(variant.name, list(places), style, stepped=True))
    return Chart(
        title="Cumulative errors",
        description=f"The share of test pictures whose error is no larger, of {len(variants)} networks.",
        across=fitted([0, 100 * limit]),
        across_title=_UNITS["error"],
        up=fitted([0, 100]),
        up_title="pictures, %",
        lines=lines,
    )
