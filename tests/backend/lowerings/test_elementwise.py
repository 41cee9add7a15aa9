"""Elementwise ops against Aesara's Python code."""

import aesara
import aesara.scalar as scalar
import aesara.tensor as at
import numpy as np
import pytest
from aesara.tensor.elemwise import Elemwise

from crmn_legacy.backend.lowerings import lower

from .reference import assert_agrees, hlo, python_result, xla_result

SMOOTH = [
    "exp", "exp2", "expm1", "sin", "cos", "tan", "sinh", "cosh", "tanh", "arctan", "arcsinh", "sigmoid", "softplus",
    "erf", "erfc", "sqr", "neg", "sgn", "ceil", "floor", "trunc", "round_half_to_even", "round_half_away_from_zero",
    "deg2rad", "rad2deg",
]  # fmt: skip
POSITIVE = ["log", "log2", "log10", "log1p", "sqrt", "gamma", "gammaln", "psi", "reciprocal", "arccosh"]
WITHIN_ONE = ["arcsin", "arccos", "arctanh", "erfinv"]
BINARY = ["add", "sub", "mul", "true_div", "int_div", "mod", "maximum", "minimum", "arctan2"]
NO_GRADIENT = {"ceil", "floor", "trunc", "round_half_to_even", "round_half_away_from_zero", "sgn", "int_div"}
VALUE = np.random.default_rng(0).normal(0, 2, (4, 5))


@pytest.mark.parametrize("name", SMOOTH)
def test_functions_of_all_numbers_agree_with_python(name):
    x = at.dmatrix()
    assert_agrees([x], [getattr(at, name)(x)], [VALUE], wrt=[] if name in NO_GRADIENT else [x])


@pytest.mark.parametrize("name", POSITIVE)
def test_functions_of_positive_numbers_agree_with_python(name):
    x = at.dmatrix()
    derived = [] if name == "psi" else [x]
    assert_agrees([x], [getattr(at, name)(x)], [1.01 + np.abs(VALUE)], wrt=derived)


@pytest.mark.parametrize("name", WITHIN_ONE)
def test_functions_of_numbers_below_one_agree_with_python(name):
    x = at.dmatrix()
    assert_agrees([x], [getattr(at, name)(x)], [np.tanh(VALUE) * 0.9], wrt=[x])


@pytest.mark.parametrize("name", BINARY)
def test_functions_of_two_numbers_broadcast_and_agree_with_python(name):
    x, y = at.dmatrix(), at.drow()
    other = np.random.default_rng(1).normal(size=(1, 5))
    assert_agrees([x, y], [getattr(at, name)(x, y)], [VALUE, other], wrt=[] if name in NO_GRADIENT else [x, y])


def test_powers_agree_with_python():
    x, y = at.dmatrix(), at.drow()
    outputs = [x**y, x**-0.5, x**2, x**0.5, at.constant(2.0) ** y]
    assert_agrees([x, y], outputs, [np.abs(VALUE), np.linspace(-2, 2, 5)[None]], wrt=[x, y])


def test_choices_and_comparisons_agree_with_python():
    x, y = at.dmatrix(), at.dmatrix()
    outputs = [
        at.switch(x > y, x, 2 * y),
        at.clip(x, -1, 1),
        at.clip(x, 1, -1),
        at.maximum(x, 0),
        abs(x - y),
        at.nnet.relu(x),
        at.nnet.relu(x, 0.1),
        at.nnet.elu(x),
        at.nnet.hard_sigmoid(x),
        at.nnet.basic.softsign(x),
        at.xlogx.xlogx(abs(x)),
        at.xlogx.xlogy0(abs(x), 1 + abs(y)),
    ]
    assert_agrees([x, y], outputs, [VALUE, VALUE[::-1].copy()])
    decided = [at.eq(x, y), at.neq(x, y), x <= y, x >= y, x < y, at.isnan(x), at.isinf(x)]
    decided += [at.and_(x > 0, y > 0), at.or_(x > 0, y > 0), at.xor(x > 0, y > 0), at.invert(x > 0)]
    special = np.array([[0.0, np.nan, np.inf, 1.0]])
    assert_agrees([x, y], decided, [special, np.array([[0.0, np.nan, 1.0, 2.0]])])


def test_ultra_fast_sigmoid_has_the_pieces_of_aesaras_c_code():
    """Aesara's Python code for it is the exact logistic function."""
    x = at.dvector()
    (got,) = xla_result([x], [at.nnet.ultra_fast_sigmoid(x)], [np.array([-9.0, -2.0, 0.0, 2.0, 4.0, 9.0])])
    linear = 0.935409070603099 + 0.0458812946797165 * 0.3
    expected = [(1 - 0.99505475368673) / 2, 0.125, 0.5, 0.875, (1 + linear) / 2, (1 + 0.99505475368673) / 2]
    np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_many_operands_agree_with_python():
    x, y, z = at.dmatrix(), at.dmatrix(), at.dmatrix()
    outputs = [at.add(x, y, z), at.mul(x, y, z), at.maximum(x, at.maximum(y, z))]
    assert_agrees([x, y, z], outputs, [VALUE, VALUE + 1, VALUE - 1], wrt=[x, y, z])


@pytest.mark.parametrize("left", ["int8", "int32", "uint8", "bool", "float32", "float64"])
@pytest.mark.parametrize("right", ["int8", "int64", "float32", "float64"])
def test_mixed_types_compute_in_aesaras_promotion(left, right):
    x, y = at.vector(dtype=left), at.vector(dtype=right)
    values = [np.array([1, 0, 7, 3], left), np.array([3, 5, 2, 1], right)]
    outputs = [x + y, x * y, x / y, at.maximum(x, y), x < y, at.switch(x, x, y)]
    assert_agrees([x, y], outputs, values)


