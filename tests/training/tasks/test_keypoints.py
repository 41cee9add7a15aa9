"""The classification task: its loss in NumPy's words, far from overflow; its score."""

from dataclasses import dataclass

import aesara
import aesara.tensor as T
import numpy as np
import pytest

from crmn_legacy import data, models
from crmn_legacy.backend.compile import compile_step
from crmn_legacy.training import Classification

TASK = Classification(3, data.ChannelMeanStd(), data.NoAugmentation())
LOGITS = np.array([[1.0, -2.0, 0.5], [300.0, -300.0, 0.0], [0.1, 0.2, 0.3]])
LABELS = np.array([2, 1, 0], np.int32)


@pytest.fixture
def outputs(double):
    logits = aesara.shared(LOGITS, name="logits")
    inputs = TASK.inputs()
    predicted = models.softmax(logits)
    losses = TASK.losses(predicted, inputs)
    gradient = aesara.grad(losses.sum(), logits)
    found = {"losses": losses, "gradient": gradient, "predicted": predicted, **TASK.watched(predicted, inputs)}
    step = compile_step({"labels": inputs["labels"]}, found)
    return step.get_outputs(step(step.initial_state(), {"labels": LABELS})[1])


def test_the_loss_is_the_cross_entropy_even_where_a_probability_is_0(outputs):
    shifted = LOGITS - LOGITS.max(axis=1, keepdims=True)
    logarithms = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(outputs["losses"], -logarithms[np.arange(3), LABELS], rtol=1e-12)
    assert outputs["losses"][1] == pytest.approx(600)
    expected = np.exp(logarithms) - np.eye(3)[LABELS]
    np.testing.assert_allclose(outputs["gradient"], expected, atol=1e-12)


def test_the_training_error_is_the_part_of_wrong_pictures(outputs):
    assert outputs["training_error"] == 1.0
    np.testing.assert_array_equal(TASK.score(outputs["predicted"], {"labels": LABELS}), [0, 0, 0])
    np.testing.assert_array_equal(TASK.score(outputs["predicted"], {"labels": np.array([0, 1, 2])}), [1, 0, 1])


def test_a_network_without_a_softmax_at_its_end_is_refused():
    with pytest.raises(ValueError, match="expects a softmax as its last operation"):
        TASK.losses(T.matrix(), TASK.inputs())


def test_the_sample_has_as_many_classes_as_the_task():
    assert TASK.sample == "rendered_shapes3.h5"


@dataclass
class Data:
    source: str
    split: np.ndarray


@pytest.mark.parametrize(
    ("source", "pictures", "released", "complete"),
    [("rendered", 2, None, True), ("cifar10", 2, 10_000, False), ("cifar100", 10_000, 10_000, True)],
)
def test_a_test_set_is_complete_with_the_release_s_count(source, pictures, released, complete):
    data = Data(source, np.full(pictures, "test"))
    found = TASK.by_test_set(np.tile([1.0, 0.0], pictures // 2), data, np.arange(pictures))
    assert found == {"all": {"mean": 0.5, "pictures": pictures, "released": released, "complete": complete}}


def test_training_pictures_are_held_against_the_release():
    whole = np.repeat(["train", "valid", "test"], [45_000, 5_000, 10_000])
    assert TASK.unlike_release(Data("cifar10", whole)) == []
    assert TASK.unlike_release(Data("cifar10", whole[1:])) == [
        "49,999 training pictures of cifar10 (the release's 50,000)"
    ]
    assert TASK.unlike_release(Data("rendered", whole[:8])) == ["8 training pictures of rendered (the release's 0)"]
