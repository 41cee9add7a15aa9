"""A run's options, from the command line or out of a record that nobody vouches for."""

import json
import runpy
from types import SimpleNamespace

import pytest

from crmn_legacy.commands.stored import RECIPES
from crmn_legacy.errors import UserError
from crmn_legacy.options import DEFAULTS, Trial
from crmn_legacy.training.plan import make_plan, merge_options

RECIPE = SimpleNamespace(smallest={"n": 1}, batch_size=64, epochs=9, smoke=Trial(16), rehearsal=Trial(8, steps=3))
NOTHING = dict.fromkeys(DEFAULTS)


def test_the_plan_of_a_run_on_data_is_the_published_one():
    plan = make_plan(RECIPE, merge_options({**NOTHING, "data": "faces.h5"}, None), None)
    assert plan == {"kind": "training", "arguments": {}, "batch_size": 64, "epochs": 9, "steps": None}


@pytest.mark.parametrize("script", sorted(RECIPES.glob("*.py")), ids=lambda path: path.stem)
def test_a_smoke_run_of_every_row_can_be_resumed(script):
    recipe = runpy.run_path(str(script))["RECIPE"]
    plan = make_plan(recipe, {**DEFAULTS, "smoke": True}, None)
    former = {"plan": json.loads(json.dumps(plan))}
    assert make_plan(recipe, {**DEFAULTS, "smoke": True}, former) == plan
    former["plan"]["batch_size"] += 1
    with pytest.raises(UserError, match=r"--resume got the plan .*: start a new run"):
        make_plan(recipe, {**DEFAULTS, "smoke": True}, former)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("backend", "cuda"),
        ("backend", "\x1b[2J"),
        ("device", "cpu --xla_dump_to=/"),
        ("precision", "float16"),
        ("bits", ""),
        ("devices", 0),
        ("devices", 10**30),
        ("epochs", -1),
        ("epochs", 10**400),
        ("steps", 0),
        ("seed", -1),
        ("seed", 2**64),
    ],
)
def test_options_of_an_altered_record_are_refused(name, value):
    with pytest.raises(UserError, match=f"got {name} .*record is altered") as caught:
        make_plan(RECIPE, {**DEFAULTS, name: value}, None)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(("name", "value"), [("seed", 0), ("seed", 2**64 - 1), ("epochs", 1), ("bits", "fast")])
def test_options_at_their_limits_pass(name, value):
    assert make_plan(RECIPE, {**DEFAULTS, name: value}, None)["kind"] == "rehearsal"