@pytest.mark.parametrize(
    "dtype",
    ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "float16", "float32", "float64", "bool"],
)
@pytest.mark.parametrize("given", ["float64", "float32", "int64", "int8", "uint8", "bool"])
def test_casts_agree_with_python_beyond_what_the_type_holds_too(given, dtype):
    x = at.vector(dtype=given)
    value = np.array([-1.7, 0.0, 0.4, 2.6, 99.9]) if given in ("int8", "uint8") else [-1.7, 0, 2.6, 300.2, -70000.9]
    assert_agrees([x], [at.cast(x, dtype)], [np.array(value).astype(given)])


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64", "float32", "float64"])
def test_whole_quotients_and_remainders_have_pythons_signs_and_numpys_zeros(dtype):
    x, y = at.vector(dtype=dtype), at.vector(dtype=dtype)
    values = np.array([[7, -7, 7, -7, 0, 5], [2, 2, -2, -2, 3, 0]])
    if dtype == "uint8":
        values = abs(values)
    with np.errstate(divide="ignore", invalid="ignore"):
        assert_agrees([x, y], [x // y, x % y], list(values.astype(dtype)))


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_complex_numbers_agree_with_python(dtype):
    z, x = at.vector(dtype=dtype), at.vector(dtype="float32" if dtype == "complex64" else "float64")
    value = np.array([0, 0.3 + 1j, -0.6, 1.5 - 2j, 2j], dtype)
    outputs = [abs(z), at.angle(z), at.real(z), at.imag(z), at.conj(z), z**2, z * z, z + x, z / (z + 1), at.exp(z)]
    outputs += [at.eq(z, 0), at.neq(z, 1), at.sqrt(z), at.sqr(z), z.sum(), z.mean(), z.prod(), at.dot(z, z), -z]
    outputs += [at.complex(x, 2 * x), at.complex_from_polar(abs(x), x), at.switch(at.eq(x, 0), z, 2 * z)]
    assert_agrees([z, x], outputs, [value, value.real], tolerance=1e-5 if dtype == "complex64" else 1e-10)


@pytest.mark.parametrize("ends", [(False, False), (False, True), (True, False), (True, True)])
def test_ranges_agree_with_python(ends):
    within = Elemwise(scalar.basic.InRange(*ends))
    x = at.dvector()
    assert_agrees([x], [within(x, -1.0, 1.0)], [np.array([-2, -1, 0, 1, 2.0])])


def test_special_values_agree_with_python():
    """Infinities and what is no number, through all functions of one and of two numbers that Aesara's scalars have."""
    value = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 0.5, -0.5, 1.5, 2.5, -2.5, 1e300, 1e-300])
    x, y = at.dvector(), at.dvector()
    ops = [op for op in vars(scalar.basic).values() if isinstance(op, scalar.ScalarOp)]
    basic = scalar.basic
    left_out = (basic.Cast, basic.Invert, basic.ComplexFromPolar, basic.Mean, basic.AND, basic.OR, basic.XOR)
    ops = [op for op in ops if not isinstance(op, left_out)]
    one = [Elemwise(op)(x) for op in ops if op.nin == 1]
    two = [Elemwise(op)(x, y) for op in ops if op.nin in (2, -1)]
    assert len(one) > 30 and len(two) > 15
    with np.errstate(all="ignore"):
        assert_agrees([x], one, [value])
        assert_agrees([x, y], two, [np.repeat(value, value.size), np.tile(value, value.size)])


def test_fused_ops_agree_with_python():
    x, y, z = scalar.float64("x"), scalar.float64("y"), scalar.float64("z")
    fused = Elemwise(scalar.Composite([x, y, z], [scalar.sqrt(x * x + y) / z - scalar.exp(x)]))
    a, b, c = at.dmatrix(), at.dmatrix(), at.drow()
    # Aesara's Python code for a composite needs an unfused witness: the same formula over arrays.
    inputs, values = [a, b, c], [VALUE, np.abs(VALUE) + 1, np.full((1, 5), 2.0)]
    (got,) = xla_result(inputs, [fused(a, b, c)], values)
    (wanted,) = python_result(inputs, [at.sqrt(a * a + b) / c - at.exp(a)], values)
    np.testing.assert_allclose(got, wanted, rtol=1e-12)


def test_a_scalar_op_without_lowering_is_named():
    class Strange(scalar.UnaryScalarOp):
        def impl(self, x):
            return x

    x = at.dvector()
    with pytest.raises(NotImplementedError, match="Strange"):
        lower([x], [Elemwise(Strange(scalar.basic.same_out, name="strange"))(x)])


@pytest.mark.parametrize("optimized", [False, True])
def test_no_reciprocal_square_root_is_emitted(optimized):
    """However a square root is divided by: the processor's instruction for both is another number on each make."""
    x, y = at.fvector(), at.fvector()
    root = at.sqrt(x)
    quotients = [1 / root, y / root, at.reciprocal(root), root**-1, x**-0.5, at.sqrt(1 / x), y / at.sqrt(x + 1e-4)]
    results = [*quotients, aesara.grad(sum(q.sum() for q in quotients), x)]
    values = [np.ones(40, "float32"), np.ones(40, "float32")]
    text = hlo([x, y], results, values, optimized)
    assert "sqrt" in text
    assert "rsqrt" not in text


def test_rectifier_has_half_a_slope_at_zero():
    x = at.dvector()
    (g,) = xla_result([x], [aesara.grad(at.nnet.relu(x).sum(), x)], [np.array([-1.0, 0.0, 1.0])])
    np.testing.assert_array_equal(g, [0, 0.5, 1])
