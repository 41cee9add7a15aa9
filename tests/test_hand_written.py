"""The networks written by hand, against the paper's equations and against one another."""

import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import jax
import numpy as np
import pytest
from jax.experimental import enable_x64
from scipy.signal import convolve

from benchmarks import hand_written_jax as by_hand
from tests.oracles import local_contrast, peephole_lstm

RATES = {"resnet": 0.02, "lstm": 0.05, "output": 0.01}
CRMN = by_hand.Network(n=1, fm=1, input_shape=(1, 32, 32), units=12, outputs=6, contrast=True)
RESNET = by_hand.Network(n=1, fm=1, input_shape=(3, 16, 16), units=0, outputs=6, flip_filters=True)


forward = jax.jit(by_hand.forward, static_argnums=(0, 3))


@partial(jax.jit, static_argnums=0)
def loss_and_gradients(network, arrays, batch):
    statistics = {name: array for name, array in arrays.items() if by_hand.is_statistic(name)}
    parameters = {name: array for name, array in arrays.items() if not by_hand.is_statistic(name)}
    differentiate = jax.value_and_grad(by_hand.objective, argnums=1, has_aux=True)
    (loss, _), gradients = differentiate(network, parameters, statistics, batch)
    return loss, gradients


@pytest.fixture
def x64():
    with enable_x64():
        yield


def arrays_of(network, dtype="float64"):
    """Weights in which no bias, gain or running statistic is trivial."""
    generator = np.random.default_rng(7)
    arrays = by_hand.initialise(network, seed=1, dtype=dtype)
    for name, array in arrays.items():
        if array.ndim == 1:
            arrays[name] = (array + generator.uniform(0.1, 0.3, array.shape)).astype(dtype)
    return arrays


def batch_of(network, size=3, dtype="float64"):
    generator = np.random.default_rng(11)
    images = generator.uniform(0, 255 if network.contrast else 1, (size, *network.input_shape))
    targets = generator.uniform(0, 1, (size, network.outputs))
    mask = generator.uniform(0, 1, (size, network.outputs)) < 0.8
    return images.astype(dtype), targets.astype(dtype), mask.astype(dtype)


def learned(network):
    arrays = by_hand.initialise(network)
    return sum(array.size for name, array in arrays.items() if not by_hand.is_statistic(name))


@pytest.mark.parametrize(
    ("n", "fm", "units", "count"),
    [(5, 4, 100, 17_758_372), (5, 4, 0, 7_464_072), (9, 4, 0, 13_667_976)],
)
def test_number_of_parameters_is_that_of_table_1(n, fm, units, count):
    assert learned(by_hand.Network(n=n, fm=fm, units=units)) == count


def test_lstm_follows_the_six_equations(x64):
    network = by_hand.Network(n=1, fm=1, input_shape=(1, 8, 8), units=5)
    arrays = arrays_of(network)
    inputs = np.random.default_rng(3).normal(size=(4, 6, network.memory_features))
    oracle = {name.removeprefix("lstm."): array for name, array in arrays.items() if name.startswith("lstm.")}
    oracle |= {"hid_init": np.zeros((1, 5)), "cell_init": np.zeros((1, 5))}
    hidden, _ = peephole_lstm.forward(inputs, oracle)
    np.testing.assert_allclose(by_hand.lstm(arrays, inputs), hidden[:, -1], rtol=0, atol=1e-12)


def test_local_contrast_is_that_of_the_oracle(x64):
    images = np.random.default_rng(5).uniform(0, 255, (2, 1, 20, 24))
    expected = np.stack([[local_contrast.normalise(picture)] for (picture,) in images])
    np.testing.assert_allclose(by_hand.local_contrast(images), expected, rtol=0, atol=1e-12)


def test_flipped_filters_convolve_and_unflipped_ones_correlate(x64):
    generator = np.random.default_rng(9)
    x, W, b = generator.normal(size=(1, 1, 7, 8)), generator.normal(size=(1, 1, 3, 3)), np.array([0.5])
    convolved = convolve(x[0, 0], W[0, 0], mode="same") + 0.5
    correlated = convolve(x[0, 0], W[0, 0, ::-1, ::-1], mode="same") + 0.5
    np.testing.assert_allclose(by_hand.convolve(x, W, b, 1, flip_filters=True)[0, 0], convolved, atol=1e-12)
    np.testing.assert_allclose(by_hand.convolve(x, W, b, 1, flip_filters=False)[0, 0], correlated, atol=1e-12)
    strided = by_hand.convolve(x, W, b, 2, flip_filters=True)[0, 0]
    np.testing.assert_allclose(strided, convolved[::2, ::2], atol=1e-12)


def test_running_statistics_move_a_tenth_of_the_way_to_the_batch(x64):
    arrays, (images, _, _) = arrays_of(RESNET), batch_of(RESNET)
    _, after = forward(RESNET, arrays, images, True)
    maps = np.asarray(by_hand.convolve(images, arrays["stem.conv.W"], arrays["stem.conv.b"], 1, True))
    mean, inv_std = maps.mean(axis=(0, 2, 3)), (maps.var(axis=(0, 2, 3)) + 1e-4) ** -0.5
    expected = 0.9 * arrays["stem.bn.mean"] + 0.1 * mean, 0.9 * arrays["stem.bn.inv_std"] + 0.1 * inv_std
    np.testing.assert_allclose(after["stem.bn.mean"], expected[0], rtol=1e-12)
    np.testing.assert_allclose(after["stem.bn.inv_std"], expected[1], rtol=1e-12)
    assert set(after) == {name for name in arrays if by_hand.is_statistic(name)}


