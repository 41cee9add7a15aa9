"""Indexing against Aesara's Python code, and without scatter where indices are known."""

import aesara
import aesara.tensor as at
import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmn_legacy.backend.lowerings import lower

from .reference import assert_agrees, examples, gradients, hlo, xla_result

SHAPE = (5, 6, 4)
bounds = st.one_of(st.none(), st.integers(-7, 7))
slices = st.builds(slice, bounds, bounds, st.one_of(st.none(), st.sampled_from([-3, -2, -1, 1, 2, 3])))


def index_of(size):
    return st.one_of(slices, slices, st.integers(-size, size - 1))


indices = st.tuples(*map(index_of, SHAPE)).flatmap(lambda full: st.sampled_from([full[:1], full[:2], full]))


@examples
@given(indices)
def test_slices_and_their_gradients_agree_with_python(index):
    x = at.dtensor3()
    assert_agrees([x], [x[index]], [np.random.default_rng(0).normal(size=SHAPE)], wrt=[x])


@examples
@given(indices, st.booleans())
def test_changed_slices_and_their_gradients_agree_with_python(index, replaced):
    rng = np.random.default_rng(0)
    x_value = rng.normal(size=SHAPE)
    y_value = rng.normal(size=x_value[index].shape)
    x, y = at.dtensor3(), at.TensorType("float64", (None,) * y_value.ndim)()
    change = at.set_subtensor if replaced else at.inc_subtensor
    assert_agrees([x, y], [change(x[index], y)], [x_value, y_value], wrt=[x, y])


@pytest.mark.parametrize("change", [at.set_subtensor, at.inc_subtensor])
def test_a_number_spreads_over_a_slice(change):
    x, y = at.dmatrix(), at.dvector()
    outputs = [change(x[1:3], 2.5), change(x[::2, 1:], 0), change(x[:, 1:], y), change(x[-1], y[0])]
    assert_agrees([x, y], outputs, [np.ones((4, 3)), np.array([2.0, 3.0])], wrt=[x, y])


@pytest.mark.parametrize("change", [at.set_subtensor, at.inc_subtensor])
@pytest.mark.parametrize("position", [0, 3, -1])
def test_an_index_that_is_data_agrees_with_python(change, position):
    x, y, i = at.dtensor3(), at.dmatrix(), at.lscalar()
    rng = np.random.default_rng(0)
    values = [rng.normal(size=(5, 4, 3)), rng.normal(size=(2, 3)), np.int64(position)]
    outputs = [x[i], x[1:4:2, i, ::-1], change(x[i, ::2], y)]
    assert_agrees([x, y, i], outputs, values, wrt=[x, y])


@examples
@given(indices)
def test_known_indices_need_no_gather_and_no_scatter(index):
    x, y = at.ftensor3(), at.fscalar()
    changed = at.set_subtensor(x[index], y) + at.inc_subtensor(x[index], y)
    results = [x[index], changed, *gradients([x[index], changed], [x])]
    text = hlo([x, y], results, [np.zeros(SHAPE, "float32"), np.float32(0)])
    assert "scatter" not in text
    assert "gather" not in text


def test_bounds_computed_from_shapes_are_known():
    x = at.dmatrix()
    outputs = [x[: x.shape[0] // 2], x[x.shape[1] - 3 :, -1]]
    assert_agrees([x], outputs, [np.random.default_rng(0).normal(size=(7, 4))], wrt=[x])


def test_bounds_that_are_data_are_refused():
    x, n = at.dvector(), at.lscalar()
    with pytest.raises(NotImplementedError, match="bound of a slice depends on the data"):
        jax.jit(lower([x, n], [x[:n]]))(np.zeros(4), np.int64(2))


def test_a_number_out_of_range_is_refused():
    x = at.dvector()
    with pytest.raises(IndexError, match="index 4 is out of range for a dimension of 3"):
        lower([x], [x[4]])(np.zeros(3))


@pytest.mark.parametrize("words", [[0, 2, 2, 5], [-1, 0, 0, 0]])
def test_rows_taken_by_number_agree_with_python(words):
    table, picked = at.dmatrix(), at.lvector()
    values = [np.random.default_rng(0).normal(size=(6, 3)), np.array(words)]
    changed = [at.set_subtensor(table[picked[:1]], 1.0), at.inc_subtensor(table[picked], 1.5)]
    assert_agrees([table, picked], [table[picked], *changed], values, wrt=[table])


def test_advanced_indices_agree_with_python():
    x, i, j = at.dtensor3(), at.lvector(), at.lmatrix()
    rng = np.random.default_rng(0)
    values = [rng.normal(size=(5, 6, 4)), np.array([0, 4, -1]), np.array([[1, 1], [0, 3]])]
    outputs = [x[i, i], x[:, j], x[i, 1:3], x[i, None, :, 2], x[j, j, j], at.inc_subtensor(x[i, i], 2.0)]
    assert_agrees([x, i, j], outputs, values, wrt=[x])


def test_a_known_mask_agrees_with_python():
    x = at.dvector()
    mask = at.constant(np.array([True, False, True, True]))
    assert_agrees([x], [x[mask]], [np.arange(4.0)])


def test_a_mask_that_is_data_is_refused():
    x = at.dvector()
    with pytest.raises(NotImplementedError, match="where"):
        jax.jit(lower([x], [x[x > 0]]))(np.zeros(4))


@pytest.mark.parametrize("targets", [[0, 3, 1], [-1, 2, 2]])
def test_picking_one_of_each_row_agrees_with_python(targets):
    x, y = at.dmatrix(), at.lvector()
    picked = x[at.arange(y.shape[0]), y]
    changed = at.set_subtensor(picked, 2.0), at.inc_subtensor(picked, y.astype("float64"))
    values = [np.random.default_rng(0).normal(size=(3, 4)), np.array(targets)]
    assert_agrees([x, y], [picked, *changed], values, wrt=[x])


def test_picking_one_of_each_row_needs_no_scatter():
    x, y = at.fmatrix(), at.ivector()
    loss = -at.log(x[at.arange(y.shape[0]), y]).mean()
    text = hlo([x, y], [loss, aesara.grad(loss, x)], [np.ones((3, 4), "float32"), np.zeros(3, "int32")])
    assert "scatter" not in text
    assert "gather" not in text


def test_picking_ignores_what_is_not_picked():
    """A comparison and a sum stand for the gather: an infinity elsewhere must not spoil them."""
    x, y = at.dmatrix(), at.lvector()
    value = np.array([[1.0, np.inf], [np.nan, 2.0]])
    (got,) = lower([x, y], [x[at.arange(2), y]])(value, np.array([0, 1]))
    np.testing.assert_array_equal(got, [1.0, 2.0])


def test_an_index_out_of_range_gives_no_number_of_another_place():
    """XLA raises nothing; what it takes instead must not pass for what was asked for."""
    x, i = at.dmatrix(), at.lvector()
    loss = -x[at.arange(i.shape[0]), i]
    values = [np.ones((2, 3)), np.array([1, 3])]
    for found in xla_result([x, i], [x[i, 0], x[:, i][0], loss, x.flatten()[i + 3]], values):
        assert np.isnan(found).tolist() == [False, True]


def test_a_known_index_out_of_range_is_refused():
    x = at.dmatrix()
    for outputs in ([x[5]], [x[[0, 5]]], [x[:, [-4]]], [at.inc_subtensor(x[[0, 5]], 1.0)]):
        with pytest.raises(IndexError, match="out of range"):
            jax.jit(lower([x], outputs))(np.ones((2, 3)))
