"""Special functions of one number or a few: of the error function's and of the gamma function's kind, and Bessel's."""

import math

import jax
import jax.numpy as jnp
from aesara.scalar import math as scalar
from jax import lax

from .elementwise import scalar_function

special = jax.scipy.special

# Beyond this `exp(x**2)` and `erfc(x)` leave float32's range; so many terms of a series give all digits of float64.
_FAR, _TERMS = 9.0, 12


def _scaled_error_function(x):
    """``exp(x**2) * erfc(x)``."""
    near, far = jnp.minimum(x, _FAR), jnp.maximum(x, _FAR)
    series = jnp.ones_like(x)
    for term in range(_TERMS, 0, -1):
        series = 1 - (2 * term - 1) / (2 * far * far) * series
    return jnp.where(x < _FAR, jnp.exp(near * near) * lax.erfc(near), series / (far * math.sqrt(math.pi)))


def _trigamma(x):
    # JAX's sum converges for positive numbers only.
    above = special.polygamma(1, jnp.where(x > 0, x, 1 - x))
    sine = jnp.sin(math.pi * (x - jnp.floor(x)))
    return jnp.where(x > 0, above, (math.pi / sine) ** 2 - above)


def _promoted(function):
    """The lowering of a scalar op by a function of arrays of the output's dtype."""
    return lambda op, node: function


for _op, _function in {
    scalar.Erfcx: _scaled_error_function,
    scalar.Erfcinv: lambda x: -special.ndtri(x / 2) / math.sqrt(2),
    scalar.TriGamma: _trigamma,
    scalar.Chi2SF: lambda x, k: special.gammaincc(k / 2, x / 2),
    # The derivatives by the shape; those by the bound are elementary.
    scalar.GammaIncDer: lax.igamma_grad_a,
    scalar.GammaIncCDer: lambda k, x: -lax.igamma_grad_a(k, x),
    scalar.GammaU: lambda k, x: special.gammaincc(k, x) * special.gamma(k),
    scalar.GammaL: lambda k, x: special.gammainc(k, x) * special.gamma(k),
}.items():
    scalar_function.register(_op, _promoted(_function))


def _refused(op, node):
    raise NotImplementedError(f"no XLA lowering for {op}: XLA has no such function to the digits that Aesara has")


# What JAX has of these is less exact, or holds for part of the numbers.
for _op in (
    scalar.Jv, scalar.J0, scalar.J1, scalar.Iv, scalar.Owens_t, scalar.BetaIncDer, scalar.Hyp2F1, scalar.Hyp2F1Der,
):  # fmt: skip
    scalar_function.register(_op, _refused)
