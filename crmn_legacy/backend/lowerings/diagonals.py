"""Diagonals of matrices, taken, made and filled."""

import functools

import jax.numpy as jnp
from aesara.tensor.basic import AllocDiag, ExtractDiag
from aesara.tensor.extra_ops import FillDiagonal, FillDiagonalOffset
from aesara.tensor.nnet.conv3d2d import DiagonalSubtensor, IncDiagonalSubtensor
from jax import lax

from .registry import as_array, known_integers, lowering, output_dtype


@lowering.register(ExtractDiag)
def _extract(op, node):
    return lambda x: jnp.diagonal(as_array(x), op.offset, op.axis1, op.axis2)


@lowering.register(AllocDiag)
def _alloc(op, node):
    def alloc(x):
        x = as_array(x)
        length, before = x.shape[-1] + abs(op.offset), max(0, -op.offset)
        rows = jnp.pad(x, [(0, 0)] * (x.ndim - 1) + [(before, length - x.shape[-1] - before)])
        on_it = jnp.eye(length, k=op.offset, dtype=bool)
        matrices = jnp.where(on_it, rows[..., :, None], jnp.zeros((), x.dtype))
        return jnp.moveaxis(matrices, (-2, -1), sorted((op.axis1, op.axis2)))

    return alloc


@lowering.register(FillDiagonal)
def _fill(op, node):
    def fill(x, value):
        x = as_array(x)
        first, *others = (lax.broadcasted_iota(jnp.int32, x.shape, axis) for axis in range(x.ndim))
        on_it = functools.reduce(jnp.logical_and, [first == other for other in others])
        return jnp.where(on_it, as_array(value, x.dtype), x)

    return fill


@lowering.register(FillDiagonalOffset)
def _fill_beside(op, node):
    def fill(x, value, offset):
        x = as_array(x)
        rows, columns = (lax.broadcasted_iota(jnp.int32, x.shape, axis) for axis in (0, 1))
        return jnp.where(columns - rows == offset, as_array(value, x.dtype), x)

    return fill


def _stripe(shape, axes):
    """Where the columns of a slanted stripe lie, as their numbers and the rows at which they begin; their length.

    The stripe goes down with the columns turned around: the last one begins at the first row.
    """
    rows, columns = (shape[axis] for axis in axes)
    if rows < columns:
        raise ValueError(f"a stripe across {columns} columns needs as many rows, got {rows}")
    return [(column, columns - 1 - column) for column in range(columns)], rows - columns + 1


@lowering.register(DiagonalSubtensor)
def _stripe_taken(op, node):
    def take(x, *axes):
        axes = known_integers(axes, "an axis of a diagonal")
        columns, length = _stripe(x.shape, axes)
        taken = [
            lax.index_in_dim(lax.slice_in_dim(x, first, first + length, axis=axes[0]), column, axes[1], keepdims=False)
            for column, first in columns
        ]
        return jnp.stack(taken, axes[1])

    return take


@lowering.register(IncDiagonalSubtensor)
def _stripe_added(op, node):
    def add(x, row_axis, column_axis, y):
        axes = known_integers((row_axis, column_axis), "an axis of a diagonal")
        columns, length = _stripe(x.shape, axes)
        x, y = as_array(x, output_dtype(node)), as_array(y, output_dtype(node))
        added = []
        for column, first in columns:
            edges = [(0, 0, 0)] * x.ndim
            edges[axes[0]] = (first, x.shape[axes[0]] - first - length, 0)
            part = lax.slice_in_dim(y, column, column + 1, axis=axes[1])
            added.append(lax.pad(part, jnp.zeros((), y.dtype), edges))
        return x + jnp.concatenate(added, axes[1])

    return add
