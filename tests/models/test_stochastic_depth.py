import aesara.tensor as T
import numpy as np
import pytest
from lasagne.layers import get_all_layers, get_output

from crmn_legacy import cost, models
from crmn_legacy.layers import IdentityShortcutLayer, StochasticDepthLayer
from crmn_legacy.training.steps import build
from tests.evaluate import evaluate, random_parameters
from tests.models.test_resnet_110 import written_out
from tests.oracles import stochastic_depth as oracle


def a_network(n=1, num_filters=2, size=32, num_outputs=10):
    return build(
        lambda: models.stochastic_depth(
            models.picture_input((3, size, size)),
            n=n,
            num_filters=num_filters,
            last_survival=0.5,
            num_outputs=num_outputs,
            nonlinearity=models.softmax,
        ),
        seed=1,
    )


@pytest.mark.parametrize(("num_outputs", "parameters"), [(10, 1_727_962), (100, 1_733_812)])
def test_the_published_network_has_110_layers_and_its_parameters(num_outputs, parameters):
    network = a_network(18, 16, num_outputs=num_outputs)
    assert cost.parameters(network) == parameters
    assert cost.weight_layers(network) == 110


@pytest.mark.parametrize("n", [1, 18])
def test_survival_falls_linearly_to_the_last_block(n):
    drops = [layer for layer in get_all_layers(a_network(n)) if isinstance(layer, StochasticDepthLayer)]
    assert [drop.survival for drop in drops] == pytest.approx(oracle.survival_probabilities(3 * n, 0.5))
    assert drops[-1].survival == 0.5
    assert [drop.name for drop in drops[:2]] == [
        "stage1.block1.survival",
        "stage1.block2.survival" if n > 1 else "stage2.block1.survival",
    ]


def test_shortcuts_average_where_maps_become_smaller():
    shortcuts = [layer for layer in get_all_layers(a_network()) if isinstance(layer, IdentityShortcutLayer)]
    assert [layer.mode for layer in shortcuts] == ["average"] * 2


def test_every_layer_that_draws_has_a_seed_of_its_own():
    drops = [layer for layer in get_all_layers(a_network(3)) if isinstance(layer, StochasticDepthLayer)]
    assert len({tuple(drop.random_numbers.state.get_value()[0]) for drop in drops}) == 9


@pytest.mark.usefixtures("double")
def test_the_smallest_network_computes_the_equations():
    network = a_network(size=8)
    values = random_parameters(network, seed=2)
    x = np.random.default_rng(3).normal(size=(2, 3, 8, 8))
    symbol = T.tensor4()
    (got,) = evaluate([get_output(network, symbol, deterministic=True)], {symbol: x})
    expected = written_out(values, x, "average", oracle.survival_probabilities(3, 0.5), epsilon=1e-5)
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-8)
