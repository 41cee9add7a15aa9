"""Maps whose channels lie last: the same numbers, from fewer turned arrays."""

import re

import aesara
import aesara.tensor as at
import jax
import numpy as np
import pytest
from aesara.tensor.nnet.abstract_conv import conv2d
from aesara.tensor.nnet.batchnorm import batch_normalization_train
from aesara.tensor.signal.pool import pool_2d

from crmn_legacy.backend.lowerings import settings
from crmn_legacy.backend.lowerings.order import Map, lying_like, moved_axis
from crmn_legacy.backend.lowerings.registry import concrete

from .reference import gradients, hlo, xla_result


@pytest.fixture
def last():
    with settings(channels_last=True):
        yield


x, w, v, gamma = at.dtensor4("x"), at.dtensor4("w"), at.dtensor4("v"), at.dvector("gamma")
RNG = np.random.default_rng(0)
VALUES = [RNG.normal(size=shape) for shape in ((4, 3, 12, 10), (5, 3, 3, 3), (6, 5, 1, 1), (5,))]


def normalised(y):
    return batch_normalization_train(y, gamma, gamma / 2, "spatial")[0]


def convolved(**options):
    return conv2d(x, w, **options)


AFTER = {
    "itself": lambda y: y,
    "batch norm": normalised,
    "rectifier and broadcast": lambda y: at.maximum(y * gamma.dimshuffle("x", 0, "x", "x"), 0) + y[:, :1].sum(),
    "sums": lambda y: y.sum((0, 2, 3)) + y.mean((2, 3)).sum(0) + y.max((0, 3)).sum(1) + y.sum(),
    "sums out of order": lambda y: at.dot(y.sum(1)[0], y.sum((0, 1)).T),
    "a sum over nothing": lambda y: y.sum(axis=()),
    "max-pooling": lambda y: pool_2d(y, (2, 2), ignore_border=True),
    "overlapping max-pooling": lambda y: pool_2d(y, (3, 2), stride=(1, 2), pad=(1, 0), ignore_border=True),
    "average-pooling": lambda y: pool_2d(y, (2, 3), ignore_border=False, mode="average_exc_pad"),
    "tiles": lambda y: pool_2d(y, (4, 5), ignore_border=True, mode="average_inc_pad"),
    "join": lambda y: at.concatenate([y, 2 * y, at.zeros_like(y)], 1),
    "join of rows": lambda y: at.concatenate([y, y[:, :, ::-1]], axis=-2),
    "split": lambda y: at.split(y, [2, 3], 2, axis=1)[1],
    "part": lambda y: y[1:, ::2, ::-1, 2],
    "part of four dimensions": lambda y: y[:, 1:3, ::-2, 1:],
    "set": lambda y: at.set_subtensor(at.zeros((4, 8, 12, 10))[:, 1:6], y),
    "increase": lambda y: at.inc_subtensor(y[:, :, ::2, 1:4], gamma.dimshuffle("x", 0, "x", "x")),
    "reshape": lambda y: at.dot(y.flatten(2), at.ones((5 * 12 * 10, 2))),
    "dimshuffle": lambda y: y.dimshuffle(1, 0, 3, 2) * 2,
    "comparison": lambda y: at.switch(at.gt(y, 0), y, at.exp(y)),
    "shape": lambda y: y * y.shape[1] + y.shape[2],
    "another convolution": lambda y: conv2d(at.maximum(normalised(y), 0), v, subsample=(2, 2)),
    "filters that a convolution made": lambda y: conv2d(x, y[:, :3, :2, :2], border_mode="half"),
}


