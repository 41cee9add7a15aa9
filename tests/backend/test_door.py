"""The front door from within a program, and what docs/LEGACY.md says of it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from crmn_legacy.backend import door
from crmn_legacy.errors import UserError

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "LEGACY.md").read_text(encoding="utf-8")


def run(*words, cwd, **environment):
    return subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), "AESARA_FLAGS": "cxx=", **environment},
        capture_output=True,
        text=True,
    )


PROGRAM = """
import numpy
x = theano.tensor.vector()
w = theano.shared(numpy.ones(3))
step = theano.function([x], (w * x).sum(), updates=[(w, w + 1)])
print(step([1, 2, 3]), step([1, 2, 3]), w.get_value(), type(step.fn).__name__)
"""


def test_the_command_of_the_page_runs_a_script(tmp_path):
    (command,) = re.findall(r"```bash\n(.*?)\n```", PAGE, re.DOTALL)
    (tmp_path / "script.py").write_text("import theano\n" + PROGRAM)
    ran = run(*command.split()[1:], cwd=tmp_path)
    assert (ran.returncode, ran.stdout) == (0, "6.0 12.0 [3. 3. 3.] XlaThunk\n"), ran.stderr


def test_the_lines_of_the_page_open_the_door_in_a_notebook(tmp_path):
    (lines,) = re.findall(r"```python\n(.*?)\n```", PAGE, re.DOTALL)
    ran = run("-c", lines + PROGRAM, cwd=tmp_path)
    assert (ran.returncode, ran.stdout) == (0, "6.0 12.0 [3. 3. 3.] XlaThunk\n"), ran.stderr


def test_aesaras_own_functions_are_there_on_request(tmp_path):
    (tmp_path / "script.py").write_text("import theano\n" + PROGRAM)
    ran = run("-m", "crmn_legacy.backend", "--backend", "c", "script.py", cwd=tmp_path)
    assert ran.returncode == 0 and ran.stdout.startswith("6.0 12.0 [3. 3. 3.] ") and "Xla" not in ran.stdout


def test_programs_are_kept_between_processes(tmp_path):
    program = """
import theano, theano.tensor as T, numpy
x = T.matrix()
y = x
for _ in range(20):
    y = T.tanh(T.dot(y, x))
print(theano.function([x], T.grad(y.sum(), x))(numpy.eye(3))[0, 0])
"""
    (tmp_path / "script.py").write_text(program)
    kept = tmp_path / "cache"
    first = run("-m", "crmn_legacy.backend", "script.py", cwd=tmp_path, CRMN_LEGACY_CACHE=str(kept))
    entries = sorted(kept.rglob("*-cache"))
    second = run("-m", "crmn_legacy.backend", "script.py", cwd=tmp_path, CRMN_LEGACY_CACHE=str(kept))
    assert first.returncode == 0 and first.stdout == second.stdout
    assert entries and sorted(kept.rglob("*-cache")) == entries


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("tpu",), "--backend got 'tpu', expected one of xla, c"),
        (("xla", "tpu"), "--device got 'tpu', expected one of cpu, cuda"),
        (("c", "cuda"), "--device cuda got --backend c, expected --backend xla"),
    ],
)
def test_what_it_does_not_know_is_refused(arguments, expected):
    with pytest.raises(UserError, match=expected):
        door.open_door(*arguments)


def test_a_card_that_is_not_there_is_told_in_one_line(tmp_path):
    (tmp_path / "script.py").write_text("import theano\n" + PROGRAM)
    ran = run("-m", "crmn_legacy.backend", "--device", "cuda", "script.py", cwd=tmp_path, CUDA_VISIBLE_DEVICES="")
    assert ran.returncode == 2
    assert ran.stderr.splitlines()[-1].startswith("error: --device cuda got no CUDA device")
