import aesara.tensor as T
import numpy as np
import pytest
from lasagne.layers import InputLayer, get_all_layers, get_all_params, get_output

from crmn_legacy import cost, models
from tests.evaluate import evaluate, random_parameters
from tests.oracles import pixel_maps
from tests.oracles import rcn as oracle

SIDE, POINTS = 16, 3


def a_joint_network(num_moved=1):
    maps = models.rcn(InputLayer((None, 1, SIDE, SIDE), name="input"), POINTS, num_filters=4, filter_size=3)
    return models.joint_prediction(maps, num_filters=4, filter_size=5, num_moved=num_moved)


def pictures(batch=3):
    found = np.random.default_rng(3).integers(1, 256, (batch, 1, SIDE, SIDE)).astype(float)
    found[0, :, :, :7] = 0
    return found


@pytest.mark.usefixtures("double")
def test_the_output_is_the_equations():
    network = models.keypoint_denoiser(InputLayer((None, POINTS, SIDE, SIDE)), num_filters=4, filter_size=5)
    values = random_parameters(network, seed=1)
    symbol = T.tensor4()
    maps = pixel_maps.one_hot(np.array([[0, 17, 255], [3, 3, 90]]), SIDE, SIDE)
    (got,) = evaluate([get_output(network, symbol)], {symbol: maps})
    expected = oracle.denoiser(maps, values)
    np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-10 * np.abs(expected).max())


def test_the_published_denoiser_has_the_parameters_of_the_released_code():
    network = models.keypoint_denoiser(InputLayer((None, 68, 80, 80)), num_filters=64, filter_size=45)
    assert cost.parameters(network) == 25_406_212
    rectified = 3 * 64 * 80 * 80
    assert round((cost.flops(network) - rectified) / 1e9, 3) == 325.196
    assert network.output_shape == (None, 68, 80, 80)


@pytest.mark.usefixtures("double")
def test_the_denoiser_reads_what_the_network_predicts_and_both_decide():
    network = a_joint_network()
    values = random_parameters(network, seed=1)
    symbol, x = T.tensor4(), pictures()
    (got,) = evaluate([get_output(network, symbol, deterministic=True)], {symbol: x})
    first = oracle.network(x, values)
    told = pixel_maps.one_hot(first.reshape(len(x), POINTS, -1).argmax(axis=2), SIDE, SIDE)
    second = oracle.denoiser(told, values)
    np.testing.assert_allclose(got, pixel_maps.joint_prediction(first, second, x[:, 0]), rtol=0, atol=1e-12)
    assert (got[0, ::2] >= 7 / SIDE).all()


@pytest.mark.usefixtures("double")
def test_in_training_the_denoiser_reads_true_points_of_which_some_are_moved():
    network = a_joint_network(num_moved=1)
    values = random_parameters(network, seed=1)
    layers = {layer.name: layer for layer in get_all_layers(network)}
    symbol, points, x = T.tensor4(), T.matrix(), pictures()
    keypoints = np.random.default_rng(5).uniform(size=(len(x), 2 * POINTS))
    expressions = get_output([network, layers["denoiser.pixels"]], symbol, deterministic=False, keypoints=points)
    maps, read = expressions
    first, second, moved, read = evaluate([*maps, read], {symbol: x, points: keypoints})
    np.testing.assert_allclose(first, oracle.network(x, values), rtol=1e-9)
    expected = oracle.denoiser(pixel_maps.one_hot(read.astype(int), SIDE, SIDE), values)
    np.testing.assert_allclose(second, expected, rtol=1e-9)
    assert (moved.sum(axis=1) == 1).all()
    true = pixel_maps.pixels(keypoints, SIDE, SIDE)
    np.testing.assert_array_equal(read[moved == 0], true[moved == 0])
    assert (read[moved == 1] != true[moved == 1]).any()


def test_parameters_belong_to_two_components_by_their_names():
    names = {parameter.name for parameter in get_all_params(a_joint_network())}
    assert {name.split(".")[0] for name in names} == {"rcn", "denoiser"}
    assert {"rcn.output.W", "rcn.trunk.conv5.b", "denoiser.conv3.W", "denoiser.output.b"} < names


def test_the_sum_of_maps_is_counted_and_what_moves_numbers_is_not():
    network = a_joint_network()
    layers = {layer.name: layer for layer in get_all_layers(network)}
    # Below the denoiser lies the network whose points it reads.
    assert cost.flops(network) == cost.flops(layers["denoiser.output"]) + POINTS * SIDE * SIDE
