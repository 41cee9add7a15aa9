import aesara.tensor as T
import numpy as np
import pytest
from lasagne.layers import get_all_layers, get_all_params, get_output

from crmn_legacy import cost, models
from crmn_legacy.layers import SwapoutLayer
from crmn_legacy.training.steps import build
from tests.evaluate import evaluate, random_parameters
from tests.models.test_resnet_110 import convolved
from tests.oracles import swapout as oracle


def a_network(n=1, num_filters=2, size=32, num_outputs=10):
    return build(
        lambda: models.swapout(
            models.picture_input((3, size, size)),
            n=n,
            num_filters=num_filters,
            last_keep=0.5,
            num_outputs=num_outputs,
            nonlinearity=models.softmax,
        ),
        seed=1,
    )


def joins(network):
    return [layer for layer in get_all_layers(network) if isinstance(layer, SwapoutLayer)]


@pytest.mark.parametrize(("num_outputs", "parameters"), [(10, 7_427_146), (100, 7_450_276)])
def test_the_published_network_has_32_layers_and_its_parameters(num_outputs, parameters):
    network = a_network(5, 64, num_outputs=num_outputs)
    assert cost.parameters(network) == parameters
    assert cost.weight_layers(network) == 32


@pytest.mark.parametrize("n", [1, 5])
def test_both_keep_probabilities_fall_linearly_from_1_to_one_half(n):
    keep = [layer.keep for layer in joins(a_network(n))]
    expected = oracle.keep_probabilities(3 * n, 1, 0.5)
    assert [of_shortcut for of_shortcut, _ in keep] == pytest.approx(expected)
    assert all(of_shortcut == of_residual for of_shortcut, of_residual in keep)
    assert keep[0] == (1, 1) and keep[-1] == (0.5, 0.5)


def test_a_shortcut_projects_what_the_first_rectifier_gives_and_passes_the_rest_as_it_is():
    shortcuts, residuals = zip(*(layer.input_layers for layer in joins(a_network(2))), strict=True)
    assert [layer.name for layer in shortcuts] == [
        "stem.conv",
        "stage1.block1.swapout",
        "stage2.block1.shortcut.conv",
        "stage2.block1.swapout",
        "stage3.block1.shortcut.conv",
        "stage3.block1.swapout",
    ]
    assert shortcuts[2].input_layer.name == "stage2.block1.rectify1"
    assert {layer.name.rsplit(".", 1)[1] for layer in residuals} == {"conv2"}


def test_parameters_carry_layer_path_names():
    names = {p.name for p in get_all_params(a_network())}
    assert {
        "stem.conv.W",
        "stage1.block1.bn1.gamma",
        "stage1.block1.conv1.W",
        "stage2.block1.shortcut.conv.W",
        "stage3.block1.bn2.inv_std",
        "final.bn.beta",
        "output.W",
        "output.b",
    } <= names
    assert not any("conv" in name and name.endswith(".b") for name in names)


@pytest.mark.usefixtures("double")
def test_the_smallest_network_computes_the_equations():
    network = a_network(size=8)
    values = random_parameters(network, seed=2)
    x = np.random.default_rng(3).normal(size=(2, 3, 8, 8))
    symbol = T.tensor4()
    (got,) = evaluate([get_output(network, symbol, deterministic=True)], {symbol: x})

    def bn_rectify(layer, bn):
        mean, inv_std, gamma, beta = (values[f"{bn}.{p}"][:, None, None] for p in ("mean", "inv_std", "gamma", "beta"))
        return np.maximum((layer - mean) * inv_std * gamma + beta, 0)

    layer = convolved(x, values["stem.conv.W"], 1)
    for stage, keep in zip((1, 2, 3), oracle.keep_probabilities(3, 1, 0.5), strict=True):
        name, stride = f"stage{stage}.block1", 1 if stage == 1 else 2
        rectified = bn_rectify(layer, f"{name}.bn1")
        residual = convolved(rectified, values[f"{name}.conv1.W"], stride)
        residual = convolved(bn_rectify(residual, f"{name}.bn2"), values[f"{name}.conv2.W"], 1)
        if stage > 1:
            layer = convolved(rectified, values[f"{name}.shortcut.conv.W"], stride)
        layer = oracle.expected(layer, residual, keep, keep)
    logits = bn_rectify(layer, "final.bn").mean(axis=(2, 3)) @ values["output.W"] + values["output.b"]
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-11)


def test_joining_costs_one_addition_a_unit():
    layer = joins(a_network())[0]
    assert cost.layer_flops(layer) == 2 * 32 * 32
