"""Which charts a page has: losses, scores, learning rates, and errors of single pictures."""

import math
from functools import partial

from crmn_legacy.metrics import error_curve
from crmn_legacy.report.axes import fitted, of_epochs
from crmn_legacy.report.charts import COLOURS, Chart, Line
from crmn_legacy.report.formatting import percent, significant

# Above this error, a fraction of the inter-ocular distance, a picture counts as failed: the usual limit for 300-W.
ERROR_LIMIT = 0.08
_CURVE_POINTS = 201
_UPDATE_POINTS = 500
# The curve is drawn to the first of these places up to which this part of the pictures lies.
_SHOWN = 0.9
_ENDS = (ERROR_LIMIT, 0.1, 0.2, 0.5, 1.0)

_SCORES = {
    "error": ("Validation error, jittered pictures", "% of the inter-ocular distance"),
    "accuracy": ("Validation accuracy", "% of the pictures"),
}


def rate_changes(run):
    """Where learning rates moved.

    Returns
    -------
    list of (int, str, float, float)
        The first epoch under the new rate, the component, the old and the new rate.
    """
    changes, before = [], {}
    for epoch in run.epochs:
        for component, rate in epoch.rates.items():
            if component in before and before[component] != rate:
                changes.append((epoch.epoch, component, before[component], rate))
        before.update(epoch.rates)
    return changes


def change_numbers(run):
    """Epoch -> the number that its change of rates has on the page, from 1."""
    epochs = sorted({epoch for epoch, *_ in rate_changes(run)})
    return {epoch: place for place, epoch in enumerate(epochs, start=1)}


def of_run(run):
    """Charts of one run (a list of `Chart`), as far as it recorded what they show."""
    marks = [(float(epoch), str(place)) for epoch, place in change_numbers(run).items()]
    charts = [_losses(run, marks), _update_losses(run), _scores(run, marks), _rates(run, marks), _errors([run])]
    return [chart for chart in charts if chart is not None]


def of_runs(runs, names, groups):
    """Charts that lay many runs over one another.

    Parameters
    ----------
    runs : list of Run
    names : list of str
        In the legend.
    groups : list of crmn_legacy.report.comparison.Group
        Runs that are averaged.

    Returns
    -------
    list of Chart
    """
    charts = []
    for title, unit, value in (
        ("Training loss", "mean loss of a picture", lambda run, epoch: epoch.train_loss),
        ("Validation loss", "mean loss of a picture", lambda run, epoch: epoch.validation_loss),
        (*_SCORES["error"], partial(_score, metric="error")),
        (*_SCORES["accuracy"], partial(_score, metric="accuracy")),
    ):
        lines = [_averaged(group, runs.index(group.runs[0]), value) for group in groups]
        for style, (run, name) in enumerate(zip(runs, names, strict=True)):
            points = [(epoch.epoch, value(run, epoch)) for epoch in run.epochs]
            group = next((group for group in groups if run in group.runs), None)
            style = style if group is None else runs.index(group.runs[0])
            lines.append(Line(name, points, style, faint=group is not None))
        chart = _of_epochs(title, unit, lines, f"{len(runs)} runs, an epoch each point.")
        if chart is not None:
            charts.append(chart)
    scored = [(run, name) for run, name in zip(runs, names, strict=True) if _has_errors(run)]
    errors = _errors([run for run, _ in scored], [name for _, name in scored])
    return charts if errors is None else [*charts, errors]


def _averaged(group, style, value):
    spread = group.spread(value)
    points = [(number, mean) for number, mean, _ in spread]
    band = [(number, mean - deviation, mean + deviation) for number, mean, deviation in spread]
    return Line(f"{group.name}; thin: each", points, style, band=band)


def _score(run, epoch, metric):
    """A score in percent, None where the run has another metric."""
    return None if run.metric != metric or epoch.score is None else 100 * epoch.score


def _losses(run, marks):
    train = [(epoch.epoch, epoch.train_loss) for epoch in run.epochs]
    valid = [(epoch.epoch, epoch.validation_loss) for epoch in run.epochs]
    best = run.best
    ring = (best.epoch, best.validation_loss) if best else None
    named = f"validation; least at epoch {best.epoch}" if best else "validation"
    lines = [Line("training", train, 0), Line(named, valid, 1, ring=ring)]
    said = _extent("training loss", train) + _extent("validation loss", valid)
    return _of_epochs("Loss", "mean loss of a picture", lines, said, marks)


