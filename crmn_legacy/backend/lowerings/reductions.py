"""Sums and other reductions, and matrix products."""

import math

import jax.numpy as jnp
from aesara.scalar import basic as scalar
from aesara.tensor.blas import BatchedDot, Dot22, Dot22Scalar, Gemm, Gemv, Ger
from aesara.tensor.elemwise import CAReduce, DimShuffle
from aesara.tensor.extra_ops import CumOp
from aesara.tensor.math import (
    All,
    Any,
    Argmax,
    Dot,
    MatMul,
    Max,
    MaxAndArgmax,
    Mean,
    Min,
    Prod,
    ProdWithoutZeros,
    Sum,
)
from jax import lax

from .devices import over_devices
from .order import keeping_order, moved_axis
from .registry import active_settings, as_array, lowering, on_processor, output_dtype

# From how many summed elements on a sum is written as a matrix product with ones.
LONG_SUM = 256
# The longest row of such a product; longer sums are folded into rows first.
ROW = 4096
# How many rows are added up at once where columns are summed. So few are written out one by one, and the loop over the
# columns then has vectors; of more than 10 some widths had none.
TILE = 8
# XLA writes a sum over more rows as sums over windows, which it does not fuse with what makes the rows; and it fuses a
# sum over as many or fewer into the sum of what it gives.
FUSED = 32


def long_sum(x, axes):
    """Sum over `axes` and drop them, quickly and accurately.

    XLA's processor code sums float32 one after another, in one lane: slow, and wrong in the third digit from some
    millions of elements on. A product with a vector of ones has many partial sums. A short sum stays plain, since XLA
    then fuses it with what made its operand.

    Parameters
    ----------
    x : jax.Array
        Real numbers.
    axes : sequence of int
        Not negative, each once.

    Returns
    -------
    jax.Array
        Without the dimensions `axes`.
    """
    return long_sums([x], axes)[0]


def long_sums(arrays, axes):
    """`long_sum` of several arrays.

    Parameters
    ----------
    arrays : sequence of jax.Array
        Of one shape and dtype. What several of them are made of is read once, where their sums are of columns.
    axes : sequence of int
        Not negative, each once.

    Returns
    -------
    list of jax.Array
        Without the dimensions `axes`.
    """
    axes = sorted(axes)
    if 0 not in axes:
        return _long_sums(arrays, axes)
    return over_devices(lambda *parts: _long_sums(parts, axes), arrays, [0] * len(arrays))


def _long_sums(arrays, axes):
    x = arrays[0]
    count = math.prod(x.shape[axis] for axis in axes)
    # On other devices XLA's own sums are trees, and fused with what they add up.
    if count < LONG_SUM or x.size == 0 or not jnp.issubdtype(x.dtype, jnp.floating) or not on_processor():
        return [jnp.sum(x, axes) for x in arrays]
    trailing = 0
    while trailing < len(axes) and axes[-1 - trailing] == x.ndim - 1 - trailing:
        trailing += 1
    if trailing:
        kept = x.shape[: x.ndim - trailing]
        summed = [_sum_rows(x.reshape(math.prod(kept), -1)).reshape(kept) for x in arrays]
        return _long_sums(summed, axes[:-trailing])
    first = last = axes[-1]
    while first - 1 in axes:
        first -= 1
    before, after = x.shape[:first], x.shape[last + 1 :]
    summed = _sum_middle([x.reshape(math.prod(before), -1, math.prod(after)) for x in arrays])
    return _long_sums([x.reshape(*before, *after) for x in summed], [axis for axis in axes if axis < first])


def _ones_product(rows, ones, contracted):
    return lax.dot_general(rows, ones, (((contracted,), (0,)), ((), ())), precision=lax.Precision.HIGHEST)


