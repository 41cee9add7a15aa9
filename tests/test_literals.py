"""Literals of a recipe, replaced by values out of a command line or a record."""

import pytest

from crmn_legacy.errors import UserError
from crmn_legacy.installation import RECIPES, load_recipe
from crmn_legacy.literals import like

CRMN = load_recipe(RECIPES / "table1_crmn.py")
HIGHWAY = load_recipe(RECIPES / "table3_highway.py")


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("batch_size", 32, lambda recipe: recipe.batch_size),
        ("rate", 0.02, lambda recipe: recipe.schedule.rate),
        ("schedule.patience", 3, lambda recipe: recipe.schedule.patience),
        ("factors", (0.5, 0.1), lambda recipe: recipe.schedule.factors),
        ("round_robin", False, lambda recipe: recipe.schedule.round_robin),
        ("task.augmentation.rotation", 5, lambda recipe: recipe.task.augmentation.rotation),
        ("rehearsal.steps", 2, lambda recipe: recipe.rehearsal.steps),
    ],
)
def test_a_literal_is_found_by_its_name_or_its_path(name, value, found):
    changed = CRMN.with_literals({name: value})
    assert found(changed) == value and type(found(changed)) is type(found(CRMN))
    assert found(CRMN) != value
    assert CRMN.with_literals({name: found(CRMN)}) == CRMN


def test_a_whole_number_stands_for_a_float_and_a_list_for_a_tuple():
    changed = CRMN.with_literals({"rate": 1, "factors": [0.5, 0.1]})
    assert type(changed.schedule.rate) is float and changed.schedule.factors == (0.5, 0.1)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("nonesuch", 1, "expected a literal of "),
        ("steps", 1, "expected one of rehearsal.steps, smoke.steps"),
        ("row", "mine", "expected a literal of "),
        ("batch_size", 1.5, "expected int as 64 is"),
        ("batch_size", True, "expected int as 64 is"),
        ("rate", "fast", "expected float as 0.08 is"),
        ("factors", 0.1, "expected tuple as (0.1, 0.5, 0.2) is"),
        ("round_robin", 1, "expected bool as True is"),
        ("rate", -1.0, "which will not do: expected positive rates"),
        ("\x1b[2J", 1, "expected a literal of "),
    ],
)
def test_what_will_not_do_is_refused_in_one_line(name, value, said):
    with pytest.raises(UserError) as caught:
        CRMN.with_literals({name: value})
    assert said in str(caught.value) and str(caught.value).isprintable()


def test_arguments_of_the_network_are_checked_too():
    assert CRMN.network_arguments(given={"n": 3}) == {"n": 3}
    assert CRMN.network_arguments(smallest=True, given={"n": 3}) == {"n": 3, "fm": 1}
    with pytest.raises(UserError, match="--network got 'depth', expected one of n, fm"):
        CRMN.network_arguments(given={"depth": 3})
    with pytest.raises(UserError, match="--network n got 'x', expected int as 5 is"):
        CRMN.network_arguments(given={"n": "x"})


def test_nested_lists_become_tuples():
    assert like(((1, 2), 3), [[4, 5], 6], "x") == ((4, 5), 6)


def test_parts_that_are_no_literals_cannot_be_named():
    with pytest.raises(UserError, match="expected a literal of "):
        HIGHWAY.with_literals({"task": 1})
