"""Sums, other reductions and matrix products against Aesara's Python code."""

import aesara
import aesara.tensor as at
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from aesara.tensor import blas
from hypothesis import given
from hypothesis import strategies as st

from crmn_legacy.backend.lowerings import lower, settings
from crmn_legacy.backend.lowerings.reductions import long_sum

from .reference import assert_agrees, examples, hlo, python_result, xla_result


@st.composite
def reduced_arrays(draw):
    """A shape with some long dimensions, and axes of it."""
    shape = draw(st.lists(st.sampled_from([1, 2, 3, 17, 64, 300]), min_size=1, max_size=4).map(tuple))
    axes = draw(st.sets(st.integers(0, len(shape) - 1)).map(sorted))
    # Keep arrays under a million elements or two.
    while np.prod(shape) > 2e6:
        shape = tuple(size if size < max(shape) else 17 for size in shape)
    return shape, axes


@examples
@given(reduced_arrays())
def test_long_sums_are_exact_to_rounding(case):
    shape, axes = case
    x = np.random.default_rng(0).normal(1, 1, shape)
    got = jax.jit(lambda x: long_sum(x, axes))(x.astype("float32"))
    expected = x.astype("float32").astype(float).sum(tuple(axes))
    np.testing.assert_allclose(got, expected, rtol=2e-6, atol=2e-6 * max(1, np.abs(x).sum(tuple(axes)).max()))


@pytest.mark.parametrize("shape", [(3_000_001,), (2, 1_500_007), (1_500_007, 2), (2, 500_009, 3)])
def test_sums_of_awkward_lengths_keep_six_digits(shape):
    """Lengths without divisors; XLA's own sum is wrong in the third or fourth digit here."""
    x = np.random.default_rng(0).uniform(0, 1, shape).astype("float32")
    axis = int(np.argmax(shape))
    got = jax.jit(lambda x: long_sum(x, [axis]))(x)
    np.testing.assert_allclose(got, x.astype(float).sum(axis), rtol=1e-6)


@pytest.mark.parametrize("device, products", [("cpu", 1), ("gpu", 0)])
def test_only_processors_sum_by_products(monkeypatch, device, products):
    monkeypatch.setattr(jax, "default_backend", lambda: device)
    text = jax.jit(lambda x: long_sum(x, [1])).lower(np.zeros((3, 10_000), "float32")).as_text()
    assert text.count("stablehlo.dot_general") == products


@pytest.mark.parametrize("axis", [None, 0, 1, 2, (0, 2), (1, 2), ()])
@pytest.mark.parametrize("name", ["sum", "mean", "prod", "max", "min"])
def test_reductions_and_their_gradients_agree_with_python(name, axis):
    x = at.dtensor3()
    result = getattr(at, name)(x, axis=axis)
    value = np.random.default_rng(0).normal(size=(4, 5, 6))
    assert_agrees([x], [result], [value], wrt=[x])


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_position_of_the_maximum_agrees_with_python(axis):
    x = at.dtensor3()
    assert_agrees([x], [at.argmax(x, axis=axis)], [np.random.default_rng(0).normal(size=(4, 5, 6))])


def test_maximum_with_its_position_agrees_with_python():
    x = at.dtensor3()
    values = [np.random.default_rng(0).normal(size=(4, 5, 6))]
    assert_agrees([x], at.max_and_argmax(x, axis=1), values)
    assert_agrees([x], at.max_and_argmax(x, axis=(0, 2)), values)


def test_reductions_of_integers_and_truth_values_agree_with_python():
    x, b = at.imatrix(), at.bmatrix()
    positive = at.gt(x, 0)
    outputs = [x.sum(), x.sum(0), x.mean(1), x.max(1), x.min(0), b.prod(1), at.all(positive, 0), at.any(positive, 1)]
    outputs.append(positive.sum(0))
    rng = np.random.default_rng(0)
    values = [rng.integers(-3, 4, (4, 5)).astype("int32"), rng.integers(1, 3, (3, 4)).astype("int8")]
    assert_agrees([x, b], outputs, values)


def test_product_with_zeros_has_the_right_gradient():
    x = at.dmatrix()
    value = np.array([[1.0, 0.0, 3.0], [0.0, 0.0, 2.0], [2.0, 3.0, 4.0]])
    assert_agrees([x], [x.prod(1)], [value], wrt=[x])


