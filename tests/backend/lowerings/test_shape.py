"""Ops that change shapes, make arrays or pass values on, against Aesara's Python code."""

import aesara
import aesara.tensor as at
import numpy as np
import pytest
from aesara.gradient import disconnected_grad, grad_clip, grad_scale, zero_grad
from hypothesis import given
from hypothesis import strategies as st

from crmn_legacy.backend.lowerings import lower

from .reference import assert_agrees, examples, hlo, python_result, xla_result

VALUE = np.random.default_rng(0).normal(size=(3, 4, 5))


@examples
@given(st.permutations([0, 1, 2]), st.lists(st.integers(0, 3), max_size=2))
def test_dimshuffles_and_their_gradients_agree_with_python(order, added):
    pattern = list(order)
    for position in added:
        pattern.insert(position, "x")
    x = at.dtensor3()
    assert_agrees([x], [x.dimshuffle(pattern)], [VALUE], wrt=[x])


def test_a_dropped_dimension_agrees_with_python():
    x = at.TensorType("float64", (1, None, 1))()
    assert_agrees([x], [x.dimshuffle(1), x.dimshuffle(1, "x")], [VALUE[:1, :, :1]], wrt=[x])


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_joins_and_splits_agree_with_python(axis):
    x, y = at.dtensor3(), at.dtensor3()
    joined = at.concatenate([x, y], axis=axis)
    first, second, third = at.split(x, [1, 0, x.shape[axis] - 1], 3, axis=axis)
    outputs = [joined, first, second, third, at.stack([x, y], axis=axis)]
    assert_agrees([x, y], outputs, [VALUE, VALUE + 1], wrt=[x, y])


def test_a_split_that_does_not_add_up_is_refused():
    x = at.dvector()
    with pytest.raises(ValueError, match="cannot split 4 elements"):
        lower([x], list(at.split(x, [1, 2], 2)))(np.zeros(4))


def test_arrays_made_from_numbers_agree_with_python():
    x, n = at.dscalar(), at.dvector()
    size = n.shape[0]
    outputs = [
        at.alloc(x, size, 2),
        at.zeros((size, 3)),
        at.ones_like(n),
        at.full((2, size), x),
        at.eye(size, size + 1, 1),
        at.tri(size, size + 1, -1),
        at.arange(2, size * 4, 3),
        at.arange(0.5, 2.5, 0.5),
        at.stack([x, n[0], 2 * x]),
        at.repeat(n, 3),
        at.repeat(n, [1, 0, 2]),
        at.extra_ops.broadcast_to(n, (2, size)),
        at.diag(n),
        at.diagonal(at.outer(n, n)),
        at.triu(at.outer(n, n)),
    ]
    assert_agrees([x, n], outputs, [np.float64(1.5), np.array([3.0, 1.0, 2.0])])


def test_gradients_of_made_arrays_agree_with_python():
    x, n = at.dscalar(), at.dvector()
    outputs = [at.alloc(x, 3, 2), at.stack([x, n[0], 2 * x]), at.repeat(n, 3), at.extra_ops.broadcast_to(n, (2, 3))]
    assert_agrees([x, n], outputs, [np.float64(1.5), np.array([3.0, 1.0, 2.0])], wrt=[x, n])


def test_reshapes_agree_with_python():
    x = at.dtensor3()
    outputs = [x.reshape((-1, 5)), x.flatten(), x.flatten(2), x.reshape((5, 4, 3)), x.T, x.swapaxes(0, 2)]
    outputs += [x.reshape((x.shape[0], -1)), at.squeeze(x.reshape((1, 60, 1))), at.roll(x, 2, axis=1)]
    assert_agrees([x], outputs, [VALUE], wrt=[x])


def test_ops_that_only_speak_to_the_gradient_pass_values_on():
    x = at.dvector()
    outputs = [
        grad_clip(x, -0.1, 0.1) ** 2,
        grad_scale(x, 3.0) ** 2,
        (disconnected_grad(x) * x),
        (zero_grad(x) * x),
        at.specify_shape(x, 3),
    ]
    value = np.array([1.0, -2.0, 0.5])
    got = xla_result([x], [*outputs, aesara.grad(sum(o.sum() for o in outputs), x)], [value])
    for found in got[:4]:
        np.testing.assert_allclose(np.abs(found), value**2)
    np.testing.assert_allclose(got[-1], np.clip(2 * value, -0.1, 0.1) + 6 * value + value + value + 1)


def test_a_specified_shape_is_checked():
    x = at.dvector()
    with pytest.raises(ValueError, match="specifies"):
        lower([x], [at.specify_shape(x, 3)])(np.zeros(4))


def test_concatenation_of_unlike_types_agrees_with_python():
    x, i = at.fvector(), at.ivector()
    values = [np.array([0.5], "float32"), np.array([2], "int32")]
    outputs = [at.concatenate([x, i]), at.stack([x[0], i[0]])]
    for wanted, found in zip(python_result([x, i], outputs, values), xla_result([x, i], outputs, values), strict=True):
        assert found.dtype == wanted.dtype
        np.testing.assert_array_equal(found, wanted)


def test_zero_padding_by_assignment_becomes_a_copy_without_scatter():
    x = at.fmatrix()
    padded = at.set_subtensor(at.zeros((x.shape[0], 10))[:, : x.shape[1]], x)
    text = hlo([x], [padded, aesara.grad((padded**2).sum(), x)], [np.ones((3, 4), "float32")])
    assert "scatter" not in text
    got = lower([x], [padded])(np.ones((3, 4), "float32"))[0]
    np.testing.assert_array_equal(got, np.pad(np.ones((3, 4)), ((0, 0), (0, 6))))
