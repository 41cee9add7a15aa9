"""The part of a page that shows one run."""

import msgspec

from crmn_legacy import paper
from crmn_legacy.metrics import INTEROCULAR
from crmn_legacy.report import classes, curves, faces, memory
from crmn_legacy.report.charts import figures
from crmn_legacy.report.formatting import NOT_RECORDED, count, duration, hundredths, number, percent, significant, text
from crmn_legacy.report.reading import ALTERED

_KINDS = {
    "rehearsal": "A rehearsal: the full network, a few steps on the sample. It says nothing about the paper.",
    "smoke": "A smoke run: the network at its smallest. It says little about the paper.",
}

_STATES = {
    "clean": "clean: the source was the commit's",
    "dirty": "dirty: the source was not the commit's",
    "unknown": "state unknown: nothing to hold the source against",
}

_PRINTED_SETS = {"common": "common", "ibug": "ibug", "all": "accuracy"}
_MOST_PROBLEMS = 50
_MEASURES = {"error": f"Errors in percent of the {INTEROCULAR.title}.", "accuracy": "Accuracies in percent."}


def content(run, place):
    """What ``run.html.jinja`` shows of a run, beside the run itself.

    Parameters
    ----------
    run : crmn_legacy.report.reading.Run
    place : int
        On the page, from 1; names its parts.

    Returns
    -------
    dict
    """
    record = run.record
    problems = run.problems if run.verdict == ALTERED else []
    return {
        "run": run,
        "place": place,
        "problems": problems[:_MOST_PROBLEMS],
        "more_problems": max(0, len(problems) - _MOST_PROBLEMS),
        "introduction": _introduction(run),
        "results": _results(run),
        "charts": figures(curves.of_run(run), f"run-{place}"),
        "rate_changes": _rate_changes(run),
        "predictions": _predictions(run, place),
        "options": msgspec.to_builtins(record.options),
        "plan": msgspec.to_builtins(record.plan),
        "processor": (record.hardware or {}).get("processor"),
        "source": _source(record),
        "epoch_time": _epoch_time(run),
        "end_of_chain": _end_of_chain(run),
    }


def _introduction(run):
    """Row, kind and status in sentences."""
    row = paper.ROWS.get(run.row)
    named = f"Table {row.table}, {row.method}." if row else f"No row of the paper's tables. Its own: {text(run.row)}."
    kind = run.kind
    if kind == "training":
        unlike = _unlike(run)
        told = f"Trained on data, not as published: {text('; '.join(unlike))}." if unlike else "Trained on data."
        if row and not unlike:
            told = "Trained as published, on data."
        return f"{named} {told} Status: {text(run.record.status)}."
    told = _KINDS.get(kind, f"Kind of run: {text(kind)}.") if kind is not None else "Kind of run not recorded."
    return f"{named} {told} Status: {text(run.record.status)}."


def _unlike(run):
    """What of a training run is not as its row was published (list of str)."""
    return run.record.not_as_published() if run.row in paper.ROWS and run.kind == "training" else []


def _results(run):
    row = paper.ROWS.get(run.row)
    printed = row.printed if row else {}
    rows = [
        ["parameters", printed.get("parameters", "-"), _counted(run, "parameters", paper.in_millions), "", ""],
        ["FLOPs of one picture", printed.get("flops", "-"), _counted(run, "flops", paper.in_billions), "", ""],
    ]
    tests = run.test()
    sets = list(dict.fromkeys([*(name for name, key in _PRINTED_SETS.items() if key in printed), *tests]))
    for name in sets:
        given = printed.get(_PRINTED_SETS.get(name))
        scored = tests.get(name)
        ours, difference, note = "no data", "", ""
        if scored is not None:
            ours = percent(scored.mean) + ("" if scored.complete is not False else " (a part of the set)")
            # A part of a set is no measure of the whole, nor a run with other numbers of the row.
            if given is not None and scored.complete is not False and not _unlike(run):
                difference = hundredths(100 * scored.mean - given, "+")
            note = count(scored.pictures) if scored.complete is not False else scored.extent()
        rows.append([f"test {name}, {run.metric}, %", "-" if given is None else f"{given:.2f}", ours, difference, note])
    best = run.best
    if best:
        named = "validation, jittered pictures" if run.metric == "error" else "validation"
        rows.append([f"{named}, {run.metric}, %", "-", percent(best.score), "", ""])
        rows.append(["validation loss", "-", significant(best.validation_loss), "", ""])
    caption = f"What the paper prints and what the weights of the least validation loss gave. {_MEASURES[run.metric]}"
    head = ["", "printed", "ours", "difference", "pictures"]
    kept = [place for place in range(len(head)) if place < 3 or any(row[place] for row in rows)]
    return {"caption": caption, "head": [head[k] for k in kept], "rows": [[row[k] for k in kept] for row in rows]}


def _counted(run, name, form):
    value = getattr(run.record, name)
    return NOT_RECORDED if value is None else f"{form(value)} ({value:,})"


def _rate_changes(run):
    marks = curves.change_numbers(run)
    return [
        {"mark": marks[epoch], "epoch": epoch, "component": component, "before": before, "after": after}
        for epoch, component, before, after in curves.rate_changes(run)
    ]


def _predictions(run, place):
    found = run.predictions
    if found is None:
        return None
    mean = number(float(found.scores.mean()))
    shown = {"found": found, "pictures": len(found.scores), "mean": mean, "agrees": found.agrees_with(run.test())}
    are_known = found.predicted is not None
    return shown | {
        "faces": faces.content(found) if are_known and found.metric == "error" else None,
        "classes": classes.content(found) if are_known and found.metric == "accuracy" else None,
        "memory": memory.content(found.memory, place) if found.memory is not None else None,
    }


def _source(record):
    """Whether the source was the commit's, and the digests of what ran."""
    source = record.source or {}
    state = source.get("state")
    if state is None:
        state = {True: "dirty", False: "clean", None: "unknown"}[record.git_dirty]
    digests = [(of, source.get(name)) for name, of in (("digest", "package"), ("recipe", "recipe"), ("lock", "lock"))]
    return {
        "state": _STATES.get(text(state), text(state)),
        "digests": [(of, digest) for of, digest in digests if digest is not None],
    }


def _epoch_time(run):
    times = sorted(epoch.seconds for epoch in run.epochs if epoch.seconds is not None)
    if not times:
        return "epochs not timed"
    timed = [epoch for epoch in run.epochs if epoch.seconds and epoch.waited_seconds is not None]
    share = sum(epoch.waited_seconds for epoch in timed) / sum(epoch.seconds for epoch in timed) if timed else None
    waited = "" if share is None else f", of the epochs' time {100 * share:.1f}% waiting for batches"
    return f"the median epoch {duration(times[len(times) // 2])}{waited}"


def _end_of_chain(run):
    """The run's last digest held against that of its last epoch, in a sentence."""
    bits, last = run.record.bits, run.epochs[-1].bits if run.epochs else None
    if bits is None:
        return "The run has not recorded its last digest."
    if bits == last:
        return "The run's digest is that of its last epoch."
    return "The run's digest is not that of its last epoch."
