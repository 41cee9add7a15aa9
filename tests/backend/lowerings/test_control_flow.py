"""Choices, checks and prints."""

import aesara
import aesara.tensor as at
import jax
import numpy as np
import pytest
from aesara.ifelse import ifelse
from aesara.printing import Print
from aesara.raise_op import Assert, CheckAndRaise

from crmn_legacy.backend.lowerings import lower, settings

from .reference import assert_agrees, python_only, xla_result


def test_an_assertion_about_shapes_is_checked_while_tracing():
    x = at.dvector()
    checked = Assert("three numbers, please")(x, at.eq(x.shape[0], 3))
    np.testing.assert_array_equal(lower([x], [checked])(np.ones(3))[0], np.ones(3))
    with pytest.raises(AssertionError, match="three numbers, please"):
        lower([x], [checked])(np.ones(4))


@pytest.mark.parametrize("check", [Assert("positive"), CheckAndRaise(KeyError, "positive")])
def test_an_assertion_about_data_is_refused_for_xla_raises_nothing(check):
    x = at.dvector()
    with pytest.raises(NotImplementedError, match=f"raises no {check.exc_type.__name__}"):
        jax.jit(lower([x], [check(x, at.all(x > 0))]))(-np.ones(3))


def test_an_assertion_about_data_may_be_passed_over():
    x = at.dvector()
    checked = Assert("positive")(x, at.all(x > 0))
    with settings(passes_checks=True):
        np.testing.assert_array_equal(jax.jit(lower([x], [checked]))(-np.ones(3))[0], -np.ones(3))


@pytest.mark.parametrize("chosen", [0, 1])
def test_a_choice_by_data_takes_one_branch(chosen):
    x, c = at.dvector(), at.iscalar()
    value = np.array([1.0, 2.0])
    (got,) = xla_result([x, c], [ifelse(c, x + 1, 2 * x)], [value, np.int32(chosen)])
    np.testing.assert_array_equal(got, value + 1 if chosen else 2 * value)
    a, b = ifelse(at.eq(c, 1), [x, x.sum()], [-x, x.max()])
    for found, wanted in zip(
        xla_result([x, c], [a, b], [value, np.int32(chosen)]), [value, 3.0] if chosen else [-value, 2.0], strict=True
    ):
        np.testing.assert_array_equal(found, wanted)


def test_a_choice_by_shape_may_have_unlike_branches():
    x = at.dvector()
    y = ifelse(at.gt(x.shape[0], 2), x[:2], x)
    assert xla_result([x], [y], [np.zeros(5)])[0].shape == (2,)
    assert xla_result([x], [y], [np.zeros(1)])[0].shape == (1,)


def test_a_choice_by_data_between_shapes_is_refused():
    x, c = at.dvector(), at.iscalar()
    with pytest.raises(NotImplementedError, match="differ in shape"):
        lower([x, c], [ifelse(c, x[:2], x)])(np.zeros(3), np.int32(1))


def counted(x, log):
    """`x`, and a line in a log whenever it is computed."""
    return Print("", global_fn=lambda op, value: log.append(value.tolist()))(x)


def test_only_the_side_that_is_taken_is_computed():
    x, c = at.dscalar(), at.iscalar()
    log = []
    y = ifelse(c, at.sqr(counted(x + 1, log)), at.exp(counted(x - 1, log)))
    function = jax.jit(lower([x, c], [y]))
    for chosen, seen, wanted in [(1, 3.0, 9.0), (0, 1.0, np.e), (1, 3.0, 9.0)]:
        np.testing.assert_allclose(function(2.0, chosen)[0], wanted, rtol=1e-6)
        jax.effects_barrier()
        assert log == [seen]
        log.clear()


