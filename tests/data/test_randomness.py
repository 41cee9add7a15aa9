"""A draw is a pure function of seed, purpose, epoch and index, and of nothing else."""

import itertools
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmn_legacy.data.randomness import Generators, Purpose, generator
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


def assert_drawn_alike(seed, epoch, indices, draws):
    """Draw from many generators at once and from each by itself, and hold every number against the other."""
    together = Generators(seed, Purpose.AUGMENTATION, epoch, indices)
    alone = [generator(seed, Purpose.AUGMENTATION, epoch, int(index)) for index in indices]
    for name, arguments, keywords in draws:
        found = getattr(together, name)(*arguments, **keywords)
        expected = [getattr(each, name)(*arguments, **keywords) for each in alone]
        np.testing.assert_array_equal(found, np.reshape(expected, found.shape), strict=True)


DRAWS = st.one_of(
    st.tuples(st.just("random"), st.just(()), st.just({})),
    st.tuples(st.just("uniform"), st.just((-0.3, 0.1)), st.sampled_from([{}, {"size": 3}])),
    st.tuples(
        st.just("integers"),
        # Of more than half of what 32 bits hold, every second number is refused and drawn anew.
        st.tuples(st.integers(-50, 50), st.sampled_from([51, 60, 1000, 2**31 + 60, 2**32 - 100])),
        st.sampled_from([{}, {"size": 2}, {"endpoint": True}, {"size": 3, "endpoint": True}]),
    ),
    st.tuples(st.just("integers"), st.just((4, 4)), st.just({"endpoint": True})),
)


@settings(max_examples=150, deadline=None)
@given(
    seed=WORDS,
    epoch=WORDS,
    indices=st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=6),
    draws=st.lists(DRAWS, max_size=9),
)
def test_many_generators_draw_what_each_draws_by_itself(seed, epoch, indices, draws):
    assert_drawn_alike(seed, epoch, indices, draws)


@pytest.mark.parametrize("seed", [0, 1, 7345, 2**64 - 1])
@pytest.mark.parametrize("epoch", [0, 1, 100, 2**32])
def test_a_whole_epoch_of_generators_draws_what_each_draws_by_itself(seed, epoch):
    once = [("uniform", (-0.1, 0.1), {"size": 2}), ("integers", (-20, 20), {"endpoint": True}), ("random", (), {})]
    assert_drawn_alike(seed, epoch, np.arange(300), once * 3)


def test_a_refused_number_is_drawn_anew_by_that_generator_alone():
    bound = 2**31 + 1
    first = [int(generator(1, Purpose.ORDER, 0, index).integers(2**32)) * bound % 2**32 for index in range(50)]
    refused = [number < (2**32 - bound) % bound for number in first]
    assert 10 < sum(refused) < 40
    together = Generators(1, Purpose.ORDER, 0, np.arange(50))
    expected = [generator(1, Purpose.ORDER, 0, index).integers(bound, size=5) for index in range(50)]
    np.testing.assert_array_equal(together.integers(0, bound, size=5), expected)


def test_every_generator_may_have_bounds_of_its_own():
    low, high = np.array([0, -5, 3, 7]), np.array([9, 5, 3, 2**32 + 5])
    together, alone = Generators(3, Purpose.SPLIT, 2, range(4)), [generator(3, Purpose.SPLIT, 2, i) for i in range(4)]
    for _ in range(6):
        expected = [each.integers(*bounds, endpoint=True) for each, *bounds in zip(alone, low, high, strict=True)]
        np.testing.assert_array_equal(together.integers(low, high, endpoint=True), expected)


def test_generators_are_the_places_own_from_their_beginning():
    together = Generators(1, Purpose.ORDER, 2, [5, 0])
    together.random()
    assert len(together) == 2
    assert [each.random() for each in together] == [generator(1, Purpose.ORDER, 2, index).random() for index in (5, 0)]


def test_no_generators_draw_nothing():
    none = Generators(1, Purpose.ORDER, 2, [])
    assert none.uniform(0, 1, size=2).shape == (0, 2)
    assert none.integers(0, 5).shape == none.random().shape == (0,)


@pytest.mark.parametrize("bounds", [(0, 0), (5, 4), (0, 2**32)])
def test_ranges_that_cannot_be_drawn_from_are_refused(bounds):
    with pytest.raises(ValueError, match="at least one number, and fewer than 2"):
        Generators(1, Purpose.ORDER, 2, [0, 1]).integers(*bounds)


def test_places_out_of_range_have_no_generators():
    with pytest.raises(UserError, match="expected"):
        Generators(-1, Purpose.ORDER, 0, [0])
    for epoch, index in ((-1, 0), (2**64, 0), (0, -1)):
        with pytest.raises(ValueError, match="expected"):
            Generators(0, Purpose.ORDER, epoch, [3, index])
