"""Keypoints as pixels: the loss in training, the error otherwise, and both parts of the network moved by one step."""

import aesara.tensor as T
import numpy as np
import pytest

from crmn_legacy import models
from crmn_legacy.data import FaceAugmentation, FaceBatches
from crmn_legacy.layers import JointMaps
from crmn_legacy.metrics import interocular_error
from crmn_legacy.training import Adadelta, Keypoints, PixelClassification, WeightDecay, steps
from tests.data.faces import plain_faces
from tests.evaluate import evaluate
from tests.oracles import pixel_maps

SIDE, POINTS = 16, 68
AUGMENTATION = FaceAugmentation(size=SIDE, occlusion=None)
TASK = PixelClassification(AUGMENTATION)
COMPONENTS = ("rcn", "denoiser")


def build(seed=3):
    def network():
        maps = models.rcn(models.face_input((1, SIDE, SIDE)), POINTS, num_filters=3, filter_size=3)
        return models.joint_prediction(maps, num_filters=2, filter_size=5, num_moved=35)

    return steps.build(network, seed)


def batch_of(size=3, seed=1):
    random = np.random.default_rng(seed)
    mask = np.repeat(random.uniform(size=(size, POINTS)) < 0.7, 2, axis=1)
    return {
        "images": random.integers(1, 256, (size, 1, SIDE, SIDE), dtype=np.uint8),
        "keypoints": random.uniform(-0.1, 1.1, (size, 2 * POINTS)),
        "mask": mask.astype(float),
    }


def losses_of(predicted, batch):
    inputs = TASK.inputs()
    symbols = [T.TensorType("float64", shape=(None,) * value.ndim)() for value in predicted]
    output = JointMaps(*symbols) if len(symbols) == 3 else symbols[0]
    given = dict(zip(symbols, predicted, strict=True)) | {inputs[name]: batch[name] for name in inputs}
    (got,) = evaluate([TASK.losses(output, inputs)], given)
    return got


@pytest.mark.usefixtures("double")
def test_the_training_loss_is_68_times_the_mean_over_points_that_count_of_each_network():
    batch, random = batch_of(), np.random.default_rng(2)
    first, second = random.normal(size=(2, 3, POINTS, SIDE, SIDE))
    moved = (random.uniform(size=(3, POINTS)) < 0.5).astype(float)
    pixels, counts = pixel_maps.pixels(batch["keypoints"], SIDE, SIDE), batch["mask"][:, ::2]
    expected = sum(
        68 * (pixel_maps.cross_entropy(maps, pixels) * weights).sum() / weights.sum()
        for maps, weights in ((first, counts), (second, counts * moved))
    )
    losses = losses_of([first, second, moved], batch)
    assert losses.shape == (3,)
    np.testing.assert_allclose(losses.mean(), expected, rtol=1e-12)


@pytest.mark.usefixtures("double")
def test_without_points_that_count_there_is_no_loss_and_no_error():
    batch = batch_of() | {"mask": np.zeros((3, 2 * POINTS))}
    maps = np.zeros((3, POINTS, SIDE, SIDE))
    np.testing.assert_array_equal(losses_of([maps, maps, np.ones((3, POINTS))], batch), 0)
    np.testing.assert_array_equal(losses_of([np.zeros((3, 2 * POINTS))], batch), 0)


