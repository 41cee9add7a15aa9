"""Products of blocks against Aesara's Python code."""

import aesara.tensor as at
import numpy as np
from aesara.tensor.nnet.blocksparse import sparse_block_dot

from .reference import assert_agrees


def test_products_of_blocks_and_their_gradients_agree_with_python():
    rng = np.random.default_rng(0)
    w, h, b, rows, columns = at.dtensor4(), at.dtensor3(), at.dmatrix(), at.lmatrix(), at.lmatrix()
    values = [rng.normal(size=(4, 5, 3, 2)), rng.normal(size=(2, 3, 3)), rng.normal(size=(5, 2))]
    # Some blocks are chosen twice.
    values += [np.array([[0, 3, 3], [1, 2, 0]]), np.array([[4, 4], [0, 2]])]
    assert_agrees([w, h, b, rows, columns], [sparse_block_dot(w, h, rows, b, columns)], values, wrt=[w, h, b])
