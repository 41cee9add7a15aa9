"""Whole train steps: XLA against Aesara's own code and against the network written by hand, in float64."""

import contextlib
import re

import aesara
import jax
import lasagne
import numpy as np
import pytest
from aesara.compile.mode import Mode

from benchmarks import hand_written_jax as by_hand
from crmn_legacy import models
from crmn_legacy.data import FaceAugmentation
from crmn_legacy.training import Keypoints, NesterovMomentum, steps

COMPONENTS = ("resnet", "lstm", "output")
TASK = Keypoints(FaceAugmentation(size=16, occlusion=None))
NETWORK = by_hand.Network(
    n=1, fm=1, input_shape=(1, 16, 16), pool=4, units=5, outputs=136, contrast=True, flip_filters=True
)
SETTINGS = {"components": COMPONENTS, "weight_decay": 1e-3}


def build(num_filters=2, pool_size=1, num_units=3, seed=3, side=16):
    return steps.build(
        lambda: models.crmn(
            models.face_input((1, side, side)), 1, num_filters, pool_size, num_units, 136, models.sigmoid
        ),
        seed,
    )


def batch_of(size=4, side=16, seed=11):
    random = np.random.default_rng(seed)
    mask = (random.uniform(size=(size, 136)) < 0.8).astype("float64")
    images = random.integers(0, 256, (size, 1, side, side), dtype=np.uint8)
    return {"images": images, "keypoints": random.uniform(size=(size, 136)), "mask": mask}


def rates_of(**changes):
    rates = {"resnet": 0.02, "lstm": 0.05, "output": 0.01, **changes}
    return {name: np.asarray(rate, aesara.config.floatX) for name, rate in rates.items()}


def train_step(network, **more):
    return steps.train_step(network, TASK, NesterovMomentum(0.9), **{**SETTINGS, **more})


def three_updates(step, state):
    state, losses = step.put(state), []
    for update in range(3):
        # Another batch and other rates each time.
        state, outputs = step(state, batch_of(seed=update), rates_of(lstm=0.05 / (1 + update)))
        losses.append(float(step.get_outputs(outputs)["loss"]))
    return step.get(state), losses


def assert_agree(network, witness):
    """All of the state after three updates is equal, and nothing is equal for having stood still."""
    by_xla = train_step(network)
    before = by_xla.get(by_xla.initial_state())
    ours, our_losses = three_updates(by_xla, before)
    with witness:
        theirs, their_losses = three_updates(train_step(network, backend="c"), before)
    assert ours.keys() == theirs.keys() == before.keys()
    np.testing.assert_allclose(our_losses, their_losses, rtol=1e-12)
    for name in ours:
        # Absolute, too: the gradient of a convolution's bias before batch norm is zero on paper, and what rounding
        # leaves of it (1e-17) is another number in each witness.
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-10, atol=1e-10, err_msg=name)
    moved = {name for name in ours if np.abs(ours[name] - before[name]).max() > 1e-6}
    still = set(ours) - moved
    # By design those biases, and the zeros that the memory begins with.
    assert all(re.fullmatch(r".*conv[12]?\.b(\.velocity)?|lstm\.(hid|cell)_init", name) for name in still), still
    assert {name.rsplit(".", 1)[1] for name in moved} >= {"W", "gamma", "beta", "mean", "inv_std", "velocity"}


def python_code():
    """Aesara's graph as it is, each operation by its own Python code: no rewrite, no compiler, a second."""
    return aesara.config.change_flags(mode=Mode("py", None), cxx="")


def test_three_updates_agree_with_aesaras_python_code(wide):
    assert_agree(build(), python_code())


@pytest.mark.slow
def test_three_updates_agree_with_aesaras_c_code(wide):
    if not aesara.config.cxx:
        pytest.skip("no C++ compiler")
    assert_agree(build(), contextlib.nullcontext())


@pytest.fixture(scope="module", autouse=True)
def wide():
    """The whole file computes in float64."""
    with aesara.config.change_flags(floatX="float64"), jax.experimental.enable_x64():
        yield


