"""Computing with what a mask selects, without knowing how much that is.

``x[mask]`` and ``x[mask.nonzero()]`` have as many elements as the data say, and XLA's shapes are fixed. So all rows are
kept, and computed with, and those that are not selected are left out where rows come together: in sums, in products of
matrices, and where they go back to their places. What must know the length is refused.
"""

import dataclasses
import functools
import math

import jax.numpy as jnp
import numpy as np
from aesara.compile.ops import DeepCopyOp, ViewOp
from aesara.tensor.elemwise import DimShuffle, Elemwise
from aesara.tensor.math import All, Any, Argmax, Dot, Max, MaxAndArgmax, Mean, Min, Prod, ProdWithoutZeros, Sum
from aesara.tensor.nnet.basic import (
    CrossentropyCategorical1Hot,
    CrossentropyCategorical1HotGrad,
    CrossentropySoftmax1HotWithBiasDx,
    CrossentropySoftmaxArgmax1HotWithBias,
    SoftmaxWithBias,
)
from aesara.tensor.shape import Shape, Shape_i
from aesara.tensor.special import LogSoftmax, Softmax, SoftmaxGrad
from aesara.tensor.subtensor import (
    AdvancedIncSubtensor,
    AdvancedIncSubtensor1,
    AdvancedSubtensor,
    AdvancedSubtensor1,
    IncSubtensor,
    Subtensor,
)

from .order import written
from .registry import as_array, canonical, output_dtype
from .selected import Selected


def places(mask, node):
    """The indices of the elements of `mask` that are true, one array of them for each of its dimensions."""
    indices = np.unravel_index(np.arange(math.prod(mask.shape)), mask.shape)
    return [Selected(jnp.asarray(index.reshape(-1)), mask, node, place=place) for place, index in enumerate(indices)]


def taken(x, mask, node):
    """The elements of `x` for which `mask`, of its first dimensions, is true."""
    x = as_array(x)
    if x.shape[: mask.ndim] != mask.shape:
        raise IndexError(f"got a mask of shape {mask.shape}, expected that of the first dimensions of {x.shape}")
    return Selected(x.reshape(-1, *x.shape[mask.ndim :]), mask, node)


def put(x, y, mask, replaces, node):
    """`x` with `y` in place of, or added to, the elements for which `mask` is true.

    Parameters
    ----------
    y : array or Selected
        One of a length that is not known must have been selected by the same mask.
    """
    trailing = x.shape[mask.ndim :]
    if isinstance(y, Selected):
        if y.mask is not mask or y.axis:
            raise y.refused(node)
        y = y.rows.reshape(*mask.shape, *y.rows.shape[1:])
    elif np.ndim(y) > len(trailing) and np.shape(y)[0] == 1:
        y = y[0]
    elif np.ndim(y) > len(trailing):
        raise NotImplementedError(
            "a mask that depends on the data selects an unknown number of elements, but XLA's shapes are fixed: "
            "write where(mask, x, 0) instead"
        )
    chosen = (mask != 0).reshape(*mask.shape, *(1,) * len(trailing))
    return jnp.where(chosen, y if replaces else x + y, x)


def computed(node, function, arguments, compute):
    """The values of the outputs of a node that is given selections.

    Parameters
    ----------
    node : aesara.graph.basic.Apply
    function : callable
        Its lowering.
    arguments : sequence
    compute : callable
        What computes a node of arrays.

    Raises
    ------
    NotImplementedError
        If the node must know how much is selected; its `origin` is the node that selected.
    """
    given = [value for value in arguments if isinstance(value, Selected)]
    first = given[0]
    if any(value.mask is not first.mask for value in given):
        raise first.refused(node)
    arguments = [written(value) for value in arguments]
    results = _handlers.dispatch(type(node.op))(node, functools.partial(compute, node, function), arguments, first)
    if results is None:
        raise first.refused(node)
    return results


@functools.singledispatch
def _handlers(node, call, arguments, first):
    """Compute a node of selections by one mask, of which `first` is one; None if that cannot be done.

    `call` computes the node of the arrays that it is given.
    """
    return None


