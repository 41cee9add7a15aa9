"""Elementwise ops: Aesara's scalar ops over whole arrays."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from aesara.scalar import basic as scalar
from aesara.scalar import math as scalar_math
from aesara.tensor.elemwise import Elemwise
from aesara.tensor.math import MulWithoutZeros
from aesara.tensor.nnet.basic import ScalarSoftsign
from aesara.tensor.nnet.sigm import UltraFastScalarSigmoid
from aesara.tensor.xlogx import XlogX, XlogY0
from jax import lax

from .order import keeping_order
from .registry import canonical, lowering


@lowering.register(Elemwise)
def _elementwise(op, node):
    return keeping_order(_scalar_node(op.scalar_op, node))


@lowering.register(scalar.ScalarOp)
def _scalar(op, node):
    return _scalar_node(op, node)


def _scalar_node(op, node):
    function = scalar_function(op, node)
    if isinstance(op, scalar.Composite | scalar.Cast | scalar.Second):
        return function
    kept = 1 if isinstance(op, scalar.Switch) else 0
    return _promoting(function, node, kept)


def _promoting(function, node, kept):
    # Aesara decides the dtype of the computation by its own rules of promotion (int32 with float32 is float64),
    # which are not JAX's. The first `kept` inputs are conditions.
    given = [np.dtype(variable.type.dtype) for variable in node.inputs]
    wanted = np.dtype(node.outputs[0].type.dtype)
    if wanted.kind == "b" or (wanted.kind in "iu" and any(dtype.kind == "f" for dtype in given[kept:])):
        wanted = np.result_type(*given[kept:])

    def promoted(*values):
        dtype = canonical(wanted)
        return function(*values[:kept], *(jnp.asarray(value, dtype) for value in values[kept:]))

    return promoted


@functools.singledispatch
def scalar_function(op, node):
    """Return the function of JAX arrays that stands for a scalar op.

    Parameters
    ----------
    op : aesara.scalar.basic.ScalarOp
    node : aesara.graph.basic.Apply
        The node of `op`, or of the `Elemwise` around it.

    Raises
    ------
    NotImplementedError
        If neither this registry nor JAX under NumPy's or SciPy's name has it.
    """
    name = (getattr(op, "nfunc_spec", None) or ("",))[0]
    function = functools.reduce(
        lambda place, part: getattr(place, part, None), name.split("."), jax if "." in name else jnp
    )
    if not name or function is None:
        raise NotImplementedError(
            f"no XLA lowering for the scalar op {op} ({type(op).__module__}.{type(op).__qualname__}): register one "
            f"with @crmn_legacy.backend.lowerings.elementwise.scalar_function.register"
        )
    return function


def _variadic(function):
    return lambda op, node: lambda *values: functools.reduce(function, values)


for _op, _function in {
    scalar.Add: jnp.add,
    scalar.Mul: jnp.multiply,
    scalar.ScalarMaximum: jnp.maximum,
    scalar.ScalarMinimum: jnp.minimum,
    scalar.AND: jnp.bitwise_and,
    scalar.OR: jnp.bitwise_or,
    scalar.XOR: jnp.bitwise_xor,
}.items():
    scalar_function.register(_op, _variadic(_function))


def _fixed(function):
    return lambda op, node: function


def _square_root(x):
    # XLA turns 1 / sqrt(x) and y / sqrt(x) into the processor's approximate reciprocal square root, another number on
    # each make. It must not see the two together.
    return lax.optimization_barrier(jnp.sqrt(x))


def _round_half_away(x):
    return jnp.sign(x) * jnp.floor(jnp.abs(x) + 0.5)


def _softplus(x):
    return jnp.where(
        x < -37.0,
        jnp.exp(x),
        jnp.where(x < 18.0, jnp.log1p(jnp.exp(x)), jnp.where(x < 33.3, x + jnp.exp(-x), x)),
    )


def _log1mexp(x):
    return jnp.where(x < np.log(0.5), jnp.log1p(-jnp.exp(x)), jnp.log(-jnp.expm1(x)))


def _ultra_fast_sigmoid(x):
    half = 0.5 * jnp.abs(x)
    tanh = jnp.where(
        half < 1.7,
        1.5 * half / (1 + half),
        jnp.where(half < 3, 0.935409070603099 + 0.0458812946797165 * (half - 1.7), 0.99505475368673),
    )
    return 0.5 * (jnp.where(x >= 0, tanh, -tanh) + 1.0)


for _op, _function in {
    scalar.Identity: lambda x: x,
    scalar.Sqrt: _square_root,
    scalar.RoundHalfAwayFromZero: _round_half_away,
    # Aesara's bounds may cross, unlike NumPy's: the lower one then wins where it is tested first.
    scalar.Clip: lambda x, low, high: jnp.where(x < low, low, jnp.where(x > high, high, x)),
    scalar_math.Sigmoid: jax.nn.sigmoid,
    scalar_math.Softplus: _softplus,
    scalar_math.Log1mexp: _log1mexp,
    scalar_math.Psi: jax.scipy.special.digamma,
    MulWithoutZeros: lambda x, y: jnp.where(x == 0, y, jnp.where(y == 0, x, x * y)),
    ScalarSoftsign: lambda x: x / (1 + jnp.abs(x)),
    UltraFastScalarSigmoid: _ultra_fast_sigmoid,
    XlogX: lambda x: jnp.where(x == 0, 0, x * jnp.log(jnp.where(x == 0, 1, x))),
    XlogY0: lambda x, y: jnp.where(x == 0, 0, x * jnp.log(y)),
}.items():
    scalar_function.register(_op, _fixed(_function))


@scalar_function.register(scalar.Second)
def _second(op, node):
    return lambda x, y: jnp.broadcast_to(y, np.broadcast_shapes(np.shape(x), np.shape(y)))


@scalar_function.register(scalar.Cast)
def _cast(op, node):
    dtype = op.o_type.dtype
    return lambda x: jnp.asarray(x).astype(canonical(dtype))


@scalar_function.register(scalar.Composite)
def _composite(op, node):
    graph = op.fgraph
    steps = [(inner, _scalar_node(inner.op, inner)) for inner in graph.toposort()]

    def composite(*arrays):
        values = dict(zip(graph.inputs, arrays, strict=True))

        def value_of(variable):
            if variable in values:
                return values[variable]
            return variable.data

        for inner, function in steps:
            values[inner.outputs[0]] = function(*(value_of(variable) for variable in inner.inputs))
        results = tuple(value_of(variable) for variable in graph.outputs)
        return results if len(results) > 1 else results[0]

    return composite
