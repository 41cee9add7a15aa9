"""Axes: every value lies on them, and what they name is round and in order."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmn_legacy.report import axes

FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(FINITE, max_size=8), st.sampled_from([None, False]))
def test_every_value_lies_on_the_axis_and_ticks_are_few_and_in_order(values, logarithmic):
    axis = axes.fitted(values, logarithmic)
    assert axis.low < axis.high
    assert 1 <= len(axis.ticks) <= 30
    assert axis.ticks == sorted(set(axis.ticks))
    for value in [*values, *axis.ticks]:
        place = axis.place(value)
        assert place is None or 0 <= place <= 1
        assert place is not None or axis.logarithmic
    assert all(float(axes.label(tick)) == pytest.approx(tick, rel=1e-4, abs=1e-9 * axis.high) for tick in axis.ticks)


def test_a_wide_spread_is_shown_in_decades_a_narrow_one_from_zero():
    wide, narrow = axes.fitted([0.03, 2.0]), axes.fitted([0.15, 0.46])
    assert wide.logarithmic and wide.ticks == pytest.approx([0.02, 0.05, 0.1, 0.2, 0.5, 1, 2])
    assert not narrow.logarithmic and narrow.ticks == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5])
    assert not axes.fitted([-1.0, 100.0]).logarithmic and not axes.fitted([0.0, 100.0]).logarithmic


def test_equal_ratios_are_equal_distances_in_decades():
    axis = axes.fitted([0.001, 1.0])
    gaps = [axis.place(10.0**-k) - axis.place(10.0 ** -(k + 1)) for k in range(3)]
    assert gaps == pytest.approx([1 / 3] * 3)
    assert axis.place(0.0) is None


@pytest.mark.parametrize("last", [0, 1, 2, 6, 7, 90, 100, 10**6])
def test_epochs_are_named_by_whole_numbers(last):
    axis = axes.of_epochs(last)
    assert all(tick == math.floor(tick) for tick in axis.ticks) and len(axis.ticks) <= 8
    assert axis.place(0) == 0 and axis.place(max(last, 1)) == 1


def test_labels_are_short():
    assert [axes.label(tick) for tick in (0.30000000000000004, 40.0, 1e-6)] == ["0.3", "40", "1e-06"]
