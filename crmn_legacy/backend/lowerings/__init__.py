"""Aesara graphs as JAX functions: `lower`, the ops' registry `lowering`, the `settings` in force while tracing."""

# Imported for what they register.
from . import (  # noqa: F401
    barrier,
    batch_normalization,
    convolution,
    elementwise,
    indexing,
    multinomial,
    neural,
    pooling,
    random,
    random_states,
    reductions,
    scan,
    shape,
)
from .interpreter import lower
from .registry import Settings, lowering, settings

__all__ = ["Settings", "lower", "lowering", "settings"]
