"""Ops that change shapes, make arrays, or pass a value on."""

import functools

import jax.numpy as jnp
import numpy as np
from aesara.compile.ops import DeepCopyOp, ViewOp
from aesara.tensor.basic import (
    Alloc,
    AllocEmpty,
    ARange,
    Eye,
    Join,
    MakeVector,
    ScalarFromTensor,
    Split,
    TensorFromScalar,
    Tri,
)
from aesara.tensor.elemwise import DimShuffle
from aesara.tensor.extra_ops import BroadcastTo, CpuContiguous, Repeat
from aesara.tensor.shape import Reshape, Shape, Shape_i, SpecifyShape, Unbroadcast
from jax import lax

from .duals import Dual, of_duals, traced_of
from .joining import joined
from .order import Map, keeping_order, moved, moved_axis, of_maps
from .registry import as_array, concrete, known_integers, lowering, output_dtype


def _identity(op, node):
    return of_maps(lambda x, *_: x)


for _op in (DeepCopyOp, ViewOp, Unbroadcast, TensorFromScalar, ScalarFromTensor, CpuContiguous):
    lowering.register(_op, _identity)


@lowering.register(Shape)
def _shape(op, node):
    return of_maps(lambda x: np.array(np.shape(x), np.int64))


@lowering.register(Shape_i)
def _shape_i(op, node):
    return of_maps(lambda x: np.array(np.shape(x)[op.i], np.int64))


@lowering.register(SpecifyShape)
def _specify_shape(op, node):
    def specify_shape(x, *shape):
        wanted = [None if size is None or not concrete(size) else int(size) for size in shape]
        if any(size is not None and size != got for size, got in zip(wanted, x.shape, strict=True)):
            raise ValueError(f"got an array of shape {x.shape}, the graph specifies {tuple(wanted)}")
        return x

    return of_maps(specify_shape)


@lowering.register(Reshape)
def _reshape(op, node):
    def reshape(x, shape):
        return jnp.reshape(x, known_integers(shape, "the shape of a reshape"))

    return reshape


@lowering.register(DimShuffle)
def _dimshuffle(op, node):
    def dimshuffle(x):
        order = [axis for axis in op.new_order if axis != "x"]
        dropped = [axis for axis in range(np.ndim(x)) if axis not in order]
        added = [position for position, axis in enumerate(op.new_order) if axis == "x"]
        # `squeeze` refuses to drop a dimension longer than one.
        kept = [axis - sum(gone < axis for gone in dropped) for axis in order]
        x = lax.squeeze(as_array(x), dropped).transpose(kept)
        return lax.expand_dims(x, added)

    return dimshuffle


@lowering.register(BroadcastTo)
@lowering.register(Alloc)
def _alloc(op, node):
    return lambda x, *shape: jnp.broadcast_to(
        as_array(x, output_dtype(node)), known_integers(shape, "the shape of an array to allocate")
    )


@lowering.register(AllocEmpty)
def _alloc_empty(op, node):
    return lambda *shape: jnp.zeros(known_integers(shape, "the shape of an array to allocate"), output_dtype(node))


@lowering.register(MakeVector)
def _make_vector(op, node):
    return lambda *elements: jnp.stack([as_array(element, output_dtype(node)) for element in elements])


@lowering.register(ARange)
def _arange(op, node):
    # The interpreter has computed it already where its bounds are known.
    @of_duals
    def arange(start, stop, step):
        if not isinstance(start, Dual):
            raise NotImplementedError("the length of arange depends on the data, but XLA fixes shapes when it compiles")
        length = start.guards.require((start, stop, step), lambda *bounds: len(np.arange(*bounds)))
        return start.traced + as_array(np.arange(length), start.dtype) * traced_of(step)

    return arange


@lowering.register(Eye)
def _eye(op, node):
    def eye(*arguments):
        rows, columns, offset = known_integers(arguments, "the shape of eye")
        return jnp.eye(rows, columns, offset, dtype=output_dtype(node))

    return eye


@lowering.register(Tri)
def _tri(op, node):
    def tri(*arguments):
        rows, columns, offset = known_integers(arguments, "the shape of tri")
        return jnp.tri(rows, columns, offset, dtype=output_dtype(node))

    return tri


@lowering.register(Join)
def _join(op, node):
    @of_maps
    def join(axis, *arrays):
        (axis,) = known_integers((axis,), "the axis of join")
        dtype = output_dtype(node)
        if not any(isinstance(array, Map) for array in arrays):
            return jnp.concatenate([as_array(array, dtype) for array in arrays], axis)
        if axis % 4 == 1 and all(isinstance(array, Map) and array.dtype == dtype for array in arrays):
            return joined(arrays)
        return Map(jnp.concatenate([as_array(moved(array), dtype) for array in arrays], moved_axis(axis)))

    return join


@lowering.register(Split)
def _split(op, node):
    def split(x, axis, lengths, moved=int):
        axis = moved(*known_integers((axis,), "the axis of split"))
        lengths = known_integers(lengths, "the lengths of split")
        if len(lengths) != op.len_splits or sum(lengths) != x.shape[axis]:
            raise ValueError(f"cannot split {x.shape[axis]} elements into {op.len_splits} parts of {lengths}")
        ends = np.cumsum(lengths).tolist()
        return [
            lax.slice_in_dim(as_array(x), end - length, end, axis=axis)
            for end, length in zip(ends, lengths, strict=True)
        ]

    return keeping_order(split, functools.partial(split, moved=moved_axis))


@lowering.register(Repeat)
def _repeat(op, node):
    def repeat(x, repeats):
        repeats = np.array(known_integers(repeats if np.ndim(repeats) else (repeats,), "the count of repeat"))
        return jnp.repeat(as_array(x), repeats, axis=op.axis)

    return repeat
