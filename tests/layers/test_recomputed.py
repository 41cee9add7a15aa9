import aesara
import aesara.tensor as T
import lasagne
import numpy as np
import pytest
from lasagne.layers import ConcatLayer, InputLayer, NonlinearityLayer
from lasagne.nonlinearities import rectify

from crmn_legacy import cost
from crmn_legacy.backend.compile import compile_step
from crmn_legacy.layers import BatchNormLayer, Conv2DLayer, RecomputedLayer
from tests.evaluate import evaluate, random_parameters

SHAPES = [(None, 3, 6, 6), (None, 2, 6, 6)]


def normalised(layers):
    together = ConcatLayer(layers, name="concat")
    return NonlinearityLayer(BatchNormLayer(together, name="bn"), rectify, name="rectify")


def convolved(layers):
    return Conv2DLayer(normalised(layers), 4, 3, pad=1, b=None, name="conv")


def nested(layers):
    return Conv2DLayer(RecomputedLayer(layers, normalised, name="inner"), 4, 3, pad=1, b=None, name="conv")


NETWORKS = {
    "always": lambda layers: RecomputedLayer(layers, convolved, name="outer"),
    "on request": lambda layers: RecomputedLayer(layers, convolved, on_request=True, name="outer"),
    "nested": lambda layers: RecomputedLayer(layers, nested, on_request=True, name="outer"),
}


@pytest.fixture(params=NETWORKS)
def networks(request, double):
    """A network with recomputed layers and the same written out, of the same parameters."""
    found = []
    for build in (NETWORKS[request.param], convolved):
        network = build([InputLayer(shape, name=f"input{i}") for i, shape in enumerate(SHAPES)])
        random_parameters(network, seed=1)
        found.append(network)
    return found


@pytest.fixture
def maps():
    random = np.random.default_rng(2)
    return [random.normal(1.0, 2.0, (3, *shape[1:])) for shape in SHAPES]


def symbols_and_output(network, **kwargs):
    symbols = [T.tensor4(f"maps{i}") for i in range(len(SHAPES))]
    inputs = [layer for layer in lasagne.layers.get_all_layers(network) if isinstance(layer, InputLayer)]
    inputs.sort(key=lambda layer: layer.name)
    return symbols, lasagne.layers.get_output(network, dict(zip(inputs, symbols, strict=True)), **kwargs)


def test_parameters_names_shape_and_cost_are_those_of_the_network_written_out(networks):
    names = [[p.name for p in lasagne.layers.get_all_params(network)] for network in networks]
    assert names[0] == names[1] == ["bn.beta", "bn.gamma", "bn.mean", "bn.inv_std", "conv.W"]
    assert networks[0].output_shape == networks[1].output_shape == (None, 4, 6, 6)
    assert cost.flops(networks[0]) == cost.flops(networks[1]) > 0
    assert cost.weight_layers(networks[0]) == cost.weight_layers(networks[1]) == 1


@pytest.mark.parametrize("kwargs", [{}, {"remat": True}, {"deterministic": True}], ids=str)
def test_output_and_gradients_are_those_of_the_network_written_out(networks, maps, kwargs):
    found = []
    for network in networks:
        symbols, output = symbols_and_output(network, **kwargs)
        wrt = [*symbols, *lasagne.layers.get_all_params(network, trainable=True)]
        gradients = aesara.grad(T.square(output).sum(), wrt)
        found.append(evaluate([output, *gradients], dict(zip(symbols, maps, strict=True))))
    assert len(found[0]) == 1 + len(SHAPES) + 3
    for ours, expected in zip(*found, strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-11, atol=1e-11)


def trained(network, maps, backend="xla", **kwargs):
    """The state after an update, by name."""
    symbols, output = symbols_and_output(network, **kwargs)
    loss = T.square(output).mean()
    updates = lasagne.updates.sgd(loss, lasagne.layers.get_all_params(network, trainable=True), 0.01)
    step = compile_step({s.name: s for s in symbols}, {"loss": loss}, updates, backend=backend)
    state, _ = step(step.initial_state(), {s.name: value for s, value in zip(symbols, maps, strict=True)})
    return step.get(state)


@pytest.mark.parametrize("remat", [False, True])
def test_running_averages_and_parameters_move_as_in_the_network_written_out(networks, maps, remat):
    before = {p.name: p.get_value() for p in lasagne.layers.get_all_params(networks[0])}
    ours, expected = (trained(network, maps, remat=remat) for network in networks)
    assert ours.keys() == expected.keys() == before.keys()
    for name, value in expected.items():
        assert np.abs(value - before[name]).max() > 1e-6, name
        np.testing.assert_allclose(ours[name], value, rtol=1e-11, atol=1e-12, err_msg=name)


@pytest.mark.slow
def test_the_c_backend_agrees(networks, maps):
    xla, c = (trained(networks[0], maps, backend, remat=True) for backend in ("xla", "c"))
    for name, value in xla.items():
        np.testing.assert_allclose(c[name], value, rtol=1e-10, atol=1e-12, err_msg=name)


def test_what_is_inside_is_computed_a_second_time_behind_a_barrier(double, maps):
    counts = []
    for remat in (False, True):
        network = NETWORKS["on request"]([InputLayer(shape, name=f"input{i}") for i, shape in enumerate(SHAPES)])
        symbols, output = symbols_and_output(network, remat=remat)
        gradient = aesara.grad(T.square(output).sum(), symbols[0])
        step = compile_step({symbol.name: symbol for symbol in symbols}, {"gradient": gradient})
        text = step.lower(step.initial_state(), {s.name: v for s, v in zip(symbols, maps, strict=True)}).as_text()
        counts.append((text.count("stablehlo.concatenate"), text.count("stablehlo.optimization_barrier")))
    (concatenated, barriers), (concatenated_again, barriers_again) = counts
    assert concatenated_again > concatenated > 0
    assert barriers_again > barriers
