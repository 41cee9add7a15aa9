import aesara
import aesara.tensor as T
import lasagne
import numpy as np
import pytest

from crmn_legacy.layers import PeepholeLSTMLayer
from crmn_legacy.layers.peephole_lstm import STATES
from tests.evaluate import evaluate, random_parameters
from tests.oracles import peephole_lstm as oracle

pytestmark = pytest.mark.usefixtures("double")
BATCH, DEPTH, FEATURES, UNITS = 3, 5, 4, 2
GATES = ("ingate", "forgetgate", "outgate")
PLACES = {"ingate": 3, "forgetgate": 4, "cell": 6, "outgate": 7}


def a_layer(**arguments):
    layer = PeepholeLSTMLayer((None, DEPTH, FEATURES), UNITS, **arguments)
    values = random_parameters(layer, seed=1)
    x = np.random.default_rng(2).normal(size=(BATCH, DEPTH, FEATURES))
    return layer, values, x


def test_the_hidden_states_are_those_of_the_six_equations():
    layer, values, x = a_layer(only_return_final=False)
    symbol = T.tensor3()
    (got,) = evaluate([layer.get_output_for(symbol)], {symbol: x})
    np.testing.assert_allclose(got, oracle.forward(x, values)[0], rtol=0, atol=1e-12)


def test_gates_cell_and_hidden_state_are_those_of_the_equations():
    layer, values, x = a_layer()
    symbol = T.tensor3()
    states = layer.get_states_for(symbol)
    got = evaluate(list(states.values()), {symbol: x})
    hidden, tape = oracle.forward(x, values)
    # What the oracle keeps of a step: x, h and c before, i, f, s, c, o.
    expected = {name: np.stack([kept[place] for kept in tape], axis=1) for name, place in PLACES.items()}
    expected["hidden"] = hidden
    assert tuple(states) == STATES
    for name, value in zip(states, got, strict=True):
        np.testing.assert_allclose(value, expected[name], rtol=0, atol=1e-12, err_msg=name)


def test_the_final_state_is_the_last_of_all():
    layer, values, x = a_layer()
    symbol = T.tensor3()
    (got,) = evaluate([layer.get_output_for(symbol)], {symbol: x})
    np.testing.assert_allclose(got, oracle.forward(x, values)[0][:, -1], rtol=0, atol=1e-12)
    assert got.shape == (BATCH, UNITS) == (BATCH, *layer.output_shape[1:])


def test_every_gradient_is_that_of_the_equations():
    layer, values, x = a_layer(only_return_final=False, learn_init=True)
    d_hidden = np.random.default_rng(3).normal(size=(BATCH, DEPTH, UNITS))
    symbol = T.tensor3()
    parameters = layer.get_params(trainable=True)
    cost = (layer.get_output_for(symbol) * d_hidden).sum()
    d_x, *grads = evaluate(aesara.grad(cost, [symbol, *parameters]), {symbol: x})
    expected_d_x, expected = oracle.gradient(x, values, d_hidden)
    np.testing.assert_allclose(d_x, expected_d_x, rtol=0, atol=1e-11)
    assert len(grads) == len(expected) == 17
    for parameter, got in zip(parameters, grads, strict=True):
        np.testing.assert_allclose(got, expected[parameter.name], rtol=0, atol=1e-11, err_msg=parameter.name)


def test_the_oracles_gradient_agrees_with_finite_differences():
    _, values, x = a_layer()
    weights = np.random.default_rng(4).normal(size=(BATCH, DEPTH, UNITS))
    _, grads = oracle.gradient(x, values, weights)
    step = 1e-6
    for name, value in values.items():
        at = tuple(np.random.default_rng(5).integers(side) for side in value.shape)
        sums = []
        for sign in (1, -1):
            moved = {**values, name: value.copy()}
            moved[name][at] += sign * step
            sums.append((oracle.forward(x, moved)[0] * weights).sum())
        np.testing.assert_allclose(grads[name][at], (sums[0] - sums[1]) / (2 * step), rtol=1e-6, atol=1e-8)


def lasagnes_own(values, **arguments):
    layer = lasagne.layers.LSTMLayer((None, DEPTH, FEATURES), UNITS, unroll_scan=True, **arguments)
    for parameter in layer.get_params():
        parameter.set_value(values[parameter.name])
    return layer


