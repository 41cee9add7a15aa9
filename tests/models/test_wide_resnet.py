import lasagne
import numpy as np
import pytest
from lasagne.layers import get_all_layers, get_all_params

from crmn_legacy import cost, models
from crmn_legacy.layers import DropoutLayer
from tests.evaluate import evaluate, random_parameters
from tests.oracles import batch_normalised_pictures as oracle


def a_network(n, num_filters, num_outputs=10, dropout=0.0, side=32):
    return models.wide_resnet(
        models.picture_input((3, side, side)),
        n=n,
        num_filters=num_filters,
        num_outputs=num_outputs,
        nonlinearity=models.softmax,
        dropout=dropout,
    )


@pytest.mark.parametrize(("classes", "dropout", "parameters"), [(10, 0.0, 36_479_194), (100, 0.3, 36_536_884)])
def test_28_layers_10_times_as_wide_have_the_source_s_parameters(classes, dropout, parameters):
    network = a_network(4, 160, classes, dropout)
    assert cost.parameters(network) == parameters
    weights = [layer for layer in get_all_layers(network) if hasattr(layer, "W")]
    assert len([layer for layer in weights if layer.name != "output"]) == 28
    assert cost.weight_layers(network) == 26
    assert weights[0].num_filters == 16 and weights[1].num_filters == 160


def test_dropout_stands_before_each_block_s_second_convolution_or_nowhere():
    def of(network):
        return [layer for layer in get_all_layers(network) if isinstance(layer, DropoutLayer)]

    assert [(layer.name, layer.p) for layer in of(a_network(1, 4, dropout=0.3))] == [
        (f"stage{stage}.block1.dropout", 0.3) for stage in (1, 2, 3)
    ]
    assert all(layer.input_layer.name.endswith("rectify2") for layer in of(a_network(1, 4, dropout=0.3)))
    assert of(a_network(1, 4)) == []


def test_parameters_carry_layer_path_names():
    names = {p.name for p in get_all_params(a_network(2, 4))}
    assert {"stem.conv.W", "stage1.block1.shortcut.conv.W", "stage3.block2.bn2.beta", "final.bn.gamma"} <= names
    assert "stage1.block2.shortcut.conv.W" not in names


@pytest.mark.usefixtures("double")
def test_it_computes_the_source_s_equations():
    network = a_network(2, 4, side=8)
    weights = random_parameters(network, seed=1)
    x = np.random.default_rng(2).normal(size=(3, 3, 8, 8))
    symbol = get_all_layers(network)[0].input_var
    (got,) = evaluate([lasagne.layers.get_output(network)], {symbol: x})
    y = oracle.convolution(x, weights["stem.conv.W"])
    for stage in (1, 2, 3):
        for block in (1, 2):
            y = oracle.wide_block(y, weights, f"stage{stage}.block{block}", 2 if stage > 1 and block == 1 else 1)
    np.testing.assert_allclose(got, oracle.classified(y, weights), rtol=0, atol=1e-9)


@pytest.mark.usefixtures("double")
def test_with_dropout_a_block_computes_the_source_s_equations_of_the_mask_drawn():
    network = a_network(1, 4, dropout=0.3, side=8)
    weights = random_parameters(network, seed=1)
    layers = {layer.name: layer for layer in get_all_layers(network)}
    watched = [layers["stem.conv"], layers["stage1.block1.rectify2"], layers["stage1.block1.dropout"]]
    outputs = lasagne.layers.get_output([*watched, layers["stage1.block1.sum"]])
    x = np.random.default_rng(2).normal(size=(3, 3, 8, 8))
    stem, before, after, got = evaluate(outputs, {layers["input"].input_var: x})
    kept = after != 0
    mask = np.where(kept, 1 / 0.7, 0.0)
    assert 0 < kept[before > 0].mean() < 1
    np.testing.assert_allclose(after, before * mask, rtol=0, atol=1e-12)
    np.testing.assert_allclose(got, oracle.wide_block(stem, weights, "stage1.block1", mask=mask), rtol=0, atol=1e-9)
