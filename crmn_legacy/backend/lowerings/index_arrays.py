"""Arrays of indices: computed, and used to choose or to permute."""

import jax.numpy as jnp
import numpy as np
from aesara.tensor.basic import Choose, Nonzero, PermuteRowElements
from aesara.tensor.extra_ops import RavelMultiIndex, Unique, UnravelIndex
from aesara.tensor.nlinalg import Lstsq

from .registry import as_array, concrete, lowering, output_dtype
from .selections import places


@lowering.register(Nonzero)
def _nonzero(op, node):
    return lambda x: places(x, node)


@lowering.register(Unique)
@lowering.register(Lstsq)
def _of_unknown_length(op, node):
    raise NotImplementedError(
        f"how many elements {op} gives depends on the data, but XLA fixes shapes when it compiles"
    )


@lowering.register(Choose)
def _choose(op, node):
    def choose(numbers, choices):
        # What is out of range would be an error; here it is the nearest.
        mode = "clip" if op.mode == "raise" else op.mode
        return jnp.choose(as_array(numbers), list(as_array(choices)), mode=mode)

    return choose


@lowering.register(PermuteRowElements)
def _permute(op, node):
    def permute(x, order, inverse):
        order = as_array(order)
        if not concrete(inverse):
            order = jnp.where(inverse, jnp.argsort(order, -1), order)
        elif inverse:
            order = jnp.argsort(order, -1)
        shape = np.broadcast_shapes(np.shape(x), order.shape)
        return jnp.take_along_axis(jnp.broadcast_to(as_array(x), shape), jnp.broadcast_to(order, shape), -1)

    return permute


@lowering.register(UnravelIndex)
def _unravel(op, node):
    def unravel(indices, shape):
        rest, found = as_array(indices, output_dtype(node)), []
        sizes = list(shape)
        for size in sizes[::-1] if op.order == "C" else sizes:
            found.append(rest % size)
            rest = rest // size
        return found[::-1] if op.order == "C" else found

    return unravel


@lowering.register(RavelMultiIndex)
def _ravel(op, node):
    def ravel(*inputs):
        *indices, shape = inputs
        pairs = list(zip(indices, shape, strict=True))
        raveled = 0
        for index, size in pairs if op.order == "C" else pairs[::-1]:
            index = as_array(index, output_dtype(node))
            if op.mode == "wrap":
                index = index % size
            elif op.mode == "clip":
                index = jnp.clip(index, 0, size - 1)
            raveled = raveled * size + index
        return raveled

    return ravel