def _sum_rows(rows):
    """Sum a matrix over its second dimension."""
    number, length = rows.shape
    if length < LONG_SUM:
        return jnp.sum(rows, 1)
    if length > 2 * ROW or number == 1:
        width = _row_width(length)
        padding = -length % width
        if padding:
            rows = jnp.pad(rows, ((0, 0), (0, padding)))
        folded = _ones_product(rows.reshape(-1, width), jnp.ones(width, rows.dtype), 1)
        return _sum_rows(folded.reshape(number, -1))
    return _ones_product(rows, jnp.ones(length, rows.dtype), 1)


def _row_width(length):
    # A divisor saves the padding's copy.
    for width in range(ROW, 63, -1):
        if length % width == 0 and length // width > 1:
            return width
    return 512


def _sum_middle(arrays):
    """Sum arrays of three dimensions over the second, in one pass over all of them."""
    number, length, width = arrays[0].shape
    tile = next((tile for tile in range(TILE, 3, -1) if length % tile == 0), TILE)
    if length <= FUSED * tile:
        return _sums(arrays)
    arrays = [jnp.pad(x, ((0, 0), (0, -length % tile), (0, 0))).reshape(-1, tile, width) for x in arrays]
    # Without the barrier XLA makes one sum of both, in one lane.
    tiles = lax.optimization_barrier(_sums(arrays))
    return [jnp.sum(x.reshape(number, -1, width), 1) for x in tiles]


def _sums(arrays):
    """Sum arrays of one shape over their second dimension, in one loop."""
    zeros = [jnp.zeros((), x.dtype) for x in arrays]
    return lax.reduce(list(arrays), zeros, lambda sums, terms: [*map(jnp.add, sums, terms)], (1,))


def _over_axes(op, function):
    """The lowered function of a reduction: `function` of an array and the axes to drop."""

    def of_last(x):
        axes = _axes(op, x)
        kept = [moved_axis(axis) for axis in range(4) if axis not in axes]
        reduced = function(x, [moved_axis(axis) for axis in axes])
        # With nothing dropped it is a map as before.
        return reduced.transpose([sorted(kept).index(axis) for axis in kept]) if axes else reduced

    return keeping_order(lambda x: function(x, _axes(op, x)), of_last)


def _axes(op, x):
    axis = op.axis
    if axis is None:
        return tuple(range(x.ndim))
    return tuple(int(a) % max(x.ndim, 1) for a in (axis if isinstance(axis, tuple | list) else (axis,)))


@lowering.register(Sum)
def _sum(op, node):
    dtype = node.outputs[0].type.dtype

    return _over_axes(op, lambda x, axes: long_sum(as_array(x, dtype), axes))


@lowering.register(Mean)
def _mean(op, node):
    dtype = node.outputs[0].type.dtype

    def mean(x, axes):
        return long_sum(as_array(x, dtype), axes) / math.prod(x.shape[axis] for axis in axes)

    return _over_axes(op, mean)


def _reducing(function):
    def lowered(op, node):
        dtype = node.outputs[0].type.dtype

        kept_dtype = None if dtype == "bool" else dtype
        return _over_axes(op, lambda x, axes: function(as_array(x, kept_dtype), tuple(axes)))

    return lowered


_REDUCTIONS = {
    Prod: jnp.prod,
    ProdWithoutZeros: lambda x, axes: jnp.prod(jnp.where(x == 0, 1, x), axes),
    Max: jnp.max,
    Min: jnp.min,
    All: jnp.all,
    Any: jnp.any,
}
for _op, _function in _REDUCTIONS.items():
    lowering.register(_op, _reducing(_function))


@lowering.register(CAReduce)
def _reduction(op, node):
    for kind, function in {
        scalar.Add: long_sum,
        scalar.Mul: jnp.prod,
        scalar.ScalarMaximum: jnp.max,
        scalar.ScalarMinimum: jnp.min,
        scalar.AND: jnp.bitwise_and.reduce,
        scalar.OR: jnp.bitwise_or.reduce,
        scalar.XOR: jnp.bitwise_xor.reduce,
    }.items():
        if isinstance(op.scalar_op, kind):
            return _reducing(function)(op, node)
    raise NotImplementedError(f"no XLA lowering for the reduction by {op.scalar_op}")