@pytest.fixture
def copied(wide):
    """Ours and the hand-written network with the same weights, nothing of them trivial."""
    random = np.random.default_rng(7)
    arrays = by_hand.initialise(NETWORK, seed=1, dtype="float64")
    for name, array in arrays.items():
        if array.ndim == 1:
            arrays[name] = array + random.uniform(0.1, 0.3, array.shape)
    network = build(num_filters=16, pool_size=4, num_units=5)
    parameters = {p.name: p for p in lasagne.layers.get_all_params(network)}
    assert parameters.keys() - arrays.keys() == {"lstm.hid_init", "lstm.cell_init"}
    for name, array in arrays.items():
        assert parameters[name].get_value().shape == array.shape
        parameters[name].set_value(array)
    return network, arrays


def theirs_of(batch):
    return batch["images"].astype("float64"), batch["keypoints"], batch["mask"]


def test_predictions_are_those_of_the_network_written_by_hand(copied):
    network, arrays = copied
    step, batch = steps.evaluation_step(network, TASK, with_stem_input=True), batch_of()
    outputs = step.get_outputs(step(step.initial_state(), batch)[1])
    images, keypoints, mask = theirs_of(batch)
    expected, _ = by_hand.forward(NETWORK, arrays, images)
    np.testing.assert_allclose(outputs["predicted"], expected, rtol=0, atol=1e-10)
    np.testing.assert_allclose(outputs["stem_input"], by_hand.local_contrast(images), rtol=0, atol=1e-10)
    losses = (mask * (np.asarray(expected) - keypoints) ** 2).sum(axis=1)
    np.testing.assert_allclose(outputs["losses"], losses, rtol=1e-10)


def test_gradients_and_two_updates_are_those_of_the_network_written_by_hand(copied):
    network, arrays = copied
    step, batch = train_step(network), batch_of()
    state, outputs = step(step.initial_state(), batch, rates_of())
    their_step = by_hand.make_step(NETWORK, momentum=0.9, weight_decay=SETTINGS["weight_decay"])
    theirs, objective = their_step(by_hand.start(arrays), theirs_of(batch), rates_of())
    decay = sum((array**2).sum() for name, array in arrays.items() if ".W" in name)
    loss = float(objective) - 0.5 * SETTINGS["weight_decay"] * decay
    np.testing.assert_allclose(float(outputs["loss"]), loss, rtol=1e-10)
    first = step.get(state)
    for name, velocity in theirs["velocities"].items():
        # After one update the velocity is the gradient times minus the rate.
        np.testing.assert_allclose(first[f"{name}.velocity"], velocity, rtol=1e-9, atol=1e-12, err_msg=name)
    state, _ = step(state, batch, rates_of())
    theirs, _ = their_step(theirs, theirs_of(batch), rates_of())
    second = step.get(state)
    for name, value in {**theirs["parameters"], **theirs["statistics"]}.items():
        np.testing.assert_allclose(second[name], value, rtol=1e-9, atol=1e-10, err_msg=name)


def initial(seed):
    return {p.name: p.get_value() for p in lasagne.layers.get_all_params(build(seed=seed))}


def test_initial_weights_are_a_function_of_the_seed_alone():
    first = initial(5)
    np.random.default_rng().normal(size=7)
    lasagne.random.get_rng().normal(size=3)
    second, other = initial(5), initial(6)
    for name, value in first.items():
        np.testing.assert_array_equal(value, second[name])
    drawn = [name for name, value in first.items() if value.std() > 0]
    assert len(drawn) == 9 + 8 + 3 + 1  # convolutions, the LSTM's matrices and peepholes, the dense layer
    assert all(not np.array_equal(first[name], other[name]) for name in drawn)
    # Layers of one shape get numbers of their own.
    assert not np.array_equal(first["stage1.block1.conv1.W"], first["stage1.block1.conv2.W"])


