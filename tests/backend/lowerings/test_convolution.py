"""Convolutions and their gradients against Aesara's Python code, over a grid of shapes."""

import aesara
import aesara.tensor as at
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from aesara.tensor.nnet.abstract_conv import AbstractConv3d, conv2d, conv2d_transpose
from hypothesis import given
from hypothesis import strategies as st
from jax import lax

from crmn_legacy.backend.lowerings import lower, settings

from .reference import assert_agrees, examples, xla_result

sizes = st.integers(1, 3)
borders = st.one_of(
    st.sampled_from(["valid", "full", "half"]),
    st.integers(0, 2),
    st.tuples(st.integers(0, 2), st.integers(0, 2)),
    st.tuples(st.tuples(st.integers(0, 2), st.integers(0, 2)), st.tuples(st.integers(0, 2), st.integers(0, 2))),
)
pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))


@st.composite
def convolutions(draw):
    """Options of a convolution, and arrays that fit them."""
    options = {
        "border_mode": draw(borders),
        "subsample": draw(pairs),
        "filter_dilation": draw(st.tuples(st.integers(1, 2), st.integers(1, 2))),
        "filter_flip": draw(st.booleans()),
        "num_groups": draw(st.integers(1, 2)),
    }
    groups = options["num_groups"]
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    filters = (groups * draw(sizes), draw(sizes), draw(sizes), draw(sizes))
    # The filter's reach fits into the map, so that no border mode gives an empty result.
    reach = [(k - 1) * d + 1 for k, d in zip(filters[2:], options["filter_dilation"], strict=True)]
    images = (draw(sizes), groups * filters[1], *(r + draw(st.integers(0, 4)) for r in reach))
    return options, rng.normal(size=images), rng.normal(size=filters)


@examples
@given(convolutions())
def test_convolution_and_both_gradients_agree_with_python(case):
    options, image, weights = case
    x, w = at.dtensor4(), at.dtensor4()
    assert_agrees([x, w], [conv2d(x, w, **options)], [image, weights], wrt=[x, w])


@examples
@given(convolutions())
def test_known_shapes_change_nothing(case):
    options, image, weights = case
    x, w = at.dtensor4(), at.dtensor4()
    known = conv2d(x, w, input_shape=image.shape, filter_shape=weights.shape, **options)
    np.testing.assert_array_equal(
        xla_result([x, w], [known], [image, weights])[0],
        xla_result([x, w], [conv2d(x, w, **options)], [image, weights])[0],
    )


@pytest.mark.parametrize("flip", [True, False])
@pytest.mark.parametrize("stride", [(1, 1), (2, 3)])
@pytest.mark.parametrize("border", ["valid", "half", (1, 0)])
def test_transposed_convolution_agrees_with_python(border, stride, flip):
    rng = np.random.default_rng(0)
    x, w = at.dtensor4(), at.dtensor4()
    g = conv2d(at.zeros((2, 3, 9, 8)), at.zeros((4, 3, 3, 3)), border_mode=border, subsample=stride)
    (out,) = xla_result([], [g], [])
    image, weights = rng.normal(size=out.shape), rng.normal(size=(4, 3, 3, 3))
    result = conv2d_transpose(x, w, (None, None, 9, 8), border_mode=border, input_dilation=stride, filter_flip=flip)
    assert_agrees([x, w], [result], [image, weights], wrt=[x, w])


@pytest.mark.parametrize("border", ["valid", "full", 1])
def test_convolution_in_three_dimensions_agrees_with_python(border):
    rng = np.random.default_rng(0)
    x, w = at.dtensor5(), at.dtensor5()
    op = AbstractConv3d(border_mode=border, subsample=(1, 2, 1))
    assert_agrees([x, w], [op(x, w)], [rng.normal(size=(2, 2, 4, 5, 4)), rng.normal(size=(3, 2, 2, 3, 2))], wrt=[x, w])


@pytest.mark.parametrize("flip", [True, False])
def test_flipping_means_true_convolution(flip):
    """An impulse gives back the filter: as it is when it is flipped, turned around when not."""
    x, w = at.dtensor4(), at.dtensor4()
    image, weights = np.zeros((1, 1, 5, 5)), np.arange(9.0).reshape(1, 1, 3, 3)
    image[0, 0, 2, 2] = 1
    (got,) = xla_result([x, w], [conv2d(x, w, filter_flip=flip)], [image, weights])
    np.testing.assert_array_equal(got, weights if flip else weights[:, :, ::-1, ::-1])


