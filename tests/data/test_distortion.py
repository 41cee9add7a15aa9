"""Small pictures in large fields: where they lie, how they are bent and coloured, and what draws that."""

from dataclasses import replace

import numpy as np
import pytest

from crmn_legacy.data.distortion import FieldDistortion, affine
from crmn_legacy.data.randomness import Generators, Purpose, generator
from tests.oracles import field as oracle

STILL = FieldDistortion(size=24, stretch=0, slant=0, shift=0, colour=(0, 0, 0, 0), threshold=0.0, flip=False)
FREE = replace(STILL, stretch=0.2, slant=0.3, shift=4, colour=(0.2, 0.1, 0.02, 0.03), threshold=2 / 128, flip=True)


def draw(seed):
    return generator(seed, Purpose.AUGMENTATION)


def a_picture(seed=0, height=8, width=9):
    return np.random.default_rng(seed).normal(size=(3, height, width)).astype(np.float32)


def distorted_one(distortion, picture, generator):
    """A picture alone, distorted."""
    return distortion(picture[None], [generator])[0]


class Fixed:
    """Numbers as if they had been drawn."""

    def __init__(self, stretch=(0.0, 0.0), flip=0, kind=0, amount=0.0, shift=(0, 0), noise=None):
        self._uniform = [np.array(stretch), amount]
        self._integers = [flip, kind, np.array(shift)]
        self._noise = np.zeros((4, 3, 1, 1)) if noise is None else noise

    def uniform(self, low, high, size=None):
        return self._uniform.pop(0)

    def integers(self, *arguments, **keywords):
        return self._integers.pop(0)

    def normal(self, size):
        assert size == (4, 3, 1, 1)
        return self._noise


@pytest.mark.parametrize("kind", [0, 1, 2])
@pytest.mark.parametrize("mirrored", [False, True])
def test_bent_moved_and_coloured_as_the_oracle_says(kind, mirrored):
    picture, noise = a_picture(), np.random.default_rng(1).normal(size=(4, 3, 1, 1))
    fixed = Fixed((0.15, -0.1), int(mirrored), kind, 0.25, (3, -2), noise)
    got = distorted_one(FREE, picture, fixed)
    forward = oracle.matrix(1.15, 0.9, mirrored, kind, 0.25)
    np.testing.assert_allclose(affine((1.15, 0.9), mirrored, kind, 0.25), forward, rtol=1e-15)
    expected = oracle.placed(picture.astype(float), forward, np.array([3, -2]), 24)
    deltas = noise[:, :, 0, 0] * np.array(FREE.colour)[:, None]
    expected = oracle.coloured(expected, deltas, (15, 10), FREE.threshold)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-6)
    assert 0.05 < (got != 0).mean() < 0.3


@pytest.mark.parametrize("size", [94, 126])
def test_plain_pictures_lie_in_the_middle(size):
    picture = a_picture(height=32, width=32)
    field = replace(STILL, size=size).plain(picture)
    margin = (size - 32) // 2
    np.testing.assert_array_equal(field[:, margin:-margin, margin:-margin], picture)
    assert np.count_nonzero(field) == picture.size
    assert field.dtype == np.float32


def test_without_any_range_training_pictures_are_plain_ones():
    picture = a_picture(height=8, width=8)
    np.testing.assert_allclose(distorted_one(STILL, picture, draw(1)), STILL.plain(picture), rtol=0, atol=1e-7)


@pytest.mark.parametrize(("drawn", "expected"), [(0, False), (1, True)])
def test_half_of_the_pictures_are_mirrored(drawn, expected):
    picture = a_picture(height=8, width=8)
    got = distorted_one(replace(STILL, flip=True), picture, Fixed(flip=drawn))
    np.testing.assert_allclose(got, STILL.plain(picture[:, :, ::-1] if expected else picture), rtol=0, atol=1e-7)
    mirrored = sum(
        (distorted_one(replace(STILL, flip=True), picture, draw(seed))[0, 8] != got[0, 8]).any() for seed in range(40)
    )
    assert 10 < mirrored < 30


def test_shifts_are_whole_pixels_within_their_range_and_reach_it():
    picture = np.ones((3, 1, 1), np.float32)
    moved = replace(STILL, size=25, shift=2)
    found = np.array([np.argwhere(distorted_one(moved, picture, draw(seed))[0])[0] for seed in range(200)]) - 12
    assert sorted({(int(y), int(x)) for y, x in found}) == [(y, x) for y in range(-2, 3) for x in range(-2, 3)]


def test_background_stays_background():
    dim = np.full((3, 8, 8), 0.01, np.float32)
    dim[1, 2, 3] = 0.5
    flat = replace(STILL, threshold=2 / 128, colour=(0.2, 0, 0, 0))
    assert np.count_nonzero(flat.plain(dim)[0]) == 1
    noisy = distorted_one(flat, dim, Fixed(noise=np.ones((4, 3, 1, 1))))
    assert [tuple(place) for place in np.argwhere(np.abs(noisy).max(axis=0))] == [(8 + 2, 8 + 3)]
    np.testing.assert_allclose(noisy[:, 10, 11], [0.21, 0.7, 0.21], rtol=1e-6)


def test_a_draw_is_a_function_of_its_generator_and_leaves_the_picture_alone():
    picture = a_picture()
    before = picture.copy()
    one, again, other = (distorted_one(FREE, picture, draw(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()
    np.testing.assert_array_equal(picture, before)


def test_colours_have_the_deviations_asked_for():
    picture = np.full((3, 1, 1), 1.0, np.float32)
    only = replace(STILL, size=5, colour=(0.2, 0.1, 0, 0))
    added = np.array([distorted_one(only, picture, draw(seed))[:, 2, 2] for seed in range(600)]) - 1
    assert abs(added.mean()) < 0.02
    np.testing.assert_allclose(added.std(axis=0), np.hypot(0.2, 0.1), rtol=0.1)


@pytest.mark.parametrize(
    "options", [{"size": 0}, {"stretch": 1.0}, {"slant": -0.1}, {"shift": -1}, {"colour": (1, 2)}, {"threshold": -1}]
)
def test_ranges_that_make_no_sense_are_refused(options):
    with pytest.raises(ValueError, match="expected size of at least 1"):
        replace(STILL, **options)


def test_a_picture_larger_than_the_field_is_refused():
    with pytest.raises(ValueError, match="at most 24 pixels a side, got 25 x 8"):
        STILL.plain(a_picture(height=25, width=8))


def test_a_batch_is_its_pictures_one_by_one():
    pictures = np.stack([a_picture(seed) for seed in range(5)])
    rows = np.array([7, 0, 3, 2**40, 1])
    found = FREE(pictures, Generators(4, Purpose.AUGMENTATION, 2, rows))
    for picture, row, distorted in zip(pictures, rows.tolist(), found, strict=True):
        np.testing.assert_array_equal(
            distorted, distorted_one(FREE, picture, generator(4, Purpose.AUGMENTATION, 2, row))
        )
    np.testing.assert_array_equal(FREE.plain(pictures), [FREE.plain(picture) for picture in pictures])
