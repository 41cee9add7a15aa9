"""Ops that sort, and that look up what is sorted."""

import functools

import jax.numpy as jnp
import numpy as np
from aesara.tensor.extra_ops import SearchsortedOp
from aesara.tensor.sort import ArgSortOp, SortOp, TopKOp
from jax import lax

from .registry import as_array, known_integers, lowering


def _along(function):
    def lowered(op, node):
        def along(x, axis):
            axis = None if axis is None else known_integers((axis,), "the axis of a sort")[0]
            return function(as_array(x), axis=axis)

        return along

    return lowered


lowering.register(SortOp, _along(functools.partial(jnp.sort, stable=True)))
lowering.register(ArgSortOp, _along(functools.partial(jnp.argsort, stable=True)))


@lowering.register(TopKOp)
def _top(op, node):
    def top(x, count):
        """The largest, or the smallest, in ascending order; all, in their own. Aesara promises no order."""
        x, axis = as_array(x), op.axis % np.ndim(x)
        (count,) = known_integers((count,), "how many elements of topk")
        length = x.shape[axis]
        if not 0 < abs(count) <= length:
            raise ValueError(f"topk of {length} elements: got {count}, expected 1 to {length}, or -1 to {-length}")
        if count == 1:
            places = jnp.argmax(x, axis, keepdims=True)
        elif abs(count) == length > 1:
            places = lax.broadcasted_iota(jnp.int32, x.shape, axis)
        else:
            places = jnp.argsort(x, axis, stable=True)
            first = length - count if count > 0 else 0
            places = lax.slice_in_dim(places, first, first + abs(count), axis=axis)
        results = [jnp.take_along_axis(x, places, axis)] if op.return_values else []
        return [*results, places.astype(op.idx_dtype)] if op.return_indices else results

    return top


@lowering.register(SearchsortedOp)
def _search(op, node):
    def search(x, values, sorter=None):
        x = as_array(x)
        return jnp.searchsorted(x if sorter is None else x[as_array(sorter)], as_array(values), op.side)

    return search
