"""Spoiled files of every kind are read or refused: nothing but our own error class comes out, and no library falls.

The files and the processes that read them are in ``python -m tests.fuzz``.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

# Seconds of the slow test, for all formats together.
SECONDS = float(os.environ.get("CRMN_LEGACY_FUZZ_SECONDS", "300"))
FORMATS = 14


def search(root, *arguments):
    """Run the search; returns format -> (executions, seconds, crashes) once it found nothing."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", *map(str, arguments)], cwd=root, capture_output=True, text=True
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = re.findall(r"^(\S+) +(\d+) +([\d.]+) +(\d+)$", done.stdout, re.MULTILINE)
    found = {name: (int(executions), float(seconds), int(crashes)) for name, executions, seconds, crashes in rows}
    assert len(found) == FORMATS + 1 and not any(crashes for _, _, crashes in found.values())
    return found


def test_spoiled_files_are_read_or_refused(root):
    found = search(root, "--examples", 40, "--seed", 0)
    assert all(executions == 40 for name, (executions, _, _) in found.items() if name != "all")


@pytest.mark.slow
def test_spoiled_files_are_read_or_refused_for_minutes(root):
    found = search(root, "--seconds", SECONDS)
    assert all(executions for executions, _, _ in found.values())
    assert found["all"][1] >= SECONDS


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("ok", None),
        ("refuse", None),
        ("raise", "ValueError: not ours"),
        ("mute", "a message that does not help: no"),
        ("fill", "of memory"),
        ("hang", "Timeout"),
        ("die", "Abort"),
    ],
)
def test_the_search_sees_what_it_is_after(root, tmp_path, content, said):
    command = [sys.executable, "-m", "tests.fuzz.faulty", content, str(tmp_path)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    if said is None:
        assert found["executions"] >= 1 and not found["failures"]
        return
    (failure,) = found["failures"]
    assert said in failure
    kept = failure.rpartition("input: ")[2]
    assert content == "hang" or Path(kept).read_text() == content
