"""`tables`: every row of the paper, its printed numbers, our parameters and FLOPs, our measured results."""

import json
import math
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from crmn_legacy import archive, paper
from crmn_legacy.archive.record import REQUIRED, RunRecord
from crmn_legacy.commands.row_counts import counts_of_rows
from crmn_legacy.errors import UserError, printable
from crmn_legacy.inference import trained_network
from crmn_legacy.metrics import INTEROCULAR

DEFAULT_RUNS = "runs"
"""Where runs lie if nothing else is said; it need not be there."""

TITLES = {
    1: f"Table 1: 300-W, error in percent of the {INTEROCULAR.title}",
    2: "Table 2: CIFAR-100, accuracy in percent",
    3: "Table 3: CIFAR-10, accuracy in percent",
    None: "Own rows: error or accuracy in percent",
}


def tables(arguments):
    """Print the tables as text, JSON or Markdown."""
    folder = Path(arguments.runs)
    if not folder.is_dir() and arguments.runs != DEFAULT_RUNS:
        raise UserError(f"--runs got '{folder}', which is no folder, expected one whose folders are runs")
    results, left_out = measured_results(folder, arguments.all)
    counts = counts_of_rows(list(paper.ROWS), trained_network.RECIPES)
    rows = [_row(row, counts[row.row], results.get(row.row)) for row in paper.ROWS.values()]
    own = sorted(name for name in results if name not in paper.ROWS)
    rows += [_row(paper.row_of(name), _counted(results[name].record), results[name]) for name in own]
    if left_out:
        runs = "1 run is" if left_out == 1 else f"{left_out} runs are"
        print(f"note: {runs} not as published, and left out: --all takes in what has no better", file=sys.stderr)
    if arguments.json:
        print(json.dumps(rows))
        return 0
    for table, title in TITLES.items():
        chosen = [_cells(row) if row["table"] else _own_cells(row) for row in rows if row["table"] == table]
        if chosen:
            _print(title, list(chosen[0]), [list(cells.values()) for cells in chosen], arguments.markdown)
        if table == 1:
            _print_notes([row for row in rows if row["table"] == 1])
    _print_runs(rows)
    if not arguments.markdown:
        print("Smaller networks of Table 1 were trained on real faces: studies/RESULTS.md in the repository.")
    return 0


@dataclass(frozen=True)
class Measured:
    """What a finished run found.

    Attributes
    ----------
    record : RunRecord
    folder : Path
    among : int
        How many runs it was chosen from.
    """

    record: RunRecord
    folder: Path
    among: int = 1

    def as_json(self):
        """The result as ``tables --json`` prints it (a dict)."""
        result = msgspec.to_builtins(self.record.result)
        unlike = self.record.not_as_published()
        return {**result, "unlike": unlike, "run": str(self.folder), "among": self.among}


def measured_results(folder, every=False):
    """The best finished run of each row on data, by the validation loss.

    Parameters
    ----------
    folder : Path
        Of runs, and of folders of runs that differ by their seed; what can stand in no table is left out.
    every : bool
        Whether a run that is not as published stands where no run is that is.

    Returns
    -------
    dict of str to Measured
        By row.
    int
        How many runs were left out because they are not as published.
    """
    found, left_out = {}, 0
    places = "*", f"*/{archive.SEED}[0-9]*"
    for path in sorted(path for place in places for path in folder.glob(f"{place}/{archive.RUN}")):
        try:
            record = archive.read_record(path.parent, required=(*REQUIRED, "result"))
        except UserError:
            continue
        if not _stands(record):
            continue
        unlike = _is_unlike(record)
        if unlike and not every:
            left_out += 1
            continue
        found.setdefault(record.row, []).append(Measured(record, path.parent))
    return {row: _best(runs) for row, runs in found.items()}, left_out


def _best(runs):
    """Of the runs as published, or of all if none is, the one of the least validation loss."""
    alike = [run for run in runs if not _is_unlike(run.record)] or runs
    return replace(min(alike, key=lambda run: run.record.result.validation_loss), among=len(alike))


