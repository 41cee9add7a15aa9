import aesara.tensor as T
import numpy as np
import pytest
from lasagne.layers import get_all_layers, get_all_params, get_output
from scipy.signal import convolve2d

from crmn_legacy import cost, models
from crmn_legacy.training.steps import build
from tests.evaluate import evaluate, random_parameters
from tests.oracles import highway as oracle

PUBLISHED = ((32, 4), (80, 5), (128, 5))


def a_network(stages=PUBLISHED, num_features=100, num_outputs=100, size=32, **arguments):
    return build(
        lambda: models.highway(
            models.picture_input((3, size, size)),
            stages=stages,
            num_features=num_features,
            dropout=0.2,
            num_outputs=num_outputs,
            nonlinearity=models.softmax,
            **arguments,
        ),
        seed=1,
    )


def named(network):
    return {layer.name: layer for layer in get_all_layers(network)}


# From the released network's table alone: convolutions with biases, two a highway layer, and the dense layer.
@pytest.mark.parametrize(("num_outputs", "parameters"), [(100, 2_265_928), (10, 2_256_838)])
def test_the_published_network_has_19_layers_and_its_parameters(num_outputs, parameters):
    network = a_network(num_outputs=num_outputs)
    assert cost.parameters(network) == parameters
    assert cost.weight_layers(network) == 19


def test_maps_halve_between_the_stages():
    layers = named(a_network())
    shapes = [layers[name].output_shape[1:] for name in ("stage1.conv", "stage2.conv", "stage3.conv", "features.conv")]
    assert shapes == [(32, 32, 32), (80, 16, 16), (128, 8, 8), (100, 8, 8)]


def test_dropout_stands_before_the_first_convolution_behind_the_pools_and_before_the_dense_layer():
    layers = named(a_network())
    assert [name for name in layers if "dropout" in name] == [
        "input_dropout",
        "stage2.dropout",
        "stage3.dropout",
        "output_dropout",
    ]
    assert layers["stage1.conv"].input_layer.name == "input_dropout"
    assert layers["stage2.dropout"].input_layer.name == "stage2.pool"
    assert layers["output"].input_layer.name == "output_dropout"


def test_first_weights_are_those_of_the_released_network():
    layers = named(a_network(output_deviation=0.05))
    assert set(layers["stage1.block1.gate.conv"].b.get_value()) == {-2}
    assert set(layers["stage1.block1.conv"].b.get_value()) == {0}
    deviations = {
        "stage1.conv": 1.0,
        "stage3.block2.conv": (2 / (9 * 128)) ** 0.5,
        "stage3.block2.gate.conv": (2 / (9 * 128)) ** 0.5,
        "output": 0.05,
    }
    for name, deviation in deviations.items():
        weights = layers[name].W.get_value()
        assert weights.std() == pytest.approx(deviation, abs=4 * deviation / (2 * weights.size) ** 0.5), name


def test_parameters_carry_layer_path_names():
    names = [p.name for p in get_all_params(a_network(((2, 1), (3, 1))))]
    assert names == [
        f"{layer}.{parameter}"
        for layer in (
            *(f"stage{stage}.{part}" for stage in (1, 2) for part in ("conv", "block1.conv", "block1.gate.conv")),
            "features.conv",
            "output",
        )
        for parameter in ("W", "b")
    ]


def convolved(x, W, b):
    """The true convolution, zeros beyond the border."""
    maps = [[sum(convolve2d(c, w, mode="same") for c, w in zip(p, f, strict=True)) for f in W] for p in x]
    return np.array(maps) + b.reshape(1, -1, 1, 1)


@pytest.mark.usefixtures("double")
def test_the_smallest_network_computes_the_equations():
    network = a_network(((2, 1), (3, 1)), num_features=4, num_outputs=5, size=4)
    values = random_parameters(network, seed=2)
    x = np.random.default_rng(3).normal(size=(2, 3, 4, 4))
    symbol = T.tensor4()
    (got,) = evaluate([get_output(network, symbol, deterministic=True)], {symbol: x})

    def conv(layer, name):
        return convolved(layer, values[f"{name}.W"], values[f"{name}.b"])

    layer = x
    for stage in ("stage1", "stage2"):
        if stage == "stage2":
            layer = layer.reshape(2, 2, 2, 2, 2, 2).max(axis=(3, 5))
        layer = np.maximum(conv(layer, f"{stage}.conv"), 0)
        gate = 1 / (1 + np.exp(-conv(layer, f"{stage}.block1.gate.conv")))
        layer = oracle.forward(np.maximum(conv(layer, f"{stage}.block1.conv"), 0), gate, layer)
    features = np.maximum(conv(layer, "features.conv"), 0).mean(axis=(2, 3))
    logits = np.exp(features @ values["output.W"] + values["output.b"])
    np.testing.assert_allclose(got, logits / logits.sum(axis=1, keepdims=True), rtol=0, atol=1e-12)


def test_a_gate_costs_its_convolution_and_one_addition():
    one, two = (cost.flops(a_network(((2, blocks),), 4, 5, 8)) for blocks in (1, 2))
    pixels = 2 * 8 * 8
    # Two convolutions, one of them rectified, and the addition.
    assert two - one == 2 * (2 * pixels * 2 * 9) + pixels + pixels
