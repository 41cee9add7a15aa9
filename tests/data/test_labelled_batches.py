"""Batches of pictures are pure functions of seed, epoch and step."""

from dataclasses import asdict

import numpy as np
import pytest

from crmn_legacy.data import ChannelMeanStd, CropFlip, GlobalContrast, GlobalContrastZCA, NoAugmentation, PictureBatches
from crmn_legacy.data.randomness import Generators, Purpose
from crmn_legacy.errors import UserError
from tests.data.labelled import plain_pictures


@pytest.fixture(scope="module")
def pictures():
    return plain_pictures(train=22, valid=5, test=3)


def batches(pictures, split="train", batch_size=4, seed=1, preprocessing=None, augmentation=None):
    preprocessing, augmentation = preprocessing or ChannelMeanStd(), augmentation or CropFlip()
    return PictureBatches(pictures, split, batch_size, preprocessing, augmentation, seed)


def assert_same(first, second):
    first, second = list(first), list(second)
    assert len(first) == len(second) > 0
    for one, other in zip(first, second, strict=True):
        for name in ("images", "labels"):
            np.testing.assert_array_equal(one[name], other[name])


def test_batch_has_the_step_s_shapes_and_types(pictures):
    batch = next(batches(pictures).epoch(1))
    assert {name: (array.dtype.name, array.shape) for name, array in batch.items()} == {
        "images": ("float32", (4, 3, 32, 32)),
        "labels": ("int32", (4,)),
    }


def test_remainder_is_dropped_and_every_picture_of_the_order_is_used_once(pictures):
    source = batches(pictures)
    assert source.steps_per_epoch == 5
    assert len(list(source.epoch(1))) == 5
    assert sorted(source.order(3)) == list(range(22))
    assert source.order(1).tolist() != source.order(2).tolist()


@pytest.mark.parametrize("preprocessing", [ChannelMeanStd(), GlobalContrastZCA()])
@pytest.mark.parametrize("workers", [0, 1, 3])
def test_workers_change_nothing(pictures, workers, preprocessing):
    # Each anew, so that threads meet where statistics are not yet computed.
    found = batches(plain_pictures(train=22, valid=5, test=3), preprocessing=preprocessing)
    expected = batches(pictures, preprocessing=preprocessing)
    assert_same(found.epoch(2, workers=workers, depth=3), expected.epoch(2))


@pytest.mark.parametrize("start", [1, 4])
def test_epoch_resumed_at_a_step_is_the_rest_of_the_epoch(pictures, start):
    assert_same(batches(pictures).epoch(2, start=start), list(batches(pictures).epoch(2))[start:])


def test_seed_and_epoch_change_order_and_crops(pictures):
    first = next(batches(pictures, seed=1).epoch(1))
    for other in (next(batches(pictures, seed=2).epoch(1)), next(batches(pictures, seed=1).epoch(2))):
        assert (first["images"] != other["images"]).any()


@pytest.mark.parametrize("preprocessing", [ChannelMeanStd(), GlobalContrastZCA()])
def test_augmented_picture_does_not_depend_on_its_place_in_the_order(pictures, preprocessing):
    by_four, by_two = (batches(pictures, batch_size=size, preprocessing=preprocessing) for size in (4, 2))
    fours, twos = next(by_four.epoch(1)), list(by_two.epoch(1))
    np.testing.assert_array_equal(fours["images"][2:], twos[1]["images"])


def test_batches_hold_the_rows_that_the_order_names(pictures):
    source = batches(pictures, augmentation=NoAugmentation())
    plain = ChannelMeanStd()(pictures.images, pictures)
    order = source.order(1)
    for step, batch in enumerate(source.epoch(1)):
        rows = order[4 * step : 4 * step + 4]
        np.testing.assert_array_equal(batch["images"], plain[rows])
        np.testing.assert_array_equal(batch["labels"], pictures.labels[rows])


def test_after_the_last_epoch_pictures_are_plain(pictures):
    source = batches(pictures, augmentation=CropFlip(last_epoch=2))
    for epoch, other in ((1, CropFlip()), (2, CropFlip()), (3, NoAugmentation())):
        assert_same(source.epoch(epoch), batches(pictures, augmentation=other).epoch(epoch))


