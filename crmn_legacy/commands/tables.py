"""`tables`: every row of the paper, its printed numbers, our parameters and FLOPs, our measured results."""

import json
from functools import cache
from pathlib import Path

from crmn_legacy import archive, paper
from crmn_legacy.commands import stored
from crmn_legacy.errors import UserError
from crmn_legacy.report.values import at, number

TITLES = {
    1: "Table 1: 300-W, error in percent of the inter-ocular distance",
    2: "Table 2: CIFAR-100, accuracy in percent",
    3: "Table 3: CIFAR-10, accuracy in percent",
}


def tables(arguments):
    """Print the tables as text, JSON or Markdown."""
    results = measured_results(Path(arguments.runs))
    rows = [_row(row, results.get(row.row, {})) for row in paper.ROWS.values()]
    if arguments.json:
        print(json.dumps(rows))
        return 0
    for table, title in TITLES.items():
        chosen = [_cells(row) for row in rows if row["table"] == table]
        _print(title, list(chosen[0]), [list(cells.values()) for cells in chosen], arguments.markdown)
        if table == 1:
            _print_notes([row for row in rows if row["table"] == 1])
    return 0


def measured_results(folder):
    """Row -> result of its best finished run on data as published, by the validation loss (a dict of dicts).

    Parameters
    ----------
    folder : Path
        Of runs; what is no run that can stand in a table is left out.
    """
    best = {}
    for path in sorted(folder.glob(f"*/{archive.RUN}")):
        try:
            record = archive.read_json(path)
        except UserError:
            continue
        row, result = record.get("row"), record.get("result")
        if not isinstance(row, str) or at(record, "plan", "kind") != "training" or not _stands(record):
            continue
        if row not in best or result["validation_loss"] < best[row]["validation_loss"]:
            best[row] = {**result, "run": str(path.parent)}
    return best


def _stands(record):
    """Whether a run's record has a result with the numbers that a table shows."""
    result = record.get("result")
    if record.get("status") != "finished" or number(at(result, "validation_loss")) is None:
        return False
    test = result.get("test", {})
    if not isinstance(test, dict) or any(number(at(scored, "mean")) is None for scored in test.values()):
        return False
    try:
        json.dumps(result, allow_nan=False)
    except (ValueError, RecursionError):
        return False
    return all(isinstance(scored.get("complete"), bool) for scored in test.values())


def _row(row, result):
    counted = counts(row.row, str(stored.RECIPES))
    record = {
        "row": row.row,
        "table": row.table,
        "method": row.method,
        "paper": row.printed,
        "source": row.source,
        "stated_parameters": row.stated,
        "recipe": counted is not None,
        "parameters": None,
        "flops": None,
        "result": result or None,
    }
    return record | (counted or {})


@cache
def counts(row, recipes):
    """``parameters`` and ``flops`` of a row's network (a dict), or None without a recipe in the folder `recipes`."""
    recipe = stored.recipe_of(row)
    if recipe is None:
        return None
    described = recipe.describe()
    return {name: described[name] for name in ("parameters", "flops")}


def _cells(row):
    """A row's cells by column title; what the paper prints stands left of what is ours."""
    printed = row["paper"]
    ours = {
        "our params": "no recipe yet" if not row["recipe"] else paper.in_millions(row["parameters"]),
        "our FLOPs": "-" if not row["recipe"] else paper.in_billions(row["flops"]),
    }
    if row["table"] != 1:
        accuracy = (row["result"] or {}).get("test", {}).get("all", {}).get("mean")
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
    scored = result.get("test", {}).get(name)
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
