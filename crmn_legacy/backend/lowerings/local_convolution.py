"""Convolutions with filters of their own at each place (Aesara calls them unshared), and their two gradients."""

import math

import jax
import jax.numpy as jnp
from aesara.tensor.nnet.abstract_conv import border_mode_to_pad
from jax import lax

from .registry import as_array, known_integers, output_dtype


def forward(op, node):
    """The lowering of the convolution itself; see `lowering`."""

    def convolution(x, w):
        dtype = output_dtype(node)
        return _convolved(op, as_array(x, dtype), as_array(w, dtype))

    return convolution


def gradient_by_weights(op, node):
    """The lowering of its gradient by the filters."""

    def gradient(x, g, shape):
        dtype = output_dtype(node)
        x, g = as_array(x, dtype), as_array(g, dtype)
        size = known_integers(shape, "the shape of a convolution's filters")
        shape = (*g.shape[1:], x.shape[1] // op.num_groups, *size[-2:])
        return _transposed(lambda w: _convolved(op, x, w), shape, g)

    return gradient


def gradient_by_inputs(op, node):
    """The lowering of its gradient by the input."""

    def gradient(w, g, shape):
        dtype = output_dtype(node)
        w, g = as_array(w, dtype), as_array(g, dtype)
        size = known_integers(shape, "the shape of a convolution's input")
        shape = (g.shape[0], w.shape[3] * op.num_groups, *size[-2:])
        return _transposed(lambda x: _convolved(op, x, w), shape, g)

    return gradient


def _transposed(function, shape, g):
    """The gradient of a linear function of an array of `shape`."""
    (gradient,) = jax.linear_transpose(function, jax.ShapeDtypeStruct(shape, g.dtype))(g)
    return gradient


def _convolved(op, x, w):
    """Maps (batch, inputs, rows, columns), and filters (outputs, rows, columns, inputs of a group, height, width)."""
    outputs, *places, inputs, height, width = w.shape
    reach = [(size - 1) * dilation + 1 for size, dilation in zip((height, width), op.filter_dilation, strict=True)]
    edges = border_mode_to_pad(op.border_mode, 2, reach)
    x = lax.pad(x, jnp.zeros((), x.dtype), [(0, 0, 0), (0, 0, 0), *((low, high, 0) for low, high in edges)])
    steps = op.subsample
    found = [(x.shape[2 + axis] - reach[axis]) // steps[axis] + 1 for axis in (0, 1)]
    if found != places:
        raise ValueError(f"got filters for {places} places, expected them for {found}")
    if op.filter_flip:
        w = lax.rev(w, (4, 5))
    groups = op.num_groups
    x = x.reshape(x.shape[0], groups, inputs, *x.shape[2:])
    w = w.reshape(groups, outputs // groups, *places, inputs, height, width)
    total = 0
    for row in range(height):
        for column in range(width):
            first = row * op.filter_dilation[0], column * op.filter_dilation[1]
            last = [first[axis] + (places[axis] - 1) * steps[axis] + 1 for axis in (0, 1)]
            part = x[..., first[0] : last[0] : steps[0], first[1] : last[1] : steps[1]]
            total = total + jnp.einsum("ngchw,gohwc->ngohw", part, w[..., row, column])
    return total.reshape(total.shape[0], math.prod(total.shape[1:3]), *places)
