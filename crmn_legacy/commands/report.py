"""`report DIR...`: one run, or many, as one HTML page that fetches nothing."""

import os
import sys
from pathlib import Path

from crmn_legacy import report as pages
from crmn_legacy.commands.output_paths import require_outside
from crmn_legacy.errors import UserError, printable
from crmn_legacy.files import write_whole
from crmn_legacy.report.reading import ALTERED


def report(arguments):
    """Write the page, and say of each folder whether it holds."""
    out, folders = Path(arguments.out), arguments.runs
    replaced = _require_place(out, folders)
    files = arguments.predictions or []
    if files and len(files) != len(folders):
        raise UserError(
            f"--predictions got {len(files)} files, expected one for each of the {len(folders)} runs, in their order"
        )
    predictions = [pages.read_predictions(file) for file in files] or [None] * len(folders)
    runs = _read(folders, predictions)
    write_whole(out, pages.render(list(runs.values())).encode())
    for folder, run in runs.items():
        first = f" ({run.problems[0]})" if run.verdict == ALTERED and run.problems else ""
        print(f"{run.verdict}: {folder}{first}")
    print(f"written: {out}" + (" (in place of a former report)" if replaced else ""))
    return 0


def _read(folders, predictions):
    """Folder -> its run; of many folders those that hold no run, such as one that was stopped early, are left out."""
    runs, failed = {}, {}
    for folder, found in zip(folders, predictions, strict=True):
        try:
            runs[folder] = pages.read_run(folder, found)
        except UserError as error:
            failed[folder] = error
    if not runs:
        raise next(iter(failed.values()))
    for folder, error in failed.items():
        print(printable(f"left out: {folder}: {error}"), file=sys.stderr)
    return runs


def _require_place(out, folders):
    """Whether `out` is a former report; whatever else is there already, and a run's folder, is left as it is."""
    seen = [os.path.realpath(folder) for folder in folders]
    if len(set(seen)) < len(seen):
        raise UserError("got one folder twice, expected each run once")
    require_outside(out, folders)
    if not os.path.lexists(out):
        return False
    mark = pages.MARK.encode()
    try:
        if out.is_file():
            with open(out, "rb") as file:
                if file.read(len(mark)) == mark:
                    return True
    except OSError:
        pass
    raise UserError(
        f"--out got '{out}', which exists and is no report, expected a new file or a former report: give another --out"
    )