def test_pictures_become_plain_within_a_run_too(pictures):
    source = batches(pictures, augmentation=CropFlip(last_epoch=2))
    assert_same(source.epochs(2, 3), [*source.epoch(2), *batches(pictures, augmentation=NoAugmentation()).epoch(3)])


def test_picture_is_preprocessed_before_it_is_padded(pictures):
    class Corner(CropFlip):
        def __call__(self, pictures, generators):
            padded = np.pad(pictures, ((0, 0), (0, 0), (4, 4), (4, 4)))
            return padded[:, :, :32, :32]

    batch = next(batches(pictures, augmentation=Corner()).epoch(1))
    assert not batch["images"][:, :, :4].any()


@pytest.mark.parametrize("preprocessing", [GlobalContrast(scale=30.0, then_mean_image=True), GlobalContrastZCA()])
@pytest.mark.parametrize("workers", [0, 3])
def test_costly_preprocessing_is_done_once_for_each_picture_and_its_result_is_not_augmented(
    pictures, preprocessing, workers
):
    prepared = []

    class Counting(type(preprocessing)):
        def __call__(self, images, data):
            prepared.extend(images)
            return super().__call__(images, data)

    found = batches(pictures, preprocessing=Counting(**asdict(preprocessing)))
    whole = preprocessing(pictures.images, pictures)
    for epoch in (1, 2, 3):
        generators = [Generators(1, Purpose.AUGMENTATION, epoch, [row]) for row in found.order(epoch)[:20]]
        expected = [
            CropFlip()(whole[row : row + 1], own)[0] for row, own in zip(found.order(epoch), generators, strict=False)
        ]
        given = np.concatenate([batch["images"] for batch in found.epoch(epoch, workers=workers)])
        np.testing.assert_array_equal(given, expected)
    # Twenty of twenty-two pictures are of an epoch's batches.
    assert 20 <= len(prepared) <= 22
    assert len({picture.tobytes() for picture in prepared}) == len(prepared)


def test_cheap_preprocessing_keeps_nothing(pictures):
    assert batches(pictures, preprocessing=ChannelMeanStd())._kept is None


def test_kept_pictures_of_a_later_split_are_its_own(pictures):
    source, whole = (
        batches(pictures, "valid", preprocessing=GlobalContrast()),
        GlobalContrast()(pictures.images, pictures),
    )
    for _ in range(2):
        given = np.concatenate([batch["images"][:count] for batch, count in source.evaluation()])
        np.testing.assert_array_equal(given, whole[22:27])


def test_statistics_are_of_the_training_pictures_whatever_the_split(pictures):
    (first, _), _ = batches(pictures, "valid").evaluation()
    np.testing.assert_array_equal(first["images"], ChannelMeanStd()(pictures.images[22:26], pictures))


def test_evaluation_keeps_the_file_s_order_and_fills_the_last_batch(pictures):
    found = list(batches(pictures, split="valid").evaluation())
    assert [count for _, count in found] == [4, 1]
    assert [batch["labels"].tolist() for batch, _ in found] == [[2, 3, 4, 5], [6, 0, 0, 0]]
    assert not found[-1][0]["images"][1:].any()
    plain = ChannelMeanStd()(pictures.images[22:27], pictures)
    np.testing.assert_array_equal(np.concatenate([batch["images"] for batch, _ in found])[:5], plain)


def test_augmented_evaluation_is_the_same_in_every_run(pictures):
    first = [batch for batch, _ in batches(pictures, "valid", seed=1).evaluation(jitter=True)]
    assert_same(first, [batch for batch, _ in batches(pictures, "valid", seed=2).evaluation(jitter=True)])
    plain = [batch for batch, _ in batches(pictures, "valid").evaluation()]
    assert (first[0]["images"] != plain[0]["images"]).any()


def test_split_without_pictures_is_the_users_mistake():
    with pytest.raises(UserError, match="no picture in its split 'valid'; expected"):
        batches(plain_pictures(valid=0), "valid")


def test_fewer_pictures_than_a_batch_is_the_users_mistake(pictures):
    with pytest.raises(UserError, match="5 pictures in split 'valid'; expected at least a batch of 8"):
        batches(pictures, "valid", batch_size=8).epoch(1)
    with pytest.raises(UserError, match="batch size 0; expected"):
        batches(pictures, batch_size=0)