def _register(*kinds):
    def register(handle):
        for kind in kinds:
            _handlers.register(kind, handle)
        return handle

    return register


def _rows(arguments):
    return [value.rows if isinstance(value, Selected) else value for value in arguments]


def _among_rows(first, results, axis=0):
    return [dataclasses.replace(first, rows=rows, axis=axis, place=None) for rows in results]


def _filled(selection, filling):
    """All rows, with `filling` in those that are not selected."""
    shape = [1] * selection.ndim
    shape[selection.axis] = -1
    chosen = (selection.mask != 0).reshape(shape)
    return jnp.where(chosen, selection.rows, jnp.asarray(filling, selection.dtype))


def _count(selection):
    return jnp.sum(selection.mask != 0, dtype=canonical("int64"))


@_register(DeepCopyOp, ViewOp)
def _passed_on(node, call, arguments, first):
    return [first]


@_register(Elemwise)
def _elementwise(node, call, arguments, first):
    for value in arguments:
        aligned = value.axis == first.axis if isinstance(value, Selected) else np.shape(value)[first.axis] == 1
        if not aligned:
            return None
    return _among_rows(first, call(_rows(arguments)), first.axis)


@_register(DimShuffle)
def _turned(node, call, arguments, first):
    order = node.op.new_order
    return _among_rows(first, call(_rows(arguments)), order.index(first.axis)) if first.axis in order else None


def _extreme(dtype, sign):
    """The largest number of a dtype, or the smallest."""
    if jnp.issubdtype(dtype, jnp.floating):
        return sign * jnp.inf
    if jnp.issubdtype(dtype, jnp.bool_):
        return sign > 0
    return jnp.iinfo(dtype).max if sign > 0 else jnp.iinfo(dtype).min


# What changes nothing in a reduction, of the dtype of its operand.
_NEUTRAL = {
    Sum: lambda dtype: 0,
    Mean: lambda dtype: 0,
    Prod: lambda dtype: 1,
    ProdWithoutZeros: lambda dtype: 1,
    Max: lambda dtype: _extreme(dtype, -1),
    Min: lambda dtype: _extreme(dtype, 1),
    All: lambda dtype: True,
    Any: lambda dtype: False,
}


def _axes(op, first):
    """The dimensions that a reduction drops, in their order."""
    return range(first.ndim) if op.axis is None else sorted(int(axis) % first.ndim for axis in np.atleast_1d(op.axis))


def _left(first, axes, call):
    """A reduction within the rows."""
    return _among_rows(first, call([first.rows]), first.axis - sum(axis < first.axis for axis in axes))


@_register(*_NEUTRAL)
def _reduced(node, call, arguments, first):
    axes = _axes(node.op, first)
    if first.axis not in axes:
        return _left(first, axes, call)
    neutral = next(filling for kind, filling in _NEUTRAL.items() if isinstance(node.op, kind))
    (result,) = call([_filled(first, neutral(first.dtype))])
    if isinstance(node.op, Mean):
        result = result * (first.rows.shape[first.axis] / _count(first)).astype(result.dtype)
    return [result]