def test_step_is_nesterov_momentum_with_one_rate_per_component(x64):
    arrays, batch = arrays_of(CRMN), batch_of(CRMN)
    _, gradients = loss_and_gradients(CRMN, arrays, batch)
    state = by_hand.start(arrays)
    generator = np.random.default_rng(13)
    state["velocities"] = {k: generator.normal(size=v.shape) for k, v in state["parameters"].items()}
    before = jax.tree.map(np.array, state)
    after, _ = by_hand.make_step(CRMN)(state, batch, RATES)
    for name, gradient in gradients.items():
        part = name.split(".")[0]
        change = RATES[part if part in RATES else "resnet"] * np.asarray(gradient)
        velocity = 0.9 * before["velocities"][name] - change
        np.testing.assert_allclose(after["velocities"][name], velocity, rtol=0, atol=1e-10)
        moved = before["parameters"][name] + 0.9 * velocity - change
        np.testing.assert_allclose(after["parameters"][name], moved, rtol=0, atol=1e-10)


def test_masked_outputs_teach_nothing(x64):
    arrays, (images, targets, mask) = arrays_of(CRMN), batch_of(CRMN)
    mask[:, 2] = 0
    _, gradients = loss_and_gradients(CRMN, arrays, (images, targets, mask))
    assert gradients["output.b"][2] == 0
    assert np.count_nonzero(gradients["output.b"]) == CRMN.outputs - 1


@pytest.mark.parametrize("network", [CRMN, RESNET], ids=["crmn", "resnet"])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("float64", 1e-10)])
def test_predictions_are_those_of_pytorch(x64, network, dtype, tolerance):
    torch = pytest.importorskip("torch")
    by_torch = pytest.importorskip("benchmarks.hand_written_torch")
    arrays, (images, _, _) = arrays_of(network, dtype), batch_of(network, dtype=dtype)
    net = by_torch.load(by_torch.Net(network), arrays, network.flip_filters)
    for train in (False, True):
        predictions, _ = forward(network, arrays, images, train)
        assert predictions.dtype == dtype
        theirs = net.train(train)(torch.from_numpy(images)).detach().numpy()
        np.testing.assert_allclose(predictions, theirs, rtol=0, atol=tolerance)


@pytest.mark.parametrize("network", [CRMN, RESNET], ids=["crmn", "resnet"])
def test_gradients_are_those_of_pytorch(x64, network):
    torch = pytest.importorskip("torch")
    by_torch = pytest.importorskip("benchmarks.hand_written_torch")
    arrays, batch = arrays_of(network), batch_of(network)
    loss, gradients = loss_and_gradients(network, arrays, batch)
    net = by_torch.load(by_torch.Net(network), arrays, network.flip_filters).train()
    their_loss = by_torch.objective(net, [torch.from_numpy(array) for array in batch])
    their_loss.backward()
    theirs = dict(net.named_parameters())
    np.testing.assert_allclose(loss, their_loss.item(), rtol=1e-12)
    assert len(theirs) == len(gradients)
    for name, gradient in gradients.items():
        ours = by_torch.as_torch(name, np.asarray(gradient), network.flip_filters)
        np.testing.assert_allclose(ours, theirs[by_torch.torch_name(name)].grad.numpy(), rtol=0, atol=1e-8)


@pytest.mark.parametrize("weight_decay", [0.0, 0.003])
@pytest.mark.parametrize("network", [CRMN, RESNET], ids=["crmn", "resnet"])
def test_updates_are_those_of_pytorch_while_the_rates_stay(x64, network, weight_decay):
    torch = pytest.importorskip("torch")
    by_torch = pytest.importorskip("benchmarks.hand_written_torch")
    arrays, batch = arrays_of(network), batch_of(network)
    net = by_torch.load(by_torch.Net(network), arrays, network.flip_filters)
    optimiser = by_torch.make_optimiser(net, RATES, weight_decay=weight_decay)
    their_step = by_torch.make_step(net, by_torch.objective, optimiser)
    step, state = by_hand.make_step(network, weight_decay=weight_decay), by_hand.start(arrays)
    for _ in range(3):
        state, _ = step(state, batch, RATES)
        their_step([torch.from_numpy(array) for array in batch])
    theirs = dict(net.named_parameters())
    for name, array in state["parameters"].items():
        ours = by_torch.as_torch(name, np.asarray(array), network.flip_filters)
        trained = theirs[by_torch.torch_name(name)].detach().numpy()
        np.testing.assert_allclose(ours, trained, rtol=0, atol=1e-8)
    assert not np.allclose(state["parameters"]["output.W"], arrays["output.W"], rtol=0, atol=1e-4)


@pytest.mark.slow
def test_step_time_sets_the_package_beside_them_at_equal_losses():
    options = [
        "--n",
        "1",
        "--fm",
        "1",
        "--size",
        "16",
        "--batch-size",
        "2",
        "--turns",
        "3",
        "--threads",
        "1",
        "--anyway",
    ]
    script = Path(by_hand.__file__).with_name("step_time.py")
    finished = subprocess.run([sys.executable, script, *options], capture_output=True, text=True, check=True)
    result = json.loads(finished.stdout.splitlines()[-1])["numbers"]
    losses = {name: record["first_loss"] for name, record in result["contenders"].items()}
    assert losses["ours"] == pytest.approx(losses["jax"], rel=1e-5)
    seconds = {name: record["seconds"] for name, record in result["contenders"].items()}
    expected = np.median(seconds["ours"]) / np.median(seconds["jax"])
    assert result["ratios"]["ours/jax"]["medians"] == pytest.approx(expected)