def test_where_the_output_is_larger_than_the_map_the_gradient_by_weights_pads_first():
    """XLA's CPU compiler has no matrix kernel for a padded convolution whose filter is larger than the map."""
    rng = np.random.default_rng(0)
    x, w, g = at.ftensor4(), at.ftensor4(), at.ftensor4()
    image, weights = rng.normal(size=(2, 3, 7, 7)).astype("float32"), rng.normal(size=(4, 3, 5, 5)).astype("float32")

    def gradient_and_text(border):
        out = conv2d(x, w, border_mode=border)
        cotangent = rng.normal(size=(2, 4, *(7 + 2 * border - 4,) * 2)).astype("float32")
        function = jax.jit(lower([x, w, g], [aesara.grad(None, w, known_grads={out: g})]))
        text = function.lower(image, weights, cotangent).as_text()
        return function(image, weights, cotangent)[0], cotangent, text

    larger, cotangent, text = gradient_and_text(3)
    assert "optimization_barrier" in text and "pad = [[0, 0], [0, 0]]" in text
    padded = np.pad(image, ((0, 0), (0, 0), (3, 3), (3, 3)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (9, 9), axis=(2, 3))
    expected = np.einsum("bcklij,boij->ockl", windows, cotangent)[:, :, ::-1, ::-1]
    np.testing.assert_allclose(larger, expected, rtol=0, atol=1e-4)
    *_, text = gradient_and_text(2)
    assert "optimization_barrier" not in text and "pad = [[2, 2], [2, 2]]" in text


def test_gradients_equal_those_of_jax_in_float32():
    rng = np.random.default_rng(0)
    image = rng.normal(size=(4, 3, 10, 9)).astype("float32")
    weights = rng.normal(size=(5, 3, 3, 3)).astype("float32")
    x, w, g = at.ftensor4(), at.ftensor4(), at.ftensor4()
    out = conv2d(x, w, border_mode="half", subsample=(2, 2), filter_flip=False)
    results = [out, *aesara.grad(None, [x, w], known_grads={out: g})]

    def plain(x, w):
        return lax.conv_general_dilated(x, w, (2, 2), [(1, 1), (1, 1)])

    expected, pullback = jax.vjp(plain, image, weights)
    cotangent = rng.normal(size=expected.shape).astype("float32")
    got = lower([x, w, g], results)(image, weights, cotangent)
    for wanted, found in zip((expected, *pullback(jnp.asarray(cotangent))), got, strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_bfloat16_rounds_the_operands_and_sums_in_float32():
    rng = np.random.default_rng(0)
    image = rng.normal(size=(4, 3, 10, 9)).astype("float32")
    weights = rng.normal(size=(5, 3, 3, 3)).astype("float32")
    x, w = at.ftensor4(), at.ftensor4()
    function = lower([x, w], [conv2d(x, w)])
    (full,) = function(image, weights)
    with settings(matmul_dtype="bfloat16"):
        (rounded,) = function(image, weights)

    def to_bfloat16(array):
        return np.asarray(jnp.asarray(array, jnp.bfloat16).astype(jnp.float32))

    (expected,) = function(to_bfloat16(image), to_bfloat16(weights))
    assert rounded.dtype == np.float32
    np.testing.assert_allclose(rounded, expected, rtol=1e-5, atol=1e-5)
    assert np.abs(rounded - full).max() > 1e-3


def test_bfloat16_reaches_both_gradients():
    rng = np.random.default_rng(0)
    x, w = at.ftensor4(), at.ftensor4()
    results = aesara.grad((conv2d(x, w, border_mode="half") ** 2).sum(), [x, w])
    values = rng.normal(size=(2, 3, 6, 6)).astype("float32"), rng.normal(size=(3, 3, 3, 3)).astype("float32")
    full = lower([x, w], results)(*values)
    with settings(matmul_dtype="bfloat16"):
        text = jax.jit(lower([x, w], results)).lower(*values).as_text()
        rounded = lower([x, w], results)(*values)
    assert text.count("stablehlo.convolution") == text.count("xbf16>) -> tensor<")
    for a, b in zip(full, rounded, strict=True):
        assert b.dtype == np.float32
        assert 1e-4 < np.abs(a - b).max() / np.abs(a).max() < 5e-2


@pytest.mark.parametrize(
    ("image", "weights", "options", "convolves"),
    [
        # As wide as the map, as text is read by words; wider than what it makes; on two axes, apart, strided; grouped.
        ((2, 1, 8, 30), (4, 1, 3, 30), {}, False),
        ((2, 3, 8, 30), (4, 3, 3, 28), {"border_mode": (1, 0)}, False),
        ((2, 3, 11, 10), (4, 3, 9, 3), {"subsample": (1, 2), "filter_dilation": (1, 2)}, False),
        ((2, 4, 9, 9), (6, 2, 5, 7), {"num_groups": 2, "subsample": (2, 1)}, False),
        ((2, 3, 8, 8), (4, 3, 3, 3), {"border_mode": "half"}, True),
        ((2, 3, 7, 7), (4, 3, 4, 4), {}, True),
        ((2, 3, 2, 2), (4, 3, 2, 2), {}, True),
    ],
)
def test_where_the_filter_is_larger_than_the_output_the_gradient_by_input_is_no_convolution(
    image, weights, options, convolves
):
    """As a convolution it would be mostly of padding, in XLA's plain loops: up to a thousand times as slow."""
    rng = np.random.default_rng(0)
    x, w = at.dtensor4(), at.dtensor4()
    image, weights = rng.normal(size=image), rng.normal(size=weights)
    out = conv2d(x, w, **options)
    assert_agrees([x, w], [out], [image, weights], wrt=[x])
    g = at.dtensor4()
    (shape,) = xla_result([x, w], [out.shape], [image, weights])
    function = jax.jit(lower([x, w, g], [aesara.grad(None, x, known_grads={out: g})]))
    text = function.lower(image, weights, np.ones(tuple(shape))).as_text()
    assert ("stablehlo.convolution" in text) == convolves