@pytest.mark.parametrize("axis", [None, 0, 1])
def test_cumulative_sums_and_products_agree_with_python(axis):
    x = at.dmatrix()
    value = np.random.default_rng(0).normal(size=(4, 5))
    assert_agrees([x], [at.cumsum(x, axis), at.cumprod(x, axis)], [value], wrt=[x])


@pytest.mark.parametrize("left, right", [((4,), (4,)), ((3, 4), (4,)), ((4,), (4, 5)), ((3, 4), (4, 5))])
def test_dot_and_its_gradients_agree_with_python(left, right):
    rng = np.random.default_rng(0)
    x, y = at.TensorType("float64", (None,) * len(left))(), at.TensorType("float64", (None,) * len(right))()
    assert_agrees([x, y], [at.dot(x, y)], [rng.normal(size=left), rng.normal(size=right)], wrt=[x, y])


def test_tensordot_and_batched_dot_agree_with_python():
    rng = np.random.default_rng(0)
    x, y = at.dtensor3(), at.dtensor3()
    values = [rng.normal(size=(2, 3, 4)), rng.normal(size=(2, 4, 3))]
    outputs = [at.tensordot(x, y, [[1, 2], [2, 1]]), blas.batched_dot(x, y), blas.batched_dot(x[:, 0], y)]
    assert_agrees([x, y], outputs, values, wrt=[x, y])


def test_products_that_blas_rewrites_make_agree_with_python():
    x, y, z, a = at.dmatrix(), at.dmatrix(), at.dmatrix(), at.dscalar()
    v, w = at.dvector(), at.dvector()
    inputs = [x, y, z, a, v, w]
    rng = np.random.default_rng(0)
    values = [rng.normal(size=s) for s in [(3, 4), (4, 5), (3, 5), (), (4,), (5,)]]
    outputs = [
        blas.Dot22()(x, y),
        blas.Dot22Scalar()(x, y, a),
        blas.Gemm(inplace=False)(z, a, x, y, a),
        blas.Gemv(inplace=False)(v, a, y, w, a),
        blas.Ger(destructive=False)(y, a, v, w),
    ]
    assert_agrees(inputs, outputs, values)


@pytest.mark.parametrize("rows, padded", [(3, 8), (24, 32), (64, 64), (65, 128), (128, 128), (240, 256)])
def test_the_gradient_of_a_weight_sums_over_a_regular_length(rows, padded):
    """So that its bits do not depend on how a processor's caches cut the sum into blocks."""
    x, w = at.fmatrix(), at.fmatrix()
    g = aesara.grad((at.dot(x, w) ** 2).sum(), w)
    rng = np.random.default_rng(0)
    values = [rng.normal(size=(rows, 3)).astype("float32"), rng.normal(size=(3, 5)).astype("float32")]
    assert f"tensor<3x{padded}xf32>, tensor<{padded}x5xf32>" in hlo([x, w], [g], values)
    np.testing.assert_allclose(
        lower([x, w], [g])(*values)[0], python_result([x, w], [g], values)[0], rtol=1e-4, atol=1e-4
    )


def test_bfloat16_rounds_the_operands_of_products():
    rng = np.random.default_rng(0)
    x, y = at.fmatrix(), at.fmatrix()
    values = [rng.normal(size=(4, 50)).astype("float32"), rng.normal(size=(50, 3)).astype("float32")]
    function = lower([x, y], [at.dot(x, y)])
    with settings(matmul_dtype="bfloat16"):
        (got,) = function(*values)
    rounded = [np.asarray(jnp.asarray(v, jnp.bfloat16).astype("float32")) for v in values]
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, rounded[0] @ rounded[1], rtol=1e-5, atol=1e-5)
    assert np.abs(got - values[0] @ values[1]).max() > 1e-3


def test_bfloat16_leaves_float64_alone():
    x = at.dmatrix()
    value = np.random.default_rng(0).normal(size=(3, 3))
    with settings(matmul_dtype="bfloat16"):
        (got,) = xla_result([x], [at.dot(x, x)], [value])
    np.testing.assert_allclose(got, value @ value, rtol=1e-12)
