"""Aesara graphs as JAX functions: `lower`, the ops' registry `lowering`, the `settings` in force while tracing."""

from crmn_legacy import submodules as _submodules

# Imported for what they register.
from . import (  # noqa: F401
    barrier,
    batch_normalization,
    block_sparse,
    concrete_convolution,
    control_flow,
    convolution,
    diagonals,
    elementwise,
    fourier,
    index_arrays,
    indexing,
    linear_algebra,
    multinomial,
    neighbours,
    neural,
    pooling,
    random,
    random_states,
    reductions,
    scan,
    shape,
    sorting,
    special_functions,
)
from .interpreter import lower
from .registry import Settings, lowering, settings

__all__ = ["Settings", "lower", "lowering", "settings"]

__getattr__, __dir__ = _submodules.attributes(globals())
