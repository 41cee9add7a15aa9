"""KERNELS.md has the tables that its file gives, and the golden digests are those that stand there."""

import json

import pytest

from benchmarks import entries, kernels
from crmn_legacy.archive.golden import golden_kernels
from crmn_legacy.errors import UserError

STEPS = ("train", "evaluate")


def test_the_tables_are_those_of_the_file():
    assert kernels.main(["--check"]) == 0


def test_a_table_that_is_not_up_to_date_is_told(tmp_path, monkeypatch):
    document = tmp_path / "KERNELS.md"
    document.write_text(kernels.DOCUMENT.read_text().replace("| 64 |", "| 65 |"))
    monkeypatch.setattr(kernels, "DOCUMENT", document)
    with pytest.raises(UserError, match=r"whose tables are not those of kernels\.json"):
        kernels.main(["--check"])


def test_the_golden_digests_are_those_that_were_measured():
    ours = [e["numbers"] for e in entries.read(kernels.RESULTS) if e["settings"]["by"] == kernels.OURS]
    assert ours
    for numbers in ours:
        golden = golden_kernels(numbers["key"])[numbers["row"]]
        assert golden == {step: numbers[step]["ptx_digest"] for step in STEPS}


def test_no_row_breaks_a_promise():
    for entry in entries.read(kernels.RESULTS):
        for step in STEPS:
            found = entry["numbers"].get(step)
            if found:
                assert found["float64"] == found["host_calls"] == 0, entry["settings"]


def test_only_what_is_missing_is_compiled(tmp_path, monkeypatch):
    compiled = []

    def child(words, stdout, text, check):
        compiled.append(words[2:])
        numbers = {"row": "table1_rcn", "card": "H100", "key": "h100/float32/jaxlib0", "train": {}}
        return kernels.subprocess.CompletedProcess(words, 0, f"noise\n{json.dumps(numbers)}\n")

    monkeypatch.setattr(kernels, "RESULTS", tmp_path / "kernels.json")
    monkeypatch.setattr(kernels.subprocess, "run", child)
    monkeypatch.setattr(entries, "commit", lambda: "0123456789ab")
    for anew, count in ((False, 1), (False, 1), (True, 2)):
        kernels.measure(["table1_rcn"], "h100", anew)
        assert len(compiled) == count
    (entry,) = entries.read(tmp_path / "kernels.json")
    assert entry["settings"] == {"row": "table1_rcn", "card": "h100", "by": "package"}
