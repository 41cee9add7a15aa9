"""Convolutions of maps whose channels lie last, in the forms that XLA's processor code computes fastest.

XLA's matrix kernel for convolutions writes out what it sums over: for each output all inputs under the filter; for a
gradient by weights one map, once for each of their entries. Where the other factor has few channels, writing takes
longer than multiplying. `benchmarks/NOTES.md` has what was measured.
"""

import jax.numpy as jnp
from jax import lax

from .reductions import product
from .registry import active_settings

# How many times as many inputs as outputs a convolution has at least that is made of shifted products.
_MANY = 2

# A map as (channel, rows, columns, batch), whose batch is what the gradient by weights sums over.
_BATCH_LAST = (0, 3, 1, 2)

# The output's gradient, (batch, rows, columns, channel), as the filters of that sum.
_FILTERS = (3, 0, 1, 2)

# Bytes of a map that are turned into that order at once.
_BLOCK = 800 * 1024

# From how many channels on, of two maps that have as many, the gradient's is slid over by the input, which was faster.
_WIDE = 128


def convolve(x, w, dtype, **options):
    """`lax.conv_general_dilated` with a result of `dtype`, under the active `Settings`."""
    rounded = active_settings().matmul_dtype
    if rounded and dtype == jnp.float32:
        x, w = x.astype(rounded), w.astype(rounded)
    return lax.conv_general_dilated(x, w, preferred_element_type=dtype, **options)


def has_few_outputs(w):
    """Whether filters (outputs, rows, columns, inputs) have so few outputs that :func:`shifted_products` is quicker."""
    outputs, rows, columns, inputs = w.shape
    return rows * columns > 1 and _MANY * outputs <= inputs


def shifted_products(x, w, padding):
    """A correlation as one product with all entries of the filters, and the sum of its parts, each shifted.

    Parameters
    ----------
    x : jax.Array
        (batch, rows, columns, inputs).
    w : jax.Array
        (outputs, rows, columns, inputs).
    padding : list of (int, int)
        Before and after the rows and the columns.

    Returns
    -------
    jax.Array
        (batch, rows, columns, outputs).
    """
    outputs, height, width, inputs = w.shape
    by_entry = w.transpose(1, 2, 0, 3).reshape(-1, inputs)
    products = product(x.reshape(-1, inputs), by_entry, ((1,), (1,))).reshape(*x.shape[:3], -1)
    zero, total = jnp.zeros((), x.dtype), None
    for entry in range(height * width):
        part = products[..., entry * outputs : (entry + 1) * outputs]
        shifts = zip(divmod(entry, width), padding, (height, width), strict=True)
        edges = [(low - shift, high - (size - 1 - shift), 0) for shift, (low, high), size in shifts]
        part = lax.pad(part, zero, [(0, 0, 0), *edges, (0, 0, 0)])
        total = part if total is None else total + part
    return total


def gradient_by_weights(x, g, stride, padding):
    """The gradient of a correlation by its filters.

    Parameters
    ----------
    x, g : jax.Array
        The input and the output's gradient, both (batch, rows, columns, channel).
    stride : tuple of int
        Of the rows and of the columns.
    padding : list of (int, int)
        Before and after the rows and the columns; what comes after may be negative.

    Returns
    -------
    jax.Array
        (outputs, rows, columns, inputs).
    """
    inputs, outputs = x.shape[3], g.shape[3]
    # Of two maps of one size either may be slid over. The filters' entries then come in the other direction.
    exchanged = x.shape[:3] == g.shape[:3] and (inputs > outputs or inputs == outputs >= _WIDE)
    if exchanged:
        x, g, padding = g, x, [edges[::-1] for edges in padding]
    numbers = lax.ConvDimensionNumbers(_BATCH_LAST, _FILTERS, (0, 3, 1, 2) if exchanged else (3, 0, 1, 2))
    options = {"window_strides": (1, 1), "rhs_dilation": stride, "dimension_numbers": numbers}
    w = convolve(_batch_last(x), g, g.dtype, padding=padding, **options)
    return lax.rev(w, (1, 2)) if exchanged else w


def _batch_last(x):
    """A map whose channels lie last, as (channel, rows, columns, batch), which XLA's kernel for this gradient wants.

    Turned as a whole, it would be read from beginning to end for each channel. So it is turned in blocks of rows that
    stay in the processor's cache.
    """
    rows = max(1, _BLOCK * x.shape[1] // (x.size * x.dtype.itemsize))
    blocks = [x[:, first : first + rows].transpose(3, 1, 2, 0) for first in range(0, x.shape[1], rows)]
    return jnp.concatenate(blocks, 1)
