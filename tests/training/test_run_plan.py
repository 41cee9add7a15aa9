"""A run's options, from the command line or out of a record that nobody vouches for."""

import json

import msgspec
import pytest
from msgspec.structs import replace

from crmn_legacy.archive.record import Plan, RunRecord
from crmn_legacy.errors import UserError
from crmn_legacy.installation import RECIPES, load_recipe
from crmn_legacy.options import DEFAULTS, Options
from crmn_legacy.training.run_plan import end_with_steps, make_plan, merge_options

RECIPE = load_recipe(RECIPES / "table1_crmn.py")


def test_the_plan_of_a_run_on_data_is_the_published_one():
    plan = make_plan(RECIPE, merge_options({"data": "faces.h5", "epochs": None}, None))
    assert plan == Plan(kind="training", arguments={}, batch_size=64, epochs=100, steps=None)


def test_a_network_of_other_arguments_is_in_the_plan():
    assert make_plan(RECIPE, Options(network={"n": 3})).arguments == {"n": 3}
    assert make_plan(RECIPE, Options(smoke=True, network={"n": 3})).arguments == {"n": 3, "fm": 1}


def test_as_many_epochs_as_the_updates_take():
    plan = make_plan(RECIPE, Options(steps=7))
    assert end_with_steps(plan, steps_per_epoch=3).epochs == 3
    assert end_with_steps(replace(plan, epochs=2), steps_per_epoch=3).epochs == 2


@pytest.mark.parametrize("script", sorted(RECIPES.glob("*.py")), ids=lambda path: path.stem)
def test_a_smoke_run_of_every_row_can_be_resumed(script):
    recipe, options = load_recipe(script), Options(smoke=True)
    plan = make_plan(recipe, options)
    former = RunRecord(plan=msgspec.convert(json.loads(json.dumps(msgspec.to_builtins(plan))), Plan))
    assert make_plan(recipe, options, former) == plan
    former.plan = replace(former.plan, batch_size=former.plan.batch_size + 1)
    with pytest.raises(UserError, match=r"--resume got the plan .*: start a new run"):
        make_plan(recipe, options, former)


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
        ("network", 3),
        ("set", []),
    ],
)
def test_options_that_are_none_are_refused(name, value):
    with pytest.raises(UserError, match="got options that will not do") as caught:
        merge_options({name: value}, None)
    assert str(caught.value).isprintable() and len(str(caught.value)) < 400


@pytest.mark.parametrize(("name", "value"), [("seed", 0), ("seed", 2**64 - 1), ("epochs", 1), ("bits", "fast")])
def test_options_at_their_limits_pass(name, value):
    assert merge_options({name: value}, None) == replace(DEFAULTS, **{name: value})