@_register(Argmax, MaxAndArgmax)
def _largest(node, call, arguments, first):
    axes = _axes(node.op, first)
    if first.axis not in axes:
        return _left(first, axes, call)
    if first.axis != axes[0]:
        return None
    *largest, place = call([_filled(first, _extreme(first.dtype, -1))])
    # Its place among the rows that are selected.
    within = math.prod(first.rows.shape[axis] for axis in axes[1:])
    rank = jnp.cumsum((first.mask != 0).reshape(-1)) - 1
    return [*largest, rank[place // within] * within + place % within]


@_register(Shape)
def _shape(node, call, arguments, first):
    sizes = list(first.rows.shape)
    sizes[first.axis] = _count(first)
    return [jnp.stack([as_array(size, "int64") for size in sizes])]


@_register(Shape_i)
def _size(node, call, arguments, first):
    return [_count(first)] if node.op.i == first.axis else [np.array(first.rows.shape[node.op.i], np.int64)]


@_register(Softmax, LogSoftmax, SoftmaxGrad)
def _softmax(node, call, arguments, first):
    axis = node.op.axis
    if axis is None or axis % first.ndim == first.axis:
        return None
    return _elementwise(node, call, arguments, first)


@_register(
    CrossentropyCategorical1Hot,
    CrossentropyCategorical1HotGrad,
    CrossentropySoftmax1HotWithBiasDx,
    CrossentropySoftmaxArgmax1HotWithBias,
    SoftmaxWithBias,
)
def _row_by_row(node, call, arguments, first):
    biased = isinstance(node.op, CrossentropySoftmaxArgmax1HotWithBias | SoftmaxWithBias)
    for place, value in enumerate(arguments):
        shared = np.ndim(value) == 0 or (biased and place == 1)
        if shared == isinstance(value, Selected):
            return None
    return _among_rows(first, call(_rows(arguments)))


@_register(Dot)
def _product(node, call, arguments, first):
    x, y = arguments
    if isinstance(x, Selected) and isinstance(y, Selected):
        # What is not selected may be no number.
        return call([_filled(x, 0), _filled(y, 0)]) if x.axis == x.ndim - 1 and y.axis == 0 else None
    if isinstance(x, Selected):
        return _among_rows(first, call([x.rows, y])) if x.ndim == 2 and x.axis == 0 else None
    return _among_rows(first, call([x, y.rows]), node.outputs[0].ndim - 1) if y.ndim == 2 and y.axis == 1 else None


@_register(Subtensor, IncSubtensor)
def _indexed(node, call, arguments, first):
    op, (x, *others) = node.op, arguments
    if not isinstance(x, Selected) or x.axis or not op.idx_list or op.idx_list[0] != slice(None):
        return None
    if isinstance(op, IncSubtensor):
        y, dimensions = others[0], x.ndim - sum(not isinstance(index, slice) for index in op.idx_list)
        along = y.axis == 0 if isinstance(y, Selected) else np.shape(y)[:1] == (1,)
        if np.ndim(y) == dimensions and not along:
            return None
    return _among_rows(first, call(_rows(arguments)))


def _in_place(x, indices):
    """Whether `indices` are those of all elements that a mask of the first dimensions of `x` selects."""
    mask = indices[0].mask
    return [index.place for index in indices] == list(range(mask.ndim)) and x.shape[: mask.ndim] == mask.shape


@_register(AdvancedSubtensor, AdvancedSubtensor1)
def _gathered(node, call, arguments, first):
    x, *indices = arguments
    if isinstance(x, Selected) or not all(isinstance(index, Selected) and index.ndim == 1 for index in indices):
        return None
    if _in_place(x, indices):
        return [taken(x, first.mask, first.origin)]
    return _among_rows(first, call(_rows(arguments)))


@_register(AdvancedIncSubtensor, AdvancedIncSubtensor1)
def _scattered(node, call, arguments, first):
    x, y, *indices = arguments
    replaces = node.op.set_instead_of_inc
    if isinstance(x, Selected) or getattr(node.op, "ignore_duplicates", False):
        return None
    dtype = output_dtype(node)
    x = as_array(x, dtype)
    if len(indices) == 1 and indices[0] is first.mask:
        return [put(x, y, first.mask, replaces, node)]
    if not all(isinstance(index, Selected) and index.ndim == 1 for index in indices):
        return None
    if _in_place(x, indices):
        return [put(x, y, first.mask, replaces, node)]
    if not isinstance(y, Selected) and np.ndim(y) > x.ndim - len(indices) and np.shape(y)[0] != 1:
        return None
    nowhere = _filled(indices[0], x.shape[0])
    at = x.at[(nowhere, *_rows(indices[1:]))]
    y = as_array(_rows([y])[0], dtype)
    return [at.set(y, mode="drop") if replaces else at.add(y, mode="drop")]
