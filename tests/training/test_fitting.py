"""A network of one's own, trained on arrays: the arithmetic, what Lasagne sees afterwards, what is refused."""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import aesara
import aesara.tensor as T
import lasagne
import numpy as np
import pytest
from lasagne.layers import (
    ConcatLayer,
    Conv2DLayer,
    DenseLayer,
    EmbeddingLayer,
    InputLayer,
    LSTMLayer,
    ReshapeLayer,
    SliceLayer,
)
from lasagne.nonlinearities import softmax

import crmn_legacy
from crmn_legacy import archive
from crmn_legacy.errors import UserError
from crmn_legacy.layers import BatchNormLayer
from crmn_legacy.training import Momentum
from crmn_legacy.training.fitting import fit, name_parameters, restore

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True, params=["float64", "float32"])
def floatx(request):
    with aesara.config.change_flags(floatX=request.param):
        yield request.param


@pytest.fixture
def line():
    """A linear layer, its first weights, and examples."""
    lasagne.random.set_rng(np.random.RandomState(5))
    random = np.random.default_rng(0)
    network = DenseLayer(InputLayer((None, 3)), 2, nonlinearity=None)
    return network, network.W.get_value(), random.normal(size=(8, 3)), random.normal(size=(8, 2))


def test_an_update_is_that_of_the_equations(line, floatx):
    network, W, x, y = line
    fitted = fit(network, x, y, rate=0.01, epochs=1, batch_size=8, weight_decay=0.1, tell=None)
    off = x @ W - y
    # The first step of Nesterov's momentum of 0.9 goes 1.9 times the rate down the gradient; biases do not decay.
    tolerance = {"float64": 1e-12, "float32": 1e-5}[floatx]
    np.testing.assert_allclose(network.W.get_value(), W - 0.019 * (2 * x.T @ off / 8 + 0.1 * W), atol=tolerance)
    np.testing.assert_allclose(network.b.get_value(), -0.019 * 2 * off.mean(axis=0), atol=tolerance)
    np.testing.assert_allclose(fitted.losses, [(off**2).sum(axis=1).mean()], rtol=1e-5)
    assert network.W.get_value().dtype == floatx


def test_lasagne_s_own_functions_see_what_was_trained(line, floatx):
    network, W, x, y = line
    fitted = fit(network, x, y, rate=lambda epoch: 0.01 / epoch, epochs=3, batch_size=4, tell=None)
    (trained, bias) = lasagne.layers.get_all_param_values(network)
    assert np.abs(trained - W).max() > 0.01
    np.testing.assert_allclose(fitted.predict(x), x.astype(floatx) @ trained + bias, rtol=1e-5, atol=1e-6)
    symbol = T.matrix()
    by_aesara = aesara.function([symbol], lasagne.layers.get_output(network, symbol))(x.astype(floatx))
    np.testing.assert_allclose(fitted.predict(x), by_aesara, rtol=1e-5, atol=1e-6)


def test_equal_arguments_give_equal_bits_and_another_seed_others():
    def trained(seed):
        lasagne.random.set_rng(np.random.RandomState(5))
        random = np.random.default_rng(0)
        network = DenseLayer(DenseLayer(InputLayer((None, 3)), 4), 3, nonlinearity=softmax)
        fitted = fit(
            network,
            random.normal(size=(30, 3)),
            random.integers(0, 3, 30),
            loss="cross_entropy",
            epochs=3,
            batch_size=8,
            seed=seed,
            tell=None,
        )
        return fitted.losses, [value.tobytes() for value in lasagne.layers.get_all_param_values(network)]

    assert trained(1) == trained(1) != trained(2)


def test_validation_is_judged_by_the_network_as_it_is_used(line):
    _, _, x, y = line
    network = DenseLayer(BatchNormLayer(InputLayer((None, 3)), alpha=0.5), 2, nonlinearity=None)
    lines = []
    fitted = fit(network, x, y, epochs=2, batch_size=4, validation=(x[:5], y[:5]), tell=lines.append)
    expected = ((fitted.predict(x[:5]) - y[:5]) ** 2).sum(axis=1).mean()
    np.testing.assert_allclose(fitted.validation_losses[-1], expected, rtol=1e-5)
    assert lines[1].startswith("epoch 2/2: loss ") and ", validation loss " in lines[1]
    # The running averages were trained as well.
    assert np.abs(network.input_layer.mean.get_value()).max() > 0


def test_pictures_of_whole_numbers_and_a_loss_of_one_s_own_will_do():
    random = np.random.default_rng(0)
    pictures = random.integers(0, 256, (10, 1, 6, 6), dtype=np.uint8)
    network = DenseLayer(Conv2DLayer(InputLayer((None, 1, 6, 6)), 2, 3), 1, nonlinearity=None)
    fitted = fit(
        network,
        pictures,
        random.normal(size=(10, 1)),
        loss=lambda predicted, target: abs(predicted - target).mean(axis=1),
        rate=1e-5,
        epochs=4,
        tell=None,
    )
    assert fitted.losses[-1] < fitted.losses[0]
    assert fitted.predict(pictures[:3]).shape == (3, 1)
    with pytest.raises(UserError, match="got inputs float64, expected uint8, as the network was trained on"):
        fitted.predict(pictures[:3] / 255)


