"""What stands in the memory's place: of the right size, and no other network than it says."""

import aesara.tensor as T
import numpy as np
import pytest
from lasagne.layers import InputLayer, count_params, get_all_params, get_output

from crmn_legacy import models
from crmn_legacy.models.memories import MEMORIES
from tests.evaluate import evaluate, random_parameters

LENGTHS = (12, 6, 3)


def memory(name, num_units=4):
    steps = [InputLayer((None, length), name=f"block{length}.flatten") for length in LENGTHS]
    return steps, MEMORIES[name](steps, num_units)


def result(name, values=None):
    """The memory's output for fixed steps, by its parameters' names from another one's values."""
    steps, layer = memory(name)
    drawn = random_parameters(layer, seed=1)
    for parameter in get_all_params(layer):
        parameter.set_value((values or drawn)[parameter.name])
    symbols = {step: T.matrix() for step in steps}
    rng = np.random.default_rng(2)
    inputs = {symbol: rng.normal(size=(5, step.output_shape[1])) for step, symbol in symbols.items()}
    (output,) = evaluate([get_output(layer, symbols)], inputs)
    return {parameter.name: parameter.get_value() for parameter in get_all_params(layer)}, output


@pytest.mark.parametrize("name", [name for name in MEMORIES if name != "none"])
def test_a_memory_gives_some_units_of_each_picture_under_one_name(name):
    _, layer = memory(name)
    assert all(parameter.name.startswith("lstm.") for parameter in get_all_params(layer))
    assert len(layer.output_shape) == 2


def test_without_peepholes_three_weights_a_unit_are_left_out():
    assert count_params(memory("peepholes")[1]) - count_params(memory("no_peepholes")[1]) == 3 * 4


def test_the_dense_layer_has_as_many_parameters_as_the_lstm():
    wanted, got = (count_params(memory(name, num_units=40)[1]) for name in ("peepholes", "dense"))
    assert abs(got - wanted) <= (sum(LENGTHS) + 1) / 2 + 2 * 40  # The LSTM's two initial states are not trained.


@pytest.mark.usefixtures("double")
def test_without_peepholes_is_the_papers_with_peepholes_of_zero():
    values, output = result("peepholes")
    values = {name: np.zeros_like(value) if "W_cell" in name else value for name, value in values.items()}
    np.testing.assert_allclose(result("no_peepholes", values)[1], result("peepholes", values)[1], rtol=1e-12)
    assert not np.allclose(output, result("peepholes", values)[1])


@pytest.mark.usefixtures("double")
def test_lasagnes_own_differs_in_the_output_gates_peephole_and_in_nothing_else():
    values, output = result("peepholes")
    assert not np.allclose(result("lasagne", values)[1], output)
    values["lstm.W_cell_to_outgate"][:] = 0
    np.testing.assert_allclose(result("lasagne", values)[1], result("peepholes", values)[1], rtol=1e-12)


def test_without_a_memory_the_crmn_is_the_resnet():
    faces = models.face_input((1, 16, 16))
    resnet = models.resnet(faces, 2, 4, 136, models.sigmoid)
    crmn = models.crmn(faces, 2, 4, 4, 3, 136, models.sigmoid, memory="none")
    described = ([(p.name, p.get_value().shape) for p in get_all_params(network)] for network in (crmn, resnet))
    assert next(described) == next(described)


def test_a_network_names_the_memories_that_there_are():
    with pytest.raises(
        ValueError, match="memory is 'gru'; expected one of peepholes, no_peepholes, lasagne, dense, none"
    ):
        models.crmn(models.face_input((1, 16, 16)), 1, 2, 4, 3, 136, models.sigmoid, memory="gru")
