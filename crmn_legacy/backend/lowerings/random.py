"""The random numbers of Theano's MRG31k3p generator, bit for bit.

L'Ecuyer and Touzin, "Fast combined multiple recursive generators with multipliers of the form a = ±2^d ± 2^e",
Winter Simulation Conference 2000.
"""

import jax.numpy as jnp
import numpy as np
from aesara.sandbox.rng_mrg import mrg_uniform
from jax import lax

from .registry import known_integers, lowering, output_dtype

M1 = np.int32(2147483647)
M2 = np.int32(2147462579)
# 2^-31 as Aesara's C code rounds it for each dtype.
NORM = {"float32": np.float32(4.6566126e-10), "float64": np.float64(4.656612873077392578125e-10)}


def _reduced(y, modulus):
    # Sums of two residues overflow 32 bits into the negative; taking the modulus off wraps them back.
    return jnp.where((y < 0) | (y >= modulus), y - modulus, y)


def _next_state(state):
    """Advance each stream by one number; the six columns of `state` are the two recurrences' last three terms."""
    x11, x12, x13, x21, x22, x23 = state
    y1 = ((x12 & 511) << 22) + (x12 >> 9) + ((x13 & 16777215) << 7) + (x13 >> 24)
    y1 = _reduced(_reduced(y1, M1) + x13, M1)
    y2 = _reduced(((x21 & 65535) << 15) + 21069 * (x21 >> 16), M2)
    y3 = _reduced(((x23 & 65535) << 15) + 21069 * (x23 >> 16), M2)
    y3 = _reduced(_reduced(y3 + x23, M2) + y2, M2)
    return y1, x11, x12, y3, x21, x22


def _number(state):
    difference = state[0] - state[3]
    return jnp.where(state[0] <= state[3], difference + M1, difference)


@lowering.register(mrg_uniform)
def _uniform(op, node):
    norm = NORM.get(node.outputs[1].type.dtype)
    if norm is None:
        raise NotImplementedError(f"no XLA lowering for random numbers of dtype {node.outputs[1].type.dtype}")

    def uniform(state, size):
        shape = known_integers(size, "the number of random numbers")
        count, streams = int(np.prod(shape, dtype=np.int64)), state.shape[0]
        columns = tuple(state.T)
        rounds, rest = divmod(count, streams)

        def advance(columns, _):
            columns = _next_state(columns)
            return columns, _number(columns)

        numbers = jnp.zeros((0,), jnp.int32)
        if rounds:
            columns, numbers = lax.scan(advance, columns, length=rounds)
            numbers = numbers.reshape(-1)
        if rest:
            # The last round goes through the first streams only.
            advanced = _next_state(columns)
            numbers = jnp.concatenate([numbers, _number(advanced)[:rest]])
            ahead = np.arange(streams) < rest
            columns = tuple(jnp.where(ahead, new, old) for new, old in zip(advanced, columns, strict=True))
        dtype = output_dtype(node, 1)
        samples = numbers.astype(dtype) * jnp.asarray(norm, dtype)
        return jnp.stack(columns, 1), samples.reshape(shape)

    return uniform
