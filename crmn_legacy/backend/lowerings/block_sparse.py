"""Products of a few blocks of a matrix, which indices choose."""

import jax.numpy as jnp
from aesara.tensor.nnet.blocksparse import SparseBlockGemv, SparseBlockOuter

from .registry import as_array, lowering


@lowering.register(SparseBlockGemv)
def _product(op, node):
    def product(y, w, x, rows, columns):
        """`x` (batch, chosen rows, inputs) times blocks of `w` (rows, columns, inputs, outputs), added to `y`."""
        blocks = as_array(w)[as_array(rows)[:, :, None], as_array(columns)[:, None, :]]
        return y + jnp.einsum("bri,brcio->bco", x, blocks)

    return product


@lowering.register(SparseBlockOuter)
def _outer_product(op, node):
    def outer_product(w, x, y, rows, columns, factor):
        """The same's gradient by `w`."""
        blocks = factor * jnp.einsum("bri,bco->brcio", x, y)
        return w.at[as_array(rows)[:, :, None], as_array(columns)[:, None, :]].add(blocks.astype(w.dtype))

    return outer_product
