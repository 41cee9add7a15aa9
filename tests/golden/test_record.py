"""What `record.py` puts beside itself: the digest of a run and, of a rehearsal, its folder without arrays."""

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from crmn_legacy import archive
from crmn_legacy.errors import UserError
from crmn_legacy.installation import GOLDEN
from crmn_legacy.options import Options
from tests.folders import RECORD, write_run
from tests.golden import record

REHEARSAL = replace(RECORD.plan, kind="rehearsal")
KEPT = sorted(path.parent for path in Path(__file__).parent.glob(f"*/{archive.MANIFEST}"))


@pytest.fixture
def golden(tmp_path, monkeypatch):
    """A folder in the place of the committed ones."""
    (tmp_path / "golden").mkdir()
    monkeypatch.setattr(record, "GOLDEN", tmp_path / "golden")
    monkeypatch.setattr(record, "KEPT", tmp_path / "golden")
    return tmp_path / "golden"


def test_a_rehearsal_is_kept_without_its_arrays(golden, tmp_path):
    run = write_run(tmp_path / "run", plan=REHEARSAL)
    for _ in range(2):
        record.record(run)
        assert {path.name for path in golden.iterdir()} == {"table1_crmn.json", "table1_crmn"}
        assert archive.verify(golden / "table1_crmn") == []
        assert (golden / "table1_crmn" / archive.TRACE).read_bytes() == (run / archive.TRACE).read_bytes()
    (entry,) = json.loads((golden / "table1_crmn.json").read_text())["runs"]
    assert entry["bits"] == archive.read_json(run / archive.RUN)["bits"] and entry["kind"] == "rehearsal"


def test_a_smoke_run_is_recorded_by_its_digest_alone(golden, tmp_path):
    record.record(write_run(tmp_path / "run"))
    assert [path.name for path in golden.iterdir()] == ["table1_crmn.json"]


def test_runs_of_other_keys_stay(golden, tmp_path):
    record.record(write_run(tmp_path / "here"))
    record.record(write_run(tmp_path / "there", platform_key="xla/there"))
    runs = json.loads((golden / "table1_crmn.json").read_text())["runs"]
    assert [run["platform_key"] for run in runs] == ["xla/here", "xla/there"]


def test_what_nothing_would_be_held_against_is_refused(golden, tmp_path):
    with pytest.raises(UserError, match="with its own seed"):
        record.record(write_run(tmp_path / "seeded", options=Options(seed=2)))
    run = write_run(tmp_path / "run")
    archive.lighten(run, tmp_path / "light")
    with pytest.raises(UserError, match="without its arrays"):
        record.record(tmp_path / "light")
    (run / archive.RECIPE).write_text("other\n")
    with pytest.raises(UserError, match="does not verify"):
        record.record(run)
    assert list(golden.iterdir()) == []


@pytest.mark.parametrize("folder", KEPT, ids=lambda path: path.name)
def test_kept_folders_are_whole_and_are_the_runs_that_are_recorded(folder):
    assert archive.verify(folder) == []
    kept = archive.read_record(folder)
    recorded = json.loads((GOLDEN / f"{folder.name}.json").read_text())["runs"]
    digests = {(run["kind"], run["platform_key"]): run["bits"] for run in recorded}
    assert digests[kept.plan.kind, kept.platform_key] == kept.bits
