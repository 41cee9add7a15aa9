import aesara.tensor as T
import numpy as np
import pytest

from crmn_legacy.backend.stabilization.expressions import Expressions


@pytest.fixture
def expressions():
    return Expressions()


def test_a_node_is_made_once(expressions):
    x = T.dvector()
    assert expressions.apply(T.exp, x) is expressions.apply(T.exp, x)
    assert expressions.apply(T.exp, x) is not expressions.apply(T.log, x)


def test_equal_constants_are_one(expressions):
    x = T.dvector()
    made = [expressions.apply(T.add, x, T.constant(np.array([2.0]))) for _ in range(2)]
    assert made[0] is made[1]


def test_a_node_of_the_graph_is_known_from_then_on(expressions):
    x = T.dvector()
    one, other = T.exp(x), T.exp(x)
    assert expressions.meet(one.owner, lambda node: True) is one.owner
    assert expressions.meet(other.owner, lambda node: True) is one.owner
    assert expressions.apply(T.exp, x) is one


def test_a_node_that_must_stay_is_represented_by_the_first(expressions):
    x = T.dvector()
    one, other = T.exp(x), T.exp(x)
    for variable in (one, other):
        assert expressions.meet(variable.owner, lambda node: False) is variable.owner
    assert expressions.representative(other) is one
    assert expressions.apply(T.log, other) is expressions.apply(T.log, one)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        (T.constant(3), 3),
        (T.constant([2.0, 2.0]), 2),
        (T.constant([2.0, 3.0]), None),
        (T.ones_like(T.dmatrix()), 1),
        (T.alloc(0.0, T.lscalar()), 0),
        (T.constant(2).dimshuffle("x", "x") - 1, 1),
        (T.cast(T.constant(2), "float64") / 4, 0.5),
        (T.constant(1.0) / T.constant(0.0), None),
        (T.dscalar() * 0, None),
        (T.dscalar(), None),
    ],
)
def test_numbers_are_seen_however_they_are_written(expressions, variable, value):
    assert expressions.constant_value(variable) == value


def test_dimensions_that_are_moved_twice_are_moved_once_or_not_at_all(expressions):
    x = T.dmatrix()
    swapped = expressions.dimshuffle(x, [1, 0])
    assert expressions.dimshuffle(swapped, [1, 0]) is x
    assert expressions.dimshuffle(swapped, [0, "x", 1]).owner.inputs == [x]
    column = T.dcol()
    dropped = expressions.dimshuffle(column, [0])
    assert expressions.dimshuffle(dropped, [0, "x"]) is column
    assert expressions.dimshuffle(dropped, ["x", 0]) is not column


def test_the_negative_of_a_negative_is_what_it_was(expressions):
    x = T.dmatrix()
    assert expressions.negative(expressions.negative(x)) is x
    assert expressions.negative(T.neg(x)[1:].T).owner.inputs[0].owner.inputs[0] is x


def test_a_value_is_filled_to_the_dimensions_that_it_has_with_another(expressions):
    matrix, row = T.dmatrix(), T.drow()
    assert expressions.filled(matrix, row) is matrix
    assert expressions.filled(row, matrix).type.broadcastable == (False, False)


def test_a_value_is_fitted_to_a_type_or_refused(expressions):
    x = T.fvector()
    assert expressions.fitted(x, x.type) is x
    assert expressions.fitted(x, T.dvector().type).type.dtype == "float64"
    assert expressions.fitted(x, T.dmatrix().type) is None
    assert expressions.fitted(x, T.TensorType("float32", shape=(1,))) is None