def test_building_leaves_lasagnes_generator_as_it_was():
    before = lasagne.random.get_rng()
    build()
    assert lasagne.random.get_rng() is before
    with pytest.raises(ZeroDivisionError):
        steps.build(lambda: 1 // 0, 1)
    assert lasagne.random.get_rng() is before


def test_two_parameters_of_one_name_are_refused():
    layer = lasagne.layers.InputLayer((None, 1, 16, 16), name="input")
    for _ in range(2):
        layer = models.resnet(layer, 1, 2, 136, models.sigmoid) if layer.name == "input" else layer
    twice = lasagne.layers.DenseLayer(layer, 136, name="output")
    with pytest.raises(ValueError, match=r"two shared values are named 'output\.(W|b)'"):
        train_step(twice)


@pytest.fixture(scope="module")
def small(wide):
    """One compiled step for what needs no particular weights."""
    return train_step(build(num_filters=1))


def test_rates_batches_and_states_never_compile_anew(small):
    state = small.initial_state()
    for update in range(4):
        state, _ = small(state, batch_of(seed=update), rates_of(resnet=0.3 / (1 + update), output=update))
    assert small.step._cache_size() == 1


def test_zero_rates_leave_parameters_and_move_statistics(small):
    before = small.get(small.initial_state())
    after = small.get(small(small.initial_state(), batch_of(), rates_of(resnet=0, lstm=0, output=0))[0])
    for name, value in before.items():
        same = np.array_equal(value, after[name])
        assert same != name.endswith((".mean", ".inv_std")), name


def test_masked_keypoints_teach_nothing(small):
    batch = batch_of()
    batch["mask"][:, 7] = 0
    after = small.get(small(small.initial_state(), batch, rates_of())[0])
    assert after["output.b.velocity"][7] == 0
    assert np.count_nonzero(after["output.b.velocity"]) == 135


def test_a_state_is_given_up_to_the_step_and_never_the_callers_arrays(small):
    host = small.get(small.initial_state())
    kept = {name: value.copy() for name, value in host.items()}
    state = small.put(host)
    after, outputs = small(state, batch_of(), rates_of())
    assert all(isinstance(array, jax.Array) for array in jax.tree.leaves([after, outputs]))
    assert all(array.is_deleted() for array in jax.tree.leaves(state))
    assert not any(array.is_deleted() for array in jax.tree.leaves(after))
    for name, value in host.items():
        np.testing.assert_array_equal(value, kept[name])


def test_predictions_give_no_state_up(wide):
    evaluate = steps.evaluation_step(build(num_filters=1), TASK)
    state = evaluate.initial_state()
    evaluate(state, batch_of())
    assert not any(array.is_deleted() for array in jax.tree.leaves(state))


def test_stem_input_is_what_the_first_convolution_reads():
    assert steps.stem_input(build()).name == "local_contrast"
    plain = models.resnet(lasagne.layers.InputLayer((None, 1, 16, 16), name="input"), 1, 2, 136, models.sigmoid)
    assert steps.stem_input(plain).name == "input"
    assert steps.stem_input(plain).output_shape == (None, 1, 16, 16)


def test_rates_have_the_format_of_the_steps_inputs_whatever_tensor_comes_first():
    """Random numbers' state is of whole numbers; a rate in its format would be 0, and nothing would be learned."""
    training, seen = steps.TrainingSteps(build(seed=5), TASK, NesterovMomentum(0.9), COMPONENTS), {}

    def step(state, batch, rates):
        seen.update(rates)
        return state, {}

    training._steps = {COMPONENTS: step}
    state = {"a.rng": np.zeros(6, np.int32), "w": np.zeros(2, aesara.config.floatX)}
    training(state, {}, {"resnet": 0.25, "lstm": 0.5, "output": 0.125})
    assert {name: float(rate) for name, rate in seen.items()} == {"resnet": 0.25, "lstm": 0.5, "output": 0.125}
    assert {rate.dtype for rate in seen.values()} == {np.dtype(aesara.config.floatX)}


def test_a_network_without_a_memory_before_its_output_has_none_to_look_at():
    resnet = steps.build(lambda: models.resnet(models.face_input((1, 16, 16)), 1, 2, 136, models.sigmoid), 3)
    assert steps.memory_step(resnet, TASK) is None
