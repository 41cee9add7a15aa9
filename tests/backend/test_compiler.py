"""Whether C can be compiled is tried, not guessed."""

import sys
import types

import aesara
import pytest

from crmn_legacy.backend import compiler
from tests.training.runs import run_tiny

COMPILER = pytest.mark.skipif(not aesara.config.cxx, reason="no C++ compiler with Python's headers")


def config(monkeypatch, **settings):
    held = {"cxx": "g++", "gcc__cxxflags": "", "blas__ldflags": "", **settings}
    monkeypatch.setitem(sys.modules, "aesara", types.SimpleNamespace(config=types.SimpleNamespace(**held)))


@COMPILER
def test_a_compiler_that_works_has_no_fault(monkeypatch):
    config(monkeypatch)
    assert compiler.fault() is None
    assert compiler.fault("-O1 -ffp-contract=off") is None


@COMPILER
@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"cxx": "no-such-compiler"}, "no-such-compiler: No such file"),
        ({"cxx": "false"}, "false: status 1"),
        ({"gcc__cxxflags": "-fno-such-flag"}, "no-such-flag"),
        ({"blas__ldflags": "-lno_such_blas"}, "no_such_blas"),
        ({"cxx": ""}, "no "),
    ],
)
def test_what_keeps_it_from_compiling_is_named(monkeypatch, settings, said):
    config(monkeypatch, **settings)
    assert said in compiler.fault()


def test_without_pythons_headers_there_is_none(monkeypatch, tmp_path):
    monkeypatch.setattr(compiler.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(compiler.sysconfig, "get_path", lambda name: str(tmp_path))
    assert compiler.default() is None
    (tmp_path / "Python.h").touch()
    assert compiler.default() == "/usr/bin/g++"


@pytest.mark.parametrize("given", [{"PATH": "/nonexistent"}, {"AESARA_FLAGS": "cxx=no-such-compiler"}])
def test_a_run_by_c_without_a_compiler_is_refused_before_its_folder_is_made(tmp_path, given):
    done = run_tiny("--smoke", "--backend", "c", "--out", tmp_path / "run", **given)
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: --backend c got no C++ compiler that works (")
    assert not (tmp_path / "run").exists()
