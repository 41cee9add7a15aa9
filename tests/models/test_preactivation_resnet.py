import lasagne
import numpy as np
import pytest
from lasagne.layers import Conv2DLayer, get_all_layers, get_all_params

from crmn_legacy import cost, models
from crmn_legacy.training.steps import build
from tests.evaluate import evaluate, random_parameters
from tests.oracles import batch_normalised_pictures as oracle


def a_network(n, num_filters, num_outputs=10, side=32):
    return models.preactivation_resnet(
        models.picture_input((3, side, side)),
        n=n,
        num_filters=num_filters,
        num_outputs=num_outputs,
        nonlinearity=models.softmax,
    )


@pytest.mark.parametrize(("classes", "parameters"), [(10, 10_327_706), (100, 10_350_836)])
def test_1001_layers_have_the_source_s_parameters(classes, parameters):
    network = a_network(111, 16, classes)
    assert cost.parameters(network) == parameters
    assert cost.weight_layers(network) == 1001
    assert network.output_shape == (None, classes)
    assert len(get_all_layers(network)) < 60


def test_parameters_are_named_as_if_the_blocks_were_written_out():
    names = [p.name for p in get_all_params(a_network(3, 4))]
    assert len(names) == len(set(names))
    assert {
        "stem.conv.W",
        "stage1.block1.shortcut.conv.W",
        "stage1.block2.bn1.gamma",
        "stage2.block3.conv3.W",
        "stage3.block3.bn3.var",
        "final.bn.mean",
        "output.b",
    } <= set(names)
    assert not [name for name in names if "shortcut" in name and "block1" not in name]
    assert not [name for name in names if name.endswith(".b") and name != "output.b"]


def test_every_block_has_initial_weights_of_its_own_by_fan_out():
    network = build(lambda: a_network(3, 16), seed=1)
    weights = {p.name: p.get_value() for p in get_all_params(network, regularizable=True)}
    assert not np.array_equal(weights["stage3.block2.conv2.W"], weights["stage3.block3.conv2.W"])
    for name, fan_out in {"stage3.block2.conv2.W": 9 * 64, "stage3.block2.conv3.W": 256, "stem.conv.W": 144}.items():
        assert weights[name].std() == pytest.approx((2 / fan_out) ** 0.5, rel=0.1)


def test_only_the_first_convolution_and_the_dense_layer_are_outside_of_blocks():
    outside = [layer.name for layer in get_all_layers(a_network(2, 4)) if isinstance(layer, Conv2DLayer)]
    assert [name for name in outside if not name.startswith("stage")] == ["stem.conv"]


@pytest.mark.usefixtures("double")
def test_it_computes_the_source_s_equations():
    network = a_network(3, 2, side=8)
    weights = random_parameters(network, seed=1)
    x = np.random.default_rng(2).normal(size=(3, 3, 8, 8))
    symbol = lasagne.layers.get_all_layers(network)[0].input_var
    (got,) = evaluate([lasagne.layers.get_output(network)], {symbol: x})
    y = oracle.convolution(x, weights["stem.conv.W"])
    for stage in (1, 2, 3):
        for block in (1, 2, 3):
            stride = 2 if stage > 1 and block == 1 else 1
            y = oracle.bottleneck(y, weights, f"stage{stage}.block{block}", stride)
    np.testing.assert_allclose(got, oracle.classified(y, weights), rtol=0, atol=1e-9)
