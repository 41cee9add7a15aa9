"""The committed digests are repeated by fresh processes, on one core and on all."""

import json
import os
import re
import subprocess
import sys

import pytest

from crmn_legacy.installation import GOLDEN
from crmn_legacy.paper import ROWS
from tests.golden.record import KEPT, PROVENANCE


def smoke(root, out, cores):
    """Last two lines of a smoke run of Table 1's CRMN on so many cores."""
    chosen = ",".join(map(str, sorted(os.sched_getaffinity(0))[:cores]))
    command = ["taskset", "-c", chosen, sys.executable, "recipes/table1_crmn.py", "--smoke", "--out", str(out)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()[-2:]


def test_the_smoke_run_gives_one_digest_on_one_core_and_on_all_and_it_is_the_golden_one(root, tmp_path):
    one = smoke(root, tmp_path / "one", cores=1)
    everything = smoke(root, tmp_path / "all", cores=None)
    assert one == everything
    golden, bits = one
    assert bits.startswith("bits: sha256:")
    key = json.loads((tmp_path / "one" / "run.json").read_text())["platform_key"]
    recorded = json.loads((GOLDEN / "table1_crmn.json").read_text())["runs"]
    known = any((run["kind"], run["platform_key"]) == ("smoke", key) for run in recorded)
    assert golden == ("golden: match" if known else f"golden: none for {key}")


COMMITTED = sorted(GOLDEN.glob("*.json"))


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_golden_results_tell_where_they_come_from(path):
    golden = json.loads(path.read_text())
    assert golden["row"] == path.stem and path.stem in ROWS
    seen = [(run["kind"], run["platform_key"]) for run in golden["runs"]]
    assert seen and len(seen) == len(set(seen))
    for run in golden["runs"]:
        assert run["kind"] in ("smoke", "rehearsal")
        assert run["bits"].startswith("sha256:") and len(run["bits"]) == len("sha256:") + 64
        assert set(PROVENANCE) <= run["provenance"].keys()


@pytest.mark.parametrize("path", [*COMMITTED, *KEPT.rglob("*.json")], ids=lambda path: path.name)
def test_golden_results_name_no_place_of_the_machine_that_made_them(path):
    assert not re.findall(r"/(?:root|home|tmp|Users)/", path.read_text())
