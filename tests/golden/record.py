"""Add finished runs to the golden results: `python tests/golden/record.py DIR...`.

Digests go to ``crmn_legacy/golden/<row>.json``. Of a rehearsal the folder itself is kept too, without its arrays, as
``tests/golden/<row>/``.

A golden result is held against runs of the same row, kind and platform key; a run with options of its own (a seed,
data, epochs, steps, a network, literals) is refused here, since nothing would be held against it.
"""

import sys
from pathlib import Path

from crmn_legacy import archive
from crmn_legacy.archive.golden import own_options
from crmn_legacy.errors import UserError, run
from crmn_legacy.installation import GOLDEN

KEPT = Path(__file__).parent
PROVENANCE = ("packages", "python", "system", "environment", "git_commit", "git_dirty", "stopped", "seconds")


def record(folder):
    """Put one run's digest among the golden ones of its row."""
    problems = archive.verify(folder)
    if problems:
        raise UserError(f"got '{folder}', which does not verify ({problems[0]}), expected a finished run, whole")
    found = archive.read_record(folder)
    if archive.left_out(folder):
        raise UserError(f"got '{folder}', which is without its arrays, expected the run's own folder")
    changed = own_options(found.options)
    if changed:
        raise UserError(f"got '{folder}' with its own {', '.join(changed)}, expected a rehearsal or smoke run as it is")
    path = GOLDEN / f"{found.row}.json"
    golden = archive.read_json(path) if path.exists() else {"row": found.row, "runs": []}
    entry = {
        "kind": found.plan.kind,
        "platform_key": found.platform_key,
        "bits": found.bits,
        "losses": [line.validation_loss for line in archive.read_curve(folder)],
        "provenance": {name: getattr(found, name) for name in (*PROVENANCE, "source", "hardware", "libc")},
    }
    same = (entry["kind"], entry["platform_key"])
    golden["runs"] = [old for old in golden["runs"] if (old["kind"], old["platform_key"]) != same]
    golden["runs"].append(entry)
    archive.write_json(path, golden)
    print(f"{path}: {entry['kind']}, {entry['platform_key']}, {entry['bits']}")
    if entry["kind"] == "rehearsal":
        archive.lighten(folder, KEPT / found.row)
        print(f"{KEPT / found.row}: the run without its arrays, for `rerun`")


if __name__ == "__main__":
    run(lambda: [record(folder) for folder in sys.argv[1:]] and 0)
