"""Convolution and its two gradients, as XLA's convolutions."""

import math
from functools import partial

import jax.numpy as jnp
from aesara.tensor.nnet.abstract_conv import (
    AbstractConv,
    AbstractConv_gradInputs,
    AbstractConv_gradWeights,
    border_mode_to_pad,
)
from jax import lax

from . import local_convolution
from .devices import over_devices
from .order import Map, moved, of_maps, written
from .processor_convolution import convolve, gradient_by_weights, has_few_outputs, shifted_products
from .reductions import product
from .registry import active_settings, as_array, channels_last, known_integers, lowering, output_dtype

# Aesara's order of dimensions (batch, channel, rows, columns), as lax numbers them; the order for a gradient exchanges
# the first two.
_ORDER = {
    2: lax.ConvDimensionNumbers((0, 1, 2, 3), (0, 1, 2, 3), (0, 1, 2, 3)),
    3: lax.ConvDimensionNumbers((0, 1, 2, 3, 4), (0, 1, 2, 3, 4), (0, 1, 2, 3, 4)),
}

# The same of maps whose channels lie last, filters among them.
_LAST = lax.ConvDimensionNumbers((0, 3, 1, 2), (0, 3, 1, 2), (0, 3, 1, 2))

# How many times as many products a gradient by the input would have as a convolution as it needs, before it is computed
# otherwise. At less, as in the last layers of fractional max-pooling, committed results were computed as convolutions.
_LEAST_WASTE = 4


def _order(op):
    """How the maps of a convolution lie."""
    return _LAST if op.convdim == 2 and op.num_groups == 1 and channels_last() else _ORDER[op.convdim]


def _in(order, value, dtype):
    """A map as an array that lies in `order`."""
    if order is not _LAST:
        return as_array(written(value), dtype)
    return as_array(value.stored if isinstance(value, Map) else moved(value), dtype)


def _map(order, array):
    """A value of a graph, of an array that lies in `order`."""
    return Map(array) if order is _LAST else array


def _filters(order, w, dtype):
    """Filters as an array that lies in `order`."""
    return as_array(moved(w) if order is _LAST else written(w), dtype)


def _exchanged(order):
    return (order[1], order[0], *order[2:])


def _flipped(w, order, flip=True):
    """Filters turned around: a convolution does that, XLA's does not."""
    return lax.rev(w, order.rhs_spec[2:]) if flip else w


def _is_dense(op):
    """Whether the filters are applied everywhere, and their entries lie side by side."""
    return op.subsample == op.filter_dilation == (1, 1)


def _padding(op, filter_shape):
    reach = [(k - 1) * d + 1 for k, d in zip(filter_shape, op.filter_dilation, strict=True)]
    return border_mode_to_pad(op.border_mode, op.convdim, reach)


@lowering.register(AbstractConv)
def _forward(op, node):
    if op.unshared:
        return local_convolution.forward(op, node)

    @of_maps
    def convolution(x, w):
        dtype, order = output_dtype(node), _order(op)
        padding = _padding(op, w.shape[2:])
        x, w = _in(order, x, dtype), _flipped(_filters(order, w, dtype), order, op.filter_flip)
        if order is _LAST and _is_dense(op) and has_few_outputs(w):
            return Map(shifted_products(x, w, padding))
        y = convolve(
            x,
            w,
            dtype,
            window_strides=op.subsample,
            padding=padding,
            rhs_dilation=op.filter_dilation,
            dimension_numbers=order,
            feature_group_count=op.num_groups,
        )
        return _map(order, y)

    return convolution


@lowering.register(AbstractConv_gradWeights)
def _gradient_by_weights(op, node):
    if op.unshared:
        return local_convolution.gradient_by_weights(op, node)

    @of_maps
    def gradient(x, g, shape):
        """Correlate the input with the output's gradient; the batch is what is summed over."""
        dtype, order = output_dtype(node), _order(op)
        filter_shape = known_integers(shape, "the shape of a convolution's filters")
        padding = [
            (low, (k - 1) * dilation + (out - 1) * stride + 1 - size - low)
            for (low, _), k, dilation, stride, size, out in zip(
                _padding(op, filter_shape),
                filter_shape,
                op.filter_dilation,
                op.subsample,
                x.shape[2:],
                g.shape[2:],
                strict=True,
            )
        ]
        larger = any(out > size for out, size in zip(g.shape[2:], x.shape[2:], strict=True))
        x, g = _in(order, x, dtype), _in(order, g, dtype)
        if larger:
            # Where what is slid is larger than the unpadded map, XLA's CPU compiler has plain loops, 5 to 20 times as
            # slow as its matrix kernel. The barrier keeps it from taking the padding back into the convolution.
            edges = [(0, 0, 0), (0, 0, 0), *((low, high, 0) for low, high in padding)]
            x = lax.pad(x, jnp.zeros((), dtype), [edges[order.lhs_spec.index(axis)] for axis in range(x.ndim)])
            x, padding = lax.optimization_barrier(x), [(0, 0)] * op.convdim
        correlate = partial(_summed_over_batch, op, order, filter_shape, padding)
        return _map(order, over_devices(correlate, [x, g], [0, 0]))

    return gradient


