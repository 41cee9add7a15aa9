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
    kinds = {dtype.kind for dtype in given[kept:]}
    if wanted.kind == "b" or (wanted.kind in "iu" and "f" in kinds) or (wanted.kind != "c" and "c" in kinds):
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


def _floor_divide(x, y):
    # By zero NumPy gives 0 for integers, and the quotient for real numbers.
    if not jnp.issubdtype(x.dtype, jnp.floating):
        return jnp.where(y == 0, 0, jnp.floor_divide(x, jnp.where(y == 0, 1, y)))
    return jnp.where(y == 0, x / y, jnp.floor_divide(x, y))


def _power(x, y):
    power = jnp.power(x, y)
    if not jnp.issubdtype(power.dtype, jnp.complexfloating):
        return power
    # JAX takes a logarithm, which zero has none of.
    of_zero = jnp.where(y == 0, 1, jnp.where(y.real > 0, 0, jnp.nan)).astype(power.dtype)
    return jnp.where(x == 0, of_zero, power)


for _op, _function in {
    scalar.Identity: lambda x: x,
    scalar.Sqrt: _square_root,
    scalar.FloorDivide: _floor_divide,
    scalar.Pow: _power,
    scalar.Real: jnp.real,
    # Their operands have been promoted to the complex numbers that come of them.
    scalar.Complex: lambda x, y: lax.complex(x.real, y.real),
    scalar.ComplexFromPolar: lambda r, angle: lax.complex(r.real * jnp.cos(angle.real), r.real * jnp.sin(angle.real)),
    scalar.Mean: lambda *values: sum(values) / len(values),
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


@scalar_function.register(scalar.InRange)
def _in_range(op, node):
    above = jnp.greater if op.openlow else jnp.greater_equal
    below = jnp.less if op.openhi else jnp.less_equal
    return lambda x, low, high: above(x, low) & below(x, high)


@scalar_function.register(scalar.Cast)
def _cast(op, node):
    def cast(x):
        x, wanted, wide = jnp.asarray(x), canonical(op.o_type.dtype), canonical("int64")
        narrow = wanted.itemsize < (4 if wanted.kind == "i" else wide.itemsize)
        if wanted.kind in "iu" and narrow and jnp.issubdtype(x.dtype, jnp.floating):
            # C drops the digits that small integers have no room for; XLA gives the nearest that they have.
            x = x.astype(wide)
        return x.astype(wanted)

    return cast


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
