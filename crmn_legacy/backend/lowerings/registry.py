"""Which JAX function stands for which Aesara op, and the settings those functions consult."""

import contextlib
import contextvars
import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np

from .duals import Dual
from .order import Map, moved
from .selected import Selected

MATMUL_DTYPES = (None, "bfloat16")


@dataclasses.dataclass(frozen=True)
class Settings:
    """How a graph is lowered; read while JAX traces, so compiled functions keep what they were traced with.

    Attributes
    ----------
    matmul_dtype : None or 'bfloat16'
        To what the operands of convolutions and matrix products are rounded. Sums stay in float32.
    channels_last : bool
        Whether the maps of convolutions lie with their channels last (`order`), on a processor: faster, other bits.
    platform : None or str
        What is compiled for, as JAX calls it: ``cpu``, ``cuda``. None: what JAX finds on this machine.
    mesh : None or jax.sharding.Mesh
        Devices that share the batch, which is the first axis of what they are given (`devices`). None: there is one.
    passes_checks : bool
        Whether what a graph checks of its data is passed over. Else a graph that checks its data cannot be lowered.
    in_loop : bool
        Whether what is traced is a step of a loop.
    """

    matmul_dtype: str | None = None
    channels_last: bool = True
    platform: str | None = None
    mesh: jax.sharding.Mesh | None = None
    passes_checks: bool = False
    in_loop: bool = False

    def __post_init__(self):
        if self.matmul_dtype not in MATMUL_DTYPES:
            raise ValueError(f"matmul_dtype is {self.matmul_dtype!r}; expected one of {MATMUL_DTYPES}")


_active = contextvars.ContextVar("lowering_settings", default=Settings())  # noqa: B039 (frozen)


def active_settings():
    """Return the `Settings` in force."""
    return _active.get()


@contextlib.contextmanager
def settings(**changes):
    """Trace with other `Settings` inside a ``with`` block.

    Parameters
    ----------
    **changes
        Fields of `Settings`.
    """
    token = _active.set(dataclasses.replace(_active.get(), **changes))
    try:
        yield _active.get()
    finally:
        _active.reset(token)


@functools.singledispatch
def lowering(op, node):
    """Return the JAX function of one node: it takes the inputs' values, returns the output or a tuple of them.

    Inputs that are known while tracing arrive as NumPy values (see `concrete`), all others as JAX arrays.
    Register with ``@lowering.register(OpClass)``; ops without an entry fall back on Aesara's own JAX dispatch.

    Parameters
    ----------
    op : aesara.graph.op.Op
    node : aesara.graph.basic.Apply
        The node that `op` belongs to, for its types.

    Raises
    ------
    NotImplementedError
        If neither this registry nor Aesara's has the op.
    """
    try:
        return _aesara_dispatch()(op, node=node)
    except NotImplementedError as error:
        raise NotImplementedError(
            f"no XLA lowering for the op {op} ({type(op).__module__}.{type(op).__qualname__}): register one with "
            f"@crmn_legacy.backend.lowerings.lowering.register({type(op).__name__}), or run the graph with the "
            f"C backend"
        ) from error


@functools.cache
def _aesara_dispatch():
    # Importing Aesara's dispatch sets JAX's x64 switch from floatX, behind the caller's back.
    enabled = jax.config.jax_enable_x64
    try:
        from aesara.link.jax.dispatch import jax_funcify
    finally:
        jax.config.update("jax_enable_x64", enabled)
    return jax_funcify


def on_processor():
    """Whether what is traced will run on a processor. Asking JAX starts it."""
    return (active_settings().platform or jax.default_backend()) == "cpu"


def channels_last():
    """Whether convolutions make maps whose channels lie last: where `Settings` say so, and on a processor only."""
    return active_settings().channels_last and on_processor()


def as_held(array):
    """A NumPy array as a compiled step holds it: filters as a :class:`Map`, where convolutions make maps."""
    return Map(np.ascontiguousarray(moved(array))) if channels_last() and array.ndim == 4 else array


def concrete(*values):
    """Tell whether all `values` are known while tracing: NumPy arrays, numbers, slices, None."""
    return not any(isinstance(value, jax.Array | Map | Dual | Selected) for value in values)


def known_integers(values, what):
    """Return `values` as a tuple of Python integers.

    Parameters
    ----------
    values : sequence
        Integers, or arrays of no dimension.
    what : str
        What they are, for the error's message.

    Raises
    ------
    NotImplementedError
        If one of them depends on the data: XLA's shapes are fixed when a program is compiled.
    """
    if not concrete(*values):
        raise NotImplementedError(
            f"{what} depends on the data, but XLA fixes shapes when it compiles: use constants or shapes of inputs"
        )
    return tuple(int(value) for value in values)


def canonical(dtype):
    """Return the dtype that JAX gives to `dtype`: 64 bits become 32 unless JAX's x64 switch is on."""
    return jax.dtypes.canonicalize_dtype(np.dtype(dtype))


def output_dtype(node, index=0):
    """Return the canonical dtype of one output of `node`."""
    return canonical(node.outputs[index].type.dtype)


def as_array(value, dtype=None):
    """Return `value` as a JAX array (a map stays one), of the canonical `dtype` if one is given."""
    if isinstance(value, Map):
        return value if dtype is None else value.astype(canonical(dtype))
    return jnp.asarray(value, None if dtype is None else canonical(dtype))
