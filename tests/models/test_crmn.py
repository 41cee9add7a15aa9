import aesara.tensor as T
import lasagne
import numpy as np
import pytest
from lasagne.layers import get_all_layers, get_output, get_output_shape

from crmn_legacy import models
from tests.evaluate import evaluate, random_parameters
from tests.oracles import peephole_lstm


def a_network(n=2, num_filters=4, size=80, pool_size=4, **arguments):
    return models.crmn(
        models.face_input((1, size, size)),
        n=n,
        num_filters=num_filters,
        pool_size=pool_size,
        num_units=3,
        num_outputs=10,
        nonlinearity=models.sigmoid,
        **arguments,
    )


def named(network):
    return {layer.name: layer for layer in get_all_layers(network)}


@pytest.mark.parametrize("n", [1, 3])
def test_each_residual_block_is_one_step_of_the_lstm(n):
    assert named(a_network(n))["lstm"].num_steps == 3 * n


def test_the_longest_step_is_the_first_stages_pooled_map():
    layers = named(a_network(num_filters=64))
    assert layers["lstm"].num_inputs == 64 * 20 * 20
    assert layers["stage3.block1.flatten"].output_shape[1] == 256 * 5 * 5


def test_the_head_reads_the_hidden_state_first_and_then_the_global_pool():
    head = named(a_network())["output"].input_layer
    assert [layer.name for layer in head.input_layers] == ["lstm", "global_pool"]
    assert head.output_shape == (None, 3 + 16)


@pytest.mark.usefixtures("double")
def test_the_output_is_the_equations_on_the_pooled_and_padded_blocks():
    network = a_network(n=1, num_filters=2, size=16, pool_size=2)
    values = random_parameters(network, seed=1)
    layers = named(network)
    blocks = [layers[f"stage{stage}.block1.rectify2"] for stage in (1, 2, 3)]
    symbol = T.tensor4()
    x = np.random.default_rng(2).integers(0, 256, (3, 1, 16, 16)).astype(float)
    expressions = get_output([*blocks, network], symbol, deterministic=True)
    *maps, got = evaluate(expressions, {symbol: x})

    steps = []
    for block in maps:
        batch, channels, height, width = block.shape
        pooled = block.reshape(batch, channels, height // 2, 2, width // 2, 2).mean(axis=(3, 5))
        flat = pooled.reshape(batch, -1)
        steps.append(np.pad(flat, ((0, 0), (0, 2 * 8 * 8 - flat.shape[1]))))
    lstm = {name.removeprefix("lstm."): value for name, value in values.items() if name.startswith("lstm.")}
    hidden, _ = peephole_lstm.forward(np.stack(steps, axis=1), lstm)
    features = np.concatenate([hidden[:, -1], maps[-1].mean(axis=(2, 3))], axis=1)
    expected = peephole_lstm.logistic(features @ values["output.W"] + values["output.b"])
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-10)


def test_further_arguments_reach_the_lstm():
    gate = lasagne.layers.Gate(b=lasagne.init.Constant(1.5))
    layer = named(a_network(forgetgate=gate))["lstm"]
    np.testing.assert_array_equal(layer.b_forgetgate.get_value(), np.full(3, 1.5, layer.b_forgetgate.dtype))


def test_any_input_size_that_the_pools_divide_will_do():
    assert get_output_shape(a_network(size=32, pool_size=2)) == (None, 10)


def test_a_size_that_the_pool_does_not_divide_is_told():
    with pytest.raises(ValueError, match="no multiple of the pool size 4"):
        a_network(size=84)
