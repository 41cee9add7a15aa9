"""The large all-convolutional network: its maps, its parameters, its equations."""

import aesara.tensor as T
import lasagne
import numpy as np
import pytest

from crmn_legacy import cost, models
from crmn_legacy.layers import DropoutLayer
from crmn_legacy.training.steps import build
from tests.evaluate import evaluate, random_parameters


def a_network(num_filters=2, num_stages=2, side=15):
    return build(
        lambda: models.all_convolutional(
            models.picture_input((3, side, side)),
            num_filters=num_filters,
            num_stages=num_stages,
            dropout=0.1,
            num_outputs=10,
            nonlinearity=models.softmax,
        ),
        seed=1,
    )


@pytest.fixture(scope="module")
def published():
    return a_network(320, 5, 126)


def convolutions(network):
    return [layer for layer in lasagne.layers.get_all_layers(network) if isinstance(layer, lasagne.layers.Conv2DLayer)]


def test_a_field_of_126_leaves_one_place(published):
    sides = [layer.output_shape[2] for layer in convolutions(published)]
    assert sides == [125, 124, 62, 61, 60, 30, 29, 28, 14, 13, 12, 6, 5, 4, 2, 1, 1, 1]
    assert published.output_shape == (None, 10)


def test_parameters_are_the_closed_form(published):
    maps, counted = 3, 0
    for stage in range(1, 6):
        for _ in range(3):
            counted += (4 * maps + 1) * 320 * stage
            maps = 320 * stage
    counted += (4 * 1600 + 1) * 1920 + (1920 + 1) * 1920 + (1920 + 1) * 10
    assert counted == 77_455_690
    assert cost.parameters(published) == counted


def test_operations_count_leaky_rectifiers_too(published):
    sides = [layer.output_shape[2] for layer in convolutions(published)]
    maps, counted = 3, 0
    for number, side in enumerate(sides[:15]):
        units = 320 * (number // 3 + 1)
        counted += side**2 * units * (8 * maps + 1)
        maps = units
    counted += 1920 * (8 * 1600 + 1) + 1920 * (2 * 1920 + 1) + 10 * 2 * 1920
    assert cost.flops(published) == counted


def test_dropout_grows_by_stage_and_none_follows_a_stride(published):
    dropouts = [layer for layer in lasagne.layers.get_all_layers(published) if isinstance(layer, DropoutLayer)]
    expected = [(f"stage{stage}.conv{conv}", 0.1 * (stage - 1)) for stage in range(2, 7) for conv in (1, 2)]
    assert [(layer.input_layer.name, pytest.approx(layer.p)) for layer in dropouts] == expected


def test_weights_start_with_he_s_deviation_for_the_slope(published):
    for layer in convolutions(published):
        variance = 1 if layer.name == "output" else 2 / (1 + 1 / 9)
        fan_in = np.prod(layer.W.get_value(borrow=True).shape[1:])
        np.testing.assert_allclose(layer.W.get_value(borrow=True).std(), np.sqrt(variance / fan_in), rtol=0.05)
        assert not layer.b.get_value().any()


def convolved(x, W, b, stride):
    """True convolution, filters flipped, without padding."""
    windows = np.lib.stride_tricks.sliding_window_view(x, W.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    return np.einsum("bcijkl,ockl->boij", windows, W[:, :, ::-1, ::-1]) + b[:, None, None]


@pytest.mark.parametrize("side", [14, 19])
def test_deterministic_output_is_the_papers_equations(double, side):
    network = a_network(side=side)
    values = random_parameters(network, seed=2)
    x = np.random.default_rng(3).normal(size=(2, 3, side, side))
    h = x
    for stage in (1, 2, 3):
        for number, stride in ((1, 1), (2, 1), (3, 2)):
            name = f"stage{stage}.conv{number}"
            if f"{name}.W" in values:
                h = convolved(h, values[f"{name}.W"], values[f"{name}.b"], stride)
                h = np.where(h > 0, h, h / 3)
    logits = convolved(h, values["output.W"], values["output.b"], 1).mean(axis=(2, 3))
    expected = np.exp(logits - logits.max(axis=1, keepdims=True))
    expected /= expected.sum(axis=1, keepdims=True)
    symbol = T.tensor4()
    (got,) = evaluate([lasagne.layers.get_output(network, symbol, deterministic=True)], {symbol: x})
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-9)
