"""Indexing: slices without gather or scatter wherever the indices are known."""

import dataclasses
from typing import Any

import jax.numpy as jnp
import numpy as np
from aesara.tensor.subtensor import (
    AdvancedIncSubtensor,
    AdvancedIncSubtensor1,
    AdvancedSubtensor,
    AdvancedSubtensor1,
    IncSubtensor,
    Subtensor,
    indices_from_subtensor,
)
from aesara.tensor.type_other import MakeSlice
from jax import lax

from . import selections
from .duals import Dual, of_duals
from .guarded import window
from .order import Map, in_moved_order, moved, of_maps, written
from .registry import as_array, concrete, known_integers, lowering, output_dtype


@dataclasses.dataclass(frozen=True)
class Extent:
    """What an index takes of one dimension: `length` elements from `start`, each `step` from the last.

    Attributes
    ----------
    start : int or jax.Array
    length, step : int
        `step` is positive.
    backward : bool
        Whether the elements come in reverse.
    dropped : bool
        Whether the dimension goes away: the index was a number.
    """

    start: Any
    length: int
    step: int = 1
    backward: bool = False
    dropped: bool = False

    @property
    def known(self):
        return concrete(self.start)

    @property
    def span(self):
        """How many elements lie between the first and the last taken, both included."""
        return (self.length - 1) * self.step + 1 if self.length else 0


def extents(shape, indices):
    """Return an `Extent` a dimension.

    Parameters
    ----------
    shape : tuple of int
    indices : tuple of int, jax.Array or slice
        Not longer than `shape`.

    Raises
    ------
    IndexError
        If a number is out of range.
    NotImplementedError
        If the bounds of a slice depend on the data.
    """
    indices = (*indices, *(slice(None),) * (len(shape) - len(indices)))
    return [_extent(size, index) for size, index in zip(shape, indices, strict=True)]


def _extent(size, index):
    if isinstance(index, Dual):
        if not index.guards.require((index,), lambda known: bool(-size <= known < size)):
            raise _out_of_range(index.known, size)
        index = index.traced
    if isinstance(index, slice) and any(isinstance(bound, Dual) for bound in (index.start, index.stop, index.step)):
        start, length, step = window(size, index)
        if step > 0 and length:
            return Extent(start, length, step)
        return _of_range(range(start, start + length * step, step) if length else range(0))
    if isinstance(index, slice):
        bounds = [
            None if bound is None else known_integers((bound,), "a bound of a slice")[0]
            for bound in (index.start, index.stop, index.step)
        ]
        return _of_range(range(*slice(*bounds).indices(size)))
    if concrete(index):
        if not -size <= int(index) < size:
            raise _out_of_range(index, size)
        return Extent(int(index) % size, 1, dropped=True)
    return Extent(jnp.where(index < 0, index + size, index), 1, dropped=True)


def _out_of_range(index, size):
    return IndexError(f"index {int(index)} is out of range for a dimension of {size}")


def _of_range(taken):
    """The `Extent` of what a slice with known bounds takes."""
    if not taken:
        return Extent(0, 0)
    if taken.step < 0:
        return Extent(taken[-1], len(taken), -taken.step, backward=True)
    return Extent(taken.start, len(taken), taken.step)


def _backward(taken):
    return tuple(axis for axis, extent in enumerate(taken) if extent.backward)


def _starts(taken):
    # One dtype for all, as lax wants it.
    return [jnp.asarray(extent.start, jnp.int32) for extent in taken]


def take(x, taken):
    """Return the part of `x` that the `Extent` list `taken` describes."""
    if all(extent.known for extent in taken):
        part = lax.slice(
            x,
            [extent.start for extent in taken],
            [extent.start + extent.span for extent in taken],
            [extent.step for extent in taken],
        )
    else:
        part = lax.dynamic_slice(x, _starts(taken), [extent.span for extent in taken])
        part = lax.slice(part, [0] * x.ndim, part.shape, [extent.step for extent in taken])
    if _backward(taken):
        part = lax.rev(part, _backward(taken))
    return lax.squeeze(part, [axis for axis, extent in enumerate(taken) if extent.dropped])


def _spread(y, taken):
    """Broadcast `y` to the taken part, its dropped dimensions included, in the order of the array."""
    kept = [extent.length for extent in taken if not extent.dropped]
    y = jnp.broadcast_to(y, kept).reshape([extent.length for extent in taken])
    return lax.rev(y, _backward(taken)) if _backward(taken) else y


def put(x, y, taken):
    """Return `x` with `y` in the part that `taken` describes."""
    if not all(extent.length for extent in taken):
        return x
    y = _spread(y, taken)
    if y.shape == x.shape:
        return y
    if all(extent.step == 1 for extent in taken):
        return lax.dynamic_update_slice(x, y, _starts(taken))
    part = [dataclasses.replace(extent, length=extent.span, step=1) for extent in taken]
    around = [dataclasses.replace(extent, backward=False, dropped=False) for extent in part]
    # Steps leave gaps: fill them with what was there.
    gaps = [(0, 0, extent.step - 1) for extent in taken]
    filled = lax.pad(jnp.ones(y.shape, bool), jnp.array(False), gaps)
    mixed = jnp.where(filled, lax.pad(y, jnp.zeros((), y.dtype), gaps), take(x, around))
    return lax.dynamic_update_slice(x, mixed, _starts(taken))


