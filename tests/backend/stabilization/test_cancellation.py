import aesara.tensor as T
import numpy as np
import pytest
from aesara.graph.basic import graph_inputs, io_toposort

from crmn_legacy.backend.stabilization.cancellation import Cancellation
from crmn_legacy.backend.stabilization.expressions import Expressions
from crmn_legacy.backend.stabilization.forms import Forms

X, G, H = T.dmatrix("x"), T.dmatrix("g"), T.dmatrix("h")
S = T.sigmoid(X)
FIRST, SHIFTED = X[:, 0], X - X.max(axis=1, keepdims=True)
VALUES = {
    X: np.array([[0.3, -1.2], [2.0, -0.4]]),
    G: np.array([[1.0, -2.0], [0.5, 3.0]]),
    H: np.array([[-0.7, 0.2], [1.5, 0.1]]),
}


@pytest.fixture
def cancellation():
    return Cancellation(Forms(Expressions()))


def shown(cancellation, *variables):
    """The same expressions as the walk has them, equal ones being one."""
    for node in io_toposort([], list(variables)):
        cancellation.expressions.meet(node, lambda node: False)
        for output in node.outputs:
            cancellation.keys(output)
    return [cancellation.expressions.representative(variable) for variable in variables]


def value(variable):
    return variable.eval({one: VALUES[one] for one in graph_inputs([variable]) if one in VALUES})


def operations(variable):
    return [str(node.op) for node in io_toposort([], [variable])]


ZEROS = T.zeros_like(S)
TIMES = {
    "a quotient": (G / S, S),
    "a sum of quotients": (G / S - H / (1 - S), S),
    "the other term of it": (G / S - H / (1 - S), 1 - S),
    "a product with a quotient": (H * (G / S), S),
    "a negative": (-(G / S), S),
    "a divisor of several": (G / (S * H), S),
    "a divisor below another": (G / (H / (1 / S)), S),
    "reshaped": ((G.flatten() / S.flatten()).reshape(S.shape), S),
    "put among zeros": (T.inc_subtensor(ZEROS[1:], G[1:] / S[1:]), S),
    "one branch": (T.switch(G > 0, G / S, H), S),
    "elements that are summed": (T.sum(G / T.sigmoid(FIRST).dimshuffle(0, "x"), axis=1), T.sigmoid(FIRST)),
    "an exponential over 1 and it": (G / (1 + T.exp(X)), T.exp(X)),
    "an exponential times a logistic": (G * T.sigmoid(-X), T.exp(X)),
    "a logistic times an exponential": (G * T.exp(X), T.sigmoid(-X)),
    "an exponential over a sum": (G / (T.exp(X) + T.exp(H)), T.exp(X)),
    "an exponential over a sum along an axis": (G / T.exp(X).sum(axis=1, keepdims=True), T.exp(X)),
    "what is divided by its absolute value": (G / abs(X), X),
    "an exponential and its inverse": (G * T.exp(X), T.exp(-X)),
}  # fmt: skip


@pytest.mark.parametrize("name", TIMES)
def test_a_product_in_which_something_cancels(cancellation, name):
    variable, factor = shown(cancellation, *TIMES[name])
    found = cancellation.times(variable, cancellation.forms.canonical(factor))
    np.testing.assert_allclose(value(found), value(variable * factor), rtol=1e-13)


@pytest.mark.parametrize(
    ("variable", "factor"),
    [
        (G / S, 1 - S),
        (G / H, S),
        (G, S),
        (G / (1 + T.exp(X)), T.exp(-X)),
        (T.dot(G / S, H), S),
        # By what a sum is divided in one term only it is looked for where it may vanish.
        (G / H + X, H),
        (G / T.exp(SHIFTED).sum(axis=1, keepdims=True), T.exp(SHIFTED)),
    ],
)  # fmt: skip
def test_a_product_in_which_nothing_does(cancellation, variable, factor):
    variable, factor = shown(cancellation, variable, factor)
    assert cancellation.times(variable, cancellation.forms.canonical(factor)) is None


@pytest.mark.parametrize(
    ("variable", "divisor"),
    [
        (G * S, S),
        (G * S + H * S, S),
        ((G * S).reshape((-1,)), S.reshape((-1,))),
        (G * H, H),
        (G * T.exp(X), T.exp(X) + T.exp(H)),
        (G * S, 1 - S),
        (G * X, abs(X)),
    ],
)
def test_a_quotient_in_which_something_cancels(cancellation, variable, divisor):
    variable, divisor = shown(cancellation, variable, divisor)
    found = cancellation.over(variable, cancellation.forms.canonical(divisor))
    np.testing.assert_allclose(value(found), value(variable / divisor), rtol=1e-13)
    assert "true_divide" not in " ".join(operations(found))


@pytest.mark.parametrize(("variable", "divisor"), [(G * S + H, S), (G, H), (G / H, H)])
def test_a_quotient_in_which_nothing_does(cancellation, variable, divisor):
    variable, divisor = shown(cancellation, variable, divisor)
    assert cancellation.over(variable, cancellation.forms.canonical(divisor)) is None


def test_a_product_keeps_its_dimensions_when_a_factor_goes(cancellation):
    row = T.drow("row")
    variable, factor = shown(cancellation, row / S, S)
    found = cancellation.times(variable, cancellation.forms.canonical(factor))
    assert found.type.broadcastable == (False, False)
    np.testing.assert_array_equal(found.eval({row: [[2.0, 3.0]], X: VALUES[X]}), [[2, 3], [2, 3]])


def test_factors_of_few_bits_are_multiplied_as_the_whole_was(cancellation):
    """Put together otherwise, two of them would meet in float32."""
    single = T.fmatrix("single")
    variable, factor = shown(cancellation, (single * G / S) * single, S)
    found = cancellation.times(variable, cancellation.forms.canonical(factor))
    given = {single: np.full((2, 2), 1 / 3, "float32"), G: VALUES[G], X: VALUES[X]}
    given = {one: given[one] for one in graph_inputs([found]) if one in given}
    np.testing.assert_allclose(found.eval(given), np.float32(1 / 3) ** 2.0 * VALUES[G], rtol=1e-7)
    assert all(one.type.dtype == "float64" for node in io_toposort([], [found]) for one in node.outputs)


def test_keys_do_not_go_on_for_ever(cancellation):
    variable = G / S
    for _ in range(200):
        variable = variable + H
    (variable,) = shown(cancellation, variable)
    assert cancellation.keys(variable).divisors == {}
    assert len(cancellation.keys(sum_of_many(cancellation)).divisors) <= 12


def sum_of_many(cancellation):
    (variable,) = shown(cancellation, sum(G / T.sigmoid(n * X) for n in range(40)))
    return variable