def test_names_are_given_to_those_without_one_of_their_own_and_kept_by_the_others():
    own = InputLayer((None, 3))
    network = DenseLayer(DenseLayer(DenseLayer(own, 2, name="first"), 2), 2, W=lasagne.init.Constant(1.0))
    network.b.name = "mine"
    name_parameters(network)
    names = [one.name for one in lasagne.layers.get_all_params(network)]
    assert names == ["first.W", "first.b", "layer2.W", "b", "layer3.W", "mine"]
    name_parameters(network)
    assert [one.name for one in lasagne.layers.get_all_params(network)] == names


def test_what_was_saved_is_restored_into_a_network_built_alike(line, tmp_path):
    network, _, x, y = line
    fit(network, x, y, epochs=2, tell=None).save(tmp_path / "weights.npz")
    again = DenseLayer(InputLayer((None, 3)), 2, nonlinearity=None)
    restore(again, tmp_path / "weights.npz")
    np.testing.assert_array_equal(again.W.get_value(), network.W.get_value())
    other = DenseLayer(InputLayer((None, 3)), 4, nonlinearity=None)
    with pytest.raises(UserError, match=r"with .*W \(3, 2\), expected \(3, 4\): another network's\?"):
        restore(other, tmp_path / "weights.npz")
    archive.write_arrays(tmp_path / "none.npz", {})
    with pytest.raises(UserError, match=r"with .*W none, expected \(3, 2\)"):
        restore(again, tmp_path / "none.npz")


def test_interrupted_it_keeps_what_was_learned_up_to_then(line):
    network, W, x, y = line
    lines = []

    def tell(told):
        lines.append(told)
        if told.startswith("epoch 2/"):
            raise KeyboardInterrupt

    fitted = fit(network, x, y, epochs=9, batch_size=4, tell=tell)
    assert lines[-1] == "interrupted: the network is as after epoch 2" and len(fitted.losses) == 2
    assert np.abs(network.W.get_value() - W).max() > 0


