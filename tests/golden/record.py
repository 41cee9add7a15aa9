"""Add finished runs to the golden results: `python tests/golden/record.py DIR...`.

Of a rehearsal the folder itself is kept too, without its arrays, as ``tests/golden/<row>/``.

A golden result is held against runs of the same row, kind and platform key; a run with a seed, data, epochs or steps
of its own is refused here, since nothing would be held against it.
"""

import sys
from pathlib import Path

from crmn_legacy import archive
from crmn_legacy.errors import UserError, run
from crmn_legacy.options import DEFAULTS

PROVENANCE = ("packages", "python", "system", "environment", "git_commit", "git_dirty", "stopped", "seconds")


def record(folder):
    """Put one run's digest into ``tests/golden/<row>.json``."""
    problems = archive.verify(folder)
    if problems:
        raise UserError(f"got '{folder}', which does not verify ({problems[0]}), expected a finished run, whole")
    found = archive.read_json(Path(folder) / archive.RUN)
    if archive.left_out(folder):
        raise UserError(f"got '{folder}', which is without its arrays, expected the run's own folder")
    changed = [name for name in ("data", "epochs", "steps", "seed") if found["options"][name] != DEFAULTS[name]]
    if changed:
        raise UserError(f"got '{folder}' with its own {', '.join(changed)}, expected a rehearsal or smoke run as it is")
    path = Path(__file__).parent / f"{found['row']}.json"
    golden = archive.read_json(path) if path.exists() else {"row": found["row"], "runs": []}
    entry = {
        "kind": found["plan"]["kind"],
        "platform_key": found["platform_key"],
        "bits": found["bits"],
        "losses": [line["validation_loss"] for line in archive.read_curve(folder)],
        "provenance": {name: found.get(name) for name in (*PROVENANCE, "source", "hardware", "libc")},
    }
    same = (entry["kind"], entry["platform_key"])
    golden["runs"] = [old for old in golden["runs"] if (old["kind"], old["platform_key"]) != same]
    golden["runs"].append(entry)
    archive.write_json(path, golden)
    print(f"{path}: {entry['kind']}, {entry['platform_key']}, {entry['bits']}")
    if entry["kind"] == "rehearsal":
        archive.lighten(folder, path.with_suffix(""))
        print(f"{path.with_suffix('')}: the run without its arrays, for `rerun`")


if __name__ == "__main__":
    run(lambda: [record(folder) for folder in sys.argv[1:]] and 0)
