"""The parser of every program here."""

import subprocess
import sys
from pathlib import Path

import pytest

from crmn_legacy import __version__
from crmn_legacy.cli import parser
from crmn_legacy.errors import UserError
from crmn_legacy.parser import Parser

ROOT = Path(__file__).parents[1]


def test_a_wrong_line_is_told_in_one_and_nothing_is_abbreviated():
    flags = Parser("What it does.\n\nMore.", prog="program")
    flags.add_argument("--number", type=int)
    assert flags.description == "What it does." and flags.parse_args(["--number", "3"]).number == 3
    for words in (["--number", "x"], ["--num", "3"], ["more"]):
        with pytest.raises(UserError, match="`program --help` lists what is expected") as error:
            flags.parse_args(words)
        assert "\n" not in str(error.value)


def test_the_version_is_that_of_the_package(capsys):
    with pytest.raises(SystemExit) as stop:
        parser().parse_args(["--version"])
    assert stop.value.code == 0 and capsys.readouterr().out == f"crmn_legacy {__version__}\n"


@pytest.mark.parametrize("script", sorted((ROOT / "data_prep").glob("*.py")), ids=lambda path: path.stem)
def test_programs_start_where_python_keeps_no_docstrings(script):
    if "__main__" not in script.read_text():
        pytest.skip("no program")
    done = subprocess.run([sys.executable, "-OO", script, "--help"], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith(f"usage: {script.name}"), done.stderr
