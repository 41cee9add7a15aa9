"""The part of a page that shows one run."""

import msgspec

from crmn_legacy import paper
from crmn_legacy.report import curves
from crmn_legacy.report.charts import draw
from crmn_legacy.report.formatting import (
    NOT_RECORDED,
    count,
    duration,
    hundredths,
    number,
    percent,
    significant,
    text,
)
from crmn_legacy.report.markup import code, element, table
from crmn_legacy.report.reading import ALTERED, UNFINISHED, WHOLE

_KINDS = {
    "training": "Trained as published, on data.",
    "rehearsal": "A rehearsal: the full network, a few steps on the sample. It says nothing about the paper.",
    "smoke": "A smoke run: the network at its smallest. It says little about the paper.",
}

_PRINTED_SETS = {"common": "common", "ibug": "ibug", "all": "accuracy"}
_MOST_PROBLEMS = 50
_MEASURES = {"error": "Errors in percent of the inter-ocular distance.", "accuracy": "Accuracies in percent."}


def verdict(run):
    """What `verify` says of the folder, where nobody overlooks it."""
    words = {
        WHOLE: "Whole. Every file has the digest that the manifest gives it, and the chain of bits holds.",
        UNFINISHED: "Unfinished. There is no manifest, so nothing proves that the files are as the run wrote them.",
        ALTERED: "Altered. The folder is not as its run left it; nothing below should be relied on.",
    }[run.verdict]
    first, _, rest = words.partition(".")
    problems = run.problems if run.verdict == ALTERED else []
    return element(
        "div",
        {"class": f"verdict {run.verdict}"},
        element("p", {}, element("strong", {}, f"{first}."), rest),
        _list(problems),
        [element("p", {}, note) for note in run.notes],
    )


def _list(problems):
    if not problems:
        return None
    more = len(problems) - _MOST_PROBLEMS
    items = [element("li", {}, code(problem)) for problem in problems[:_MOST_PROBLEMS]]
    return element("ul", {"class": "plain"}, items, element("li", {}, f"and {more:,} more") if more > 0 else None)


def introduction(run):
    """Row, kind and status in sentences."""
    row = paper.ROWS.get(run.row)
    named = f"Table {row.table}, {row.method}." if row else "No row of the paper's tables."
    kind = run.kind
    told = _KINDS.get(kind, f"Kind of run: {text(kind)}.") if kind is not None else "Kind of run not recorded."
    return element("p", {}, f"{named} {told} Status: {text(run.record.status)}.")


def body(run, place):
    """Everything about a run below its heading.

    Parameters
    ----------
    run : crmn_legacy.report.reading.Run
    place : int
        On the page, from 1; names its parts.

    Returns
    -------
    list of Element
    """
    charts = [draw(chart, f"run-{place}-chart-{k}") for k, chart in enumerate(curves.of_run(run), start=1)]
    return [
        verdict(run),
        introduction(run),
        element("h3", {}, "Printed and measured"),
        _results(run),
        element("h3", {}, "Curves"),
        element("div", {"class": "charts"}, charts) if charts else element("p", {}, "No epoch has been recorded."),
        _changes(run),
        _predictions(run),
        element("h3", {}, "How it was run"),
        _facts(run),
        element("h3", {}, "Chain of bits"),
        _chain(run),
    ]


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
        mean, pictures, complete = tests.get(name, (None, None, True))
        ours = percent(mean) if mean is not None else "no data"
        difference = hundredths(100 * mean - given, "+") if mean is not None and given is not None else ""
        note = count(pictures) if mean is not None else ""
        label = f"test {name}, {run.metric}, %"
        rows.append(
            [
                label,
                "-" if given is None else f"{given:.2f}",
                ours + ("" if complete else " (a part of the set)"),
                difference,
                note,
            ]
        )
    best = run.best
    if best:
        rows.append([f"validation, {run.metric}, %", "-", percent(best.score), "", ""])
        rows.append(["validation loss", "-", significant(best.validation_loss), "", ""])
    caption = f"What the paper prints and what the weights of the least validation loss gave. {_MEASURES[run.metric]}"
    head = ["", "printed", "ours", "difference", "pictures"]
    kept = [place for place in range(len(head)) if place < 3 or any(row[place] for row in rows)]
    return table(caption, [head[k] for k in kept], [[row[k] for k in kept] for row in rows], "numbers")


def _counted(run, name, form):
    value = getattr(run.record, name)
    return NOT_RECORDED if value is None else f"{form(value)} ({value:,})"