def _is_unlike(record):
    """Whether a run is not as its row is published, or of a row of one's own, with other literals."""
    if record.row in paper.ROWS:
        return bool(record.not_as_published())
    return bool(record.options.network or record.options.set)


def _stands(record):
    """Whether a run is finished training, and finite in all that a table shows."""
    result = record.result
    if record.plan.kind != "training" or record.status != "finished":
        return False
    numbers = [result.validation_loss, *(scored.mean for scored in (result.test or {}).values())]
    return all(math.isfinite(number) for number in numbers)


def _row(row, counted, measured):
    return {
        "row": row.row,
        "table": row.table or None,
        "method": row.method,
        "paper": row.printed,
        "source": row.source,
        "stated_parameters": row.stated,
        "recipe": counted is not None,
        "parameters": None,
        "flops": None,
        "result": measured and measured.as_json(),
        **(counted or {}),
    }


def _counted(record):
    return {"parameters": record.parameters, "flops": record.flops}


def _own_cells(row):
    """Cells of a row of one's own, by column title."""
    result = row["result"]
    tests = result.get("test") or {}
    measured = ", ".join(f"{name} {100 * scored['mean']:.2f}" for name, scored in tests.items())
    return {
        "row": row["row"],
        "params": "-" if row["parameters"] is None else paper.in_millions(row["parameters"]),
        "FLOPs": "-" if row["flops"] is None else paper.in_billions(row["flops"]),
        "measured, percent": measured or "no test pictures",
    }


def _cells(row):
    """A row's cells by column title; what the paper prints stands left of what is ours."""
    printed = row["paper"]
    ours = {
        "our params": "no recipe yet" if not row["recipe"] else paper.in_millions(row["parameters"]),
        "our FLOPs": "-" if not row["recipe"] else paper.in_billions(row["flops"]),
    }
    if row["table"] != 1:
        measured = _measured(row["result"], "all")
        return {
            "row": row["row"],
            "method": row["method"],
            "stands for": row["source"],
            "stated params": row["stated_parameters"] or "-",
            **ours,
            "printed": f"{printed['accuracy']:.2f}",
            "ours": measured,
        }
    cells = {
        "row": row["row"],
        "n": printed["n"] or "-",
        "fm": printed["fm"] or "-",
        "params": printed["parameters"],
        "our params": ours["our params"],
        "FLOPs": printed["flops"],
        "our FLOPs": ours["our FLOPs"],
    }
    for name, title in (("common", "Common"), ("ibug", "iBug")):
        cells[title] = f"{printed[name]:.2f}"
        cells[f"our {title}"] = _measured(row["result"], name)
    return cells


def _measured(result, name):
    if result is None:
        return "not run"
    scored = (result.get("test") or {}).get(name)
    if scored is None:
        return "no data"
    released = scored.get("released")
    part = "" if scored["complete"] else f" ({scored['pictures']} of {released})" if released else " (in part)"
    return f"{100 * scored['mean']:.2f}{part}" + (" *" if result["unlike"] else "")


def _print_runs(rows):
    """From how many runs the results were chosen, and what of those marked with a star is not as published."""
    for row in rows:
        result = row["result"] or {"among": 0}
        if result["among"] > 1:
            print(
                printable(f"{row['row']}: of {result['among']} runs that of the least validation loss, {result['run']}")
            )
        if result["among"] and result["unlike"] and row["table"]:
            told = "; ".join(result["unlike"])
            print(printable(f"* {row['row']}: not as published: {told} ({result['run']})"))


def _print_notes(rows):
    """What the printed numbers of another publication's method stand for; table 1 has no column for it."""
    for row in rows:
        if row["source"] != paper.OWN:
            print(f"{row['row']}: {row['source']}\n")


def _print(title, head, rows, markdown):
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[k]) for row in [head, *rows]) for k in range(len(head))]
    if markdown:
        print(f"### {title}\n")
        lines = [head, ["-" * width for width in widths], *rows]
        for line in lines:
            print("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |")
    else:
        print(title)
        for line in [head, *rows]:
            print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    print()