def _summed_over_batch(op, order, filter_shape, padding, x, g):
    """The gradient by the filters, of an input and an output's gradient that lie in `order`; it lies so too."""
    if order is _LAST and filter_shape == (1, 1) and padding == [(0, 0), (0, 0)]:
        return _products(x[:, :: op.subsample[0], :: op.subsample[1]], g)
    if order is _LAST and op.filter_dilation == (1, 1):
        return _flipped(gradient_by_weights(x, g, op.subsample, padding), order, op.filter_flip)
    maps = _exchanged(order.lhs_spec)
    w = convolve(
        x,
        g,
        g.dtype,
        window_strides=op.filter_dilation,
        padding=padding,
        rhs_dilation=op.subsample,
        dimension_numbers=lax.ConvDimensionNumbers(maps, maps, _exchanged(order.rhs_spec)),
        batch_group_count=op.num_groups,
    )
    return _flipped(w, order, op.filter_flip)


def _products(x, g):
    """The gradient of filters of one entry, of two maps whose channels lie last: products summed over all places."""
    return product(g, x, ((0, 1, 2), (0, 1, 2)))[:, None, None]


@lowering.register(AbstractConv_gradInputs)
def _gradient_by_inputs(op, node):
    if op.unshared:
        return local_convolution.gradient_by_inputs(op, node)

    @of_maps
    def gradient(w, g, shape):
        """Convolve the output's gradient, spread out by the stride, with the filters turned around."""
        dtype, order = output_dtype(node), _order(op)
        filter_shape = w.shape[2:]
        sizes = known_integers(shape, "the shape of a convolution's input")
        larger = any(k > out for k, out in zip(filter_shape, g.shape[2:], strict=True))
        if larger and math.prod(sizes) > _LEAST_WASTE * math.prod(g.shape[2:]):
            return _overlapped(op, as_array(written(w), dtype), as_array(written(g), dtype), sizes)
        padding = [
            ((k - 1) * dilation - low, size + low - 1 - (out - 1) * stride)
            for (low, _), k, dilation, stride, size, out in zip(
                _padding(op, filter_shape),
                filter_shape,
                op.filter_dilation,
                op.subsample,
                sizes,
                g.shape[2:],
                strict=True,
            )
        ]
        w = _flipped(_filters(order, w, dtype), order, not op.filter_flip)
        if order is _LAST and _is_dense(op) and has_few_outputs(exchanged := w.transpose(3, 1, 2, 0)):
            return Map(shifted_products(_in(order, g, dtype), exchanged, padding))
        groups = op.num_groups
        if groups > 1:
            # (groups * outputs, inputs, ...) -> (outputs, groups * inputs, ...)
            outputs, inputs = w.shape[0] // groups, w.shape[1]
            w = w.reshape(groups, outputs, inputs, *filter_shape)
            w = jnp.moveaxis(w, 0, 1).reshape(outputs, groups * inputs, *filter_shape)
        x = convolve(
            _in(order, g, dtype),
            w,
            dtype,
            window_strides=(1,) * op.convdim,
            padding=padding,
            lhs_dilation=op.subsample,
            rhs_dilation=op.filter_dilation,
            dimension_numbers=lax.ConvDimensionNumbers(order.lhs_spec, _exchanged(order.rhs_spec), order.out_spec),
            feature_group_count=groups,
        )
        return _map(order, x)

    return gradient


def _overlapped(op, w, g, sizes):
    """The gradient by the input where the filter is larger than the map that it made: all products, then their sums.

    As a convolution most of it would be products with padding, in XLA's plain loops on a processor: a thousand times as
    slow, where the filter is as wide as the input.
    """
    filter_shape, places, groups = w.shape[2:], g.shape[2:], op.num_groups
    w = _flipped(w, _ORDER[op.convdim], op.filter_flip).reshape(groups, w.shape[0] // groups, -1)
    dtype, rounded = g.dtype, active_settings().matmul_dtype
    if rounded and dtype == jnp.float32:
        w, g = w.astype(rounded), g.astype(rounded)
    by_place = g.reshape(g.shape[0], groups, w.shape[1], -1)
    products = jnp.einsum("gok,ngop->ngkp", w, by_place, preferred_element_type=dtype)
    products = products.reshape(g.shape[0], -1, *filter_shape, *places)
    lows = [low for low, _ in _padding(op, filter_shape)]
    for axis, (stride, dilation, low, size) in enumerate(
        zip(op.subsample, op.filter_dilation, lows, sizes, strict=True)
    ):
        products = _sum_along(products, (2 + axis, 2 + op.convdim), (dilation, stride), low, size)
    return products


def _sum_along(products, axes, steps, low, size):
    """Sums of products that fall on one entry of the input, along one of its axes.

    Parameters
    ----------
    products : array
    axes : tuple of int
        Of the filter's entries, and of the places where it was applied; the second is summed away.
    steps : tuple of int
        How far apart in the input are two of the filter's entries, and two places.
    low : int
        Padding before the input.
    size : int
        Of the input.
    """
    # The fewer of the two are added one by one.
    if products.shape[axes[0]] < products.shape[axes[1]]:
        products, steps = jnp.swapaxes(products, *axes), steps[::-1]
    zero, length = jnp.zeros((), products.dtype), (products.shape[axes[0]] - 1) * steps[0] + 1
    total = None
    for index in range(products.shape[axes[1]]):
        part = lax.index_in_dim(products, index, axes[1], keepdims=False)
        first = index * steps[1] - low
        edges = [(0, 0, 0)] * part.ndim
        edges[axes[0]] = (first, size - first - length, steps[0] - 1)
        part = lax.pad(part, zero, edges)
        total = part if total is None else total + part
    return total
