"""The parser of every program here."""

import subprocess
import sys
from pathlib import Path

import pytest

from crmn_legacy.errors import UserError
from crmn_legacy.parser import Parser

ROOT = Path(__file__).parents[1]


def test_a_wrong_line_is_told_in_one_and_nothing_is_abbreviated():
    parser = Parser("What it does.\n\nMore.", prog="program")
    parser.add_argument("--number", type=int)
    assert parser.description == "What it does." and parser.parse_args(["--number", "3"]).number == 3
    for words in (["--number", "x"], ["--num", "3"], ["more"]):
        with pytest.raises(UserError, match="`program --help` lists what is expected") as error:
            parser.parse_args(words)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("script", sorted((ROOT / "data_prep").glob("*.py")), ids=lambda path: path.stem)
def test_programs_start_where_python_keeps_no_docstrings(script):
    if "__main__" not in script.read_text():
        pytest.skip("no program")
    done = subprocess.run([sys.executable, "-OO", script, "--help"], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith(f"usage: {script.name}"), done.stderr
