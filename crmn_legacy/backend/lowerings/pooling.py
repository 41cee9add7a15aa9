"""Pooling and its gradients, over any number of trailing dimensions."""

import dataclasses
import functools
import itertools
import math

import jax.numpy as jnp
import numpy as np
from aesara.tensor.signal.pool import AveragePoolGrad, DownsampleFactorMaxGradGrad, MaxPoolGrad, MaxPoolRop, Pool
from jax import lax

from .order import keeping_order
from .reductions import LONG_SUM, long_sum
from .registry import as_array, known_integers, lowering


@dataclasses.dataclass(frozen=True)
class Windows:
    """Where the windows of a pooling lie.

    Attributes
    ----------
    size, stride, padding : tuple of int
        A pooled dimension each.
    shape, count : tuple of int
        Of the pooled dimensions: how long they are, and how many windows they hold.
    trailing : int
        How many dimensions lie behind the pooled ones.
    """

    size: tuple
    stride: tuple
    padding: tuple
    shape: tuple
    count: tuple
    trailing: int = 0

    @classmethod
    def of(cls, op, trailing, shape, size, stride, padding):
        """Read the windows off an Aesara op, the input's whole shape and the op's vectors."""
        size, stride, padding = (
            known_integers(vector, "the windows of a pooling") for vector in (size, stride, padding)
        )
        pooled = tuple(shape[len(shape) - trailing - op.ndim : len(shape) - trailing])
        out = Pool.out_shape(list(pooled), size, op.ignore_border, stride, padding, op.ndim)
        return cls(size, stride, padding, pooled, tuple(int(n) for n in out), trailing)

    @property
    def tiles(self):
        """Whether the windows cover the map, each element once."""
        covered = tuple(n * s for n, s in zip(self.count, self.size, strict=True))
        return self.size == self.stride and not any(self.padding) and covered == self.shape

    @property
    def margins(self):
        """Elements to add (negative: to cut off) on each side so that the windows exactly fit."""
        return [
            (padding, (count - 1) * stride + size - length - padding)
            for size, stride, padding, length, count in zip(
                self.size, self.stride, self.padding, self.shape, self.count, strict=True
            )
        ]

    def elements(self, with_padding):
        """How many elements each window averages over.

        Parameters
        ----------
        with_padding : bool
            Whether padding counts. What lies beyond the padding, under ``ignore_border=False``, never does.

        Returns
        -------
        numpy.ndarray
            Float64, of shape `count`.
        """
        result = np.ones(())
        for size, stride, padding, length, count in zip(
            self.size, self.stride, self.padding, self.shape, self.count, strict=True
        ):
            first = np.arange(count) * stride
            last = np.minimum(first + size, length + 2 * padding)
            if not with_padding:
                first, last = np.maximum(first, padding), np.minimum(last, length + padding)
            result = np.multiply.outer(result, np.maximum(last - first, 0))
        return result

    def split(self, x):
        """View a tiled map as (..., windows, elements, windows, elements, ...)."""
        pairs = itertools.chain.from_iterable(zip(self.count, self.size, strict=True))
        return x.reshape(self.among(x.shape, pairs))

    def leading(self, ndim):
        """How many of `ndim` dimensions lie before the pooled ones."""
        return ndim - len(self.size) - self.trailing

    def among(self, whole, pooled):
        """`whole`, with something for each dimension, but `pooled` in place of the pooled ones."""
        return *whole[: self.leading(len(whole))], *pooled, *whole[len(whole) - self.trailing :]

    def repeated(self, y):
        """Give each element of a tiled map its window's value."""
        shape, leading = y.shape, self.leading(y.ndim)
        y = lax.expand_dims(y, [leading + 2 * i + 1 for i in range(len(self.size))])
        pairs = itertools.chain.from_iterable(zip(self.count, self.size, strict=True))
        return jnp.broadcast_to(y, self.among(shape, pairs)).reshape(self.among(shape, self.shape))

    def fitted(self, x, filling):
        """Pad or cut `x` so that the windows exactly fit."""
        edges = self.among([(0, 0, 0)] * x.ndim, ((low, high, 0) for low, high in self.margins))
        return lax.pad(x, jnp.asarray(filling, x.dtype), edges)

    def offsets(self):
        """All positions in a window."""
        return itertools.product(*(range(size) for size in self.size))

    def at(self, fitted, offset):
        """The element at `offset` of each window, from a map that went through `fitted`."""
        ends = [o + (n - 1) * s + 1 for o, n, s in zip(offset, self.count, self.stride, strict=True)]
        return lax.slice(
            fitted,
            self.among([0] * fitted.ndim, offset),
            self.among(fitted.shape, ends),
            self.among([1] * fitted.ndim, self.stride),
        )

    def spread(self, y):
        """Give each element of the map the sum over the windows that it lies in: the transpose of windows' sums."""
        padding = [
            (size - 1 - low, length + low - 1 - (n - 1) * stride)
            for size, low, length, n, stride in zip(
                self.size, self.padding, self.shape, self.count, self.stride, strict=True
            )
        ]
        zero = jnp.zeros((), y.dtype)
        edges = [(low, high, stride - 1) for (low, high), stride in zip(padding, self.stride, strict=True)]
        y = lax.pad(y, zero, self.among([(0, 0, 0)] * y.ndim, edges))
        steps = (1,) * y.ndim
        return lax.reduce_window(y, zero, lax.add, self.among(steps, self.size), steps, "VALID")

    def back(self, y, offset):
        """Put a value a window at `offset` of each window, zero elsewhere: the transpose of `at`, cut to the map."""
        padding = [
            (o - low, length + low - o - ((n - 1) * s + 1), s - 1)
            for o, low, length, n, s in zip(offset, self.padding, self.shape, self.count, self.stride, strict=True)
        ]
        return lax.pad(y, jnp.zeros((), y.dtype), self.among([(0, 0, 0)] * y.ndim, padding))


