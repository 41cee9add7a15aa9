"""Convolutions in the forms of a processor, against XLA's own convolution."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from jax.experimental import enable_x64

from crmn_legacy.backend.lowerings import processor_convolution, settings
from crmn_legacy.backend.lowerings.processor_convolution import (
    gradient_by_weights,
    has_few_outputs,
    shifted_products,
)

_NUMBERS = ("NHWC", "OHWI", "NHWC")


def _correlate(x, w, stride, padding):
    return lax.conv_general_dilated(x, w, stride, padding, dimension_numbers=_NUMBERS)


def _draw(*shape):
    return jnp.asarray(np.random.default_rng(sum(shape)).normal(size=shape))


@pytest.fixture(autouse=True)
def _float64():
    with enable_x64():
        yield


@pytest.mark.parametrize("padding", [[(1, 1), (1, 1)], [(0, 0), (0, 0)], [(2, 1), (0, 3)], [(-1, 2), (1, -1)]])
@pytest.mark.parametrize("size", [(3, 3), (1, 3), (4, 2)])
def test_shifted_products_are_the_correlation(size, padding):
    x, w = _draw(2, 6, 7, 5), _draw(2, *size, 5)
    result = shifted_products(x, w, padding)
    np.testing.assert_allclose(result, _correlate(x, w, (1, 1), padding), rtol=1e-12, atol=1e-12)


def test_filters_of_one_entry_and_of_as_many_outputs_stay_convolutions():
    assert has_few_outputs(np.zeros((24, 3, 3, 500)))
    assert not has_few_outputs(np.zeros((24, 1, 1, 500)))
    assert not has_few_outputs(np.zeros((64, 3, 3, 64)))


@pytest.mark.parametrize("block", [1, 10**9], ids=["a row at a time", "at once"])
@pytest.mark.parametrize("wide", [1, 10**9], ids=["wide", "narrow"])
@pytest.mark.parametrize("channels", [(3, 2), (2, 3), (3, 3)])
@pytest.mark.parametrize(
    "stride, padding",
    [((1, 1), [(1, 1), (1, 1)]), ((1, 1), [(2, 0), (0, 2)]), ((1, 1), [(0, 0), (2, 1)]), ((2, 3), [(1, 1), (0, 1)])],
)
def test_the_gradient_by_weights_is_that_of_jax(stride, padding, channels, wide, block, monkeypatch):
    monkeypatch.setattr(processor_convolution, "_BLOCK", block)
    monkeypatch.setattr(processor_convolution, "_WIDE", wide)
    x, w = _draw(2, 9, 8, channels[0]), _draw(channels[1], 3, 3, channels[0])
    y, pull = jax.vjp(lambda w: _correlate(x, w, stride, padding), w)
    g = _draw(*y.shape)
    after = [
        (low, 2 + (out - 1) * step + 1 - size - low)
        for (low, _), out, step, size in zip(padding, y.shape[1:3], stride, x.shape[1:3], strict=True)
    ]
    np.testing.assert_allclose(gradient_by_weights(x, g, stride, after), pull(g)[0], rtol=1e-12, atol=1e-12)


def test_rounded_operands_are_summed_in_float32():
    x, w = _draw(1, 4, 4, 6).astype(jnp.float32), _draw(2, 3, 3, 6).astype(jnp.float32)
    edges = [(1, 1), (1, 1)]
    with settings(matmul_dtype="bfloat16"):
        result = shifted_products(x, w, edges)
    rounded = [value.astype(jnp.bfloat16).astype(jnp.float32) for value in (x, w)]
    assert result.dtype == jnp.float32
    np.testing.assert_allclose(result, _correlate(*rounded, (1, 1), edges), rtol=1e-5, atol=1e-5)
    assert not np.allclose(result, _correlate(x, w, (1, 1), edges), rtol=1e-5, atol=1e-5)
