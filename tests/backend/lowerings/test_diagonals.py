"""Diagonals against Aesara's Python code."""

import aesara.tensor as at
import numpy as np
import pytest
from aesara.tensor.basic import AllocDiag
from aesara.tensor.extra_ops import fill_diagonal, fill_diagonal_offset
from aesara.tensor.nnet.conv3d2d import conv3d

from crmn_legacy.backend.lowerings import lower

from .reference import assert_agrees

RNG = np.random.default_rng(0)
WIDE = RNG.normal(size=(4, 5))
SHAPED = [WIDE, WIDE.T.copy(), WIDE[:, :4].copy()]


@pytest.mark.parametrize("offset", [-6, -2, 0, 1, 7])
def test_diagonals_are_taken_and_made_as_in_python(offset):
    x, v, t = at.dmatrix(), at.dvector(), at.dtensor3()
    for value in SHAPED:
        # The gradient that Aesara builds is sound beside squares for none but the diagonal itself.
        assert_agrees([x], [at.diagonal(x, offset)], [value], wrt=[x] if offset == 0 else [])
    assert_agrees([v], [AllocDiag(offset)(v)], [WIDE[0]], wrt=[v])
    deep = RNG.normal(size=(3, 4, 5))
    assert_agrees([t], [at.diagonal(t, offset, 0, 2), at.diagonal(t, offset, 2, 1)], [deep])
    assert_agrees([x], [AllocDiag(offset, *axes)(x) for axes in [(0, 1), (0, 2), (1, 2), (2, 0)]], [WIDE])


@pytest.mark.parametrize("value", SHAPED, ids=lambda value: str(value.shape))
def test_diagonals_are_filled_as_in_python(value):
    x, y, offset = at.dmatrix(), at.dscalar(), at.lscalar()
    assert_agrees([x, y], [fill_diagonal(x, y)], [value, 2.5], wrt=[x, y])
    beside = [fill_diagonal_offset(x, y, offset) for offset in (-3, -1, 0, 2)]
    assert_agrees([x, y], beside, [value, 2.5], wrt=[x, y])
    assert_agrees([x, y, offset], [fill_diagonal_offset(x, y, offset)], [value, 2.5, np.int64(1)])


def test_diagonals_of_cubes_are_filled_as_in_python():
    x = at.dtensor3()
    assert_agrees([x], [fill_diagonal(x, 2.5)], [RNG.normal(size=(3, 3, 3))])


@pytest.mark.parametrize("border", ["valid", "full", "half"])
def test_films_are_convolved_by_stripes_as_in_python(border):
    x, w = at.dtensor5(), at.dtensor5()
    shapes = (2, 6, 2, 5, 5), (3, 3, 2, 3, 3)
    values = [RNG.normal(size=shape) for shape in shapes]
    assert_agrees([x, w], [conv3d(x, w, *shapes, border_mode=border)], values, wrt=[x, w])


def test_a_film_shorter_than_its_filter_is_refused():
    x, w = at.dtensor5(), at.dtensor5()
    shapes = (2, 2, 2, 5, 5), (3, 3, 2, 3, 3)
    with pytest.raises(ValueError, match="needs as many rows"):
        lower([x, w], [conv3d(x, w, *shapes)])(*(np.ones(shape) for shape in shapes))