def outputs_of_both(values, layer, x, **arguments):
    symbol = T.tensor3()
    own = lasagnes_own(values, **arguments).get_output_for([symbol])
    return evaluate([layer.get_output_for(symbol), own], {symbol: x})


def test_lasagnes_own_layer_differs_by_nothing_but_the_output_peephole():
    layer, values, x = a_layer(only_return_final=False)
    layer.W_cell_to_outgate.set_value(np.zeros(UNITS))
    values["W_cell_to_outgate"] = np.zeros(UNITS)
    ours, lasagnes = outputs_of_both(values, layer, x)
    np.testing.assert_allclose(ours, lasagnes, rtol=0, atol=1e-12)


def test_lasagnes_own_layer_adds_the_output_peephole_after_the_logistic():
    layer, values, x = a_layer(only_return_final=False)
    ours, lasagnes = outputs_of_both(values, layer, x)
    assert np.abs(ours - lasagnes).max() > 0.01
    # Its first step in full: h = (sigma(...) + w_co c) tanh(c), where the paper has sigma(... + w_co c) tanh(c).
    _, tape = oracle.forward(x[:, :1], values)
    c = tape[0][6]
    before = x[:, 0] @ values["W_in_to_outgate"] + values["b_outgate"]
    before += np.repeat(values["hid_init"], BATCH, axis=0) @ values["W_hid_to_outgate"]
    after_logistic = (oracle.logistic(before) + values["W_cell_to_outgate"] * c) * np.tanh(c)
    np.testing.assert_allclose(lasagnes[:, 0], after_logistic, rtol=0, atol=1e-12)


def test_parameters_carry_lasagnes_names():
    named = PeepholeLSTMLayer((None, DEPTH, FEATURES), UNITS, name="lstm")
    own = lasagne.layers.LSTMLayer((None, DEPTH, FEATURES), UNITS, name="lstm")
    assert {p.name for p in named.get_params()} == {p.name for p in own.get_params()}


@pytest.mark.parametrize("without", [("ingate",), ("forgetgate",), ("outgate",), ("ingate", "outgate"), GATES], ids=str)
def test_a_gate_whose_w_cell_is_none_has_no_peephole(without):
    gates = {gate: lasagne.layers.Gate(W_cell=None) for gate in without}
    layer, values, x = a_layer(only_return_final=False, learn_init=True, **gates)
    with_all = {parameter.name for parameter in a_layer()[0].get_params()}
    assert {p.name for p in layer.get_params()} == with_all - {f"W_cell_to_{gate}" for gate in without}

    d_hidden = np.random.default_rng(3).normal(size=(BATCH, DEPTH, UNITS))
    symbol = T.tensor3()
    hidden, parameters = layer.get_output_for(symbol), layer.get_params(trainable=True)
    grads = aesara.grad((hidden * d_hidden).sum(), [symbol, *parameters])
    got, d_x, *grads = evaluate([hidden, *grads], {symbol: x})
    expected_d_x, expected = oracle.gradient(x, values, d_hidden)
    np.testing.assert_allclose(got, oracle.forward(x, values)[0], rtol=0, atol=1e-12)
    np.testing.assert_allclose(d_x, expected_d_x, rtol=0, atol=1e-11)
    assert len(grads) == len(expected) == 17 - len(without)
    for parameter, grad in zip(parameters, grads, strict=True):
        np.testing.assert_allclose(grad, expected[parameter.name], rtol=0, atol=1e-11, err_msg=parameter.name)


def test_without_peepholes_it_is_lasagnes_own_layer_without_peepholes():
    layer, values, x = a_layer(only_return_final=False, **{gate: lasagne.layers.Gate(W_cell=None) for gate in GATES})
    ours, lasagnes = outputs_of_both(values, layer, x, peepholes=False)
    np.testing.assert_allclose(ours, lasagnes, rtol=0, atol=1e-12)


def test_trailing_dimensions_are_features():
    layer = PeepholeLSTMLayer((None, DEPTH, 2, FEATURES // 2), UNITS)
    assert layer.num_inputs == FEATURES


@pytest.mark.parametrize("shape", [(None, FEATURES), (None, None, FEATURES)])
def test_an_unknown_depth_is_refused_with_the_shape(shape):
    with pytest.raises(ValueError, match=r"known depth, got \(None"):
        PeepholeLSTMLayer(shape, UNITS)