def test_what_both_sides_or_others_need_is_computed_once_for_all():
    x, c = at.dscalar(), at.iscalar()
    log = []
    both, out = counted(x * 2, log), counted(x * 3, log)
    y = ifelse(c, both + 1, out)
    function = jax.jit(lower([x, c], [y + both, out]))
    np.testing.assert_allclose(function(1.0, 1), [5, 3])
    np.testing.assert_allclose(function(1.0, 0), [5, 3])
    jax.effects_barrier()
    assert sorted(log) == [2, 2, 3, 3]


@pytest.mark.parametrize("chosen", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_choices_stand_within_choices(chosen):
    x, c, d = at.dvector(), at.iscalar(), at.iscalar()
    inner = ifelse(d, [at.sqr(x), x.sum()], [at.exp(x), x.max()])
    outer = ifelse(c, inner[0] * inner[1], at.tanh(x))
    values = [np.array([0.5, 1.0]), *(np.int32(one) for one in chosen)]
    assert_agrees([x, c, d], [outer], values, wrt=[x])


def test_a_choice_within_a_loop_computes_one_side():
    x, log = at.dvector(), []
    with python_only():
        y = aesara.scan(lambda e, h: ifelse(at.gt(e, 0), counted(h + e, log), h * 2), x, at.ones(()))[0]
    (got,) = xla_result([x], [y], [np.array([1.0, -1, 2])])
    jax.effects_barrier()
    np.testing.assert_array_equal(got, [2, 4, 6])
    assert log == [2, 6]


def test_sides_of_maps_agree_with_python():
    """What a map keeps with it, for who asks next, stays within its side."""
    x, w, c = at.dtensor4(), at.dtensor4(), at.iscalar()
    y = at.nnet.conv2d(x, w)
    z = ifelse(c, at.nnet.relu(y).sum(), (at.nnet.conv2d(y, w) ** 2).sum())
    rng = np.random.default_rng(0)
    values = [rng.normal(size=(2, 3, 7, 7)), rng.normal(size=(3, 3, 3, 3))]
    for chosen in (0, 1):
        assert_agrees([x, w, c], [z, y.sum()], [*values, np.int32(chosen)], wrt=[x, w])


@pytest.mark.parametrize("x64", [False, True])
def test_values_are_printed_as_the_program_runs(x64, capfd):
    x = at.matrix(dtype="float64" if x64 else "float32")
    shown = Print("x is", attrs=["__str__", "shape"])(x)
    function = jax.jit(lower([x], [Print("sum")(shown.sum()) * 2]))
    with jax.experimental.enable_x64(x64):
        for value in (1, 2):
            assert function(np.full((1, 2), value, x.dtype))[0] == 4 * value
            jax.effects_barrier()
            assert capfd.readouterr().out == (
                f"x is __str__ = [[{value}. {value}.]]\nx is shape = (1, 2)\nsum __str__ = {2.0 * value}\n"
            )


def test_what_is_known_is_printed_by_each_call_and_stays_known(capfd):
    x = at.dvector()
    length = Print("length")(x.shape[0])
    function = jax.jit(lower([x], [at.zeros(length), Print("one")(at.constant(1.0)) + x]))
    for _ in range(2):
        assert function(np.ones(3))[0].shape == (3,)
        jax.effects_barrier()
        assert sorted(capfd.readouterr().out.splitlines()) == ["length __str__ = 3", "one __str__ = 1.0"]


def test_steps_of_a_loop_are_printed_in_their_order(capfd):
    x = at.dvector()
    with python_only():
        y = aesara.scan(lambda e, h: Print("h")(h + e), x, at.zeros(()))[0]
    xla_result([x], [y], [np.arange(4.0)])
    jax.effects_barrier()
    assert capfd.readouterr().out.splitlines() == [f"h __str__ = {total}.0" for total in (0, 1, 3, 6)]


def test_the_gradient_goes_through_what_is_printed(capfd):
    x = at.dvector()
    assert_agrees([x], [Print("x")(x) ** 2], [np.ones(2)], wrt=[x])
