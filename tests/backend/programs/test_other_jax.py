"""Programs under other versions of JAX than the one that wrote them, each in an environment of its own."""

import shutil
import subprocess
import sys

import pytest

from tests.training.runs import ROOT, environment


def _newer_python():
    """A Python that JAX from 0.11 on is made for, or None; a name on the path may be a shim with nothing behind it."""
    for name in ("python3.13", "python3.12"):
        found = shutil.which(name)
        if found and subprocess.run([found, "--version"], capture_output=True, check=False).returncode == 0:
            return found
    return None


PYTHON = _newer_python()


@pytest.mark.slow
@pytest.mark.skipif(PYTHON is None, reason="no python3.12 or python3.13")
@pytest.mark.parametrize("jax", ["jax==0.10.2", "jax"])
def test_the_losses_are_those_that_are_told(tmp_path, jax):
    """Needs the package index. An old JAX has to be named; the newest is what people will have."""
    words = [sys.executable, "-m", "crmn_legacy", "export", "table1_crmn", "--smoke", "--out", tmp_path / "bundle"]
    subprocess.run(words, cwd=ROOT, check=True, env=environment())
    subprocess.run([PYTHON, "-m", "venv", tmp_path / "other"], check=True)
    python = tmp_path / "other" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", jax], check=True)
    words = [python, tmp_path / "bundle" / "run_program.py", "check"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment(PYTHONPATH=None))
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.split()) == 3
