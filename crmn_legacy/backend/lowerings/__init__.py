"""Aesara graphs as JAX functions: `lower`, the ops' registry `lowering`, the `settings` in force while tracing."""

from crmn_legacy import submodules as _submodules

# Imported for what they register.
from . import (  # noqa: F401
    barrier,
    batch_normalization,
    convolution,
    elementwise,
    indexing,
    neural,
    pooling,
    random,
    reductions,
    scan,
    shape,
)
from .interpreter import lower
from .registry import Settings, lowering, settings

__all__ = ["Settings", "lower", "lowering", "settings"]

__getattr__, __dir__ = _submodules.attributes(globals())
