import aesara.tensor as T
import numpy as np
import pytest
from aesara.graph.basic import graph_inputs
from aesara.tensor.special import softmax

from crmn_legacy.backend.stabilization.cancellation import Cancellation
from crmn_legacy.backend.stabilization.expressions import Expressions
from crmn_legacy.backend.stabilization.forms import Forms
from crmn_legacy.backend.stabilization.logarithms import Logarithms

X, Y = T.dmatrix("x"), T.dmatrix("y")
K = T.lvector("k")
VALUES = {X: np.array([[0.3, -1.2], [2.0, -0.4]]), Y: np.array([[1.0, 2.0], [0.5, 3.0]]), K: np.array([1, 0])}
S, P = T.sigmoid(X), softmax(X, axis=-1)


@pytest.fixture
def logarithms():
    return Logarithms(Cancellation(Forms(Expressions())))


def value(variable):
    return variable.eval({one: VALUES[one] for one in graph_inputs([variable]) if one in VALUES})


@pytest.mark.parametrize(
    "variable",
    [
        S,
        1 - S,
        T.exp(X),
        P,
        1 + T.exp(X),
        T.exp(X) + 3,
        T.exp(X) + T.exp(Y) + T.exp(-X),
        T.exp(X + 3) - T.exp(X),
        1 - T.exp(-Y),
        T.exp(X).sum(axis=0),
        T.exp(X).sum(),
        T.exp(X).mean(axis=1, keepdims=True),
        Y * S,
        Y / P,
        T.neg(-Y) * S / P,
        T.sqrt(S),
        S**Y,
        S**2 * Y,
        S.T[1:].reshape((-1,)),
        P[T.arange(2), K],
        P[K],
        T.fill(Y, S),
        T.alloc(S, 3, 2, 2),
        T.cast(S, "float64"),
        T.concatenate([S, Y]),
        T.switch(Y > 1, S, 1 - S),
        T.switch(Y > 1, Y, S),
    ],
)
def test_logarithms_are_what_they_were(logarithms, variable):
    np.testing.assert_allclose(value(logarithms.of(variable)), np.log(value(variable)), rtol=1e-12)


@pytest.mark.parametrize(
    "variable",
    [
        Y,
        Y * X,
        1 - P,
        S + 1e-8,
        T.clip(S, 1e-7, 1),
        T.exp(X - X.max(axis=1, keepdims=True)).sum(axis=1),
        T.exp(X) * 1 + Y,
        T.dot(S, Y),
        K,
        T.switch(Y > 1, Y, X),
    ],
)
def test_others_are_computed_as_they_are(logarithms, variable):
    assert logarithms.of(variable) is None


INFINITE = np.array([[np.inf, 3.0], [-np.inf, -np.inf], [-np.inf, 5.0], [np.nan, 1.0]])


@pytest.mark.parametrize(
    "variable",
    [T.exp(X).sum(axis=1), T.exp(X[:, 0]) + T.exp(X[:, 1]), T.exp(X[:, 0]) + T.exp(X[:, 1]) + T.exp(X[:, 1])],
)
def test_beside_what_is_infinite_nothing_counts(logarithms, variable):
    found = logarithms.of(variable).eval({X: INFINITE})
    twice = np.log(2) if variable.owner.op != T.add or len(variable.owner.inputs) == 3 else 0
    assert found[0] == np.inf and found[1] == -np.inf and np.isnan(found[3])
    assert 5 <= found[2] <= 5 + max(twice, np.log(2))


@pytest.mark.parametrize("x", [T.exp(X), -S, -T.exp(-Y)])
def test_logarithms_of_one_plus_something(logarithms, x):
    np.testing.assert_allclose(value(logarithms.of_one_plus(x)), np.log1p(value(x)), rtol=1e-12)


def test_of_one_plus_anything_there_is_no_better(logarithms):
    assert logarithms.of_one_plus(Y) is None
    assert logarithms.of_one_plus(-Y) is None


@pytest.mark.parametrize("variable", [1 + Y / 10, Y / 10 + 1, 1 - Y / 10])
def test_near_one_the_small_part_counts(logarithms, variable):
    found = logarithms.near_one(variable)
    np.testing.assert_allclose(value(found), np.log(value(variable)), rtol=1e-12)
    assert found.owner.op == T.log1p


def test_far_from_one_it_does_not(logarithms):
    assert logarithms.near_one(2 + Y) is None
    assert logarithms.near_one(Y - 1) is None
