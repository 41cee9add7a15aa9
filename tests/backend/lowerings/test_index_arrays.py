"""Arrays of indices against Aesara's Python code."""

import aesara.tensor as at
import jax
import numpy as np
import pytest

from crmn_legacy.backend.lowerings import lower

from .reference import assert_agrees, xla_result

RNG = np.random.default_rng(0)
MATRIX = RNG.normal(size=(4, 5))


@pytest.mark.parametrize("mode", ["raise", "wrap", "clip"])
def test_choices_by_number_agree_with_python(mode):
    i, x, grid = at.lvector(), at.dmatrix(), at.dtensor3()
    numbers = np.array([0, 3, 1, 2, 0]) if mode == "raise" else np.array([-5, 9, 1, 2, -1])
    assert_agrees([i, x], [at.choose(i, x, mode=mode)], [numbers, MATRIX])
    assert_agrees([i, grid], [at.choose(i, grid, mode=mode)], [numbers, RNG.normal(size=(4, 3, 5))])


def test_permuted_rows_and_their_gradients_agree_with_python():
    x, one, each = at.dmatrix(), at.lvector(), at.lmatrix()
    outputs = [at.permute_row_elements(x, places, inverse) for places in (one, each) for inverse in (False, True)]
    assert_agrees([x, one, each], outputs, [MATRIX, np.array([4, 0, 1, 3, 2]), np.argsort(MATRIX, 1)], wrt=[x])
    v = at.dvector()
    assert_agrees([v, each], [at.permute_row_elements(v, each)], [MATRIX[0], np.argsort(MATRIX, 1)], wrt=[v])


@pytest.mark.parametrize("order", ["C", "F"])
def test_places_in_arrays_agree_with_python(order):
    i, j = at.lmatrix(), at.lmatrix()
    flat, rows, columns = np.array([[3, 7], [11, 0]]), np.array([[0, 2], [1, 2]]), np.array([[3, 0], [1, 2]])
    assert_agrees([i], list(at.unravel_index(i, (3, 4), order=order)), [flat])
    assert_agrees([i, j], [at.ravel_multi_index((i, j), (3, 4), order=order)], [rows, columns])
    x = at.dmatrix()
    assert_agrees([x], list(at.unravel_index(at.argmax(x), x.shape, order=order)), [MATRIX])
    beyond = [at.ravel_multi_index((i, j), (3, 4), mode=mode, order=order) for mode in ("wrap", "clip")]
    assert_agrees([i, j], beyond, [rows * 3 - 2, columns * 3 - 4])


def test_what_has_as_many_elements_as_the_data_say_is_refused():
    x, i = at.dvector(), at.lvector()
    for outputs in ([x.nonzero()[0]], [at.extra_ops.unique(x)], [at.extra_ops.bincount(i)], [at.repeat(x, i)]):
        with pytest.raises(NotImplementedError, match="depends on the data"):
            jax.jit(lower([x, i], outputs))(np.ones(2), np.array([0, 3]))


def test_the_nonzero_places_of_constants_are_known():
    x = at.dvector()
    places = at.constant(np.array([0.0, 2, 0, 3])).nonzero()[0]
    (got,) = xla_result([x], [x[places]], [np.arange(4.0)])
    np.testing.assert_array_equal(got, [1, 3])
