"""The barrier between what is computed and what is computed again."""

import jax.numpy as jnp
from jax import lax

from ..barrier import Barrier
from .order import Map, moved, of_maps
from .registry import as_array, lowering


@lowering.register(Barrier)
def _barrier(op, node):
    @of_maps
    def pass_on(*values):
        *values, last = values
        *arrays, beyond = lax.optimization_barrier(tuple(as_array(_array(value)) for value in (*values, last)))
        # XLA's CPU compiler takes its own barriers away before it looks for what is computed twice. That this holds
        # it cannot know before the last value is there: it holds for every number.
        there = beyond.ravel()[0] == beyond.ravel()[0]

        def behind(array):
            return jnp.where(there, array, jnp.zeros_like(array))

        def map_behind(before):
            return Map(behind(before.array), before, map_behind)

        results = [
            Map(behind(array), value, map_behind) if isinstance(value, Map) else behind(array)
            for value, array in zip(values, arrays, strict=True)
        ]
        return *results, Map(beyond) if isinstance(last, Map) else beyond

    return pass_on


def _array(value):
    return moved(value) if isinstance(value, Map) else value