def _update_losses(run):
    """The loss of every update; of many updates means of so many that a page can show them."""
    losses = _numbered_losses(run)
    if len(losses) < 2:
        return None
    together = -(-len(losses) // _UPDATE_POINTS)
    groups = [losses[k : k + together] for k in range(0, len(losses), together)]
    points = [(group[-1][0], sum(loss for _, loss in group) / len(group)) for group in groups]
    named = "each update" if together == 1 else f"means of {together} updates"
    return Chart(
        title="Loss by update",
        description=f"The training loss of {len(losses):,} updates. {_extent('loss', points)}",
        across=of_epochs(losses[-1][0]),
        across_title="update",
        up=fitted([loss for _, loss in points]),
        up_title="mean loss of a picture",
        lines=[Line(named, points, 0)],
    )


def _numbered_losses(run):
    """Number and loss of each update, as far as they are finite."""
    found = []
    for epoch in run.epochs:
        # The last one is of the validation part.
        losses = (epoch.losses or [])[:-1]
        for number, loss in enumerate(losses, start=(epoch.updates or 0) - len(losses) + 1):
            if number > 0 and loss is not None and math.isfinite(loss):
                found.append((number, loss))
    return found


def _scores(run, marks):
    title, unit = _SCORES[run.metric]
    points = [(epoch.epoch, None if epoch.score is None else 100 * epoch.score) for epoch in run.epochs]
    best = run.best
    ring = (best.epoch, 100 * best.score) if best and best.score is not None else None
    named = f"validation; {percent(best.score)}% where the loss is least" if ring else "validation"
    return _of_epochs(title, unit, [Line(named, points, 1, ring=ring)], _extent(title.lower(), points), marks)


def _rates(run, marks):
    components = list(dict.fromkeys(name for epoch in run.epochs for name in epoch.rates))
    lines = [
        # Lines that lie on one another show through each other's dashes.
        Line(
            name,
            [(epoch.epoch, epoch.rates.get(name)) for epoch in run.epochs],
            2 + k * (COLOURS + 1),
            stepped=True,
        )
        for k, name in enumerate(components)
    ]
    said = f"{len(rate_changes(run))} changes; the table below lists them."
    return _of_epochs("Learning rate of each component", "learning rate", lines, said, marks)


def _of_epochs(title, unit, lines, said, marks=()):
    values = [value for line in lines for _, value in line.points if value is not None]
    if not values:
        return None
    values += [value for line in lines for _, low, high in line.band for value in (low, high)]
    if min(values) <= 0 < min(value for line in lines for _, value in line.points if value is not None):
        # A deviation that reaches below 0 does not take the decades away.
        values = [value for value in values if value > 0]
    last = max(place for line in lines for place, _ in line.points)
    return Chart(
        title=title,
        description=f"{title}, in {unit}, over {last} epochs. {said}",
        across=of_epochs(int(last)),
        across_title="epoch",
        up=fitted(values),
        up_title=unit,
        lines=lines,
        marks=list(marks),
    )


def _extent(what, points):
    values = [value for _, value in points if value is not None]
    if not values:
        return f"No {what} recorded. "
    ends = [significant(value) for value in (values[0], values[-1], min(values), max(values))]
    return "{} from {} to {}, least {}, most {}. ".format(what.capitalize(), *ends)


def _has_errors(run):
    return run.predictions is not None and run.predictions.metric == "error"


def _errors(runs, names=None):
    """The cumulative distribution of errors of single pictures."""
    runs = [run for run in runs if _has_errors(run)]
    if not runs:
        return None
    lines, said = [], []
    seen = [end for end in _ENDS if all((run.predictions.scores <= end).mean() >= _SHOWN for run in runs)]
    shown = seen[0] if seen else _ENDS[-1]
    for style, run in enumerate(runs):
        judged = error_curve(run.predictions.scores, ERROR_LIMIT)
        curve = error_curve(run.predictions.scores, shown, _CURVE_POINTS)
        points = list(zip(100 * curve.thresholds, 100 * curve.fractions, strict=True))
        pictures = len(run.predictions.scores)
        limit, failed = f"{100 * ERROR_LIMIT:g}%", percent(judged.failure_rate)
        name = f"{pictures:,} pictures; area up to {limit}: {judged.area:.3f}; beyond {limit}: {failed}%"
        if names:
            name = f"{names[style]}: {name}"
        lines.append(Line(name, [(float(x), float(y)) for x, y in points], style if names else 4, stepped=True))
        said.append(name)
    return Chart(
        title="Cumulative distribution of the error",
        description=f"The part of the pictures whose error does not exceed a limit. {'. '.join(said)}.",
        across=fitted([0.0, 100 * shown]),
        across_title="error, % of the inter-ocular distance",
        up=fitted([0.0, 100.0]),
        up_title="% of the pictures",
        lines=lines,
    )
