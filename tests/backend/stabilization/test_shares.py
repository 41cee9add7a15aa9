import aesara.tensor as T
import numpy as np
import pytest
from aesara.graph.basic import graph_inputs

from crmn_legacy.backend.stabilization.expressions import Expressions
from crmn_legacy.backend.stabilization.forms import Forms
from crmn_legacy.backend.stabilization.shares import share

X, Y = T.dmatrix("x"), T.dmatrix("y")
HIGH = np.array([[800.0, 801, 799], [-900, -901, 1e4]])


def total_of(x, y):
    return {
        "1": (1 + T.exp(x), lambda x, y: 1 / (1 + np.exp(-x))),
        "two": (T.exp(y) + T.exp(x), lambda x, y: 1 / (1 + np.exp(y - x))),
        "three": (T.exp(y) + T.exp(x) + 2, lambda x, y: 1 / (1 + np.exp(y - x) + 2 * np.exp(-x))),
        "twice": (T.exp(x) + T.exp(x) + 1, lambda x, y: 1 / (2 + np.exp(-x))),
        "difference": (T.exp(x) - T.exp(y), lambda x, y: 1 / (1 - np.exp(y - x))),
        "difference from": (T.exp(y) - T.exp(x), lambda x, y: 1 / (np.exp(y - x) - 1)),
        "expm1": (T.expm1(x), lambda x, y: 1 / (1 - np.exp(-x))),
        "row": (T.exp(x).sum(axis=1, keepdims=True), lambda x, y: shares(x, 1)),
        "column": (T.exp(x).sum(axis=0, keepdims=True), lambda x, y: shares(x, 0)),
        "all": (T.exp(x).sum(keepdims=True), lambda x, y: shares(x, None)),
    }


def shares(x, axis):
    x = np.exp(x - x.max(axis=axis, keepdims=True))
    return x / x.sum(axis=axis, keepdims=True)


@pytest.fixture
def forms():
    return Forms(Expressions())


@pytest.mark.parametrize("name", total_of(X, Y))
def test_shares_are_right_where_exponentials_overflow(forms, name):
    total, expected = total_of(X, Y)[name]
    found = share(forms, X, total)
    given = {X: HIGH, Y: HIGH - 1}
    values = found.eval({variable: given[variable] for variable in graph_inputs([found]) if variable in given})
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(values, expected(HIGH, HIGH - 1), rtol=1e-12)


def test_along_two_axes_of_three(forms):
    x = T.dtensor3()
    high = np.stack([HIGH, HIGH[::-1] + 1])
    found = share(forms, x, T.exp(x).sum(axis=(0, 2), keepdims=True))
    np.testing.assert_allclose(found.eval({x: high}), shares(high, (0, 2)), rtol=1e-12)


def test_of_what_was_transposed(forms):
    found = share(forms, forms.canonical(X.T), T.exp(X).sum(axis=1).dimshuffle("x", 0))
    np.testing.assert_allclose(found.eval({X: HIGH}), shares(HIGH.T, 0), rtol=1e-12)


@pytest.mark.parametrize(
    "total", [T.exp(Y) + 1, T.exp(X).sum(axis=1), T.exp(Y).sum(axis=1, keepdims=True), T.exp(X) + Y, Y, T.expm1(Y)]
)
def test_an_exponential_that_is_no_part_has_no_share(forms, total):
    assert share(forms, X, total) is None
