import aesara.tensor as T
import numpy as np
import pytest
from lasagne.layers import InputLayer, get_all_layers, get_output

from crmn_legacy import cost, models
from tests.evaluate import evaluate, random_parameters
from tests.oracles import rcn as oracle


def a_network(size=16, num_points=3, num_filters=4, filter_size=5):
    return models.rcn(InputLayer((None, 1, size, size), name="input"), num_points, num_filters, filter_size)


def named(network):
    return {layer.name: layer for layer in get_all_layers(network)}


@pytest.mark.usefixtures("double")
def test_the_output_is_the_equations():
    network = a_network(size=32)
    values = random_parameters(network, seed=1)
    symbol = T.tensor4()
    x = np.random.default_rng(2).normal(size=(2, 1, 32, 32))
    (got,) = evaluate([get_output(network, symbol)], {symbol: x})
    expected = oracle.network(x, values)
    np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-10 * np.abs(expected).max())


def test_the_published_network_has_the_parameters_of_the_released_code():
    network = a_network(size=80, num_points=68, num_filters=64)
    assert cost.parameters(network) == 1_095_492
    assert network.output_shape == (None, 68, 80, 80)


def test_two_operations_a_multiply_add_make_the_flops_but_for_rectifiers_and_pools():
    network = a_network(size=80, num_points=68, num_filters=64)
    convolutions = [layer for layer in get_all_layers(network) if hasattr(layer, "W")]
    products = sum(2 * np.prod(layer.W.get_value().shape) * np.prod(layer.output_shape[2:]) for layer in convolutions)
    assert round(products / 1e9, 3) == 3.828
    assert len(convolutions) == cost.weight_layers(network) == 16
    elements = sum(np.prod(layer.output_shape[1:]) for layer in convolutions if layer.name != "rcn.output")
    pools = sum(64 * side * side for side in (80, 40, 20, 10))
    assert cost.flops(network) == products + elements + pools


def test_each_branch_reads_the_trunk_at_its_own_resolution_and_the_coarser_branch():
    layers = named(a_network(size=80))
    found = {
        branch: (layers[f"rcn.{branch}.recombine"].input_layers[0].name, layers[f"rcn.{branch}.conv1"].output_shape[2])
        for branch in ("coarser", "coarse", "middle", "fine")
    }
    assert found == {
        "coarser": ("rcn.trunk.conv4", 10),
        "coarse": ("rcn.trunk.conv3", 20),
        "middle": ("rcn.trunk.conv2", 40),
        "fine": ("rcn.trunk.conv1", 80),
    }
    assert layers["rcn.coarsest.conv1"].input_layer.name == "rcn.trunk.conv5"


def test_a_size_that_cannot_be_halved_four_times_is_told():
    with pytest.raises(ValueError, match="multiples of 16, got 24 x 24"):
        a_network(size=24)