@pytest.mark.parametrize("name", AFTER)
def test_what_follows_a_convolution_has_the_same_numbers(name):
    inputs = [x, w, v, gamma]
    outputs = [AFTER[name](convolved(border_mode="half"))]
    outputs += aesara.grad((outputs[0] ** 2).sum(), inputs, disconnected_inputs="ignore")
    with settings(channels_last=False):
        wanted = xla_result(inputs, outputs, VALUES)
    found = xla_result(inputs, outputs, VALUES)
    for one, other in zip(wanted, found, strict=True):
        assert one.shape == other.shape and one.dtype == other.dtype
        np.testing.assert_allclose(other, one, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("border", ["valid", "half", "full", (2, 0)])
@pytest.mark.parametrize("stride", [(1, 1), (2, 3)])
@pytest.mark.parametrize("dilation", [(1, 1), (2, 1)])
def test_convolutions_have_the_same_numbers(border, stride, dilation):
    y = convolved(border_mode=border, subsample=stride, filter_dilation=dilation)
    outputs = [y, *gradients([y], [x, w])]
    with settings(channels_last=False):
        wanted = xla_result([x, w], outputs, VALUES[:2])
    found = xla_result([x, w], outputs, VALUES[:2])
    for one, other in zip(wanted, found, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("channels", [(2, 5), (5, 2), (3, 3)])
@pytest.mark.parametrize("flip", [True, False])
@pytest.mark.parametrize("border", ["half", ((2, 0), (0, 2)), ((1, 1), (2, 1))])
def test_filters_have_the_same_gradient_whichever_map_has_more_channels(channels, flip, border):
    """Maps of one size exchange roles; filters of two columns under the last border make a wider map."""
    inputs, outputs = channels
    width = 3 if border != ((1, 1), (2, 1)) else 2
    values = [RNG.normal(size=(4, inputs, 6, 7)), RNG.normal(size=(outputs, inputs, 3, width))]
    y = conv2d(x, w, border_mode=border, filter_flip=flip)
    results = gradients([y], [x, w])
    with settings(channels_last=False):
        wanted = xla_result([x, w], results, values)
    found = xla_result([x, w], results, values)
    for one, other in zip(wanted, found, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("channels", [(24, 3), (3, 24), (8, 8), (1, 16)])
@pytest.mark.parametrize("size", [5, 17, 40])
def test_the_gradient_of_filters_errs_at_most_twice_as_much_as_a_plain_sum(last, channels, size):
    """Against float64; the plain sum adds up one place after the other in single precision."""
    inputs, outputs = channels
    rng = np.random.default_rng(size)
    picture = rng.normal(size=(4, inputs, size, size)).astype("float32")
    cotangent = rng.normal(size=(4, outputs, size, size)).astype("float32")
    image, weights, g = at.ftensor4(), at.ftensor4(), at.ftensor4()
    gradient = aesara.grad(None, weights, known_grads={conv2d(image, weights, border_mode="half"): g})
    values = [picture, np.zeros((outputs, inputs, 3, 3), "float32"), cotangent]
    (found,) = xla_result([image, weights, g], [gradient], values, x64=False)
    exact = _gradient_of_filters(picture.astype("float64"), cotangent)
    plain = _gradient_of_filters(picture, cotangent)
    assert 0 < np.abs(found - exact).max() <= 2 * np.abs(plain - exact).max()


def _gradient_of_filters(picture, cotangent):
    """Of 3 x 3 filters that are turned around, in the dtype of `picture`."""
    size = picture.shape[2]
    padded = np.pad(picture, ((0, 0), (0, 0), (1, 1), (1, 1)))
    gradient = np.empty((cotangent.shape[1], picture.shape[1], 3, 3), picture.dtype)
    for row, column in np.ndindex(3, 3):
        part = padded[:, None, :, row : row + size, column : column + size]
        products = np.moveaxis(part * cotangent[:, :, None].astype(picture.dtype), (1, 2), (-2, -1))
        sums = products.reshape(-1, *gradient.shape[:2]).cumsum(0)
        gradient[:, :, 2 - row, 2 - column] = sums[-1]
    return gradient


@pytest.mark.parametrize("shape", [(1, 2000, 3), (3, 2048, 16), (2, 1021, 5), (7, 33, 4)])
def test_columns_are_summed_accurately_whatever_their_length(last, shape):
    """A prime number of rows, one that tiles divide, and few."""
    values, y = np.random.default_rng(1).normal(size=shape) + 3, at.tensor3()
    (found,) = xla_result([y], [y.sum(1)], [values])
    np.testing.assert_allclose(found, values.sum(1), rtol=1e-12)


def test_both_sums_of_a_batch_norm_gradient_are_one_pass(last):
    y = normalised(convolved(border_mode="half"))
    text = hlo([x, w, gamma], gradients([y], [gamma]), [VALUES[i].astype("float32") for i in (0, 1, 3)])
    assert len(re.findall(r"stablehlo.reduce\(.*init.*\), \(.*init.*\) across dimensions = \[1\]", text)) == 1


def test_a_map_is_turned_once_on_its_way_in_and_once_on_its_way_out(last):
    y = at.maximum(normalised(convolved(border_mode="half")), 0)
    y = conv2d(y, v) + 1
    text = hlo([x, w, v, gamma], [y], [value.astype("float32") for value in VALUES])
    turned = re.findall(r"stablehlo.transpose.*?tensor<(\S+?)xf", text)
    assert sorted(size for size in turned if size.startswith("4x")) == ["4x12x10x6", "4x3x12x10"]


def test_a_map_is_not_known_while_tracing_and_tells_its_shape_as_written():
    held = Map(np.zeros((2, 5, 7, 3)))
    assert held.shape == (2, 3, 5, 7) and held.written.shape == held.shape
    assert not concrete(held)
    assert [moved_axis(axis) for axis in (0, 1, 2, 3, -1)] == [0, 3, 1, 2, 2]


def test_a_map_goes_into_a_compiled_function_and_comes_out_as_it_lies():
    held = Map(np.arange(24.0, dtype="float32").reshape(1, 2, 3, 4))
    doubled = jax.jit(lambda m: Map(2 * m.array))(held)
    np.testing.assert_array_equal(doubled.written, 2 * held.written)


def test_numpy_reads_a_map_as_written():
    values = np.arange(24.0).reshape(1, 2, 3, 4)
    np.testing.assert_array_equal(np.asarray(Map(values.transpose(0, 2, 3, 1))), values)


def test_a_value_is_given_the_order_of_another():
    array, held = np.ones((2, 3, 4, 5)), Map(np.ones((1, 1, 1, 1)))
    assert lying_like(array, held).array.shape == (2, 4, 5, 3)
    assert lying_like(Map(array), np.ones(1)).shape == (2, 5, 3, 4)