def test_fewer_examples_than_a_batch_are_one(line):
    network, _, x, y = line
    assert len(fit(network, x[:3], y[:3], batch_size=32, epochs=1, tell=None).losses) == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"inputs": np.zeros((8, 4))}, r"got inputs \(8, 4\), expected \(examples, 3\) as the network has it"),
        ({"targets": np.zeros((8, 3))}, r"got targets \(8, 3\), expected \(examples, 2\)"),
        ({"targets": np.zeros((7, 2))}, "got 8 inputs and 7 targets, expected as many of both"),
        ({"inputs": np.zeros((0, 3)), "targets": np.zeros((0, 2))}, "got 0 inputs and 0 targets"),
        ({"loss": "absolute"}, "loss got 'absolute', expected one of squared_error, cross_entropy, or a callable"),
        ({"loss": "cross_entropy"}, "expected whole numbers from 0 to 1, one an input"),
        ({"loss": "cross_entropy", "targets": np.full(8, 2)}, "expected whole numbers from 0 to 1"),
        ({"validation": (np.zeros((8, 3)), np.zeros((8, 1)))}, r"got targets \(8, 1\)"),
        ({"validation": np.zeros((8, 3))}, r"validation got ndarray, expected a pair: \(inputs, targets\)"),
        ({"optimizer": "adam"}, r"optimizer got 'adam', expected .* or a function such as lasagne\.updates\.adam"),
        ({"optimizer": Momentum}, r"optimizer got Momentum, expected one such as crmn_legacy\.training\.Nesterov"),
        ({"batch_size": 0}, "batch_size got 0, expected a whole number of at least 1"),
        ({"batch_size": 2.5}, r"batch_size got 2\.5, expected a whole number"),
        ({"epochs": 1.5}, r"epochs got 1\.5, expected a whole number of at least 0"),
        ({"rate": "low"}, "rate got 'low', expected a number, or a function of the epoch"),
        ({"rate": [0.1, 0.2]}, r"rate got \[0\.1, 0\.2\], expected a number"),
        ({"weight_decay": None}, "weight_decay got None, expected a number"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_compiled(line, changes, said):
    network, W, x, y = line
    given = {"inputs": x, "targets": y, "tell": None} | changes
    with pytest.raises(UserError, match=said):
        fit(network, given.pop("inputs"), given.pop("targets"), **given)
    np.testing.assert_array_equal(network.W.get_value(), W)


def test_a_loss_that_is_not_finite_ends_it_and_the_network_is_as_after_the_epoch_before(line):
    network, W, x, y = line
    far = 1e200 if network.W.dtype == "float64" else 1e30
    with pytest.raises(UserError, match=r"got a loss that is (inf|nan) in epoch 1, .* the network is as before"):
        fit(network, x, y, rate=far, epochs=2, batch_size=2, tell=None)
    np.testing.assert_array_equal(network.W.get_value(), W)
    fit(network, x, y, epochs=1, batch_size=2, tell=None)
    after = network.W.get_value()
    network.W.set_value(W)
    network.b.set_value(0 * network.b.get_value())
    with pytest.raises(UserError, match=r"in epoch 2, .* the network is as after epoch 1"):
        fit(network, x, y, rate=lambda epoch: 0.01 if epoch == 1 else far, epochs=2, batch_size=2, tell=None)
    np.testing.assert_array_equal(network.W.get_value(), after)


def test_updates_of_lasagne_are_an_optimizer(line):
    network, W, x, y = line
    fit(network, x, y, optimizer=lasagne.updates.sgd, rate=0.01, epochs=1, batch_size=8, tell=None)
    np.testing.assert_allclose(network.W.get_value(), W - 0.01 * 2 * x.T @ (x @ W - y) / 8, atol=1e-6)
    adam = partial(lasagne.updates.adam, beta1=0.8)
    fitted = fit(network, x, y, optimizer=adam, rate=0.01, epochs=20, batch_size=8, tell=None)
    assert fitted.losses[-1] < fitted.losses[0]


def test_a_network_reads_several_inputs():
    random = np.random.default_rng(0)
    left, right = InputLayer((None, 3), name="left"), InputLayer((None, 2))
    network = DenseLayer(ConcatLayer([left, right]), 1, nonlinearity=None)
    x, z = random.normal(size=(20, 3)), random.integers(0, 256, (20, 2), dtype=np.uint8)
    y = x[:, 0] + z[:, 1] / 256
    fitted = fit(network, {"left": x, right: z}, y, rate=1e-6, epochs=2, validation=({left: x, right: z}, y), tell=None)
    W, b = lasagne.layers.get_all_param_values(network)
    expected = np.concatenate([x, z], axis=1) @ W + b
    np.testing.assert_allclose(fitted.predict({left: x, right: z}), expected, rtol=1e-4)
    np.testing.assert_allclose(fitted.validation_losses[-1], ((expected[:, 0] - y) ** 2).mean(), rtol=1e-4)


def test_sequences_of_words_with_a_mask_and_of_another_length():
    random = np.random.default_rng(0)
    words, mask = InputLayer((None, None), T.imatrix()), InputLayer((None, None), name="mask")
    memory = LSTMLayer(EmbeddingLayer(words, 9, 4), 5, mask_input=mask)
    network = DenseLayer(SliceLayer(memory, -1, 1), 2, nonlinearity=softmax)
    x, m = random.integers(0, 9, (12, 6)), np.arange(6) < random.integers(1, 7, (12, 1))
    fitted = fit(network, {words: x, "mask": m}, x[:, 0] % 2, loss="cross_entropy", epochs=1, tell=None)
    assert fitted.predict({words: x[:3, :4], mask: m[:3, :4]}).shape == (3, 2)
    with pytest.raises(
        UserError, match="got inputs of input1 float64, expected whole numbers, as the layer's variable"
    ):
        fitted.predict({words: x / 2, mask: m})


def test_input_layers_may_fix_the_batch():
    random = np.random.default_rng(0)
    network = ReshapeLayer(DenseLayer(InputLayer((4, 3)), 2, nonlinearity=None), (4, 2))
    x, y = random.normal(size=(10, 3)), random.normal(size=(10, 2))
    fitted = fit(network, x, y, epochs=1, validation=(x, y), tell=None)
    W, b = lasagne.layers.get_all_param_values(network)
    np.testing.assert_allclose(fitted.predict(x), x @ W + b, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(fitted.validation_losses, [((x @ W + b - y) ** 2).sum(axis=1).mean()], rtol=1e-4)
    with pytest.raises(UserError, match="batch_size got 5, expected 4, as the network's input layers have it"):
        fit(network, x, y, batch_size=5)
    with pytest.raises(UserError, match="got 3 examples, expected at least 4"):
        fit(network, x[:3], y[:3])


def test_number_formats_are_left_as_they_were(floatx):
    import jax

    network = DenseLayer(InputLayer((None, 3)), 1, nonlinearity=None)
    x = np.random.default_rng(0).normal(size=(4, 3))
    for other in ("float32", "float64"):
        with aesara.config.change_flags(floatX=other):
            before = jax.config.jax_enable_x64, jax.config.jax_default_matmul_precision
            fitted = fit(network, x, x[:, 0], epochs=1, tell=None)
            assert fitted.predict(x).dtype == floatx and aesara.config.floatX == other
            assert (jax.config.jax_enable_x64, jax.config.jax_default_matmul_precision) == before


def test_the_package_has_it():
    assert crmn_legacy.fit is fit and crmn_legacy.restore is restore


def test_the_example_tells_the_moons_apart_in_an_empty_folder(tmp_path, floatx):
    if floatx == "float32":
        pytest.skip("its numbers are its own")
    script = ROOT / "examples" / "own_network.py"
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout.splitlines()[-1].partition("%")[0]) > 95
    assert [path.name for path in tmp_path.iterdir()] == ["moons.npz"]
