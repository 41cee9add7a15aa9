"""Fourier transforms, their windows, and convolutions of vectors."""

import math

import jax.numpy as jnp
import numpy as np
from aesara.tensor.extra_ops import Bartlett
from aesara.tensor.fft import IRFFTOp, RFFTOp
from aesara.tensor.fourier import Fourier
from aesara.tensor.math import Convolve

from .registry import as_array, known_integers, lowering, output_dtype


@lowering.register(RFFTOp)
def _of_real_numbers(op, node):
    def transform(x, sizes):
        """Real and imaginary parts lie along a last axis."""
        sizes = known_integers(sizes, "the shape of a Fourier transform")
        x = jnp.fft.rfft(as_array(x), sizes[-1])
        for axis, size in zip(range(-len(sizes), -1), sizes, strict=False):
            x = jnp.fft.fft(x, size, axis)
        return jnp.stack([x.real, x.imag], -1)

    return transform


@lowering.register(IRFFTOp)
def _to_real_numbers(op, node):
    def transform(x, sizes):
        """Not divided by the number of elements."""
        sizes = known_integers(sizes, "the shape of a Fourier transform")
        x = as_array(x)
        x = x[..., 0] + 1j * x[..., 1]
        for axis, size in zip(range(-len(sizes), -1), sizes, strict=False):
            x = jnp.fft.ifft(x, size, axis)
        return jnp.fft.irfft(x, sizes[-1]) * math.prod(sizes)

    return transform


@lowering.register(Fourier)
def _along_one_axis(op, node):
    def transform(x, size, axis):
        size, axis = known_integers((size, axis), "the length and the axis of a Fourier transform")
        return jnp.fft.fft(as_array(x, output_dtype(node)), size, axis)

    return transform


@lowering.register(Convolve)
def _convolve(op, node):
    def convolve(x, y):
        dtype = output_dtype(node)
        return jnp.convolve(as_array(x, dtype), as_array(y, dtype), op.mode)

    return convolve


@lowering.register(Bartlett)
def _bartlett(op, node):
    def window(length):
        (length,) = known_integers((length,), "the length of a window")
        return as_array(np.bartlett(length), output_dtype(node))

    return window
