import aesara.tensor as T
import numpy as np
import pytest
from aesara.gradient import disconnected_grad
from aesara.graph.basic import graph_inputs
from aesara.tensor.nnet.basic import softmax_with_bias
from aesara.tensor.special import Softmax, softmax

from crmn_legacy.backend.stabilization.expressions import Expressions
from crmn_legacy.backend.stabilization.forms import Forms

X = T.dmatrix("x")
FLAT = X.reshape((-1,))


@pytest.fixture
def forms():
    return Forms(Expressions())


@pytest.mark.parametrize(
    ("ways", "is_one"),
    [
        ([T.sigmoid(X), 1 / (1 + T.exp(-X)), T.exp(X) / (1 + T.exp(X)), 1 - T.sigmoid(-X)], True),
        ([T.sigmoid(X), T.reciprocal(1 + T.exp(-X)), (1 + T.exp(-X)) ** -1], True),
        ([1 - T.sigmoid(X), 1.0 + -T.sigmoid(X), T.sigmoid(-X), 1 / (T.exp(X) + 1), 1 - 1 / (1 + T.exp(-X))], True),
        ([T.sigmoid(FLAT), T.sigmoid(X).reshape((-1,))], True),
        ([1 - T.sigmoid(X)[1:].T, T.sigmoid(-X[1:]).T], True),
        ([softmax(X, axis=1), softmax(X, axis=-1), T.exp(X) / T.exp(X).sum(axis=1, keepdims=True)], True),
        ([softmax(X, axis=0), T.exp(X) / T.exp(X).sum(axis=0)], True),
        ([softmax(X.T, axis=0), T.exp(X.T) / T.exp(X).sum(axis=1)], False),
        ([abs(X), abs(-X), T.sqrt(X**2), T.sqrt(X * X), T.sqr(X) ** 0.5], True),
        ([X, T.neg(-X), -1 * -X, X**1], True),
        ([T.sigmoid(X), 1 / (2 + T.exp(-X))], False),
        ([T.sigmoid(X), 1 - T.tanh(X)], False),
        ([abs(X), T.sqrt(X**3), T.sqrt(-(X**2))], False),
    ],
)  # fmt: skip
def test_ways_to_write_the_same_have_one_form(forms, ways, is_one):
    found = {forms.canonical(way) for way in ways}
    assert (len(found) == 1) == is_one


def test_a_softmax_with_a_bias_is_one_of_a_sum(forms):
    bias = T.dvector()
    found = forms.canonical(softmax_with_bias(X, bias))
    assert found.owner.op == Softmax(-1)
    assert {variable.type for variable in graph_inputs([found])} == {X.type, bias.type}
    np.testing.assert_allclose(found.eval({X: [[0, 1.0]], bias: [1, 0.0]}), [[0.5, 0.5]])


def test_a_form_has_the_dimensions_and_the_dtype_of_the_expression(forms):
    row = T.sigmoid(T.drow())
    whole = T.ones_like(X) - row
    assert forms.canonical(whole) is whole
    single = T.constant(1.0, dtype="float64") - T.sigmoid(T.fmatrix())
    assert forms.canonical(single) is single


@pytest.mark.parametrize(
    ("total", "numbers"),
    [
        (1 + T.exp(X), [0, None]),
        (T.exp(X) + T.exp(2 * X), [None, None]),
        ((T.exp(X) + 1) + (T.exp(2 * X) + 1), [None, 0, None, 0]),
        (T.exp(X) + X, False),
        (T.exp(X) - 1, False),
        (T.exp(X) + -1, False),
        (X.sum() + 1, False),
    ],
)
def test_sums_of_exponentials_are_their_exponents(forms, total, numbers):
    found = forms.exponents(total)
    values = [forms.expressions.constant_value(x) for x in found] if found else False
    assert values == numbers


@pytest.mark.parametrize(
    ("x", "is_shifted"),
    [
        (X - X.max(axis=1, keepdims=True), True),
        (X - disconnected_grad(X.max()), True),
        (X - X.min(), False),
        (X - (2 * X).max(), False),
        (X, False),
    ],
)
def test_what_cannot_overflow_is_known(forms, x, is_shifted):
    assert forms.is_shifted(x) == is_shifted
