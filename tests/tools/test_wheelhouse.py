"""`make wheelhouse` brings what the locks name, no more and no less, with digests that sha256sum checks."""

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(not (shutil.which("make") and shutil.which("sha256sum")), reason="no make or sha256sum")


def wheel(folder, name):
    """Write a wheel of nothing but its metadata; returns its path."""
    path = folder / f"{name}-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(f"{name}-1.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        file.writestr(f"{name}-1.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        file.writestr(f"{name}-1.dist-info/RECORD", "")
    return path


def locked(path):
    return f"{path.name.partition('-')[0]}==1 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


@pytest.fixture
def tree(tmp_path):
    """A folder with the Makefile, two locks, an environment that is complete, and an index of three wheels."""
    index = tmp_path / "index"
    index.mkdir()
    build, one, _ = (wheel(index, name) for name in ("building", "one", "unasked"))
    (tmp_path / "requirements-build.lock").write_text(locked(build))
    (tmp_path / "requirements.lock").write_text(f"# Some.\n{locked(one)}")
    shutil.copy(ROOT / "Makefile", tmp_path)
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    python.chmod(0o755)
    (tmp_path / ".venv" / "complete").touch()
    return tmp_path


def make(tree, *words):
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "PIP_"))}
    variables |= {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tree / "index")}
    return subprocess.run(["make", "wheelhouse", *words], cwd=tree, env=variables, capture_output=True, text=True)


def check(house):
    command = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    return subprocess.run(command, cwd=house, capture_output=True, text=True)


def test_it_holds_the_files_of_both_locks_and_the_locks_and_sha256sum_checks_them(tree):
    done = make(tree)
    assert done.returncode == 0, done.stderr
    house = tree / "dist" / "wheelhouse-requirements"
    kept = {"building-1-py3-none-any.whl", "one-1-py3-none-any.whl", "requirements-build.lock", "requirements.lock"}
    assert {path.name for path in house.iterdir()} == {*kept, "SHA256SUMS"}
    checked = check(house)
    assert checked.returncode == 0
    assert {line.partition(":")[0] for line in checked.stdout.splitlines()} == kept
    (house / "one-1-py3-none-any.whl").write_bytes(b"another")
    assert check(house).returncode == 1


def test_another_lock_has_a_wheelhouse_of_its_own(tree):
    (tree / "some.lock").write_text(locked(tree / "index" / "unasked-1-py3-none-any.whl"))
    assert make(tree, "LOCK=some.lock").returncode == 0
    names = {path.name for path in (tree / "dist" / "wheelhouse-some").iterdir()}
    assert "unasked-1-py3-none-any.whl" in names and "one-1-py3-none-any.whl" not in names


def test_what_an_earlier_call_left_is_removed(tree):
    house = tree / "dist" / "wheelhouse-requirements"
    house.mkdir(parents=True)
    (house / "slipped-1-py3-none-any.whl").write_bytes(b"slipped in")
    assert make(tree).returncode == 0
    assert not (house / "slipped-1-py3-none-any.whl").exists()


@pytest.mark.parametrize("mistake", ["missing", "changed", "without a digest"])
def test_no_sums_are_written_unless_every_file_is_the_one_that_is_locked(tree, mistake):
    path = tree / "index" / "one-1-py3-none-any.whl"
    if mistake == "missing":
        path.unlink()
    elif mistake == "changed":
        with zipfile.ZipFile(path, "a") as file:
            file.writestr("one.py", "changed = True\n")
    else:
        (tree / "requirements.lock").write_text("one==1\n")
        (tree / ".venv" / "complete").touch()
    assert make(tree).returncode == 2
    assert not (tree / "dist" / "wheelhouse-requirements" / "SHA256SUMS").exists()