def _last(x, axes):
    kept = [axis for axis in range(x.ndim) if axis not in axes]
    return x.transpose(*kept, *axes).reshape(*(x.shape[axis] for axis in kept), -1)


@lowering.register(Argmax)
def _argmax(op, node):
    return lambda x: jnp.argmax(_last(as_array(x), _axes(op, x)), -1)


@lowering.register(MaxAndArgmax)
def _max_and_argmax(op, node):
    def max_and_argmax(x):
        x = as_array(x)
        axes = _axes(op, x)
        return jnp.max(x, axes), jnp.argmax(_last(x, axes), -1)

    return max_and_argmax


@lowering.register(CumOp)
def _cumulative(op, node):
    function = {"add": jnp.cumsum, "mul": jnp.cumprod}[op.mode]
    dtype = node.outputs[0].type.dtype
    return lambda x: function(as_array(x, dtype), axis=op.axis)


def product(x, y, contracted, batched=((), ())):
    """`lax.dot_general` under the active `Settings`.

    Parameters
    ----------
    x, y : jax.Array
        Of one dtype.
    contracted, batched : pair of tuples of int
        The dimensions of `x` and of `y` to sum over, and to keep in step.
    """
    dtype = x.dtype
    if active_settings().matmul_dtype and dtype == jnp.float32:
        x, y = x.astype(active_settings().matmul_dtype), y.astype(active_settings().matmul_dtype)
    return lax.dot_general(x, y, (contracted, batched), preferred_element_type=dtype)


def _transposed(variable):
    node = variable.owner
    return node is not None and isinstance(node.op, DimShuffle) and tuple(node.op.new_order) == (1, 0)


def _regular_length(length):
    """The next length that all processors cut into the same blocks."""
    return -length % 64 if length > 64 else (1 << max(length - 1, 7).bit_length()) - length


def _dot(x, y, over_batch):
    if over_batch and x.ndim == y.ndim == 2:
        return over_devices(_sum_of_products, [x, y], [1, 0])
    return product(x, y, ((x.ndim - 1,), (0,)))


def _sum_of_products(x, y):
    """The gradient of a weight, which sums over the batch."""
    # Where `matmul_blocking.pin` could not fix them, the processor's caches decide how XLA blocks that sum, unless its
    # length is a regular one; zeros change no sum.
    padding = _regular_length(x.shape[1])
    if padding:
        x, y = jnp.pad(x, ((0, 0), (0, padding))), jnp.pad(y, ((0, padding), (0, 0)))
    return product(x, y, ((x.ndim - 1,), (0,)))


@lowering.register(Dot)
@lowering.register(Dot22)
def _dot_node(op, node):
    over_batch = _transposed(node.inputs[0])

    def dot(x, y):
        dtype = output_dtype(node)
        return _dot(as_array(x, dtype), as_array(y, dtype), over_batch)

    return dot


@lowering.register(Dot22Scalar)
def _dot22_scalar(op, node):
    over_batch = _transposed(node.inputs[0])
    return lambda x, y, a: _dot(x, y, over_batch) * a


@lowering.register(Gemm)
def _gemm(op, node):
    over_batch = _transposed(node.inputs[2])
    return lambda z, a, x, y, b: b * z + a * _dot(x, y, over_batch)


@lowering.register(Gemv)
def _gemv(op, node):
    return lambda y, alpha, a, x, beta: beta * y + alpha * _dot(a, x, False)


@lowering.register(Ger)
def _ger(op, node):
    return lambda a, alpha, x, y: a + alpha * x[:, None] * y[None, :]


@lowering.register(BatchedDot)
def _batched_dot(op, node):
    def batched_dot(x, y):
        dtype = output_dtype(node)
        return product(as_array(x, dtype), as_array(y, dtype), ((x.ndim - 1,), (1,)), ((0,), (0,)))

    return batched_dot


@lowering.register(MatMul)
def _matrix_product(op, node):
    dtype = node.outputs[0].type.dtype
    return lambda x, y: jnp.matmul(as_array(x, dtype), as_array(y, dtype))
