"""Outcomes chosen by uniform numbers: those that Aesara chooses."""

import aesara.tensor as at
import jax
import numpy as np
import pytest
from aesara.sandbox.multinomial import ChoiceFromUniform, MultinomialFromUniform
from aesara.sandbox.rng_mrg import MRG_RandomStream

from crmn_legacy.backend.lowerings import lower

from .reference import assert_agrees, python_only, python_result, xla_result

PVALS = np.random.RandomState(0).dirichlet(np.ones(6), 30)


def uniform_numbers(count):
    return np.random.RandomState(1).uniform(size=count * len(PVALS))


@pytest.mark.parametrize("count", [1, 4])
@pytest.mark.parametrize(
    "op", [MultinomialFromUniform("int64"), MultinomialFromUniform("auto"), ChoiceFromUniform("auto")]
)
def test_outcomes_are_those_of_aesara(op, count):
    pvals, uniform = at.dmatrix(), at.dvector()
    assert_agrees([pvals, uniform], [op(pvals, uniform, count)], [PVALS, uniform_numbers(count)], tolerance=0)


def test_outcomes_may_be_chosen_more_than_once():
    pvals, uniform = at.dmatrix(), at.dvector()
    op = ChoiceFromUniform("int32", replace=True)
    assert_agrees([pvals, uniform], [op(pvals, uniform, 5)], [PVALS, uniform_numbers(5)], tolerance=0)


def test_choices_are_these():
    pvals = np.array([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]])
    p, u = at.dmatrix(), at.dvector()
    multinomial = MultinomialFromUniform("int64")(p, u, 2)
    choice = ChoiceFromUniform("int64")(p, u, 2)
    # First of both rows, then again of both.
    counts, chosen = xla_result([p, u], [multinomial, choice], [pvals, [0.6, 0.99, 0.1, 0.2]])
    np.testing.assert_array_equal(counts, [[1, 1, 0], [0, 2, 0]])
    # Of the second row nothing is left after the first choice.
    np.testing.assert_array_equal(chosen, [[1, 0], [1, -1]])


def test_probabilities_that_sum_to_less_than_the_number_choose_nothing():
    p, u = at.dmatrix(), at.dvector()
    outputs = [MultinomialFromUniform("int64")(p, u, 1), ChoiceFromUniform("int64")(p, u, 2)]
    pvals = np.array([[0.25, 0.25]])
    counts = xla_result([p, u], outputs[:1], [pvals, [0.9]])[0]
    chosen = xla_result([p, u], outputs[1:], [pvals, [0.9, 0.3]])[0]
    np.testing.assert_array_equal(counts, [[0, 0]])
    np.testing.assert_array_equal(chosen, [[-1, 1]])


def test_mrg_streams_draw_the_same_through_xla():
    pvals = at.dmatrix()
    with python_only():
        streams = MRG_RandomStream(11)
        outputs = [
            streams.multinomial(pvals=pvals),
            streams.multinomial(pvals=pvals, n=7, dtype="float32"),
            streams.multinomial(pvals=at.cast(pvals, "float32")),
            streams.choice(size=3, replace=False, p=pvals),
            streams.choice(size=6, replace=False, p=at.cast(pvals, "float32")),
        ]
    states = [entry[0] for entry in streams.state_updates]
    expected = python_result([pvals], outputs, [PVALS])
    got = xla_result([pvals, *states], outputs, [PVALS, *(state.get_value() for state in states)])
    for one, other in zip(got, expected, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


def test_numbers_that_do_not_fit_are_refused():
    p, u = at.dmatrix(), at.dvector()
    with pytest.raises(ValueError, match="expected 2 for each of 30 rows"):
        jax.jit(lower([p, u], [MultinomialFromUniform("int64")(p, u, 2)]))(PVALS, uniform_numbers(1))
    with pytest.raises(ValueError, match="at most 6"):
        jax.jit(lower([p, u], [ChoiceFromUniform("int64")(p, u, 7)]))(PVALS, uniform_numbers(7))
