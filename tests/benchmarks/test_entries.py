"""What a benchmark measured goes to its file as a whole, and a file that is no list of entries is refused."""

import argparse
import json
import subprocess

import pytest

from benchmarks import entries, machine
from crmn_legacy.errors import UserError

ENTRY = {"machine": "here", "date": "2026-11-26", "commit": None, "command": "python x", "settings": {}, "numbers": {}}


def parse(*words):
    parser = argparse.ArgumentParser(allow_abbrev=False, parents=[entries.options()])
    parser.add_argument("--n", type=int)
    return parser.parse_args(words)


def measure(*words):
    options = parse(*words)
    entry = entries.begin(options, "/somewhere/step.py", words, {"n": options.n})
    entries.finish(options, entry, {"median": 0.5})


def test_an_entry_says_where_when_and_how_and_is_printed_as_the_last_line(capsys):
    measure("--n", "3", "--anyway")
    entry = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert entry["machine"] == machine.label()
    assert entry["command"] == "python benchmarks/step.py --n 3"
    assert (entry["settings"], entry["numbers"]) == ({"n": 3}, {"median": 0.5})
    assert entry["environment"]["load"] >= 0
    assert entry["environment"]["versions"]["jaxlib"]


def test_entries_are_appended(tmp_path, capsys):
    path = tmp_path / "step.json"
    for n in ("1", "2"):
        measure("--anyway", "--n", n, "--json", str(path))
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert entries.read(path) == printed
    assert [entry["settings"]["n"] for entry in printed] == [1, 2]
    assert [file.name for file in tmp_path.iterdir()] == ["step.json"]


def test_a_file_that_cannot_take_an_entry_is_told_before_the_measurement(tmp_path):
    options = parse("--anyway", "--json", str(tmp_path / "none" / "step.json"))
    with pytest.raises(UserError, match="expected a file in a folder that exists"):
        entries.begin(options, "step.py", [], {})
    (tmp_path / "step.json").write_text("{}")
    options = parse("--anyway", "--json", str(tmp_path / "step.json"))
    with pytest.raises(UserError, match="with dict at its top; expected a list of entries"):
        entries.begin(options, "step.py", [], {})


def test_a_busy_machine_is_refused(monkeypatch):
    monkeypatch.setattr(machine, "LOOK", 0)
    monkeypatch.setattr(machine.OtherWork, "share", lambda self: 0.5)
    with pytest.raises(UserError, match="other work on 50%"):
        entries.begin(parse(), "step.py", [], {})


def test_an_entry_says_how_much_others_did_when_somebody_looked(monkeypatch):
    monkeypatch.setattr(machine, "LOOK", 0)
    monkeypatch.setattr(machine.OtherWork, "share", lambda self: 0.01)
    assert entries.begin(parse(), "step.py", [], {})["environment"]["others"] == 0.01
    assert entries.begin(parse("--anyway"), "step.py", [], {})["environment"]["others"] is None


@pytest.mark.parametrize(
    "text",
    ["", "[", "\ud800", "[" * 100_000, '["entry"]', json.dumps([{**ENTRY, "seconds": 1}])]
    + [json.dumps([{**ENTRY, name: 5}]) for name in ENTRY]
    + [json.dumps([{key: value for key, value in ENTRY.items() if key != name}]) for name in ENTRY],
)
def test_what_is_no_list_of_entries_is_refused_in_one_line(tmp_path, text):
    path = tmp_path / "step.json"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(UserError) as told:
        entries.read(path)
    assert "\n" not in str(told.value)


def test_an_entry_of_all_fields_is_read(tmp_path):
    entry = {**ENTRY, "carried": True, "environment": {}, "note": "Nothing ran beside."}
    entries.write(tmp_path / "step.json", [entry])
    assert entries.read(tmp_path / "step.json") == [entry]


@pytest.fixture
def repository(tmp_path, monkeypatch):
    (tmp_path / "benchmarks" / "results").mkdir(parents=True)
    for name in ("code.py", "benchmarks/results/step.json"):
        (tmp_path / name).write_text("old\n")
    identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    for words in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message=first"]):
        subprocess.run(["git", "-C", tmp_path, *identity, *words], check=True, capture_output=True)
    monkeypatch.setattr(entries, "ROOT", tmp_path)
    return tmp_path


def test_a_commit_is_dirty_where_code_differs_and_not_where_results_do(repository):
    clean = entries.commit()
    assert len(clean) == 12
    (repository / "benchmarks" / "results" / "step.json").write_text("new\n")
    (repository / "untracked").write_text("new\n")
    assert entries.commit() == clean
    (repository / "code.py").write_text("new\n")
    assert entries.commit() == f"{clean}-dirty"


def test_there_may_be_no_repository(monkeypatch, tmp_path):
    monkeypatch.setattr(entries, "ROOT", tmp_path / "none")
    assert entries.commit() is None
