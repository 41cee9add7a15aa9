import aesara
import aesara.tensor as T
import numpy as np
import pytest

from crmn_legacy.backend.compile import compile_step
from crmn_legacy.layers import BatchNormLayer
from tests.evaluate import evaluate, random_parameters
from tests.oracles import batch_norm as oracle

pytestmark = pytest.mark.usefixtures("double")
EPSILON = 1e-4


@pytest.fixture(params=["inv_std", "var"])
def average(request):
    return request.param


@pytest.fixture(params=[(6, 3, 4, 5), (7, 3)], ids=["maps", "features"])
def case(request, average):
    layer = BatchNormLayer((None, *request.param[1:]), average=average, epsilon=EPSILON, name="bn")
    values = random_parameters(layer, seed=1)
    x = np.random.default_rng(2).normal(2.0, 3.0, request.param)
    symbol = T.TensorType("float64", (None,) * x.ndim)()
    return layer, values, symbol, x


def test_training_normalises_by_the_batch(case):
    layer, values, symbol, x = case
    (got,) = evaluate([layer.get_output_for(symbol)], {symbol: x})
    expected = oracle.forward(x, values["bn.gamma"], values["bn.beta"], EPSILON)
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-11)


def test_training_gradients_are_the_closed_form(case):
    layer, values, symbol, x = case
    d_out = np.random.default_rng(3).normal(size=x.shape)
    cost = (layer.get_output_for(symbol) * d_out).sum()
    got = evaluate(aesara.grad(cost, [symbol, layer.gamma, layer.beta]), {symbol: x})
    for ours, expected in zip(got, oracle.gradient(x, values["bn.gamma"], EPSILON, d_out), strict=True):
        np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-10)


def test_deterministic_output_uses_the_stored_statistics(case):
    layer, values, symbol, x = case
    (got,) = evaluate([layer.get_output_for(symbol, deterministic=True)], {symbol: x})
    shape = (1, -1) + (1,) * (x.ndim - 2)
    mean, stored, gamma, beta = (values[f"bn.{k}"].reshape(shape) for k in ("mean", layer.average, "gamma", "beta"))
    inv_std = stored if layer.average == "inv_std" else (stored + EPSILON) ** -0.5
    np.testing.assert_allclose(got, (x - mean) * inv_std * gamma + beta, rtol=0, atol=1e-12)


def test_a_training_step_moves_the_running_averages_by_alpha(case):
    layer, values, symbol, x = case
    step = compile_step({"x": symbol}, {"y": layer.get_output_for(symbol)})
    state, _ = step(step.initial_state(), {"x": x})
    mean, inv_std = oracle.statistics(x, EPSILON)
    of_batch = {"mean": mean, layer.average: inv_std if layer.average == "inv_std" else oracle.unbiased_variance(x)}
    for name, value in of_batch.items():
        np.testing.assert_allclose(state[f"bn.{name}"], 0.9 * values[f"bn.{name}"] + 0.1 * value, rtol=0, atol=1e-12)


def test_a_deterministic_step_moves_nothing(case):
    layer, values, symbol, x = case
    step = compile_step({"x": symbol}, {"y": layer.get_output_for(symbol, deterministic=True)})
    state, _ = step(step.initial_state(), {"x": x})
    for name, value in state.items():
        np.testing.assert_array_equal(value, values[name])


def test_scale_and_shift_are_trained_and_statistics_are_not(average):
    layer = BatchNormLayer((None, 3, 4, 5), average=average, name="bn")
    assert {p.name for p in layer.get_params(trainable=True)} == {"bn.gamma", "bn.beta"}
    assert {p.name for p in layer.get_params(trainable=False)} == {"bn.mean", f"bn.{average}"}
    assert layer.get_params(regularizable=True) == []


def test_unknown_channels_are_refused():
    with pytest.raises(ValueError, match=r"known channels, got \(None, None, 4\)"):
        BatchNormLayer((None, None, 4))


def test_an_unknown_average_is_refused():
    with pytest.raises(ValueError, match="got average='std', expected 'inv_std' or 'var'"):
        BatchNormLayer((None, 3), average="std")
