"""Batches are pure functions of seed, epoch and step."""

import threading
from contextlib import closing

import numpy as np
import pytest

from crmn_legacy.data.batches import FaceBatches
from crmn_legacy.data.jitter import FaceAugmentation
from crmn_legacy.errors import UserError
from tests.data.faces import plain_faces


@pytest.fixture(scope="module")
def faces():
    return plain_faces(train=22, valid=5, test=3)


def batches(faces, split="train", batch_size=4, seed=1, augmentation=None):
    return FaceBatches(faces, split, batch_size, augmentation or FaceAugmentation(), seed)


def plain(augmentation, faces, row):
    """A face alone, without jitter."""
    parts = augmentation.plain(*(array[row : row + 1] for array in (faces.images, faces.keypoints, faces.visible)))
    return tuple(part[0] for part in parts)


def assert_same(first, second):
    first, second = list(first), list(second)
    assert len(first) == len(second) > 0
    for one, other in zip(first, second, strict=True):
        for name in ("images", "keypoints", "mask"):
            np.testing.assert_array_equal(one[name], other[name])


def test_batch_has_the_step_s_shapes_and_types(faces):
    batch = next(batches(faces).epoch(0))
    assert {name: (array.dtype.name, array.shape) for name, array in batch.items()} == {
        "images": ("uint8", (4, 1, 80, 80)),
        "keypoints": ("float32", (4, 136)),
        "mask": ("float32", (4, 136)),
    }


def test_remainder_is_dropped_and_every_picture_of_the_order_is_used_once(faces):
    source = batches(faces)
    assert source.steps_per_epoch == 5
    assert len(list(source.epoch(0))) == 5
    assert sorted(source.order(3)) == list(range(22))
    assert source.order(0).tolist() != source.order(1).tolist()


def test_epoch_is_the_same_again(faces):
    assert_same(batches(faces).epoch(2), batches(faces).epoch(2))


def test_epochs_follow_one_another(faces):
    source = batches(faces)
    expected = [*list(source.epoch(2))[3:], *source.epoch(3), *source.epoch(4)]
    assert_same(source.epochs(2, 4, start=3), expected)
    assert_same(source.epochs(2, 4, start=5), expected[2:])
    assert list(source.epochs(3, 2)) == []


def test_the_next_epoch_s_first_batch_is_prepared_before_it_is_asked_for(faces):
    prepared = threading.Event()

    class Noting(FaceBatches):
        def _batch(self, rows, seed, purpose, epoch):
            if epoch == 2:
                prepared.set()
            return super()._batch(rows, seed, purpose, epoch)

    with closing(Noting(faces, "train", 4, FaceAugmentation(), 1).epochs(1, 2)) as source:
        for _ in range(5):
            next(source)
        assert prepared.wait(timeout=5)


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_workers_change_nothing(faces, workers):
    assert_same(batches(faces).epoch(2, workers=workers, depth=2), batches(faces).epoch(2))


@pytest.mark.parametrize("start", [1, 4])
def test_epoch_resumed_at_a_step_is_the_rest_of_the_epoch(faces, start):
    assert_same(batches(faces).epoch(2, start=start), list(batches(faces).epoch(2))[start:])


def test_epoch_resumed_at_its_end_is_empty(faces):
    assert list(batches(faces).epoch(0, start=5)) == []


def test_seed_and_epoch_change_order_and_jitter(faces):
    first = next(batches(faces, seed=1).epoch(0))
    for other in (next(batches(faces, seed=2).epoch(0)), next(batches(faces, seed=1).epoch(1))):
        assert (first["images"] != other["images"]).any()


def test_jitter_of_a_picture_does_not_depend_on_its_place_in_the_order(faces):
    by_four, by_two = batches(faces, batch_size=4), batches(faces, batch_size=2)
    fours, twos = next(by_four.epoch(0)), list(by_two.epoch(0))
    np.testing.assert_array_equal(fours["images"][2:], twos[1]["images"])
    jittered = [np.concatenate([b["images"] for b in batches(faces).epoch(e)]) for e in (0, 1)]
    orders = [batches(faces).order(e)[:20] for e in (0, 1)]
    for row in set(orders[0]) & set(orders[1]):
        pictures = [jittered[e][orders[e].tolist().index(row)] for e in (0, 1)]
        assert (pictures[0] != pictures[1]).any()


def test_batches_hold_the_rows_that_the_order_names(faces):
    still = FaceAugmentation(scale=0.0, translation=0.0, rotation=0, occlusion=None)
    source = batches(faces, augmentation=still)
    order = source.order(0)
    for step, batch in enumerate(source.epoch(0)):
        for place, row in enumerate(order[4 * step : 4 * step + 4]):
            image, keypoints, mask = plain(still, faces, row)
            np.testing.assert_array_equal(batch["images"][place, 0], image)
            np.testing.assert_array_equal(batch["keypoints"][place].reshape(68, 2), keypoints)
            np.testing.assert_array_equal(batch["mask"][place], np.repeat(mask, 2))


def test_hidden_point_does_not_count(faces):
    batch, _ = next(batches(faces).evaluation())
    assert batch["mask"][0].reshape(68, 2)[3].tolist() == [0, 0]


def test_evaluation_keeps_the_file_s_order_and_fills_the_last_batch(faces):
    found = list(batches(faces, split="valid").evaluation())
    assert [count for _, count in found] == [4, 1]
    last = found[-1][0]
    assert last["images"].shape == (4, 1, 80, 80)
    assert not last["mask"][1:].any()
    assert not last["images"][1:].any()
    for place in range(5):
        row = 22 + place
        image, _, _ = plain(FaceAugmentation(), faces, row)
        np.testing.assert_array_equal(found[place // 4][0]["images"][place % 4, 0], image)


def test_jittered_evaluation_is_the_same_in_every_run(faces):
    first = [batch for batch, _ in batches(faces, "valid", seed=1).evaluation(jitter=True)]
    assert_same(first, [batch for batch, _ in batches(faces, "valid", seed=2).evaluation(jitter=True)])
    plain = [batch for batch, _ in batches(faces, "valid").evaluation()]
    assert (first[0]["images"] != plain[0]["images"]).any()
    assert all(((picture == 0).sum() >= 400) for picture in first[0]["images"])


def test_evaluation_works_with_fewer_pictures_than_a_batch(faces):
    ((batch, count),) = batches(faces, "test", batch_size=8).evaluation()
    assert (count, len(batch["images"])) == (3, 8)


def test_split_without_pictures_is_the_users_mistake():
    with pytest.raises(UserError, match="no picture in its split 'valid'; expected"):
        batches(plain_faces(valid=0), "valid")


def test_fewer_pictures_than_a_batch_is_the_users_mistake(faces):
    with pytest.raises(UserError, match="5 pictures in split 'valid'; expected at least a batch of 8"):
        batches(faces, "valid", batch_size=8).epoch(0)
    with pytest.raises(UserError, match="batch size 0; expected"):
        batches(faces, batch_size=0)
