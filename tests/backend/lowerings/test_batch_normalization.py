"""Batch normalisation and its gradients against Aesara's Python code."""

import aesara
import aesara.tensor as at
import jax
import numpy as np
import pytest
from aesara.tensor.nnet.batchnorm import batch_normalization_test, batch_normalization_train
from hypothesis import given
from hypothesis import strategies as st

from crmn_legacy.backend.lowerings import lower

from .reference import assert_agrees, examples, hlo


@st.composite
def batches(draw):
    """Axes, and an array with parameters that fit them."""
    axes = draw(st.sampled_from(["per-activation", "spatial", (0, 1), (1, 3), (2,), (0, 1, 2, 3)]))
    shape = tuple(draw(st.integers(2, 5)) for _ in range(4))
    reduced = {"per-activation": (0,), "spatial": (0, 2, 3)}.get(axes, axes)
    parameters = tuple(1 if axis in reduced else size for axis, size in enumerate(shape))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    return axes, [rng.normal(size=shape), rng.normal(size=parameters), rng.normal(size=parameters)], parameters


def typed(parameters):
    return at.TensorType("float64", shape=tuple(1 if size == 1 else None for size in parameters))


@examples
@given(batches())
def test_training_and_its_gradients_agree_with_python(case):
    axes, values, parameters = case
    x, gamma, beta = at.dtensor4(), typed(parameters)(), typed(parameters)()
    outputs = batch_normalization_train(x, gamma, beta, axes=axes, epsilon=1e-3)
    # The gradient of the normalised output alone: Aesara's op has none by way of the statistics.
    gradients = aesara.grad((outputs[0] ** 2 * (1 + x)).sum(), [x, gamma, beta], consider_constant=outputs[1:])
    assert_agrees([x, gamma, beta], [*outputs, *gradients], values)


@examples
@given(batches())
def test_running_statistics_agree_with_python(case):
    axes, values, parameters = case
    x, gamma, beta, mean, var = at.dtensor4(), *(typed(parameters)() for _ in range(4))
    outputs = batch_normalization_train(
        x, gamma, beta, axes=axes, running_average_factor=0.25, running_mean=mean, running_var=var
    )
    rng = np.random.default_rng(0)
    values = [*values, rng.normal(size=parameters), rng.uniform(1, 2, parameters)]
    assert_agrees([x, gamma, beta, mean, var], outputs, values)


@examples
@given(batches())
def test_inference_and_its_gradients_agree_with_python(case):
    axes, values, parameters = case
    x, *rest = at.dtensor4(), *(typed(parameters)() for _ in range(4))
    output = batch_normalization_test(x, *rest, axes=axes)
    rng = np.random.default_rng(0)
    values = [*values, rng.normal(size=parameters), rng.uniform(1, 2, parameters)]
    assert_agrees([x, *rest], [output], values, wrt=[x, *rest])


def test_second_derivative_agrees_with_python():
    x, gamma, beta = at.dtensor4(), at.dvector(), at.dvector()
    output = batch_normalization_train(x, gamma, beta, axes="spatial")[0]
    first = aesara.grad((output**3).sum(), gamma)
    rng = np.random.default_rng(0)
    values = [rng.normal(size=(3, 2, 4, 4)), rng.normal(size=2), rng.normal(size=2)]
    assert_agrees([x, gamma, beta], [first], values, wrt=[gamma])


def normalisation():
    x, gamma, beta, g = at.ftensor4(), at.fvector(), at.fvector(), at.ftensor4()
    outputs = batch_normalization_train(x, gamma, beta, axes="spatial")
    return [x, gamma, beta, g], [*outputs, *aesara.grad(None, [x, gamma, beta], known_grads={outputs[0]: g})]


def test_large_maps_stay_accurate_in_float32():
    rng = np.random.default_rng(0)
    inputs, outputs = normalisation()
    values = [rng.normal(3, 1, (16, 4, 80, 80)), np.ones(4), np.zeros(4), rng.normal(0.1, 1, (16, 4, 80, 80))]
    got = jax.jit(lower(inputs, outputs))(*(value.astype("float32") for value in values))
    x, _, _, g = (value.astype("float32").astype(float) for value in values)
    mean, var = x.mean((0, 2, 3), keepdims=True), x.var((0, 2, 3), keepdims=True)
    normalised = (x - mean) / np.sqrt(var + 1e-4)
    expected = [normalised, mean, 1 / np.sqrt(var + 1e-4)]
    g_gamma, g_beta = (g * normalised).sum((0, 2, 3)), g.sum((0, 2, 3))
    count = x.size / 4
    centred = g - g_beta[:, None, None] / count - normalised * g_gamma[:, None, None] / count
    expected += [centred / np.sqrt(var + 1e-4), g_gamma, g_beta]
    for wanted, found in zip(expected, got, strict=True):
        assert np.abs(np.ravel(found) - wanted.ravel()).max() <= 2e-5 * np.abs(wanted).max()


@pytest.mark.parametrize("optimized", [False, True])
def test_no_reciprocal_square_root_is_emitted(optimized):
    """The processor's instruction is approximate, and another on each make."""
    inputs, outputs = normalisation()
    x, gamma, beta, mean, var = (at.ftensor4() if i == 0 else at.fvector() for i in range(5))
    inference = batch_normalization_test(x, gamma, beta, mean, var, axes="spatial")
    values = [np.zeros((2, 3, 8, 8), "float32"), *(np.ones(3, "float32"),) * 2]
    assert "rsqrt" not in hlo(inputs, outputs, [*values, values[0]], optimized)
    text = hlo([x, gamma, beta, mean, var], [inference], [*values, *values[1:]], optimized)
    assert "sqrt" in text
    assert "rsqrt" not in text
