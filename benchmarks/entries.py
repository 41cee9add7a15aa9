"""What was measured, kept in `benchmarks/results/*.json`: one file per benchmark, each a list of entries.

An entry names its machine (by its label in `results/machines.json`), date, commit, command and settings, and has the
numbers; `environment` is what `machine.describe` found at the start. An entry with `"carried": true` was transcribed
from the RESULTS.md of the time before these files; its date and commit are those of the commit that first reported
the numbers, and what the document did not say is missing.
"""

import datetime
import json
import os
import shlex
import subprocess
from pathlib import Path

from benchmarks import machine
from crmn_legacy.errors import UserError, shown
from crmn_legacy.parser import Parser

ROOT = Path(__file__).resolve().parents[1]

FIELDS = {"machine": str, "date": str, "commit": str | None, "command": str | None, "settings": dict, "numbers": dict}
OPTIONAL = {"carried": bool, "environment": dict, "note": str}


def options():
    """A parent parser with the options that all benchmarks share."""
    parser = Parser(add_help=False)
    parser.add_argument("--json", type=Path, metavar="FILE", help="append the entry to this file")
    parser.add_argument(
        "--wait", type=float, default=0, metavar="MINUTES", help="time for other work to end; default 0"
    )
    parser.add_argument("--anyway", action="store_true", help="measure beside other work")
    return parser


def begin(parsed, script, argv, settings):
    """Everything about an entry that is known before its numbers.

    Parameters
    ----------
    parsed : argparse.Namespace
        Has the options of `options`.
    script : str
        The benchmark's own file.
    argv : list of str or None
        Its arguments; None means those of the process.
    settings : dict
        What was measured, ready for JSON.

    Raises
    ------
    UserError
        Other work runs, or the entry could not be appended to ``--json``.
    """
    others = machine.require_quiet(parsed.anyway, parsed.wait)
    if parsed.json:
        _read_if_there(parsed.json)
    _, words = options().parse_known_args(argv)
    return {
        "machine": machine.label(),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "commit": commit(),
        "command": shlex.join(["python", f"benchmarks/{Path(script).name}", *words]),
        "settings": settings,
        "environment": machine.describe() | {"others": others},
    }


def finish(parsed, entry, numbers):
    """Append the entry with its numbers to ``--json``, and print it as one line of JSON."""
    entry = {**entry, "numbers": numbers}
    if parsed.json:
        write(parsed.json, [*_read_if_there(parsed.json), entry])
    print(json.dumps(entry))


def commit():
    """The commit that is checked out, ending in ``-dirty`` where a tracked file other than a result differs.

    None without git.
    """
    results = [":!benchmarks/results", ":!benchmarks/RESULTS.md"]
    try:
        name = _git("rev-parse", "--short=12", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", *results)
    except (OSError, subprocess.CalledProcessError):
        return None
    return name + "-dirty" * bool(changed)


def read(path):
    """The entries of one file (list of dict).

    Raises
    ------
    UserError
        It is no list of entries.
    """
    entries = read_json(path)
    if not isinstance(entries, list):
        raise UserError(f"got {path} with {type(entries).__name__} at its top; expected a list of entries")
    for number, entry in enumerate(entries):
        fault = _fault(entry)
        if fault:
            raise UserError(f"got {path} whose entry {number} {fault}; benchmarks/entries.py says what an entry has")
    return entries


def read_json(path):
    """What a JSON file holds; a file that cannot be read is a UserError."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"got {path} ({shown(str(error))}); expected JSON: mend or remove it") from error


def write(path, entries):
    """Replace the file as a whole, so that an interrupted benchmark leaves the old one."""
    new = Path(f"{path}.new")
    new.write_text(text(entries), encoding="utf-8")
    os.replace(new, path)


def text(value):
    """JSON as these files have it."""
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def _read_if_there(path):
    if not path.parent.is_dir():
        raise UserError(f"got --json {path}; expected a file in a folder that exists: create {path.parent}")
    return read(path) if path.exists() else []


def _fault(entry):
    if not isinstance(entry, dict):
        return f"is a {type(entry).__name__}, expected an object"
    missing, unknown = FIELDS.keys() - entry.keys(), entry.keys() - FIELDS.keys() - OPTIONAL.keys()
    if missing or unknown:
        return f"lacks {sorted(missing)} or has the unknown {shown(str(sorted(unknown)))}"
    for name, kind in (FIELDS | OPTIONAL).items():
        if name in entry and not isinstance(entry[name], kind):
            return f"has {name} of the wrong type"
    return None


def _git(*words):
    done = subprocess.run(["git", "-C", ROOT, *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()
