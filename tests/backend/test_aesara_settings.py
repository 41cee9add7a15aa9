"""What a user has set for other work of Theano's or Aesara's does not reach a run, and ends none in a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from crmn_legacy.backend import aesara_settings, determinism

SETTINGS = """
from crmn_legacy import Recipe
import aesara
print(aesara.config.device, aesara.config.floatX, aesara.config.cxx, aesara.config.base_compiledir)
"""


def child(code=SETTINGS, home=None, words=("-c",), **changes):
    ours = ("AESARA", "HOME", "PYTHONWARNINGS")
    variables = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    if home is not None:
        variables["HOME"] = str(home)
    variables["PYTHONPATH"] = str(Path(__file__).parents[2])
    command = [sys.executable, *words, *([code] if code else [])]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env={**variables, **changes})


FILES = [
    b"[global]\ndevice = cuda\nfloatX = float16\n",
    b"floatX: float16\n",
    b"\xff\xfe\0",
    b"[global]\nmode = no\n",
    None,
]


@pytest.mark.parametrize("content", FILES)
@pytest.mark.parametrize("named", [True, False])
def test_the_users_files_are_set_aside_whatever_they_hold(tmp_path, content, named):
    place = tmp_path / ("rc" if named else ".aesararc")
    place.mkdir() if content is None else place.write_bytes(content)
    done = child(home=tmp_path, **({"AESARARC": str(place)} if named else {}))
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[:2] == ["cpu", "float64"]
    (line,) = done.stderr.splitlines()
    assert line.startswith("note: AESARARC=") and line.count(place.name) == 1 and "set aside" in line


@pytest.mark.parametrize(
    "flags", ["device=cuda0", "mode=nonsense,floatX=float16", "'unclosed", "no.such__flag=1", "cxx"]
)
def test_of_aesaras_flags_a_run_takes_none_that_it_does_not_know(tmp_path, flags):
    done = child(home=tmp_path, AESARA_FLAGS=flags)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[:2] == ["cpu", "float64"]
    assert len(done.stderr.splitlines()) == (flags != "cxx")


def test_compiler_and_folder_of_the_c_backend_are_the_users(tmp_path):
    flags = f"device=gpu,cxx=no-such-compiler,base_compiledir={tmp_path / 'mine'},'blas__ldflags=-L/a,b -lm'"
    done = child(f"{SETTINGS}print(aesara.config.blas__ldflags)", home=tmp_path, AESARA_FLAGS=flags)
    assert done.stdout.splitlines() == [f"cpu float64 no-such-compiler {tmp_path / 'mine'}", "-L/a,b -lm"]
    assert done.stderr.startswith("note: AESARA_FLAGS=device=gpu set aside")


def test_what_the_user_chose_of_the_compiler_is_part_of_the_platform_key(monkeypatch):
    switches = determinism.Switches("portable", {}, 8, None)
    keys = []
    for flags in ("", "base_compiledir=/x", "blas__ldflags=", "cxx=clang++"):
        monkeypatch.setenv("AESARA_FLAGS", flags)
        keys.append(determinism.platform_key(switches, "c", "cpu", 1, "float32"))
        assert "flags" not in determinism.platform_key(switches, "xla", "cpu", 1, "float32")
    assert keys[0] == keys[1] and len(set(keys)) == 3 and "flags" not in keys[0]


@pytest.mark.parametrize("home", [None, "", ".", "/nonexistent", "/proc"])
def test_without_a_home_that_can_be_written_aesara_compiles_elsewhere_and_cleans_up(home):
    done = child(home=home, AESARA_FLAGS="base_compiledir=/proc/none" if home == "/proc" else "")
    assert done.returncode == 0, done.stderr
    if home is None and os.access(os.path.expanduser("~"), os.W_OK):
        return  # the home that the system's list of users names
    place = done.stdout.split()[-1]
    assert "crmn_legacy-" in place and not os.path.exists(place)


def test_no_folder_at_all_is_told_in_one_line(tmp_path):
    code = "import tempfile, os\ndef none(**k): raise FileNotFoundError(2, 'No usable temporary directory')\n"
    done = child(f"{code}tempfile.mkdtemp = none\n{SETTINGS}", home="/nonexistent")
    assert done.returncode == 2
    assert done.stderr.startswith("error: got no folder that can be written (No usable temporary directory)")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("code", [SETTINGS, "from crmn_legacy.cli import program; program()"])
def test_a_current_folder_that_is_gone_is_told_in_one_line(tmp_path, code):
    lead = f"import os, sys; sys.argv = ['x', 'tables']; os.chdir({str(tmp_path)!r}); os.rmdir({str(tmp_path)!r})\n"
    done = child(lead + code)
    assert done.returncode == 2
    assert done.stderr.startswith("error: got a current folder that is gone") and done.stderr.count("\n") == 1


DOOR = ("-m", "crmn_legacy.backend")


@pytest.mark.parametrize("settings", ["AESARA_FLAGS", "THEANO_FLAGS", ".aesararc"])
def test_a_script_of_theanos_days_starts_on_the_processor(tmp_path, settings):
    script = tmp_path / "script.py"
    script.write_text("import theano; print(theano.config.device, theano.config.floatX)\n")
    flags = {} if settings == ".aesararc" else {settings: "device=cuda,floatX=float32"}
    (tmp_path / ".aesararc").write_text("[global]\ndevice = cuda\nfloatX = float32\n" if not flags else "")
    done = child(None, tmp_path, (*DOOR, str(script)), **flags)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["cpu", "float32"]
    assert len(done.stderr.splitlines()) == (settings != ".aesararc")


@pytest.mark.parametrize("flags", ["mode=nonsense", "'unclosed"])
def test_settings_that_a_script_cannot_start_with_are_told_in_one_line(tmp_path, flags):
    script = tmp_path / "script.py"
    script.write_text("import theano\n")
    done = child(None, tmp_path, (*DOOR, str(script)), AESARA_FLAGS=flags)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("error: got settings that Aesara cannot take (")


@pytest.mark.parametrize(
    "words", [("-W", "error", "-c"), ("-We", "-bb", "-c"), ("-O", "-c"), ("-OO", "-X", "dev", "-c")]
)
def test_pythons_own_switches_end_no_run(tmp_path, words):
    done = child("from crmn_legacy import Recipe; import lasagne; print('on')", tmp_path, words)
    assert (done.returncode, done.stdout) == (0, "on\n"), done.stderr
    assert ("note: warnings are not taken for errors" in done.stderr) == any("-W" in word for word in words)


def test_flags_are_parted_as_aesara_parts_them():
    from aesara.configparser import parse_config_string

    for text in ("", "a=1", "a=1,b=2", "'a=x,y',b= z", 'a="b=c"', "a=1,,a=2"):
        flags = aesara_settings._parse(text)
        assert flags == parse_config_string(text, issue_warnings=False)
        assert aesara_settings._parse(aesara_settings._joined(flags)) == flags


def told(code, **changes):
    done = child(f"import crmn_legacy\nfrom crmn_legacy.backend import aesara_settings\n{code}", **changes)
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_float64_is_told_once_and_only_where_nobody_chose():
    tell = "aesara_settings.tell_float64()\n"
    assert (
        told(tell * 2) == "note: computed in float64, Theano's default; THEANO_FLAGS=floatX=float32 has it in float32\n"
    )
    assert told(f"import theano; theano.config.floatX = 'float64'\n{tell}") == ""
    assert told(tell, AESARA_FLAGS="floatX=float64") == told(tell, AESARA_FLAGS="floatX=float32") == ""
