"""Pooling and its gradients against Aesara's Python code, over a grid of shapes."""

import itertools

import aesara
import aesara.tensor as at
import jax
import numpy as np
import pytest
from aesara.tensor.signal.pool import AveragePoolGrad, MaxPoolGrad, MaxPoolRop, Pool, pool_2d
from hypothesis import given
from hypothesis import strategies as st

from crmn_legacy.backend.lowerings import lower

from .reference import assert_agrees, examples, hlo, python_result, xla_result

MODES = ["max", "sum", "average_inc_pad", "average_exc_pad"]


@st.composite
def poolings(draw, padded, modes=tuple(MODES)):
    """An op, an array, and the op's windows."""
    mode = draw(st.sampled_from(modes))
    size = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    stride = draw(st.one_of(st.just(size), st.tuples(st.integers(1, 4), st.integers(1, 4))))
    padding = tuple(draw(st.integers(0, s - 1)) for s in size) if padded else (0, 0)
    # Aesara itself asks for this where it pads.
    ignore_border = True if any(padding) else draw(st.booleans())
    shape = tuple(s + draw(st.integers(0, 6)) for s in size)
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    op = Pool(ignore_border=ignore_border, mode=mode)
    return op, rng.normal(size=(2, 2, *shape)), size, stride, padding


@examples
@given(poolings(padded=False))
def test_pooling_and_its_gradient_agree_with_python(case):
    op, image, size, stride, padding = case
    x = at.dtensor4()
    assert_agrees([x], [op(x, size, stride, padding)], [image], wrt=[x])


@examples
@given(poolings(padded=True))
def test_padded_pooling_agrees_with_python(case):
    op, image, size, stride, padding = case
    x = at.dtensor4()
    assert_agrees([x], [op(x, size, stride, padding)], [image])


def windows_of(op, shape, size, stride, padding):
    """Yield each window's output position and its slices of the unpadded map, by the definition."""
    out = Pool.out_shape(shape, size, op.ignore_border, stride, padding)[-2:]
    for position in itertools.product(*map(range, out)):
        yield (
            position,
            tuple(
                slice(max(p * s - pad, 0), min(p * s - pad + k, n))
                for p, s, k, pad, n in zip(position, stride, size, padding, shape[-2:], strict=True)
            ),
        )


@examples
@given(poolings(padded=True))
def test_padded_gradient_is_the_gradient_of_the_definition(case):
    """By a loop over windows, for Aesara's Python code refuses or misplaces padded windows."""
    op, image, size, stride, padding = case
    x = at.dtensor4()
    pooled = op(x, size, stride, padding)
    values, got = xla_result([x], [pooled, aesara.grad((pooled**2).sum() / 2, x)], [image])
    expected = np.zeros_like(image)
    for position, window in windows_of(op, image.shape, size, stride, padding):
        place = (slice(None), slice(None), *window)
        g = values[(slice(None), slice(None), *position)][..., None, None]
        part = image[place]
        if op.mode == "max":
            expected[place] += g * (part == part.max((-2, -1), keepdims=True))
        elif op.mode == "sum":
            expected[place] += g
        elif op.mode == "average_exc_pad":
            expected[place] += g / (part.shape[-1] * part.shape[-2])
        else:
            reach = [
                min(p * s + k, n + 2 * pad) - p * s
                for p, s, k, pad, n in zip(position, stride, size, padding, image.shape[-2:], strict=True)
            ]
            expected[place] += g / (reach[0] * reach[1])
    np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("size, stride", [((2, 2), (2, 2)), ((3, 2), (1, 2)), ((3, 3), (2, 2))])
def test_a_tie_sends_the_gradient_to_every_maximum(size, stride):
    image = np.random.default_rng(0).integers(0, 2, (2, 2, 8, 8)).astype(float)
    x = at.dtensor4()
    assert_agrees([x], [Pool(ignore_border=True)(x, size, stride)], [image], wrt=[x])


@pytest.mark.parametrize("mode", MODES)
def test_second_derivatives_agree_with_python(mode):
    image = np.random.default_rng(0).normal(size=(2, 1, 6, 5))
    x = at.dtensor4()
    pooled = Pool(ignore_border=True, mode=mode)(x, (3, 2), (2, 1))
    first = aesara.grad((pooled**3).sum(), x)
    assert_agrees([x], [first], [image], wrt=[x])


