"""Number formats: what is stored, how products are made, and where a format does not exist."""

import aesara
import aesara.tensor as T
import jax
import numpy as np
import pytest

from crmn_legacy.backend import precision
from crmn_legacy.backend.compile import compile_step
from crmn_legacy.errors import UserError

SETTINGS = ("jax_enable_x64", "jax_default_matmul_precision")


@pytest.fixture(autouse=True)
def restored():
    """Formats are set for a whole process; the tests after this one keep theirs."""
    before = {name: getattr(jax.config, name) for name in SETTINGS}
    with aesara.config.change_flags(floatX=aesara.config.floatX):
        yield
    for name, value in before.items():
        jax.config.update(name, value)


def product(name):
    """A matrix product of numbers near one under a format, beside the same in float64."""
    random = np.random.default_rng(1)
    a, b = random.normal(size=(40, 300)), random.normal(size=(300, 50))
    with precision.use(name):
        x, w = T.matrix("x"), aesara.shared(b.astype(aesara.config.floatX), name="w")
        step = compile_step({"x": x}, {"y": T.dot(x, w)}, {w: w * 2})
        state, outputs = step(step.initial_state(), {"x": a.astype(aesara.config.floatX)})
    return step.get_outputs(outputs)["y"], step.get(state)["w"], a @ b, 2 * b


@pytest.mark.parametrize(
    ("name", "dtype", "least", "most"),
    [("float64", "float64", 0, 1e-13), ("float32", "float32", 1e-9, 1e-6), ("bfloat16", "float32", 1e-4, 1e-2)],
)
def test_a_format_has_its_storage_and_its_error(name, dtype, least, most):
    y, w, exact, doubled = product(name)
    assert y.dtype == w.dtype == dtype
    error = np.abs(y - exact).max() / np.abs(exact).max()
    assert least <= error < most
    # What is stored is never rounded to bfloat16.
    np.testing.assert_array_equal(w, doubled.astype(dtype))


def test_a_format_ends_with_its_block_for_what_is_compiled_later():
    coarse = product("bfloat16")[0]
    assert np.abs(product("float32")[0] - coarse).max() > 1e-4


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("half",), "expected one of float32, tf32, bfloat16, float64"),
        (("tf32",), "add --device cuda"),
        (("tf32", "c", "cpu"), "add --device cuda"),
        (("tf32", "c", "cuda"), "add --device cuda"),
        (("bfloat16", "c"), "expected --backend xla"),
    ],
)
def test_a_format_that_is_not_there_is_refused_and_changes_nothing(arguments, said):
    before = aesara.config.floatX, jax.config.jax_enable_x64
    with pytest.raises(UserError, match=said):
        precision.use(*arguments)
    assert (aesara.config.floatX, jax.config.jax_enable_x64) == before


def test_tf32_is_taken_on_cuda():
    with precision.use("tf32", "xla", "cuda"):
        assert aesara.config.floatX == "float32"
        assert jax.config.jax_default_matmul_precision == "tensorfloat32"


def test_float32_products_are_full_ones_on_any_device():
    with precision.use("float32", "xla", "cuda"):
        assert jax.config.jax_default_matmul_precision == "highest"


@pytest.mark.parametrize(("name", "dtype"), [("float32", "float32"), ("float64", "float64")])
def test_aesaras_own_code_takes_the_format_too(name, dtype):
    with precision.use(name, "c"):
        assert T.matrix().dtype == dtype
