import importlib
import sys

import numpy as np
import pytest

# isort: split
import aesara.tensor as at

from crmn_legacy.backend import lasagne_gpu_layers
from crmn_legacy.backend.theano_modules.cuda_convnet import FilterActs, MaxPool, max_pool_c01b
from tests.backend.theano_modules.test_nnet import correlated

RNG = np.random.default_rng(0)
IMAGES, FILTERS = RNG.standard_normal((3, 7, 7, 2)), RNG.standard_normal((3, 2, 2, 4))


@pytest.mark.parametrize(("pad", "stride"), [(0, 1), (1, 1), (0, 2), (1, 3)])
def test_correlation_with_the_batch_last_and_one_more_window_where_the_stride_does_not_fit(evaluate, pad, stride):
    after = pad + (stride - 1)
    padded = np.pad(IMAGES.transpose(3, 0, 1, 2), ((0, 0), (0, 0), (pad, after), (pad, after)))
    expected = correlated(padded, FILTERS.transpose(3, 0, 1, 2), (stride, stride)).transpose(1, 2, 3, 0)
    found = evaluate(FilterActs(pad=pad, stride=stride, partial_sum=1)(at.constant(IMAGES), at.constant(FILTERS)))
    assert found.shape[1] == -(-(7 + 2 * pad - 2) // stride) + 1
    assert np.allclose(found, expected)


def test_pooling_keeps_windows_at_the_edge(evaluate):
    found = evaluate(MaxPool(ds=3, stride=2)(at.constant(IMAGES[:, :6, :6])))
    starts = (0, 2, 4)
    expected = [[IMAGES[:, r : min(r + 3, 6), c : min(c + 3, 6)].max(axis=(1, 2)) for c in starts] for r in starts]
    assert np.allclose(found.transpose(1, 2, 0, 3), expected)
    assert np.allclose(evaluate(max_pool_c01b(at.constant(IMAGES[:, :6, :6]), (3, 3), (2, 2))), found)
    with pytest.raises(ValueError, match="square"):
        max_pool_c01b(at.constant(IMAGES), (3, 2), (2, 2))
    with pytest.raises(NotImplementedError):
        MaxPool(3, 2, start=1)


def test_nothing_else_of_pylearn2_is_answered():
    lasagne_gpu_layers.answer_wrappers()
    filter_acts = importlib.import_module("pylearn2.sandbox.cuda_convnet.filter_acts")

    assert filter_acts.FilterActs is FilterActs
    assert "pylearn2" not in sys.modules
    with pytest.raises(ImportError):
        import pylearn2  # noqa: F401
