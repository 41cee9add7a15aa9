"""Runs of a tiny recipe as processes of their own, seconds each; they share one cache of compiled programs."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from crmn_legacy import archive
from crmn_legacy.data.files.faces import write_faces
from tests.data.faces import plain_faces

ROOT = Path(__file__).parents[2]
TINY = Path(__file__).parent / "tiny" / "table1_crmn.py"
STEPS_PER_EPOCH, EPOCHS, UPDATES = 3, 3, 9
FILES = {
    "run.json",
    "recipe.py",
    "curve.jsonl",
    "curve.csv",
    "weights.npz",
    "weights_initial.npz",
    "checkpoint.npz",
    "checkpoint.previous.npz",
    "MANIFEST.sha256",
}

# A child that runs this first can be stopped, or have its calls fail, at a place that the test chooses.
PRELUDE = """
import errno, os, resource, runpy, signal, sys
from pathlib import Path
"""
ENTRY = """
script = sys.argv[1]
sys.argv = sys.argv[1:]
runpy.run_path(script, run_name="__main__")
"""


def faces(train=14, valid=6, test=4, seed=0):
    """Three batches of four and two left over; a second seed gives other data of the same shape."""
    return plain_faces(train=train, valid=valid, test=test, seed=seed)


def environment(**changes):
    variables = {**os.environ, "PYTHONPATH": str(ROOT), **changes}
    return {name: value for name, value in variables.items() if value is not None}


def command_of(*arguments, before=None, script=TINY):
    """The words that run a recipe in a child; `before` is Python that the child runs first."""
    program = [script] if before is None else ["-c", PRELUDE + before + ENTRY, script]
    return [sys.executable, *map(str, program), *map(str, arguments)]


def run_tiny(*arguments, before=None, script=TINY, prefix=(), cwd=None, **changes):
    """Run the tiny recipe in a child; `before` is Python that the child runs first."""
    return subprocess.run(
        [*prefix, *command_of(*arguments, before=before, script=script)],
        capture_output=True,
        text=True,
        timeout=600,
        cwd=cwd or ROOT,
        env=environment(**changes),
    )


def refuse_tiny(capsys, monkeypatch, *arguments):
    """Give the tiny recipe, in this process, a command line that it must refuse; returns the one line it says."""
    monkeypatch.setattr(sys, "argv", [str(TINY), *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        runpy.run_path(str(TINY), run_name="__main__")
    said = capsys.readouterr()
    assert stop.value.code == 2, said.err
    assert said.out == ""
    assert said.err.startswith("error: ") and len(said.err.splitlines()) == 1, said.err
    return said.err


def contents(folder):
    """Every file below a folder with its bytes, every folder with None."""
    return {path: path.read_bytes() if path.is_file() else None for path in sorted(Path(folder).rglob("*"))}


def bits_of(child):
    """The digest that a finished run ends with."""
    assert child.returncode == 0, child.stderr
    golden, bits = child.stdout.splitlines()[-2:]
    assert golden.startswith("golden: ")
    assert bits.startswith("bits: sha256:") and len(bits) == len("bits: sha256:") + 64
    return bits


def curve(folder):
    """Epochs without the time they took."""
    return [replace(line, seconds=None, waited_seconds=None) for line in archive.read_curve(folder)]


def assert_same_run(folder, finished):
    """Whole, nothing left over, and equal to the uninterrupted run in all but times."""
    assert {path.name for path in folder.iterdir()} == {path.name for path in finished.iterdir()}
    assert archive.verify(folder) == []
    assert curve(folder) == curve(finished)
    for name in ("weights.npz", "weights_initial.npz", "checkpoint.npz"):
        ours, theirs = archive.read_arrays(folder / name), archive.read_arrays(finished / name)
        assert ours.keys() == theirs.keys()
        for key in ours.keys() - {"progress"}:
            np.testing.assert_array_equal(ours[key], theirs[key])
    if (finished / archive.TRACE).exists():
        assert (folder / archive.TRACE).read_bytes() == (finished / archive.TRACE).read_bytes()


def assert_one_line(child, status=2):
    """A failure is told in one line on stderr, without a traceback."""
    assert child.returncode == status, child.stderr
    assert len(child.stderr.splitlines()) == 1, child.stderr
    assert "Traceback" not in child.stderr
    assert child.stderr.startswith("error: " if status == 2 else ("internal error: ", "error: "))
    return child.stderr


@pytest.fixture(scope="session")
def compiled(tmp_path_factory):
    """One cache of compiled programs for all runs of the session."""
    before = os.environ.get("CRMN_LEGACY_CACHE")
    folder = tmp_path_factory.mktemp("cache", numbered=True)
    os.environ["CRMN_LEGACY_CACHE"] = str(folder)
    yield folder
    if before is None:
        del os.environ["CRMN_LEGACY_CACHE"]
    else:
        os.environ["CRMN_LEGACY_CACHE"] = before


@pytest.fixture(scope="session")
def data(tmp_path_factory, compiled):
    """A faces file that the tiny recipe trains on."""
    path = tmp_path_factory.mktemp("data") / "faces.h5"
    write_faces(path, faces())
    return path


@pytest.fixture(scope="session")
def finished(tmp_path_factory, data):
    """The folder and the last line of a run that nothing interrupted."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    return folder, bits_of(run_tiny("--data", data, "--out", folder))
