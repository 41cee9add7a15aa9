import lasagne
import numpy as np
import pytest
from lasagne.layers import get_all_layers, get_all_params

from crmn_legacy import cost, models, training
from crmn_legacy.training import steps
from tests.evaluate import evaluate, random_parameters
from tests.oracles import batch_normalised_pictures as oracle


def a_network(n, growth_rate, num_outputs=10, side=32):
    return models.densenet(
        models.picture_input((3, side, side)),
        n=n,
        growth_rate=growth_rate,
        num_outputs=num_outputs,
        nonlinearity=models.softmax,
    )


@pytest.mark.parametrize(("classes", "parameters"), [(10, 27_249_082), (100, 27_457_972)])
def test_100_layers_of_24_maps_have_the_source_s_parameters(classes, parameters):
    network = a_network(32, 24, classes)
    assert cost.parameters(network) == parameters
    assert cost.weight_layers(network) == 100
    assert network.output_shape == (None, classes)


def test_the_cost_is_that_of_its_convolutions_rectifiers_and_pools():
    # n = 1, k = 2, 8x8 pictures: maps 3 -> 16, 18 | 18, 20 | 20, 22; products twice, rectifier and pool once a number.
    products = 64 * 9 * (3 * 16 + 16 * 2) + 64 * 18 * 18 + 16 * 9 * 18 * 2 + 16 * 20 * 20 + 4 * 9 * 20 * 2 + 22 * 10
    rectified = 64 * (16 + 18) + 16 * (18 + 20) + 4 * (20 + 22)
    pooled = 64 * 18 + 16 * 20
    assert cost.flops(a_network(1, 2, side=8)) == 2 * products + rectified + pooled


def test_parameters_carry_layer_path_names():
    names = [p.name for p in get_all_params(a_network(2, 4))]
    assert len(names) == len(set(names))
    assert {
        "stem.conv.W",
        "stage1.block1.conv1.W",
        "stage2.block2.bn1.var",
        "stage2.transition.conv.W",
        "final.bn.gamma",
        "output.W",
    } <= set(names)
    assert not [name for name in names if name.startswith("stage3.transition")]


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("remat", [False, True])
def test_it_computes_the_source_s_equations(remat):
    network = a_network(2, 3, side=8)
    weights = random_parameters(network, seed=1)
    x = np.random.default_rng(2).normal(size=(3, 3, 8, 8))
    symbol = get_all_layers(network)[0].input_var
    (got,) = evaluate([lasagne.layers.get_output(network, remat=remat)], {symbol: x})
    y = oracle.convolution(x, weights["stem.conv.W"])
    for stage in (1, 2, 3):
        y = oracle.dense_block(y, weights, [f"stage{stage}.block{block}" for block in (1, 2)])
        y = oracle.transition(y, weights, f"stage{stage}.transition") if stage < 3 else y
    np.testing.assert_allclose(got, oracle.classified(y, weights), rtol=0, atol=1e-9)


def test_remat_gives_the_same_bits():
    batch = {
        "images": np.random.default_rng(1).normal(size=(4, 3, 32, 32)).astype("float32"),
        "labels": np.arange(4, dtype="int32"),
    }
    task = training.Classification(num_classes=10, preprocessing=None, augmentation=None)
    states = []
    for remat in (False, True):
        network = steps.build(lambda: a_network(2, 4), seed=1)
        step = steps.train_step(network, task, training.TorchNesterov(), ("network",), 1e-4, remat=remat)
        state = step.initial_state()
        for _ in range(2):
            state, _ = step(state, batch, {"network": 0.1})
        states.append(step.get(state))
    assert states[0].keys() == states[1].keys()
    unlike = [name for name, value in states[0].items() if not np.array_equal(value, states[1][name])]
    assert unlike == []
