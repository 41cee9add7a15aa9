"""What is said of a training run that is not as its row was published."""

import dataclasses

import pytest

from crmn_legacy.archive.record import Plan
from crmn_legacy.installation import RECIPES, load_recipe
from crmn_legacy.options import Options
from crmn_legacy.training.run_plan import end_with_steps, make_plan

ROW = RECIPES / "table3_resnet_110.py"
STEPS = 351
RECIPE = load_recipe(ROW)


def told(recipe=RECIPE, script=ROW, **given):
    options = Options(data="cifar10.h5", **given)
    recipe = recipe.with_literals(options.set)
    plan = end_with_steps(make_plan(recipe, options), STEPS)
    return recipe.unlike_published(script, plan, options, STEPS)


def test_the_row_itself_is_as_published():
    assert told() == []
    assert told(seed=7, bits="strict", trace=True, epochs=182, steps=182 * STEPS) == []


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"epochs": 1}, ["epochs 1 (the row's 182)"]),
        ({"epochs": 200}, ["epochs 200 (the row's 182)"]),
        ({"steps": 1}, ["updates 1 (the row's 63,882)"]),
        ({"epochs": 1, "steps": 1}, ["epochs 1 (the row's 182)", "updates 1 (the row's 63,882)"]),
        ({"precision": "bfloat16"}, ["precision bfloat16 (the row's float32)"]),
        ({"network": {"n": 3}}, ["n 3 (the row's 18)"]),
        ({"network": {"n": 18}}, []),
        ({"set": {"batch_size": 64}}, ["batch_size 64 (the row's 128)"]),
        ({"set": {"momentum": 0.5}}, ["optimizer.momentum 0.5 (the row's 0.9)"]),
        ({"set": {"warm_up.rate": 0.01}}, []),
        ({"set": {"epochs": 3}}, ["epochs 3 (the row's 182)"]),
    ],
)
def test_what_is_unlike_is_named_with_the_row_s_own(given, expected):
    if "set" in given and "warm_up.rate" in given["set"]:
        given = {"set": {"schedule.warm_up.rate": 0.01}}
    assert told(**given) == expected


def test_a_copied_recipe_is_one_of_its_own_whatever_it_holds(tmp_path):
    script = tmp_path / ROW.name
    script.write_text(ROW.read_text() + "\n")
    assert told(load_recipe(script), script) == ["a recipe of its own"]
    text = ROW.read_text().replace("n=18", "n=1").replace("training.Momentum(", "training.NesterovMomentum(")
    script.write_text(text.replace("divisor=255.0", "divisor=1.0"))
    assert told(load_recipe(script), script) == [
        "a recipe of its own",
        "n 1 (the row's 18)",
        "task.preprocessing.divisor 1.0 (the row's 255.0)",
        "optimizer NesterovMomentum (the row's Momentum)",
    ]


def test_a_run_is_as_printed_with_the_row_s_own_recipe_and_nothing_changed(tmp_path):
    assert RECIPE.is_as_printed(ROW, Options(seed=3, steps=2))
    assert not RECIPE.is_as_printed(ROW, Options(network={"n": 1}))
    assert not RECIPE.is_as_printed(ROW, Options(set={"batch_size": 1}))
    (tmp_path / ROW.name).write_text(ROW.read_text().replace("n=18", "n=1"))
    assert not RECIPE.is_as_printed(tmp_path / ROW.name, Options())
    assert not dataclasses.replace(RECIPE, row="my_row").is_as_printed(ROW, Options())


def test_a_row_of_one_s_own_has_no_publication():
    own = dataclasses.replace(RECIPE, row="my_row")
    plan = Plan(kind="training", arguments={}, batch_size=1, epochs=1, steps=None)
    assert own.unlike_published(ROW, plan, Options(), STEPS) is None