def add(x, y, taken):
    """Return `x` with `y` added to the part that `taken` describes."""
    if not all(extent.length for extent in taken):
        return x
    y = _spread(y, taken)
    if y.shape == x.shape:
        return x + y
    zero = jnp.zeros((), y.dtype)
    if all(extent.known for extent in taken):
        padding = [
            (extent.start, size - extent.start - extent.span, extent.step - 1)
            for extent, size in zip(taken, x.shape, strict=True)
        ]
        return x + lax.pad(y, zero, padding)
    y = lax.pad(y, zero, [(0, 0, extent.step - 1) for extent in taken])
    around = [
        dataclasses.replace(extent, length=extent.span, step=1, backward=False, dropped=False) for extent in taken
    ]
    return lax.dynamic_update_slice(x, take(x, around) + y, _starts(taken))


@lowering.register(Subtensor)
def _subtensor(op, node):
    @of_duals
    @of_maps
    def subtensor(x, *indices):
        taken = extents(x.shape, indices_from_subtensor(indices, op.idx_list))
        if isinstance(x, Map) and not any(extent.dropped for extent in taken):
            return Map(take(x.array, in_moved_order(taken)))
        return take(as_array(written(x)), taken)

    return subtensor


@lowering.register(IncSubtensor)
def _inc_subtensor(op, node):
    change = put if op.set_instead_of_inc else add

    @of_duals
    @of_maps
    def inc_subtensor(x, y, *indices):
        dtype = output_dtype(node)
        taken = extents(x.shape, indices_from_subtensor(indices, op.idx_list))
        maps = any(isinstance(value, Map) for value in (x, y)) and np.ndim(x) == np.ndim(y) == 4
        if maps and not any(extent.dropped for extent in taken):
            return Map(change(as_array(moved(x), dtype), as_array(moved(y), dtype), in_moved_order(taken)))
        return change(as_array(written(x), dtype), as_array(written(y), dtype), taken)

    return inc_subtensor


@lowering.register(MakeSlice)
def _make_slice(op, node):
    return lambda *bounds: slice(*bounds)


def _index(index):
    if isinstance(index, slice):
        return slice(
            *(
                None if bound is None else known_integers((bound,), "a bound of a slice")[0]
                for bound in (index.start, index.stop, index.step)
            )
        )
    if _is_unknown_mask(index):
        raise NotImplementedError(
            "a mask that depends on the data selects an unknown number of elements, but XLA's shapes are fixed: "
            "write where(mask, x, 0) instead"
        )
    return index


def _checked(shape, indices):
    """Indices, those that are known in range; None, which makes a dimension, stands beside none of `shape`."""
    sizes = iter(shape)
    for index in indices:
        size = None if index is None else next(sizes)
        if not isinstance(index, np.ndarray) or index.size == 0:
            continue
        if index.dtype == bool:
            # A mask stands for as many dimensions as it has.
            for _ in range(index.ndim - 1):
                next(sizes)
        elif not -size <= index.min() <= index.max() < size:
            raise _out_of_range(index.max() if index.max() >= size else index.min(), size)
    return tuple(indices)


def _is_unknown_mask(index):
    return not concrete(index) and index.dtype == bool


def _one_of_each_row(shape, indices):
    """Return a mask if `indices` are ``[arange(rows), column]`` of a matrix; None otherwise.

    That is how a cross entropy picks the target's class. A comparison does it without gather, and its gradient
    without scatter.
    """
    if len(shape) != 2 or len(indices) != 2 or isinstance(indices[1], slice) or indices[1] is None:
        return None
    rows, columns = indices
    if isinstance(rows, slice) or rows is None or not concrete(rows) or np.ndim(columns) != 1:
        return None
    if np.ndim(rows) != 1 or not np.array_equal(rows, np.arange(shape[0])) or len(columns) != shape[0]:
        return None
    columns = jnp.where(columns < 0, columns + shape[1], columns)
    return columns[:, None] == jnp.arange(shape[1], dtype=columns.dtype)


@lowering.register(AdvancedSubtensor)
@lowering.register(AdvancedSubtensor1)
def _advanced_subtensor(op, node):
    def advanced_subtensor(x, *indices):
        x = as_array(x)
        if len(indices) == 1 and _is_unknown_mask(indices[0]):
            return selections.taken(x, indices[0], node)
        indices = _checked(x.shape, [_index(index) for index in indices])
        mask = _one_of_each_row(x.shape, indices)
        if mask is not None:
            picked = jnp.sum(jnp.where(mask, x, 0), 1, dtype=x.dtype)
            return jnp.where(mask.any(1), picked, jnp.nan) if jnp.issubdtype(x.dtype, jnp.inexact) else picked
        if not jnp.issubdtype(x.dtype, jnp.inexact):
            return x[indices]
        # What is out of range would be an error; it must not pass for the last element.
        return x.at[indices].get(mode="fill", fill_value=jnp.nan)

    return advanced_subtensor


@lowering.register(AdvancedIncSubtensor)
@lowering.register(AdvancedIncSubtensor1)
def _advanced_inc_subtensor(op, node):
    replaces = op.set_instead_of_inc
    once = getattr(op, "ignore_duplicates", False)

    def advanced_inc_subtensor(x, y, *indices):
        dtype = output_dtype(node)
        x, y = as_array(x, dtype), as_array(y, dtype)
        if len(indices) == 1 and _is_unknown_mask(indices[0]):
            return selections.put(x, y, indices[0], replaces, node)
        indices = _checked(x.shape, [_index(index) for index in indices])
        mask = _one_of_each_row(x.shape, indices)
        if mask is not None:
            y = y[:, None] if y.ndim else y
            return jnp.where(mask, y, x) if replaces else x + jnp.where(mask, y, 0)
        if replaces:
            return x.at[indices].set(y)
        if once:
            return x.at[indices].set(x[indices] + y)
        return x.at[indices].add(y)

    return advanced_inc_subtensor