@pytest.mark.parametrize("size, stride", [((2, 2), (2, 2)), ((3, 3), (2, 2)), ((3, 3), (1, 1))])
def test_no_gradient_of_pooling_scatters(size, stride):
    """XLA refuses select-and-scatter where GPU results must repeat."""
    x = at.ftensor4()
    pooled = [Pool(ignore_border=True, mode=mode)(x, size, stride) for mode in MODES]
    results = [aesara.grad((p**2).sum(), x) for p in pooled]
    image = np.zeros((2, 2, 9, 9), "float32")
    for optimized in (False, True):
        assert "scatter" not in hlo([x], results, [image], optimized)


@pytest.mark.parametrize("mode", MODES)
def test_global_pooling_of_a_large_map_is_accurate_in_float32(mode):
    image = np.random.default_rng(0).uniform(1, 2, (1, 2, 200, 300)).astype("float32")
    x = at.ftensor4()
    (got,) = lower([x], [Pool(ignore_border=True, mode=mode)(x, (200, 300))])(image)
    exact = image.astype(float)
    expected = {"max": exact.max((2, 3)), "sum": exact.sum((2, 3))}.get(mode, exact.mean((2, 3)))
    np.testing.assert_allclose(got[:, :, 0, 0], expected, rtol=1e-6)


def test_pooling_of_one_and_of_three_dimensions_agrees_with_python():
    rng = np.random.default_rng(0)
    x, y = at.dtensor3(), at.dtensor4()
    outputs = [
        Pool(ignore_border=True, mode="average_exc_pad", ndim=1)(x, (2,)),
        Pool(ignore_border=False, mode="max", ndim=3)(y, (2, 1, 3)),
    ]
    assert_agrees([x, y], outputs, [rng.normal(size=(2, 3, 7)), rng.normal(size=(2, 4, 3, 5))], wrt=[x, y])


def test_gradient_ops_take_their_windows_while_tracing():
    """The windows' sizes may be computed from shapes."""
    x = at.dtensor4()
    size = at.stack([x.shape[2] // 2, x.shape[3] // 3])
    pooled = Pool(ignore_border=True)(x, size)
    g = aesara.grad(pooled.sum(), x)
    assert any(isinstance(node.op, MaxPoolGrad | AveragePoolGrad) for node in aesara.graph.basic.io_toposort([x], [g]))
    assert_agrees([x], [pooled, g], [np.random.default_rng(0).normal(size=(1, 2, 4, 6))])


def test_integers_pool_too():
    x = at.itensor4()
    image = np.random.default_rng(0).integers(-9, 0, (1, 1, 4, 4)).astype("int32")
    with jax.experimental.enable_x64():
        (got,) = lower([x], [Pool(ignore_border=False)(x, (3, 3))])(image)
    np.testing.assert_array_equal(
        got[0, 0],
        [[image[0, 0, :3, :3].max(), image[0, 0, :3, 3].max()], [image[0, 0, 3, :3].max(), image[0, 0, 3, 3]]],
    )


@pytest.mark.parametrize(
    ("size", "stride", "padding", "ignored"),
    [
        ((2, 2), (2, 2), (0, 0), True),
        ((3, 2), (1, 2), (0, 0), True),
        ((3, 2), (2, 1), (0, 0), False),
        ((3, 3), (2, 2), (1, 1), True),
    ],
)
def test_the_change_of_maxima_is_the_gradient_turned_around(size, stride, padding, ignored):
    """Aesara's own Python code for it fails; that of the gradient is the judge."""
    x, change, g = at.dtensor4(), at.dtensor4(), at.dtensor4()
    values = [np.random.default_rng(i).normal(size=(2, 1, 7, 6)) for i in (0, 1)]
    changed = MaxPoolRop(ignore_border=ignored)(x, change, size, stride, padding)
    y = pool_2d(x, size, ignored, stride, padding)
    (got,) = xla_result([x, change], [changed], values)
    cotangent = np.random.default_rng(2).normal(size=got.shape)
    (turned,) = python_result([x, g], [aesara.grad(None, x, known_grads={y: g})], [values[0], cotangent])
    np.testing.assert_allclose((got * cotangent).sum(), (turned * values[1]).sum(), rtol=1e-10)
