"""Units in the last place, held against NumPy's own next number and against counting by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmn_legacy.archive.ulp import largest_difference

FORMATS = {"f2": 2 * (31 * 2**10) + 1, "f4": 2 * (255 * 2**23) + 1, "f8": 2 * (2047 * 2**52) + 1}


def apart(ours, theirs, dtype):
    found = largest_difference(np.array([ours], dtype), np.array([theirs], dtype))
    return 0 if found is None else found.apart


@pytest.mark.parametrize("dtype", FORMATS)
@given(start=st.floats(width=16), steps=st.integers(-40, 40))
def test_each_next_number_is_one_further(dtype, start, steps):
    if math.isnan(start):
        return
    value, moved = np.dtype(dtype).type(start), 0
    for _ in range(abs(steps)):
        further = np.nextafter(value, np.dtype(dtype).type(math.copysign(math.inf, steps)))
        if further == value:
            break
        value, moved = further, moved + 1
    assert apart(start, value, dtype) == apart(value, start, dtype) == moved


@pytest.mark.parametrize(("dtype", "numbers"), FORMATS.items())
def test_the_whole_range_of_a_format_fits(dtype, numbers):
    assert apart(-math.inf, math.inf, dtype) == numbers - 1


def test_zeros_of_unlike_sign_are_no_unit_apart_and_yet_a_difference():
    found = largest_difference(np.float32([1, 0.0]), np.float32([1, -0.0]))
    assert found.apart == 0 and found.index == (1,) and found.elements == 1
    assert str(found) == "0 ULP (float32) at [1]: 0.0 | -0.0; 1 of 2 elements differ"
    assert apart(np.nextafter(np.float32(0), np.float32(1)), np.nextafter(np.float32(0), np.float32(-1)), "f4") == 2


def test_the_largest_is_found_where_it_is():
    ours = np.ones((3, 4, 5), "f4")
    theirs = ours.copy()
    theirs[0, 0, 0] = np.nextafter(np.float32(1), np.float32(2))
    theirs[2, 1, 3] = np.float32(1) + np.float32(2**-20)
    found = largest_difference(ours, theirs)
    assert (found.apart, found.index, found.elements, found.of) == (8, (2, 1, 3), 2, 60)
    assert found.values == (np.float32(1), np.float32(1) + np.float32(2**-20))
    assert found.unit == "ULP (float32)"
    ours[2, 1, 3] = theirs[2, 1, 3]
    ours[0, 0, 0] = theirs[0, 0, 0]
    assert largest_difference(ours, theirs) is None


def test_nan_in_one_is_further_than_anything_and_nan_in_both_is_not_apart():
    ours = np.array([1.0, math.nan, 1.0])
    found = largest_difference(ours, np.array([-math.inf, math.nan, math.nan]))
    assert found.apart is None and found.index == (2,)
    assert str(found).startswith("NaN in one only at [2]: 1.0 | nan")
    assert largest_difference(ours, np.array([1.0, math.nan, 1.0])) is None
    other_payload = np.array([0x7FF8000000000001], "u8").view("f8")
    found = largest_difference(np.array([math.nan]), other_payload)
    assert found.apart == 0 and found.elements == 1


def test_memory_layout_and_byte_order_move_nothing():
    ours = np.arange(12, dtype="f4").reshape(3, 4)
    theirs = np.asfortranarray(ours.copy())
    theirs[1, 2] = np.nextafter(theirs[1, 2], np.float32(0))
    assert largest_difference(ours, theirs).index == (1, 2)
    found = largest_difference(ours[:, ::2].astype(">f4"), theirs[:, ::2].astype(">f4"))
    assert (found.apart, found.index) == (1, (1, 1))


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        (np.int64([-(2**63), 5]), np.int64([2**63 - 1, 5]), 2**64 - 1),
        (np.uint32([3]), np.uint32([2**32 - 1]), 2**32 - 4),
        (np.array([True, False]), np.array([False, False]), 1),
        (np.array(2.0), np.array(2.0 + 2**-51), 1),
    ],
)
def test_whole_numbers_truth_values_and_scalars(ours, theirs, expected):
    assert largest_difference(ours, theirs).apart == expected


@pytest.mark.parametrize(
    ("ours", "theirs", "said"),
    [
        (np.zeros(3, "f4"), np.zeros(3, "f8"), "float32"),
        (np.zeros(3), np.zeros(4), r"\(4,\)"),
        (np.zeros(2, "c8"), np.ones(2, "c8"), "no units"),
        (np.array("a"), np.array("b"), "no units"),
    ],
)
def test_what_cannot_be_counted_is_refused(ours, theirs, said):
    with pytest.raises(ValueError, match=said):
        largest_difference(ours, theirs)


def test_no_elements_are_no_difference():
    assert largest_difference(np.zeros((0, 3)), np.zeros((0, 3))) is None
