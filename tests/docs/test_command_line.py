"""The manual's command line is that of the parsers."""

import argparse
import re

import pytest

pytest.importorskip("sphinx", reason="sphinx is not installed: make manual")

from crmn_legacy import cli, recipe
from crmn_legacy.installation import load_recipe, recipe_script
from crmn_legacy.options import DECLARED
from docs import command_line


def flags(**keywords):
    parser = argparse.ArgumentParser(prog="x", add_help=False)
    return parser, parser.add_argument(*keywords.pop("names"), **keywords)


@pytest.mark.parametrize(
    ("keywords", "typed"),
    [
        ({"names": ["--out"], "metavar": "DIR"}, "--out DIR"),
        ({"names": ["--json"], "action": "store_true"}, "--json"),
        ({"names": ["-h", "--hand"], "choices": ("left", "right")}, "-h, --hand {left,right}"),
        ({"names": ["--box"], "nargs": 2, "metavar": ("X", "Y")}, "--box X Y"),
        ({"names": ["--runs"], "nargs": 2, "metavar": "DIR"}, "--runs DIR DIR"),
        ({"names": ["picture"], "nargs": "+", "metavar": "PICTURE"}, "PICTURE ..."),
        ({"names": ["run"]}, "RUN"),
    ],
)
def test_an_argument_is_shown_as_it_is_typed(keywords, typed):
    _, action = flags(**keywords)
    assert command_line.words(action) == typed


def test_what_must_be_given_is_told():
    parser, action = flags(names=["--out"], required=True, help="where %(prog)s writes")
    assert command_line.explanation(parser, action) == "Where x writes. Must be given."


def test_every_command_and_every_option_of_a_run_is_shown():
    shown = dict(command_line.package())
    (commands,) = (a for a in cli.parser()._actions if isinstance(a, argparse._SubParsersAction))
    assert list(shown) == list(commands.choices)
    assert all(parser.description for parser in shown.values())
    ((_, options),) = command_line.recipes()
    assert {f"--{name}" for name in DECLARED} <= {word for a in options._actions for word in a.option_strings}


def test_usage_is_what_help_prints(monkeypatch):
    monkeypatch.setenv("COLUMNS", str(command_line.WIDTH + 2))
    parser = recipe.parser(load_recipe(recipe_script("table1_crmn")), "python x.py")
    told = parser.format_usage()
    assert re.sub(r"\s+", " ", told).removeprefix("usage: ").strip() == re.sub(r"\s+", " ", command_line.usage(parser))


def test_data_prep_has_four_programs():
    assert [name.rpartition("/")[2] for name, _ in command_line.data_prep()] == [
        "faces_300w.py",
        "cifar.py",
        "rendered_faces.py",
        "rendered_shapes.py",
    ]
