"""What a recipe is: its flags, its description, and how it is called."""

import json
import runpy
import sys

import pytest

from crmn_legacy import paper
from crmn_legacy.errors import UserError
from crmn_legacy.options import DECLARED
from crmn_legacy.recipe import main, parser
from tests.training.runs import TINY

KEYS = {
    "row",
    "table",
    "method",
    "paper",
    "parameters",
    "flops",
    "input_shape",
    "outputs",
    "layers",
    "optimizer",
    "schedule",
    "epochs",
    "batch_size",
    "augmentation",
    "sources",
    "deviations",
}


@pytest.fixture(scope="module")
def recipe():
    return runpy.run_path(str(TINY))["RECIPE"]


def test_description_has_every_key_of_the_contract_and_is_json(recipe):
    described = recipe.describe()
    assert described.keys() >= KEYS
    assert json.loads(json.dumps(described)) == json.loads(json.dumps(described, allow_nan=False))
    assert described["paper"] == paper.ROWS["table1_crmn"].printed
    assert described["input_shape"] == [1, 16, 16] and described["outputs"] == 136
    assert described["optimizer"] == {"name": "nesterov_momentum", "momentum": 0.9}
    assert described["schedule"]["factors"] == (0.1, 0.5) and described["schedule"]["round_robin"]
    assert described["augmentation"]["size"] == 16
    assert described["network"] == {"num_filters": 2}


def test_every_option_is_a_flag_and_none_is_given_by_default(recipe):
    given = vars(parser(recipe).parse_args([]))
    assert given.pop("describe") is False and given.pop("summary") is False
    assert given.pop("resume") is None and given.pop("out") is None
    assert given == dict.fromkeys([*DECLARED, "seeds", "coordinator", "processes", "process"])


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        ("--epochs 7", "epochs", 7),
        ("--steps 1", "steps", 1),
        ("--seed 0", "seed", 0),
        (f"--seed {2**64 - 1}", "seed", 2**64 - 1),
        ("--devices 2", "devices", 2),
        ("--backend c", "backend", "c"),
        ("--precision bfloat16", "precision", "bfloat16"),
        ("--bits fast", "bits", "fast"),
        ("--smoke", "smoke", True),
        ("--trace", "trace", True),
        ("--data a.h5", "data", "a.h5"),
        ("--network n=3 --network name=a", "network", {"n": 3, "name": "a"}),
        (
            "--set rate=1e-3 factors=(0.1,0.5) schedule.patience=2",
            "set",
            {"rate": 1e-3, "factors": (0.1, 0.5), "schedule.patience": 2},
        ),
    ],
)
def test_flags_give_values(recipe, words, name, value):
    assert getattr(parser(recipe).parse_args(words.split()), name) == value


@pytest.mark.parametrize("length", range(3, 7))
def test_no_flag_is_taken_for_another(recipe, length):
    with pytest.raises(UserError, match="unrecognized arguments"):
        parser(recipe).parse_args(["--epochs"[:length], "3"])


def test_help_names_every_flag_and_ends_with_status_0(recipe, capsys):
    with pytest.raises(SystemExit) as stop:
        parser(recipe).parse_args(["--help"])
    said = capsys.readouterr().out
    assert stop.value.code == 0
    assert all(f"--{name}" in said for name in [*DECLARED, "describe", "summary", "out", "resume"])


def test_summary_prints_a_line_a_layer_of_the_network_that_is_asked_for(recipe, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    totals = {}
    for filters in (2, 3):
        monkeypatch.setattr(sys, "argv", [str(TINY), "--summary", "--network", f"num_filters={filters}"])
        with pytest.raises(SystemExit) as stop:
            main(recipe)
        assert stop.value.code == 0
        head, *layers, total = capsys.readouterr().out.splitlines()
        assert head.split() == ["layer", "kind", "output", "parameters", "FLOPs"]
        assert total.split()[:2] == [str(len(layers)), "layers"]
        totals[filters] = int(total.split()[2].replace(",", ""))
    assert totals[2] == recipe.describe()["parameters"] < totals[3]
    assert list(tmp_path.iterdir()) == []


def test_describe_prints_one_object_and_writes_nothing(recipe, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["recipe.py", "--describe", "--data", "absent.h5"])
    with pytest.raises(SystemExit) as stop:
        main(recipe)
    said = capsys.readouterr()
    assert stop.value.code == 0 and said.err == ""
    (line,) = said.out.splitlines()
    assert json.loads(line)["row"] == "table1_crmn"
    assert list(tmp_path.iterdir()) == []
