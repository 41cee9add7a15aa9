"""`tables`: every row of the paper, its printed numbers, our parameters and FLOPs, our measured results."""

import json
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import msgspec

from crmn_legacy import archive, paper
from crmn_legacy.archive.record import REQUIRED, RunRecord
from crmn_legacy.commands import trained_network
from crmn_legacy.errors import UserError
from crmn_legacy.installation import load_recipe

TITLES = {
    1: "Table 1: 300-W, error in percent of the inter-ocular distance",
    2: "Table 2: CIFAR-100, accuracy in percent",
    3: "Table 3: CIFAR-10, accuracy in percent",
    None: "Own rows: error or accuracy in percent",
}


def tables(arguments):
    """Print the tables as text, JSON or Markdown."""
    results = measured_results(Path(arguments.runs))
    rows = [_row(row, results.get(row.row)) for row in paper.ROWS.values()]
    rows += [_row(paper.row_of(name), found) for name, found in sorted(results.items()) if name not in paper.ROWS]
    if arguments.json:
        print(json.dumps(rows))
        return 0
    for table, title in TITLES.items():
        chosen = [_cells(row) if row["table"] else _own_cells(row) for row in rows if row["table"] == table]
        if chosen:
            _print(title, list(chosen[0]), [list(cells.values()) for cells in chosen], arguments.markdown)
        if table == 1:
            _print_notes([row for row in rows if row["table"] == 1])
    return 0


@dataclass(frozen=True)
class Measured:
    """What a finished run found.

    Attributes
    ----------
    record : RunRecord
    folder : Path
    """

    record: RunRecord
    folder: Path

    def as_json(self):
        """The result as ``tables --json`` prints it (a dict)."""
        return {**msgspec.to_builtins(self.record.result), "run": str(self.folder)}


def measured_results(folder):
    """Row -> its best finished run on data as published, by the validation loss (a dict of str to `Measured`).

    Parameters
    ----------
    folder : Path
        Of runs; what is no run that can stand in a table is left out.
    """
    best = {}
    for path in sorted(folder.glob(f"*/{archive.RUN}")):
        try:
            record = archive.read_record(path.parent, required=(*REQUIRED, "result"))
        except UserError:
            continue
        if not _stands(record):
            continue
        former = best.get(record.row)
        if former is None or record.result.validation_loss < former.record.result.validation_loss:
            best[record.row] = Measured(record, path.parent)
    return best


def _stands(record):
    """Whether a run is of a row as it is published, and finite in all that a table shows."""
    options, result = record.options, record.result
    if record.plan.kind != "training" or record.status != "finished":
        return False
    if options.network or options.set:
        return False
    numbers = [result.validation_loss, *(scored.mean for scored in (result.test or {}).values())]
    return all(math.isfinite(number) for number in numbers)


def _row(row, measured):
    counted = counts(row.row, str(trained_network.RECIPES)) if row.table else _counted(measured.record)
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


@cache
def counts(row, recipes):
    """``parameters`` and ``flops`` of a row's network (a dict), or None without a recipe in the folder `recipes`."""
    script = Path(recipes) / f"{row}.py"
    if not script.is_file():
        return None
    described = load_recipe(script).describe()
    return {name: described[name] for name in ("parameters", "flops")}


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
        accuracy = ((row["result"] or {}).get("test") or {}).get("all", {}).get("mean")
        measured = "not run" if accuracy is None else f"{100 * accuracy:.2f}"
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
    return f"{100 * scored['mean']:.2f}" + ("" if scored["complete"] else " (in part)")


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