def _reduced_windows(x, windows, filling, function):
    filling, ones = jnp.asarray(filling, x.dtype), (1,) * x.ndim
    fitted = windows.fitted(x, filling)
    size, stride = windows.among(ones, windows.size), windows.among(ones, windows.stride)
    return lax.reduce_window(fitted, filling, function, size, stride, "VALID")


def _window_sums(x, windows):
    if windows.tiles and math.prod(windows.size) >= LONG_SUM:
        split, first = windows.split(x), windows.leading(x.ndim) + 1
        return long_sum(split, range(first, first + 2 * len(windows.size), 2))
    return _reduced_windows(x, windows, 0, lax.add)


def _window_maxima(x, windows):
    lowest = -jnp.inf if jnp.issubdtype(x.dtype, jnp.floating) else jnp.iinfo(x.dtype).min
    return _reduced_windows(x, windows, lowest, lax.max)


def _averaged(sums, windows, mode):
    if mode == "sum":
        return sums
    elements = as_array(windows.elements(mode == "average_inc_pad"), sums.dtype)
    return sums / lax.expand_dims(elements, range(elements.ndim, elements.ndim + windows.trailing))


def _keeping_order(op, function):
    """The lowered function of a pooling: `function` of how many dimensions follow the pooled ones, and the inputs."""
    written = functools.partial(function, 0)
    return keeping_order(written, functools.partial(function, 1)) if op.ndim == 2 else written


@lowering.register(Pool)
def _pool(op, node):
    def pool(trailing, x, size, stride, padding):
        x = as_array(x)
        windows = Windows.of(op, trailing, x.shape, size, stride, padding)
        if op.mode == "max":
            return _window_maxima(x, windows)
        return _averaged(_window_sums(x, windows), windows, op.mode)

    return _keeping_order(op, pool)


@lowering.register(MaxPoolGrad)
def _max_gradient(op, node):
    def gradient(trailing, x, maxima, g, size, stride, padding):
        """Send a window's gradient to every element that equals its maximum.

        XLA's own way, select-and-scatter, picks one element of a tie, and is refused where GPU results must repeat.
        """
        windows = Windows.of(op, trailing, x.shape, size, stride, padding)
        if windows.tiles:
            return jnp.where(x == windows.repeated(maxima), windows.repeated(g), 0)
        fitted = windows.fitted(x, -jnp.inf)
        return sum(
            windows.back(jnp.where(windows.at(fitted, offset) == maxima, g, 0), offset) for offset in windows.offsets()
        )

    return _keeping_order(op, gradient)


@lowering.register(DownsampleFactorMaxGradGrad)
def _max_gradient_gradient(op, node):
    def gradient(trailing, x, maxima, gg, size, stride, padding):
        windows = Windows.of(op, trailing, x.shape, size, stride, padding)
        fitted, spread = windows.fitted(x, -jnp.inf), windows.fitted(gg, 0)
        return sum(
            jnp.where(windows.at(fitted, offset) == maxima, windows.at(spread, offset), 0)
            for offset in windows.offsets()
        )

    return _keeping_order(op, gradient)


@lowering.register(MaxPoolRop)
def _max_tangent(op, node):
    def tangent(trailing, x, changes, size, stride, padding):
        """The change of the first element of each window that is its maximum."""
        windows = Windows.of(op, trailing, x.shape, size, stride, padding)
        fitted, changes = windows.fitted(x, -jnp.inf), windows.fitted(changes, 0)
        best = found = None
        for offset in windows.offsets():
            value, change = windows.at(fitted, offset), windows.at(changes, offset)
            found = change if best is None else jnp.where(value > best, change, found)
            best = value if best is None else jnp.maximum(value, best)
        return found

    return _keeping_order(op, tangent)


@lowering.register(AveragePoolGrad)
def _average_gradient(op, node):
    def gradient(trailing, x, g, size, stride, padding):
        """Spread a window's gradient evenly over the elements that it averaged.

        With padding that does not count (``average_exc_pad``) Aesara's C code moves the windows at the border instead;
        this is the gradient of what the forward pass computes.
        """
        windows = Windows.of(op, trailing, x.shape, size, stride, padding)
        g = _averaged(g, windows, op.mode)
        if windows.tiles:
            return windows.repeated(g)
        return windows.spread(g)

    return _keeping_order(op, gradient)
