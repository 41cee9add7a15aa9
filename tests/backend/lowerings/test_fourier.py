"""Fourier transforms against NumPy's, which Aesara's Python code calls."""

import aesara.tensor as at
import numpy as np
import pytest
from aesara.tensor import extra_ops, fft, fourier

from .reference import assert_agrees

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("norm", [None, "ortho", "no_norm"])
@pytest.mark.parametrize("shape", [(3, 6), (3, 5), (2, 4, 5), (2, 3, 4, 6), (2, 3, 2, 4, 5)])
def test_transforms_of_real_numbers_and_their_gradients_agree_with_python(shape, norm):
    x = at.TensorType("float64", (None,) * len(shape))()
    assert_agrees([x], [fft.rfft(x, norm)], [RNG.normal(size=shape)], wrt=[x])


@pytest.mark.parametrize("norm", [None, "ortho", "no_norm"])
@pytest.mark.parametrize("shape", [(3, 4, 2), (2, 4, 5, 2)])
def test_transforms_back_and_their_gradients_agree_with_python(shape, norm):
    x = at.TensorType("float64", (None,) * len(shape))()
    for odd in (False, True):
        assert_agrees([x], [fft.irfft(x, norm, odd)], [RNG.normal(size=shape)], wrt=[x])


def test_transforms_along_one_axis_agree_with_python():
    x = at.dmatrix()
    outputs = [fourier.fft(x, 5, 1), fourier.fft(x, 3, 0), fourier.fft(x, 9, 1)]
    assert_agrees([x], outputs, [RNG.normal(size=(4, 5))])


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_convolved_vectors_agree_with_python(mode):
    x, y = at.dvector(), at.dvector()
    assert_agrees([x, y], [at.convolve(x, y, mode), at.convolve(y, x, mode)], [RNG.normal(size=n) for n in (6, 3)])


@pytest.mark.parametrize("length", [0, 1, 2, 7])
def test_windows_agree_with_python(length):
    x = at.dvector()
    assert_agrees([x], [extra_ops.bartlett(x.shape[0])], [np.zeros(length)])
