"""Patches of pictures, as the rows of a matrix."""

import jax.numpy as jnp
from aesara.tensor.nnet.neighbours import Images2Neibs
from jax import lax

from .registry import as_array, known_integers, lowering


@lowering.register(Images2Neibs)
def _patches(op, node):
    def patches(x, shape, steps):
        x = as_array(x)
        height, width = known_integers(shape, "the shape of a patch")
        steps = known_integers(steps, "the step from patch to patch")
        x = _cut(_with_border(x, 3, width, steps[1], op.mode), 3, width, steps[1])
        x = _cut(_with_border(x, 2, height, steps[0], op.mode), 2, height, steps[0])
        return x.transpose(0, 1, 2, 4, 3, 5).reshape(-1, height * width)

    return patches


def _with_border(x, axis, size, step, mode):
    """What patches along an axis are cut out of."""
    length = x.shape[axis]
    if mode == "wrap_centered":
        before = size // 2
        patches = -(-length // step)
        after = max(0, (patches - 1) * step + size - before - length)
    else:
        before = after = {"half": size // 2, "full": size - 1}.get(mode, 0)
    beyond = (length + before + after - size) % step and mode not in ("wrap_centered", "ignore_borders")
    if beyond or length < size or step < 1 or (mode == "wrap_centered" and size % 2 == 0):
        raise ValueError(f"patches of {size} elements, {step} apart, do not fit {length} in the mode {mode}")
    edges = [(before, after) if number == axis else (0, 0) for number in range(x.ndim)]
    return jnp.pad(x, edges, "wrap" if mode == "wrap_centered" else "constant")


def _cut(x, axis, size, step):
    """Patches, and their elements, in place of the dimension `axis`."""
    last = (x.shape[axis] - size) // step * step
    elements = [lax.slice_in_dim(x, first, first + last + 1, step, axis) for first in range(size)]
    return jnp.stack(elements, axis + 1)
