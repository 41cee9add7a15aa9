"""Patches against Aesara's Python code."""

import aesara.tensor as at
import numpy as np
import pytest
from aesara.tensor.nnet.neighbours import images2neibs, neibs2images

from crmn_legacy.backend.lowerings import lower

from .reference import assert_agrees

VALUE = np.random.default_rng(0).normal(size=(2, 3, 8, 7))
DERIVED = [
    ("valid", (2, 7), None), ("valid", (2, 3), (2, 2)), ("valid", (4, 3), (4, 1)), ("ignore_borders", (3, 3), None),
]  # fmt: skip
OTHERS = [
    ("ignore_borders", (3, 3), (2, 3)), ("wrap_centered", (3, 5), (1, 1)), ("wrap_centered", (3, 3), (2, 3)),
    ("wrap_centered", (1, 7), (3, 4)), ("half", (3, 3), (1, 1)), ("half", (2, 3), (2, 1)), ("full", (3, 3), (1, 1)),
    ("full", (2, 2), (4, 1)),
]  # fmt: skip


@pytest.mark.parametrize(("mode", "shape", "steps"), DERIVED + OTHERS)
def test_patches_and_their_gradients_agree_with_python(mode, shape, steps):
    x = at.dtensor4()
    derived = [x] if (mode, shape, steps) in DERIVED else []
    assert_agrees([x], [images2neibs(x, shape, steps, mode)], [VALUE], wrt=derived)


def test_patches_come_together_again():
    x = at.dtensor4()
    assert_agrees([x], [neibs2images(images2neibs(x, (2, 7)), (2, 7), x.shape)], [VALUE], wrt=[x])


@pytest.mark.parametrize(("mode", "shape"), [("valid", (3, 7)), ("wrap_centered", (2, 3)), ("half", (9, 1))])
def test_patches_that_do_not_fit_are_refused(mode, shape):
    x = at.dtensor4()
    with pytest.raises(ValueError, match="do not fit"):
        lower([x], [images2neibs(x, shape, mode=mode)])(VALUE)
