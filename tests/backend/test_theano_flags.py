"""Theano's flags and files reach Aesara, each setting from the first place that has it; none ends in a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import crmn_legacy
from crmn_legacy.backend import theano_flags
theano_flags.install()
import theano
"""


def answers(tmp_path, asked, **environment):
    """What ``theano.config`` says of each option `asked`, and the notes told."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AESARA", "THEANO"))}
    home = {"HOME": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2]), "AESARA_FLAGS": "cxx="}
    code = PROGRAM + "".join(f"print(theano.config.{name})\n" for name in asked.split())
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, env={**kept, **home, **environment}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines(), done.stderr


OBEYED = {
    "floatX": "float32", "mode": "FAST_COMPILE", "optimizer": "fast_compile", "compute_test_value": "warn",
    "exception_verbosity": "high", "on_unused_input": "ignore", "allow_gc": "False", "profile": "True",
    "cast_policy": "numpy+floatX", "warn_float64": "warn", "int_division": "floatX", "scan.allow_gc": "True",
    "warn.ignore_bug_before": "0.5", "traceback.limit": "3", "NanGuardMode.action": "warn",
    "optimizer_excluding": "fusion",
}  # fmt: skip


def test_what_still_means_something_is_obeyed(tmp_path):
    flags = ",".join(f"{name}={value}" for name, value in OBEYED.items())
    values, notes = answers(tmp_path, " ".join(OBEYED), THEANO_FLAGS=flags)
    assert values == list(OBEYED.values())
    assert "set aside" not in notes


SET_ASIDE = (
    "device=gpu0,force_device=True,init_gpu_device=gpu1,lib.cnmem=1,nvcc.fastmath=True,dnn.enabled=True,"
    "dnn.conv.algo_bwd_filter=time_once,gpuarray.preallocate=0.9,cuda.root=/usr/local/cuda,base_compiledir=/proc/none,"
    "gcc.cxxflags=-march=corei7,blas.ldflags=-lno-such-library,no_such_option=1,contexts=dev0->cuda0",
    "device=cuda,mode=nonsense,floatX=float8,linker=cvm,optimizer=o9,lib.cnmem=much,profile=perhaps,traceback.limit=x",
)


@pytest.mark.parametrize("flags", SET_ASIDE)
def test_what_cannot_be_obeyed_is_set_aside_by_name_in_one_note(tmp_path, flags):
    values, notes = answers(tmp_path, "device floatX", THEANO_FLAGS=f"exception_verbosity=high,{flags}")
    assert values == ["cpu", "float64"]
    assert notes.startswith("note: set aside: ") and notes.count("\n") == 1
    named = notes.removeprefix("note: set aside: ").partition(" of THEANO_FLAGS; ")[0]
    assert sorted(named.split(", ")) == sorted(flags.split(","))


@pytest.mark.parametrize("flags", ["device=cpu,warn.sum_sum_bug=True,floatX", ""])
def test_what_changes_nothing_is_not_told(tmp_path, flags):
    assert answers(tmp_path, "device", THEANO_FLAGS=flags) == (["cpu"], "")


def test_a_name_for_what_is_called_otherwise_now(tmp_path):
    assert answers(tmp_path, "profile mode", THEANO_FLAGS="mode=ProfileMode")[0] == ["True", "Mode"]


def test_flags_that_cannot_be_parted_are_set_aside_whole(tmp_path):
    values, notes = answers(tmp_path, "floatX", THEANO_FLAGS="floatX=float32,'mode=no")
    assert values == ["float64"] and "floatX=float32,'mode=no of THEANO_FLAGS" in notes


FILE = """
[global]
floatX = float32
device = gpu
exception_verbosity = high
base_compiledir = /tmp/%(USER)s/theano
[nvcc]
fastmath = True
[lib]
cnmem = 0.75
[scan]
allow_gc = True
"""


def test_the_file_of_a_home_is_read_and_told_in_one_note_with_the_flags(tmp_path):
    (tmp_path / ".theanorc").write_text(FILE)
    asked = "floatX exception_verbosity scan.allow_gc lib.cnmem nvcc.fastmath device"
    values, notes = answers(tmp_path, asked, USER="me", THEANO_FLAGS="dnn.enabled=False,exception_verbosity=low")
    assert values == ["float32", "low", "True", "0.75", "True", "cpu"]
    assert notes == (
        "note: set aside: device=gpu, base_compiledir=/tmp/me/theano, nvcc.fastmath=True, lib.cnmem=0.75 of "
        "~/.theanorc; dnn.enabled=False of THEANO_FLAGS; they are for Theano's GPU code or compiler, or unknown here\n"
    )


def test_the_first_place_that_has_a_setting_counts(tmp_path):
    (tmp_path / ".theanorc").write_text("[global]\nfloatX = float32\noptimizer = merge\nmode = FAST_COMPILE\n")
    (tmp_path / ".aesararc").write_text("[global]\nfloatX = float16\noptimizer = unsafe\n")
    settings = {"THEANO_FLAGS": "floatX=float32,allow_gc=False,optimizer=None"}
    asked = "floatX optimizer mode allow_gc"
    assert answers(tmp_path, asked)[0] == ["float16", "unsafe", "FAST_COMPILE", "True"]
    assert answers(tmp_path, asked, **settings)[0] == ["float32", "None", "FAST_COMPILE", "False"]
    settings["AESARA_FLAGS"] = "cxx=,floatX=float64"
    assert answers(tmp_path, asked, **settings)[0] == ["float64", "None", "FAST_COMPILE", "False"]


@pytest.mark.parametrize("content", [b"floatX = float32\n", b"\xff\xfe\0", b"[global\n", None])
def test_a_file_that_cannot_be_read_ends_nothing(tmp_path, content):
    place = tmp_path / "rc"
    place.mkdir() if content is None else place.write_bytes(content)
    values, notes = answers(tmp_path, "floatX", THEANORC=str(place))
    assert values == ["float64"]
    assert notes.count("\n") == (content is not None) and ("the whole file" in notes) == (content is not None)


def test_of_several_files_the_last_counts(tmp_path):
    (tmp_path / "a").write_text("[global]\nfloatX = float16\nmode = FAST_RUN\n")
    (tmp_path / "b").write_text("[global]\nfloatX = float32\n")
    both = os.pathsep.join(str(tmp_path / name) for name in "ab")
    assert answers(tmp_path, "floatX mode", THEANORC=both) == (["float32", "FAST_RUN"], "")
