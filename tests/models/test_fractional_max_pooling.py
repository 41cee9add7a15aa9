"""Graham's network: the sizes that lead back to the field, its parameters, its equations."""

import aesara.tensor as T
import lasagne
import numpy as np
import pytest
from aesara.graph.basic import ancestors

from crmn_legacy import cost, models
from crmn_legacy.layers import FractionalPool2DLayer, MapDropoutLayer
from crmn_legacy.models.fractional_max_pooling import field_sizes
from crmn_legacy.training.steps import build
from tests.evaluate import evaluate, random_parameters
from tests.oracles import fractional_pooling, map_dropout

RATIO = 2**0.3333


def a_network(num_filters=4, num_layers=3, side=9, ratio=RATIO):
    return build(
        lambda: models.fractional_max_pooling(
            models.picture_input((3, side, side)),
            num_filters=num_filters,
            num_layers=num_layers,
            dropout=0.5,
            num_outputs=10,
            nonlinearity=models.softmax,
            ratio=ratio,
            leakiness=0.333,
        ),
        seed=1,
    )


@pytest.fixture(scope="module")
def published():
    return a_network(160, 12, 94)


def of_kind(network, kind):
    return [layer for layer in lasagne.layers.get_all_layers(network) if isinstance(layer, kind)]


def test_sizes_lead_back_from_one_place_to_94():
    assert field_sizes(12, RATIO) == [
        (93, 74),
        (73, 58),
        (57, 45),
        (44, 35),
        (34, 27),
        (26, 21),
        (20, 16),
        (15, 12),
        (11, 9),
        (8, 6),
        (5, 4),
        (3, 2),
    ]


def test_a_size_never_stays():
    assert field_sizes(2, 1.1) == [(5, 4), (3, 2)]


def test_the_layers_have_these_sizes(published):
    pools = of_kind(published, FractionalPool2DLayer)
    assert [(pool.input_shape[2], pool.output_shape[3]) for pool in pools] == field_sizes(12, RATIO)
    assert [pool.output_shape[1] for pool in pools] == [160 * n for n in range(1, 13)]
    assert of_kind(published, lasagne.layers.Conv2DLayer)[-1].output_shape == (None, 2240, 1, 1)


def test_parameters_are_the_closed_form(published):
    # C2 of 160 n maps each for n from 1 to 13, C1 of 160 x 14, and the classes.
    counted = 4 * 3 * 160 + sum(4 * 160 * n * 160 * (n + 1) for n in range(1, 13)) + 160 * 13 * 160 * 14
    counted += 160 * sum(range(1, 15)) + (160 * 14 + 1) * 10
    assert counted == 79_247_530
    assert cost.parameters(published) == counted


def test_operations_are_the_closed_form(published):
    counted, maps = 0, 3
    for number, (side, _) in enumerate(field_sizes(12, RATIO), start=1):
        units = 160 * number
        # Products, leaky rectifiers, and one an element of what is pooled.
        counted += side**2 * units * (8 * maps + 1 + 1)
        maps = units
    counted += 2080 * (8 * 1920 + 1) + 2240 * (2 * 2080 + 1) + 2 * 2240 * 10
    assert cost.flops(published) == counted


def test_dropout_grows_evenly_to_one_half(published):
    dropouts = of_kind(published, MapDropoutLayer)
    assert [layer.name for layer in dropouts] == [f"stage{number}.dropout" for number in range(2, 15)]
    np.testing.assert_allclose([layer.p for layer in dropouts], [0.5 * i / 13 for i in range(1, 14)])


def test_weights_start_with_the_released_codes_widths(published):
    for layer in of_kind(published, lasagne.layers.Conv2DLayer):
        maps, incoming, side, _ = layer.W.get_value(borrow=True).shape
        pooled = layer.name not in ("stage13.conv", "stage14.conv")
        width = np.sqrt(6 / (incoming * side**2 + maps * (side / (RATIO if pooled else 1)) ** 2))
        np.testing.assert_allclose(np.abs(layer.W.get_value(borrow=True)).max(), width, rtol=2e-3)
        assert not layer.b.get_value().any()


def convolved(x, W, b):
    """True convolution, filters flipped, without padding."""
    windows = np.lib.stride_tricks.sliding_window_view(x, W.shape[2:], axis=(2, 3))
    return np.einsum("bcijkl,ockl->boij", windows, W[:, :, ::-1, ::-1]) + b[:, None, None]


@pytest.mark.parametrize(("num_layers", "ratio", "side"), [(3, RATIO, 9), (2, 1.98, 11)])
def test_deterministic_output_is_the_papers_equations(double, num_layers, ratio, side):
    network = a_network(num_layers=num_layers, ratio=ratio, side=side)
    values = random_parameters(network, seed=2)
    x = np.random.default_rng(3).normal(size=(2, 3, side, side))
    h = x
    for number in range(1, num_layers + 3):
        h = convolved(h, values[f"stage{number}.conv.W"], values[f"stage{number}.conv.b"])
        h = np.where(h > 0, h, 0.333 * h)
        if number <= num_layers:
            after = field_sizes(num_layers, ratio)[number - 1][1]
            h = fractional_pooling.forward(h, np.full((2, 2), 0.5), after, after)
        h = map_dropout.deterministic(h, 0.5 * (number - 1) / (num_layers + 1))
    logits = h.reshape(2, -1) @ values["output.W"] + values["output.b"]
    expected = np.exp(logits - logits.max(axis=1, keepdims=True))
    expected /= expected.sum(axis=1, keepdims=True)
    symbol = T.tensor4()
    (got,) = evaluate([lasagne.layers.get_output(network, symbol, deterministic=True)], {symbol: x})
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-9)


def test_sampling_draws_regions_and_no_dropout():
    network, symbol = a_network(), T.tensor4()
    output = lasagne.layers.get_output(network, symbol, deterministic=True, sampling=True)
    states = {variable.name for variable in ancestors([output]) if (variable.name or "").endswith(".rng")}
    drawn = {f"stage{number}.pool.rng" for number in (1, 2, 3)}
    assert states == drawn


def test_a_field_of_another_size_is_refused():
    with pytest.raises(ValueError, match=r"12 pools of ratio 1\.25989 expect a field of 94 x 94, got \(32, 32\)"):
        a_network(160, 12, 32)
