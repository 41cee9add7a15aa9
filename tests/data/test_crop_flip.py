"""Crops are the oracle's, every place and side is as likely as any other, and plain pictures are untouched."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmn_legacy.data import CropFlip, NoAugmentation
from crmn_legacy.data.randomness import Generators, Purpose, generator
from tests.oracles.crop import crop

PICTURE = np.random.default_rng(0).normal(size=(3, 32, 32)).astype(np.float32)


class Fixed:
    """Numbers as if they had been drawn."""

    def __init__(self, row, column, chance):
        self._place, self._chance = np.array([[row, column]]), np.array([chance])

    def integers(self, low, high, size, endpoint):
        assert (low, size, endpoint) == (0, 2, True)
        return np.minimum(self._place, high)

    def random(self):
        return self._chance


@pytest.mark.parametrize("mode", ["zero", "reflect"])
@pytest.mark.parametrize("padding", [4, 8])
@settings(max_examples=20, deadline=None)
@given(row=st.integers(0, 16), column=st.integers(0, 16), chance=st.sampled_from([0.0, 0.4999, 0.5, 0.9]))
def test_crop_is_the_oracle_s(mode, padding, row, column, chance):
    row, column = min(row, 2 * padding), min(column, 2 * padding)
    found = CropFlip(padding, mode)(PICTURE[None], Fixed(row, column, chance))[0]
    np.testing.assert_array_equal(found, crop(PICTURE, padding, mode, row, column, chance < 0.5))
    assert found.dtype == np.float32


def test_every_place_and_side_comes_as_often_as_any_other():
    marked = np.zeros((3, 32, 32), np.float32)
    marked[:, 15, 15] = 1
    pictures = np.broadcast_to(marked, (6000, 3, 32, 32))
    found = CropFlip(padding=2)(pictures, Generators(0, Purpose.AUGMENTATION, 1, np.arange(6000)))
    counts = found[:, 0].sum(axis=0).astype(int)
    # Shifts of -2 to 2; mirrored, column 15 is column 16.
    rows, columns = counts.sum(axis=1), counts.sum(axis=0)
    np.testing.assert_allclose(rows[13:18], 1200, rtol=0.12)
    np.testing.assert_allclose(columns[13:19], [600, 1200, 1200, 1200, 1200, 600], rtol=0.15)
    assert rows[13:18].sum() == columns[13:19].sum() == 6000


def test_without_flip_nothing_is_mirrored():
    found = CropFlip(flip=False)(PICTURE[None], Fixed(4, 4, 0.0))[0]
    np.testing.assert_array_equal(found, PICTURE)


def test_picture_is_not_changed():
    before = PICTURE.copy()
    CropFlip()(PICTURE[None], Fixed(0, 0, 0.0))[:] = 7
    np.testing.assert_array_equal(PICTURE, before)


@pytest.mark.parametrize("augmentation", [CropFlip(), NoAugmentation()])
def test_plain_picture_is_the_picture(augmentation):
    np.testing.assert_array_equal(augmentation.plain(PICTURE[None])[0], PICTURE)
    assert augmentation.size == 32


def test_no_augmentation_draws_nothing():
    np.testing.assert_array_equal(NoAugmentation()(PICTURE[None], None)[0], PICTURE)


@pytest.mark.parametrize("arguments", [{"mode": "edge"}, {"padding": -1}, {"padding": 32}])
def test_what_cannot_be_is_refused(arguments):
    with pytest.raises(ValueError, match="expected"):
        CropFlip(**arguments)


@pytest.mark.parametrize("changes", [{}, {"padding": 8, "mode": "reflect"}, {"padding": 0}, {"flip": False}])
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**64 - 1), epoch=st.integers(0, 2**32), rows=st.lists(st.integers(0, 2**40), max_size=9))
def test_a_batch_is_its_pictures_one_by_one(changes, seed, epoch, rows):
    augmentation = CropFlip(**changes)
    pictures = np.random.default_rng(epoch).normal(size=(len(rows), 3, 32, 32)).astype(np.float32)
    found = augmentation(pictures, Generators(seed, Purpose.AUGMENTATION, epoch, rows))
    assert found.shape == pictures.shape
    for picture, row, piece in zip(pictures, rows, found, strict=True):
        drawn = generator(seed, Purpose.AUGMENTATION, epoch, row)
        top, left = drawn.integers(0, 2 * augmentation.padding, size=2, endpoint=True)
        mirrored = augmentation.flip and drawn.random() < 0.5
        expected = crop(picture, augmentation.padding, augmentation.mode, top, left, mirrored)
        np.testing.assert_array_equal(piece, expected)
