"""Spoiled files of every kind are read or refused: nothing but our own error class comes out, and no library falls.

The files and the processes that read them are in ``python -m tests.fuzz``.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import strategies as st

from crmn_legacy.errors import UserError
from tests.fuzz import __main__ as fuzz
from tests.fuzz.targets import Target

# Seconds of the slow test, for all formats together.
SECONDS = float(os.environ.get("CRMN_LEGACY_FUZZ_SECONDS", "300"))
FORMATS = 10


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


def hang(path):
    """As a library would that ends no loop."""
    re.fullmatch("(a+)+b", path.read_text())


def read(path):
    """A reader with every fault that the search is after."""
    text = path.read_text()
    if text == "die":
        os.abort()
    if text == "hang":
        path.write_text("a" * 40)
        hang(path)
    if text == "fill":
        bytearray(b"x" * 2**20) * 300
    if text == "mute":
        raise UserError("no")
    if text == "raise":
        raise ValueError("not ours")
    if text == "refuse":
        raise UserError("got refuse, expected ok")


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
def test_the_search_sees_what_it_is_after(tmp_path, monkeypatch, content, said):
    if content == "hang":
        monkeypatch.setattr(fuzz, "SECONDS_A_FILE", 1)
    monkeypatch.setattr(fuzz, "LARGEST_GROWTH", 2**27)
    monkeypatch.setattr(fuzz, "_MOST_FAILURES", 1)
    target = Target([b"ok"], st.just(content.encode()), read)
    options = SimpleNamespace(examples=2, seconds=None, seed=0)
    executions, _, failures = fuzz.run_format("one", target, tmp_path, options)
    if said is None:
        assert executions >= 1 and not failures
        return
    (failure,) = failures
    assert said in failure
    kept = failure.rpartition("input: ")[2]
    assert content == "hang" or Path(kept).read_text() == content
