"""Sorting against Aesara's Python code."""

import sys

import aesara.tensor as at
import numpy as np
import pytest

from crmn_legacy.backend.lowerings import lower

from .reference import assert_agrees, xla_result

topk = sys.modules["aesara.tensor.sort"]
RNG = np.random.default_rng(0)
VALUE = RNG.normal(size=(4, 5))


def test_sorting_agrees_with_python():
    x = at.dmatrix()
    value = RNG.integers(0, 4, (5, 6)).astype(float)
    outputs = [at.sort(x), at.sort(x, 0), at.sort(x, None), at.argsort(x, 1, kind="stable")]
    assert_agrees([x], outputs, [value])
    assert_agrees([x], [at.sort(x, 0)], [VALUE], wrt=[x])


@pytest.mark.parametrize("count", [1, 3, 4, -1, -2, -4])
def test_the_largest_and_the_smallest_agree_with_python_but_for_their_order(count):
    x = at.dmatrix()
    options = {"axis": 0, "sorted": False}
    values, places = topk.topk_and_argtopk(x, count, **options)
    outputs = [at.sort(topk.topk(x, count, **options), 0), at.sort(topk.argtopk(x, count, **options), 0)]
    assert_agrees([x], [*outputs, at.sort(values, 0), at.sort(places, 0)], [VALUE])
    assert_agrees([x], [at.sort(topk.topk(x, count, **options), 0).sum(0)], [VALUE], wrt=[x])


def test_the_largest_come_in_ascending_order_with_their_places():
    x = at.dmatrix()
    values, places = xla_result([x], list(topk.topk_and_argtopk(x, 3, sorted=False)), [VALUE])
    np.testing.assert_array_equal(values, np.sort(VALUE, 1)[:, -3:])
    np.testing.assert_array_equal(np.take_along_axis(VALUE, places, 1), values)


@pytest.mark.parametrize("count", [0, 6])
def test_more_than_there_are_is_refused(count):
    x = at.dmatrix()
    with pytest.raises(ValueError, match="expected 1 to 5"):
        lower([x], [topk.topk(x, count, sorted=False)])(VALUE)


@pytest.mark.parametrize("side", ["left", "right"])
def test_places_in_what_is_sorted_agree_with_python(side):
    x, v, order = at.dvector(), at.dmatrix(), at.lvector()
    unsorted = RNG.integers(0, 5, 6).astype(float)
    wanted = RNG.integers(-1, 6, (3, 4)).astype(float)
    assert_agrees([x, v], [at.searchsorted(x, v, side)], [np.sort(unsorted), wanted])
    assert_agrees([x, v, order], [at.searchsorted(x, v, side, order)], [unsorted, wanted, np.argsort(unsorted)])
