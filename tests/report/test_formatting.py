"""Values out of files: short, printable, never a failure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmn_legacy.report import formatting

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_any_value_becomes_one_short_printable_line(value):
    words = formatting.text(value)
    assert words.isprintable() and 0 < len(words) <= 400
    words.encode()


@given(JSON)
def test_numbers_are_finite_or_none(value):
    found = formatting.number(value)
    assert found is None or abs(found) <= 1e100
    for form in (formatting.significant, formatting.percent):
        assert form(found).isprintable()
    assert formatting.count(value).isprintable() and formatting.duration(value).isprintable()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([10.0, 11.0, 12.5], "11.2 ± 1.3"),
        ([0.1234, 0.1236], "0.12350 ± 0.00014"),
        ([650.0, 750.0], "700 ± 71"),
        ([2.0, 2.0], "2 ± 0"),
        ([3.25], "3.25"),
    ],
)
def test_a_mean_has_the_digits_that_its_deviation_leaves_it(values, words):
    assert formatting.mean_and_deviation(values) == words


def test_what_does_not_print_is_written_out():
    assert formatting.text("a\x1b[31m\u202eb\ud800\n") == "a\\x1b[31m\\u202eb\\ud800\\n"


@pytest.mark.parametrize("value", [None, "", {}, [], [""], ["", ""], " \n"])
def test_nothing_is_not_recorded(value):
    assert formatting.text(value) == "not recorded"


def test_dicts_and_lists_are_told_in_words():
    value = {"a": None, "b": True, "c": {"d": 1, "e": 2}, "f": 1.5}
    assert formatting.text(value) == "a = none; b = yes; c = (d = 1, e = 2); f = 1.5"
    assert formatting.text(["x", 1]) == "x 1"


def test_an_integer_of_ten_thousand_digits_is_no_failure():
    assert formatting.text(10**10_000) == "a value too long to print"
    assert formatting.number(10**10_000) is None and formatting.whole(10**10_000) is None
    assert formatting.number(float("nan")) is None and formatting.number(True) is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(2.54, "2.5 s"), (90, "1 min 30 s"), (3660, "1 h 1 min"), (-1, "not recorded"), (float("nan"), "not recorded")],
)
def test_durations(seconds, words):
    assert formatting.duration(seconds) == words


def test_forms_of_numbers():
    assert (formatting.percent(0.15449), formatting.percent(None), formatting.percent(1e99)) == (
        "15.45",
        "not recorded",
        "1e+101",
    )
    assert (formatting.hundredths(-0.921), formatting.hundredths(0.1, "+")) == ("\u22120.92", "+0.10")
    assert (formatting.significant(0.211452), formatting.significant(1234567.0)) == ("0.2115", "1.235e+06")
    assert (formatting.count(2700580), formatting.count(1.5)) == ("2,700,580", "not recorded")
