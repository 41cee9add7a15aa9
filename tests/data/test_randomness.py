"""A draw is a pure function of seed, purpose, epoch and index, and of nothing else."""

import itertools
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmn_legacy.data.randomness import Purpose, generator
from crmn_legacy.errors import UserError

WORDS = st.integers(0, 2**64 - 1)


@given(seed=WORDS, purpose=st.sampled_from(Purpose), epoch=WORDS, index=WORDS)
def test_equal_arguments_give_equal_numbers(seed, purpose, epoch, index):
    first = generator(seed, purpose, epoch, index).integers(2**63, size=4)
    np.testing.assert_array_equal(first, generator(seed, purpose, epoch, index).integers(2**63, size=4))


def test_numbers_are_these_on_every_machine():
    assert generator(7345, Purpose.AUGMENTATION, epoch=3, index=5).integers(2**32, size=3).tolist() == [
        2654809881,
        1385654406,
        67864944,
    ]


def test_every_argument_changes_the_numbers():
    places = itertools.product((0, 1, 2**63), (Purpose.ORDER, Purpose.AUGMENTATION), (0, 1, 2**40), (0, 1, 2**40))
    drawn = [tuple(generator(*place).integers(2**63, size=2)) for place in places]
    assert len(set(drawn)) == len(drawn)


def test_neighbouring_places_share_no_numbers():
    drawn = [
        generator(1, Purpose.ORDER, epoch, index).integers(2**63, size=1000) for epoch in (0, 1) for index in (0, 1)
    ]
    assert len(np.unique(np.concatenate(drawn))) == 4000


def test_numbers_of_many_places_are_even():
    drawn = np.array([generator(1, Purpose.AUGMENTATION, 0, index).random() for index in range(4000)])
    counts = np.histogram(drawn, bins=10, range=(0, 1))[0]
    assert ((counts - 400) ** 2 / 400).sum() < 27.9  # chi-squared, 9 degrees, 0.001
    assert abs(np.corrcoef(drawn[:-1], drawn[1:])[0, 1]) < 0.06


def test_purposes_keep_their_numbers():
    assert {purpose.name: purpose.value for purpose in Purpose} == {
        "WEIGHTS": 1,
        "ORDER": 2,
        "AUGMENTATION": 3,
        "VALIDATION_AUGMENTATION": 4,
        "SPLIT": 5,
        "RENDERING": 6,
        "DROPOUT": 7,
    }


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_seed_out_of_range_is_the_users_mistake(seed):
    with pytest.raises(UserError, match="expected"):
        generator(seed, Purpose.ORDER)


@pytest.mark.parametrize("place", [(-1, 0), (0, -1), (2**64, 0)])
def test_place_out_of_range_is_ours(place):
    with pytest.raises(ValueError, match="expected"):
        generator(0, Purpose.ORDER, *place)


def test_data_starts_without_aesara_jax_or_lasagne():
    code = (
        "import sys, crmn_legacy.data, crmn_legacy.metrics, crmn_legacy.samples;"
        "sys.exit(any(name in sys.modules for name in ('aesara', 'jax', 'lasagne')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
