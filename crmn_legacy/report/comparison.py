"""Many runs side by side, and the mean of those that differ by their seed alone."""

import json
import statistics
from dataclasses import dataclass

from msgspec.structs import asdict

from crmn_legacy.archive.differences import MOVE_NO_BITS, made_by
from crmn_legacy.report import curves
from crmn_legacy.report.charts import figures
from crmn_legacy.report.formatting import count, mean_and_deviation, percent, significant, text
from crmn_legacy.report.reading import ALTERED

# Options that may differ between runs of one group: the seed, where the data lay, and what moves no result.
_FREE = ("seed", "data", *MOVE_NO_BITS)

_MOST_REASONS = 12


@dataclass(frozen=True, eq=False)
class Group:
    """Runs of one row that differ by their seed alone.

    Attributes
    ----------
    name : str
        For the legend and the tables.
    runs : list of crmn_legacy.report.reading.Run
        At least two, no seed twice.
    """

    name: str
    runs: list

    def spread(self, value):
        """Mean and standard deviation over the runs, an epoch.

        Parameters
        ----------
        value : callable
            Takes a run and one of its epochs; None where nothing is known.

        Returns
        -------
        list of (int, float, float)
            Epochs that each run has a value for: their numbers, mean, and the deviation of a sample (n - 1).
        """
        columns = [{epoch.epoch: value(run, epoch) for epoch in run.epochs} for run in self.runs]
        common = sorted(set.intersection(*(set(column) for column in columns)))
        found = []
        for number in common:
            values = [column[number] for column in columns]
            if None not in values:
                found.append((number, statistics.fmean(values), statistics.stdev(values)))
        return found


def groups_of(runs):
    """Groups among `runs`, in their order.

    A run belongs to a group if it is not altered and shares row, plan, data, options, recipe, sources and packages with
    the others; of two runs with one seed the first counts.
    """
    alike = {}
    for run in runs:
        key = _alike(run)
        if key is not None:
            alike.setdefault(key, {}).setdefault(run.record.seed, run)
    chosen = [list(seeds.values()) for seeds in alike.values() if len(seeds) > 1]
    groups = []
    for members in chosen:
        places = ", ".join(str(runs.index(run) + 1) for run in members)
        name = f"runs {places}: mean ± standard deviation, n = {len(members)}"
        groups.append(Group(name, members))
    return groups


def _alike(run):
    """What runs of one group have in common, as text; None for a run that stands for itself."""
    record, source = run.record, run.record.source or {}
    # Of the source the recipe's bytes and the package's: a commit that leaves both as they are moves nothing.
    made_by = [source.get("recipe"), source.get("digest")]
    told = (record.row, record.plan, record.options, record.seed, record.data_digest, record.packages, *made_by)
    if run.verdict == ALTERED or any(part is None for part in told):
        return None
    options = {name: value for name, value in asdict(record.options).items() if name not in _FREE}
    common = [record.row, asdict(record.plan), options, record.data_digest, record.packages, *made_by]
    return json.dumps(common, sort_keys=True)


def differences_of(runs):
    """What keeps runs of one row from being averaged with the row's first, beside the seed.

    Returns
    -------
    list of dict
        A run each: ``place`` and ``first``, both from 1; ``lines``, what differs.
    """
    found, first = [], {}
    for place, run in enumerate(runs, start=1):
        if run.verdict == ALTERED or run.row is None:
            continue
        before = first.setdefault(run.row, place)
        other = runs[before - 1]
        if before == place or (_alike(run) is not None and _alike(run) == _alike(other)):
            continue
        lines = [text(line) for line in _reasons(other, run)]
        lines = lines[:_MOST_REASONS] + ["and more"] * (len(lines) > _MOST_REASONS)
        found.append({"place": place, "first": before, "lines": lines or ["what made one of them is not recorded"]})
    return found


def _reasons(one, other):
    if one.record.options is None or other.record.options is None:
        return []
    lines = [line for unlike in made_by(one, other) for line in unlike.lines()]
    plans = [asdict(run.record.plan) if run.record.plan else {} for run in (one, other)]
    unlike = [name for name in plans[0] | plans[1] if plans[0].get(name) != plans[1].get(name)]
    return lines + [f"plan: {name} {plans[0].get(name)} | {plans[1].get(name)}" for name in unlike]


def names_of(runs):
    """What each run is called on the page: its place, its folder's name, and whether that is altered."""
    return [
        f"{place}: {run.name}" + (" (altered)" if run.verdict == ALTERED else "")
        for place, run in enumerate(runs, start=1)
    ]


def content(runs):
    """What ``comparison.html.jinja`` shows of `runs` (a dict)."""
    groups = groups_of(runs)
    sets = list(dict.fromkeys(name for run in runs for name in run.test()))
    placed = list(enumerate(runs, start=1))
    return {
        "altered": [f"run {place}, {run.name}" for place, run in placed if run.verdict == ALTERED],
        "tests": [f"test {name}" for name in sets],
        "runs": [{"place": place, "run": run, "numbers": _numbers(run, sets)} for place, run in placed],
        "groups": [
            {"row": group.runs[0].row, "seeds": [run.record.seed for run in group.runs], "means": _means(group, sets)}
            for group in groups
        ],
        "differences": differences_of(runs),
        "charts": figures(curves.of_runs(runs, names_of(runs), groups), "all"),
    }


def _numbers(run, sets):
    best, tests = run.best, run.test()
    return [
        text(run.record.seed),
        count(len(run.epochs)),
        count(best and best.epoch),
        significant(best and best.validation_loss),
        percent(best and best.score),
        *(_scored(tests[name]) if name in tests else "no data" for name in sets),
    ]


def _scored(score):
    return percent(score.mean) + ("" if score.complete is not False else f" ({score.extent()})")


def _means(group, sets):
    bests = [run.best for run in group.runs if run.best]
    tests = [[run.test().get(name) for run in group.runs] for name in sets]
    wanted = len(group.runs)
    return [
        _mean([best.validation_loss for best in bests], wanted, 1),
        _mean([best.score for best in bests], wanted, 100),
        *(_mean([found.mean for found in scores if found], wanted, 100) for scores in tests),
    ]


def _mean(values, wanted, factor):
    values = [factor * value for value in values if value is not None]
    if len(values) < wanted:
        return f"recorded for {len(values)} of {wanted}"
    return mean_and_deviation(values)
