"""A layer's random numbers: Theano's streams, a state that steps advance, one draw a layer and step."""

import aesara
import aesara.tensor as T
import numpy as np
import pytest
from aesara.compile.mode import Mode

from crmn_legacy.backend.compile import compile_step
from crmn_legacy.layers.random_numbers import RandomNumbers
from crmn_legacy.training.steps import build


def drawing(seed=1):
    numbers = build(lambda: RandomNumbers("one.dropout"), seed)
    rows = T.iscalar("rows")
    return compile_step({"rows": rows}, {"drawn": numbers.uniform((3, 700))}), numbers


def test_a_step_advances_the_state_and_a_state_gives_its_numbers_again():
    step, _ = drawing()
    assert step.state_names == ["one.dropout.rng"]
    start = step.get(step.initial_state())
    state, first = step(step.put(start), {"rows": np.int32(3)})
    _, second = step(state, {"rows": np.int32(3)})
    _, again = step(step.put(start), {"rows": np.int32(3)})
    first, second, again = (step.get_outputs(found)["drawn"] for found in (first, second, again))
    assert first.shape == (3, 700) and first.min() > 0 and first.max() < 1
    np.testing.assert_array_equal(first, again)
    assert (first != second).mean() > 0.99
    assert abs(first.mean() - 0.5) < 0.05


def test_numbers_depend_on_the_seed_and_on_the_layers_that_draw():
    one, two, other = (
        build(lambda: [RandomNumbers("a").state.get_value(), RandomNumbers("b").state.get_value()], seed)
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, two)
    assert (one[0] != one[1]).any() and (one[0] != other[0]).any()


def test_numbers_are_those_of_aesaras_own_code(double):
    step, numbers = drawing()
    _, found = step(step.initial_state(), {"rows": np.int32(3)})
    expected = aesara.function([], numbers.uniform((3, 700)), mode=Mode(linker="py", optimizer=None))()
    np.testing.assert_array_equal(step.get_outputs(found)["drawn"], expected)


def test_a_second_draw_in_one_step_is_refused():
    numbers = RandomNumbers("twice")
    with pytest.raises(ValueError, match=r"two updates of the shared value 'twice.rng'"):
        compile_step({}, {"a": numbers.uniform((2,)), "b": numbers.uniform((2,))})


@pytest.mark.parametrize("probability", [0.0, 0.3, 1.0])
def test_a_mask_keeps_about_as_many_as_asked(probability):
    numbers = build(lambda: RandomNumbers("mask"), 3)
    step = compile_step({}, {"mask": numbers.keep(probability, (100, 200))})
    mask = step.get_outputs(step(step.initial_state(), {})[1])["mask"]
    assert set(np.unique(mask)) <= {0.0, 1.0}
    assert abs(mask.mean() - probability) < 0.01
