"""The maxout network: its maps, its parameters, its equations."""

import aesara.tensor as T
import lasagne
import numpy as np
import pytest

from crmn_legacy import cost, models
from crmn_legacy.layers import DropoutLayer
from crmn_legacy.training.steps import build
from tests.evaluate import evaluate, random_parameters


def a_network(num_filters=(2, 3, 2), num_units=4, num_pieces=(2, 5)):
    return build(
        lambda: models.maxout(
            models.picture_input((3, 32, 32)),
            num_filters=num_filters,
            num_units=num_units,
            num_pieces=num_pieces,
            dropout=(0.2, 0.5),
            initial_range=0.005,
            num_outputs=10,
            nonlinearity=models.softmax,
        ),
        seed=1,
    )


def published():
    return a_network((96, 192, 192), 500)


def by_name(network):
    return {layer.name: layer for layer in lasagne.layers.get_all_layers(network)}


def test_maps_are_as_large_as_the_published_ones():
    layers = by_name(published())
    sides = [layers[f"stage{stage}.{kind}"].output_shape[2] for stage in (1, 2, 3) for kind in ("conv", "pool")]
    assert sides == [33, 16, 15, 7, 9, 5]
    assert layers["stage4.maxout"].output_shape == (None, 500)


def test_parameters_are_the_closed_form():
    pieces, maps, counted = 2, 3, 0
    for units, side in ((96, 8), (192, 8), (192, 5)):
        counted += pieces * units * (maps * side**2 + 1)
        maps = units
    counted += (192 * 5**2 + 1) * 500 * 5 + (500 + 1) * 10
    assert counted == 16_247_830
    assert cost.parameters(published()) == counted


def test_operations_are_the_closed_form():
    pieces, maps, counted = 2, 3, 0
    for units, side, before in ((96, 8, 33), (192, 8, 15), (192, 5, 9)):
        counted += 2 * pieces * units * before**2 * maps * side**2
        # Of a maximum, one an element of what is pooled: over the pieces, then over places.
        counted += pieces * units * before**2 + units * before**2
        maps = units
    counted += 2 * 192 * 5**2 * 2500 + 2500 + 2 * 500 * 10
    assert cost.flops(published()) == counted


def test_dropout_precedes_each_layer_and_leaves_the_input_unscaled():
    layers = lasagne.layers.get_all_layers(a_network())
    dropouts = [layer for layer in layers if isinstance(layer, DropoutLayer)]
    assert [(layer.p, layer.scale) for layer in dropouts] == [(0.2, 1)] + [(0.5, 2)] * 4
    followers = [next(other.name for other in layers if getattr(other, "input_layer", None) is d) for d in dropouts]
    assert followers == ["stage1.conv", "stage2.conv", "stage3.conv", "stage4.dense", "output"]


def test_weights_start_evenly_within_the_initial_range():
    for parameter in lasagne.layers.get_all_params(a_network((8, 8, 8), 50), trainable=True):
        value = parameter.get_value()
        if parameter.name.endswith(".b"):
            assert not value.any()
        else:
            assert 0.0045 < np.abs(value).max() <= 0.005
            assert abs(value.std() - 0.005 / np.sqrt(3)) < 5e-4


def convolved(x, W, b, pad):
    """True convolution, filters flipped."""
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    windows = np.lib.stride_tricks.sliding_window_view(x, W.shape[2:], axis=(2, 3))
    return np.einsum("bcijkl,ockl->boij", windows, W[:, :, ::-1, ::-1]) + b[:, None, None]


def pooled(x, size, stride):
    """Maxima over windows that may reach over the far border; every element lies in one."""
    count = -(-(x.shape[2] - size) // stride) + 1
    rows = [x[:, :, i * stride : i * stride + size].max(axis=2) for i in range(count)]
    columns = [np.stack(rows, axis=2)[..., j * stride : j * stride + size].max(axis=3) for j in range(count)]
    return np.stack(columns, axis=3)


def pieces(x, number):
    return x.reshape(x.shape[0], -1, number, *x.shape[2:]).max(axis=2)


def test_deterministic_output_is_the_papers_equations(double):
    network = a_network()
    values = random_parameters(network, seed=2)
    x = np.random.default_rng(3).normal(size=(2, 3, 32, 32))
    h = x
    for stage, (pad, size) in enumerate(((4, 4), (3, 4), (3, 2)), start=1):
        h = convolved(h, values[f"stage{stage}.conv.W"], values[f"stage{stage}.conv.b"], pad)
        h = pooled(pieces(h, 2), size, 2)
    h = pieces(h.reshape(2, -1) @ values["stage4.dense.W"] + values["stage4.dense.b"], 5)
    logits = h @ values["output.W"] + values["output.b"]
    expected = np.exp(logits - logits.max(axis=1, keepdims=True))
    expected /= expected.sum(axis=1, keepdims=True)
    symbol = T.tensor4()
    (got,) = evaluate([lasagne.layers.get_output(network, symbol, deterministic=True)], {symbol: x})
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-9)


def test_three_convolutional_layers_are_asked_for():
    with pytest.raises(ValueError, match="of 3 convolutional layers, got"):
        a_network(num_filters=(2, 3))