def errors_by_hand(predicted, batch, mask):
    """Pixels against pixels, over the distance of the eyes as it is."""
    points = batch["keypoints"].reshape(-1, POINTS, 2)
    pixels = pixel_maps.pixels(batch["keypoints"], SIDE, SIDE)
    true = np.stack([pixels % SIDE, pixels // SIDE], axis=2)
    found = np.floor(predicted.reshape(-1, POINTS, 2) * SIDE)
    eyes = np.linalg.norm(points[:, [36, 39]].mean(axis=1) - points[:, [42, 45]].mean(axis=1), axis=1) * SIDE
    distance = np.linalg.norm(found - true, axis=2)
    return (distance * mask).sum(axis=1) / mask.sum(axis=1) / eyes


@pytest.mark.parametrize("all_points", [True, False])
def test_the_score_is_between_pixels(all_points):
    batch = batch_of()
    predicted = (np.random.default_rng(4).integers(0, SIDE, (3, 2 * POINTS)) + 0.5) / SIDE
    mask = np.ones((3, POINTS)) if all_points else batch["mask"][:, ::2]
    found = TASK.score(predicted, batch, all_points=all_points)
    np.testing.assert_allclose(found, errors_by_hand(predicted, batch, mask), rtol=1e-12)
    # A picture's own pixels are right, though their centres are not its points.
    pixels = pixel_maps.pixels(batch["keypoints"], SIDE, SIDE)
    centres = (np.stack([pixels % SIDE, pixels // SIDE], axis=2) + 0.5) / SIDE
    np.testing.assert_allclose(TASK.score(centres.reshape(3, -1), batch, all_points), 0, atol=1e-12)
    assert (interocular_error(centres, batch["keypoints"]) > 0.01).all()


@pytest.mark.usefixtures("double")
def test_the_loss_of_predicted_points_is_their_score():
    batch = batch_of()
    predicted = (np.random.default_rng(4).integers(0, SIDE, (3, 2 * POINTS)) + 0.5) / SIDE
    np.testing.assert_allclose(losses_of([predicted], batch), TASK.score(predicted, batch), rtol=1e-12)


@pytest.mark.usefixtures("single")
def test_the_pixels_of_single_precision_are_the_same_in_both_scores():
    """Points on the border between two pixels, as a float32 batch holds them."""
    batch = batch_of(size=1)
    batch["keypoints"] = (np.arange(2 * POINTS) % 80 / 80).astype(np.float32)[None]
    batch["images"] = np.ones((1, 1, 80, 80), np.uint8)
    batch["mask"] = np.ones((1, 2 * POINTS), np.float32)
    predicted = np.full((1, 2 * POINTS), 40.5 / 80, np.float32)
    inputs = TASK.inputs()
    symbol = T.matrix()
    (got,) = evaluate(
        [TASK.losses(symbol, inputs)], {symbol: predicted} | {inputs[name]: batch[name] for name in inputs}
    )
    np.testing.assert_allclose(got, TASK.score(predicted, batch), rtol=1e-5)


def test_it_reads_faces_as_keypoints_does():
    faces = plain_faces(train=4, valid=2, test=2)
    ours, theirs = (task.batches(faces, "train", 2, seed=1) for task in (TASK, Keypoints(AUGMENTATION)))
    assert isinstance(ours, FaceBatches)
    for one, other in zip(ours.epoch(1), theirs.epoch(1), strict=True):
        for name, value in one.items():
            np.testing.assert_array_equal(value, other[name])
    assert (TASK.metric, TASK.sample, TASK.describe()) == (
        "error",
        "rendered_faces.h5",
        Keypoints(AUGMENTATION).describe(),
    )


@pytest.fixture(scope="module")
def compiled():
    """The steps that train and evaluate, compiled once."""
    network = build()
    train = steps.train_step(network, TASK, Adadelta(), COMPONENTS, WeightDecay(1e-6))
    return train, steps.evaluation_step(network, TASK, with_stem_input=True)


def updated(train, batch, rates, updates=1):
    """The state before and after some updates, and their losses."""
    before = train.get(train.initial_state())
    state, losses = train.put(before), []
    for _ in range(updates):
        state, outputs = train(state, batch, {name: np.float32(rate) for name, rate in rates.items()})
        losses.append(float(train.get_outputs(outputs)["loss"]))
    return before, train.get(state), losses


def evaluated(step, state, batch):
    weights = {name: value for name, value in state.items() if name in step.state_names}
    _, outputs = step(step.put(weights), batch)
    return step.get_outputs(outputs)


def test_one_step_trains_both_networks_and_draws_anew(compiled):
    before, after, losses = updated(compiled[0], batch_of(), {"rcn": 1.0, "denoiser": 1.0}, updates=2)
    assert abs(losses[0] - 2 * 68 * np.log(SIDE**2)) < 0.05 * losses[0]
    for name in before:
        assert (before[name] != after[name]).any(), name
    assert {name for name in before if name.endswith(".rng")} == {"denoiser.moved.rng", "denoiser.pixels.rng"}


def test_a_part_whose_rate_is_0_stands_still(compiled):
    before, after, _ = updated(compiled[0], batch_of(), {"rcn": 1.0, "denoiser": 0.0}, updates=2)
    parameters = {name for name in before if name.endswith((".W", ".b"))}
    moved = {name for name in parameters if (before[name] != after[name]).any()}
    assert moved == {name for name in parameters if name.startswith("rcn.")}


def test_a_part_that_is_not_trained_any_more_is_not_computed(compiled):
    train = steps.TrainingSteps(build(), TASK, Adadelta(), COMPONENTS, WeightDecay(1e-6))
    batch, one = batch_of(), np.float32(1)
    state, _ = train(train.initial_state(), batch, {"rcn": one, "denoiser": one})
    before = train.get(state)
    train.release()
    state, outputs = train(state, batch, {"rcn": one})
    after = train.get(state)
    moved = {name for name in before if (before[name] != after[name]).any()}
    assert moved == {name for name in before if name.startswith("rcn.")}
    assert not [name for name in train._steps[("rcn",)].state_names if name.startswith("denoiser")]
    whole = compiled[0]
    expected, of_both = whole(whole.put(before), batch, {"rcn": one, "denoiser": np.float32(0)})
    for name in moved:
        np.testing.assert_allclose(after[name], expected[name], rtol=1e-5, atol=1e-9, err_msg=name)
    assert 0 < outputs["loss"] < of_both["loss"]


def test_the_evaluation_step_puts_out_points_and_their_errors(compiled):
    train, evaluation = compiled
    batch = batch_of()
    found = evaluated(evaluation, train.get(train.initial_state()), batch)
    assert found["predicted"].shape == (3, 136) and found["stem_input"].shape == (3, 1, SIDE, SIDE)
    np.testing.assert_allclose(found["predicted"] * SIDE % 1, 0.5)
    np.testing.assert_allclose(found["losses"], TASK.score(found["predicted"], batch), rtol=1e-4)


def test_training_lowers_the_error_of_the_pictures_it_sees(compiled):
    train, evaluation = compiled
    batch = next(TASK.batches(plain_faces(train=3, valid=2, test=2), "train", 3, seed=1).epoch(1))
    states = updated(train, batch, {"rcn": 1.0, "denoiser": 1.0}, updates=300)[:2]
    before, after = (TASK.score(evaluated(evaluation, state, batch)["predicted"], batch).mean() for state in states)
    assert after < 0.75 * before
