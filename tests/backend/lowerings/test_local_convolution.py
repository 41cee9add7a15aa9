"""Convolutions with filters of their own at each place, against Aesara's Python code."""

import aesara.tensor as at
import numpy as np
import pytest
from aesara.tensor.nnet.abstract_conv import conv2d

from crmn_legacy.backend.lowerings import lower

from .reference import assert_agrees

RNG = np.random.default_rng(0)
KINDS = [
    ({}, (5, 5)), ({"subsample": (2, 1)}, (3, 5)), ({"filter_flip": False, "border_mode": (1, 1)}, (7, 7)),
    ({"num_groups": 2}, (5, 5)), ({"filter_dilation": (1, 2)}, (5, 4)), ({"border_mode": "full"}, (9, 7)),
]  # fmt: skip


@pytest.mark.parametrize(("options", "places"), KINDS, ids=str)
def test_local_convolutions_and_their_gradients_agree_with_python(options, places):
    x, w = at.dtensor4(), at.TensorType("float64", (None,) * 6)()
    filters = RNG.normal(size=(4, *places, 4 // options.get("num_groups", 1), 3, 2))
    y = conv2d(x, w, unshared=True, **options)
    assert_agrees([x, w], [y], [RNG.normal(size=(2, 4, 7, 6)), filters], wrt=[x, w])


def test_filters_for_other_places_are_refused():
    x, w = at.dtensor4(), at.TensorType("float64", (None,) * 6)()
    with pytest.raises(ValueError, match="filters for"):
        lower([x, w], [conv2d(x, w, unshared=True)])(np.ones((1, 1, 5, 5)), np.ones((1, 4, 4, 1, 3, 3)))
