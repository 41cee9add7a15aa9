import aesara.tensor as T
import pytest
from aesara.graph.basic import io_toposort
from aesara.tensor.basic import split

from crmn_legacy.backend.stabilization.expressions import Expressions
from crmn_legacy.backend.stabilization.forms import Forms
from crmn_legacy.backend.stabilization.passages import passages

X, D = T.dmatrix("x"), T.dmatrix("d")
COLUMN = X[:, :1]
ROWS = T.lvector("rows")


def place(part, where):
    """Zeros like x, with a part added where it was taken from."""
    return T.inc_subtensor(T.zeros_like(X)[where], part)


@pytest.fixture
def forms():
    return Forms(Expressions())


CASES = {
    "reshaped and back": (D.flatten().reshape(X.shape), X.flatten(), X),
    "transposed": (D.T, X, X.T),
    "filled": (T.fill(X, D), X, X),
    "cast": (T.cast(D, "float32"), T.cast(T.cast(X, "float32"), "float64"), T.cast(X, "float32")),
    "a part": (D[1:], X, X[1:]),
    "rows": (D[ROWS], X, X[ROWS]),
    "added to zeros": (place(D[1:], slice(1, None)), X[1:], X),
    "rows added to zeros": (place(D[ROWS], ROWS), X[ROWS], X),
    "allocated": (T.alloc(D, 2, D.shape[0], D.shape[1]), X, X.dimshuffle("x", 0, 1)),
    "one branch": (T.switch(X > 0, D, 0), T.switch(X > 0, X, 2), X),
    "one branch of another choice": (T.switch(X > 0, D, 0), T.switch(D > 0, X, 2), T.switch(D > 0, X, 2)),
}


@pytest.mark.parametrize("name", CASES)
def test_a_factor_of_what_goes_in_is_one_of_what_comes_out(forms, name):
    for each in CASES[name]:
        take(forms.expressions, each)
    variable, factor, expected = CASES[name]
    way = passages(forms.expressions, variable)[0]
    found = forms.canonical(way.factor(forms.expressions.representative(factor)))
    assert found is forms.canonical(expected)


def take(expressions, variable):
    """Show expressions a graph, as the walk does."""
    for node in io_toposort([], [variable]):
        expressions.meet(node, lambda node: False)


def test_a_sum_has_factors_that_are_the_same_all_along_its_axes(forms):
    summed = T.sum(D, axis=1)
    (way,) = passages(forms.expressions, summed)
    column = T.dcol()
    assert way.factor(X) is None
    assert forms.expressions.dimshuffle(way.factor(column), [0, "x"]) is column


def test_what_was_joined_is_split_into_the_parts_factors(forms):
    joined = T.join(0, X, D)
    take(forms.expressions, joined)
    parts = split(T.dmatrix(), [X.shape[0], D.shape[0]], n_splits=2, axis=0)
    for part, expected in zip(parts, (X, D), strict=True):
        (way,) = passages(forms.expressions, part)
        assert way.factor(joined) is expected
        assert way.factor(X) is None
    (way,) = passages(forms.expressions, split(T.dmatrix(), [2, 2], n_splits=2, axis=1)[0])
    assert way.factor(joined) is None


@pytest.mark.parametrize(
    "variable",
    [
        T.dot(D, X),
        T.exp(D),
        T.inc_subtensor(X[1:], D[1:]),  # not of zeros
        D + X,
    ],
)
def test_others_let_no_factor_pass(forms, variable):
    assert passages(forms.expressions, variable) == []


def test_a_part_taken_elsewhere_or_another_shape_has_no_factor(forms):
    (way,) = passages(forms.expressions, place(D[1:], slice(1, None)))
    assert way.factor(X[2:]) is None
    assert way.factor(X[ROWS]) is None
    (way,) = passages(forms.expressions, D.flatten())
    assert way.factor(COLUMN) is not None
    assert way.factor(T.dcol()) is None
