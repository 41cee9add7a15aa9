import aesara
import aesara.tensor as T
import lasagne
import numpy as np
import pytest
from lasagne.layers import ElemwiseSumLayer, InputLayer, NonlinearityLayer
from lasagne.nonlinearities import rectify

from crmn_legacy import cost
from crmn_legacy.backend.compile import compile_step
from crmn_legacy.layers import BatchNormLayer, Conv2DLayer, DropoutLayer, RepeatedLayer
from tests.evaluate import evaluate, random_parameters

SHAPE = (None, 4, 6, 6)
NAMES = ["block2", "block3", "block4", "block5"]


def a_block(incoming, name):
    layer = NonlinearityLayer(BatchNormLayer(incoming, name=f"{name}.bn1"), rectify, name=f"{name}.rectify1")
    layer = Conv2DLayer(layer, 4, 3, pad=1, b=None, nonlinearity=None, name=f"{name}.conv1")
    layer = Conv2DLayer(BatchNormLayer(layer, name=f"{name}.bn2"), 4, 1, nonlinearity=rectify, name=f"{name}.conv2")
    return ElemwiseSumLayer([incoming, layer], name=f"{name}.sum")


def written_out(layer):
    for name in NAMES:
        layer = a_block(layer, name)
    return layer


@pytest.fixture
def pair(double):
    """The repeated layer and the same blocks written out, with the same parameters, and an input."""
    inputs = [InputLayer(SHAPE, name="input") for _ in range(2)]
    networks = [RepeatedLayer(inputs[0], a_block, NAMES, name="blocks"), written_out(inputs[1])]
    for network in networks:
        random_parameters(network, seed=1)
    x = np.random.default_rng(2).normal(1.0, 2.0, (3, *SHAPE[1:]))
    return networks, x


def test_parameters_are_those_of_the_blocks_written_out_under_the_same_names(pair):
    repeated, plain = (lasagne.layers.get_all_params(network) for network in pair[0])
    assert [p.name for p in repeated] == [p.name for p in plain]
    for tags in ({"trainable": True}, {"regularizable": True}, {"trainable": False}):
        tagged = [[p.name for p in lasagne.layers.get_all_params(network, **tags)] for network in pair[0]]
        assert tagged[0] == tagged[1] != []


@pytest.mark.parametrize("deterministic", [False, True])
def test_the_output_is_that_of_the_blocks_written_out(pair, deterministic):
    networks, x = pair
    symbol = T.tensor4()
    outputs = [lasagne.layers.get_output(n, symbol, deterministic=deterministic) for n in networks]
    repeated, plain = (evaluate([output], {symbol: x})[0] for output in outputs)
    np.testing.assert_allclose(repeated, plain, rtol=0, atol=1e-12)


@pytest.mark.parametrize("deterministic", [False, True])
def test_gradients_are_those_of_the_blocks_written_out(pair, deterministic):
    networks, x = pair
    found = []
    for network in networks:
        symbol = T.tensor4()
        loss = T.square(lasagne.layers.get_output(network, symbol, deterministic=deterministic)).sum()
        wrt = [symbol, *lasagne.layers.get_all_params(network, trainable=True)]
        found.append(evaluate(aesara.grad(loss, wrt), {symbol: x}))
    assert len(found[0]) == len(found[1]) == 1 + 7 * len(NAMES)
    for repeated, plain in zip(*found, strict=True):
        np.testing.assert_allclose(repeated, plain, rtol=1e-10, atol=1e-10)


def trained(network, x, steps=3, **compilation):
    """The state after a few plain updates, by name."""
    symbol = T.tensor4()
    loss = T.square(lasagne.layers.get_output(network, symbol)).mean()
    parameters = lasagne.layers.get_all_params(network, trainable=True)
    updates = lasagne.updates.sgd(loss, parameters, 0.01)
    step = compile_step({"x": symbol}, {"loss": loss}, updates, **compilation)
    state = step.initial_state()
    for number in range(steps):
        state, _ = step(state, {"x": x + number})
    return step.get(state)


def test_updates_move_parameters_and_each_block_s_running_averages_alike(pair):
    networks, x = pair
    before = {p.name: p.get_value() for p in lasagne.layers.get_all_params(networks[0])}
    repeated, plain = (trained(network, x) for network in networks)
    assert repeated.keys() == plain.keys() == before.keys()
    for name, value in plain.items():
        assert np.abs(value - before[name]).max() > 1e-6, name
        np.testing.assert_allclose(repeated[name], value, rtol=1e-9, atol=1e-11, err_msg=name)


@pytest.mark.slow
def test_the_c_backend_agrees(pair):
    (network, _), x = pair
    xla, c = (trained(network, x, steps=1, backend=backend) for backend in ("xla", "c"))
    for name, value in xla.items():
        np.testing.assert_allclose(c[name], value, rtol=1e-9, atol=1e-11, err_msg=name)


def test_the_graph_is_no_deeper_for_more_blocks():
    def nodes(count):
        layer = RepeatedLayer(InputLayer(SHAPE), a_block, [f"block{i}" for i in range(count)], name="blocks")
        symbol = T.tensor4()
        loss = lasagne.layers.get_output(layer, symbol).sum()
        gradient = aesara.grad(loss, symbol)
        depth = {}
        for node in aesara.graph.basic.io_toposort([], [gradient]):
            depth[node] = 1 + max((depth[v.owner] for v in node.inputs if v.owner), default=0)
        return max(depth.values())

    assert nodes(3) == nodes(30)


def test_cost_and_weight_layers_are_those_of_the_blocks_written_out(pair):
    repeated, plain = pair[0]
    assert cost.flops(repeated) == cost.flops(plain) > 0
    assert cost.weight_layers(repeated) == cost.weight_layers(plain) == 2 * len(NAMES)
    assert cost.parameters(repeated) == cost.parameters(plain)


def test_a_block_that_changes_the_shape_is_refused():
    with pytest.raises(
        ValueError, match=r"'blocks' expects blocks that keep the shape \(None, 4, 6, 6\), but 'block2'"
    ):
        RepeatedLayer(SHAPE, lambda layer, name: Conv2DLayer(layer, 5, 1, name=name), NAMES, name="blocks")


def test_no_block_is_refused():
    with pytest.raises(ValueError, match="at least one block, got none"):
        RepeatedLayer(SHAPE, a_block, [], name="blocks")


def test_a_block_that_draws_random_numbers_is_refused():
    layer = RepeatedLayer(SHAPE, lambda layer, name: DropoutLayer(layer, name=f"{name}.dropout"), NAMES, name="blocks")
    with pytest.raises(ValueError, match=r"parameters only, got one that reads 'block2\.dropout\.rng'"):
        layer.get_output_for(T.tensor4())