def _changes(run):
    changes, numbers = curves.rate_changes(run), curves.change_numbers(run)
    if not changes:
        return None
    rows = [
        [str(numbers[epoch]), str(epoch), component, significant(old), significant(new)]
        for epoch, component, old, new in changes
    ]
    head = ["mark", "from epoch", "component", "rate before", "rate after"]
    caption = "Changes of the learning rates; the charts mark them by these numbers."
    return table(caption, head, rows, "numbers", words=("component",))


def _predictions(run):
    found = run.predictions
    if found is None:
        return None
    agrees = found.agrees_with(run.test())
    held = (
        "It agrees with the test result that the run recorded."
        if agrees
        else ("It is not the test result that the run recorded: another split, or other pictures.")
    )
    mean = percent(number(float(found.errors.mean())))
    return element(
        "p",
        {"class": "soft"},
        f"Errors of {len(found.errors):,} single pictures, mean {mean}%, from {found.name} (SHA-256 ",
        code(found.digest),
        f"), which the folder's manifest does not cover. {held}",
    )


def _facts(run):
    packages, hardware = run.record.packages, run.record.hardware or {}
    rows = [
        ["folder", run.name],
        ["options", text(msgspec.to_builtins(run.record.options))],
        ["command line", code(text(run.record.orig_argv))],
        ["plan", text(msgspec.to_builtins(run.record.plan))],
        ["data", [code(text(run.record.data_path)), ", digest ", code(text(run.record.data_digest))]],
        ["source", _source(run)],
        ["platform key", code(text(run.record.platform_key))],
        ["switches", code(text(run.record.environment))],
        ["versions", f"Python {text(run.record.python)}; {text(packages)}"],
        ["machine", f"{text(hardware.get('processor'))}; {text(run.record.machine)}, {text(run.record.system)}"],
        ["system", f"{text(run.record.operating_system)}; C library {text(run.record.libc)}"],
        ["started, stopped", f"{text(run.record.started)}, {text(run.record.stopped)}"],
        ["time", f"{duration(run.record.seconds)} in all; {_epoch_time(run)}"],
        ["manifest, SHA-256", code(run.manifest_digest) if run.manifest_digest else "none"],
    ]
    if run.record.error is not None:
        rows.insert(0, ["error", text(run.record.error)])
    return table("From run.json, as the run wrote it.", ["", "recorded"], rows, "facts")


def _source(run):
    """Commit, whether the source was that commit's, and the digests of what ran."""
    state = (run.record.source or {}).get("state")
    if state is None:
        dirty = run.record.git_dirty
        state = ("dirty" if dirty else "clean") if isinstance(dirty, bool) else "unknown"
    meaning = {
        "clean": "clean: the source was the commit's",
        "dirty": "dirty: the source was not the commit's",
        "unknown": "state unknown: nothing to hold the source against",
    }
    parts = ["commit ", code(text(run.record.git_commit)), f"; {meaning.get(text(state), text(state))}"]
    for name, of in (("digest", "package"), ("recipe", "recipe"), ("lock", "lock")):
        digest = (run.record.source or {}).get(name)
        if digest is not None:
            parts += [f"; {of} ", code(text(digest))]
    return parts


def _epoch_time(run):
    times = sorted(epoch.seconds for epoch in run.epochs if epoch.seconds is not None)
    return f"the median epoch {duration(times[len(times) // 2])}" if times else "epochs not timed"


def _chain(run):
    bits, last = run.record.bits, run.epochs[-1].bits if run.epochs else None
    if bits is None:
        held = "The run has not recorded its last digest."
    elif bits == last:
        held = "The run's digest is that of its last epoch."
    else:
        held = "The run's digest is not that of its last epoch."
    rows = [
        [
            str(epoch.epoch),
            count(epoch.updates),
            significant(epoch.train_loss),
            significant(epoch.validation_loss),
            percent(epoch.score),
            duration(epoch.seconds),
            code(epoch.bits),
        ]
        for epoch in run.epochs
    ]
    head = [
        "epoch",
        "updates",
        "training loss",
        "validation loss",
        f"validation {run.metric}, %",
        "time",
        "bits so far",
    ]
    return [
        table(
            f"Each digest covers the whole state and all losses up to its epoch. {held}",
            ["", "digest"],
            [["before the first step", code(text(run.record.initial_bits))], ["bits of the run", code(text(bits))]],
            "facts",
        ),
        element(
            "details",
            {},
            element("summary", {}, f"All {len(run.epochs):,} epochs"),
            table("A line an epoch, from curve.jsonl.", head, rows, "numbers chain", words=("bits so far",)),
        )
        if rows
        else None,
    ]
