"""Special functions against SciPy, which Aesara's Python code calls."""

import aesara
import aesara.tensor as at
import numpy as np
import pytest
from aesara.scalar import math as scalar
from aesara.tensor.elemwise import Elemwise

from crmn_legacy.backend.lowerings import lower

from .reference import assert_agrees, xla_result

ALL = np.concatenate([np.linspace(-8.3, 8.3, 41), [20, 26.0, 30, 100]])
POSITIVE = np.concatenate([np.linspace(0.05, 12, 40), [55.0, 100]])
ONE = {
    "erf": ALL, "erfc": ALL, "erfcx": ALL, "i0": ALL, "sigmoid": ALL, "softplus": ALL, "log1mexp": -POSITIVE,
    "erfinv": np.linspace(-0.99, 0.99, 41), "erfcinv": np.linspace(0.01, 1.99, 41),
    "gamma": POSITIVE, "gammaln": POSITIVE, "psi": POSITIVE,
}  # fmt: skip
RNG = np.random.default_rng(0)
SHAPES, BOUNDS = RNG.uniform(0.3, 9, 50), RNG.uniform(0.1, 12, 50)


@pytest.mark.parametrize("name", ONE)
def test_functions_of_one_number_and_their_gradients_agree_with_python(name):
    x = at.dvector()
    assert_agrees([x], [getattr(at, name)(x)], [ONE[name]], wrt=[x] if name != "i0" else [])


@pytest.mark.parametrize("name", ["psi", "tri_gamma", "gammaln", "i1"])
def test_functions_agree_with_python_below_zero_too(name):
    x = at.dvector()
    assert_agrees([x], [getattr(at, name)(x)], [ALL[ALL != 0]])


@pytest.mark.parametrize("name", ["gammainc", "gammaincc", "chi2sf", "gammau", "gammal"])
def test_functions_of_two_numbers_agree_with_python(name):
    k, x = at.dvector(), at.dvector()
    derived = [x] if name.startswith("gammainc") else []
    assert_agrees([k, x], [getattr(at, name)(k, x)], [SHAPES, BOUNDS], wrt=derived)


def test_incomplete_beta_agrees_with_python():
    a, b, x = at.dvector(), at.dvector(), at.dvector()
    assert_agrees([a, b, x], [at.betainc(a, b, x)], [SHAPES, BOUNDS, RNG.uniform(0, 1, 50)], wrt=[x])


@pytest.mark.parametrize(("name", "sign"), [("gammainc", 1), ("gammaincc", -1)])
def test_the_derivative_by_the_shape_is_that_of_the_lower_function(name, sign):
    """Aesara's own for the upper function has but six digits."""
    k, x = at.dvector(), at.dvector()
    (got,) = xla_result([k, x], [aesara.grad(getattr(at, name)(k, x).sum(), k)], [SHAPES, BOUNDS])
    wanted = [sign * scalar.gammainc_der.impl(*pair) for pair in zip(SHAPES, BOUNDS, strict=True)]
    np.testing.assert_allclose(got, wanted, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("name", ["j0", "j1"])
def test_what_xla_has_not_to_all_digits_is_refused(name):
    x = at.dvector()
    with pytest.raises(NotImplementedError, match=name):
        lower([x], [getattr(at, name)(x)])


def test_single_precision_stays_single():
    x = at.fvector()
    outputs = [at.erfcx(x), at.tri_gamma(x), Elemwise(scalar.GammaIncDer(scalar.upgrade_to_float, name="d"))(x, x)]
    values = xla_result([x], outputs, [np.linspace(0.5, 20, 9, dtype="float32")], x64=False)
    assert {value.dtype.name for value in values} == {"float32"}
    assert np.isfinite(values).all()
