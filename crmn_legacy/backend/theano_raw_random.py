"""Theano's ``theano.tensor.raw_random``: draws from a `numpy.random.RandomState` as ops of a graph.

Each function takes a generator and returns the generator after the draw, and the sample. The numbers are those that
Theano drew for the same state: NumPy has frozen what a `RandomState` gives, and how Theano asked it is kept here.
"""

import sys

import numpy as np
from aesara import config, tensor
from aesara.scalar import upcast
from aesara.tensor.random.type import RandomStateType, random_state_type
from aesara.tensor.type import TensorType, integer_dtypes

from .random_function import (
    RandomFunction,
    choice_helper,
    multinomial_helper,
    permutation_helper,
    random_integers_helper,
)

__all__ = ["RandomFunction", "RandomStateType", "RandomStreamsBase", "binomial", "choice", "multinomial", "normal"]
__all__ += ["permutation", "poisson", "random_integers", "random_state_type", "uniform"]


def _shape_and_pattern(ndim, size, *parameters):
    """How Theano reads the `size` of a draw.

    Parameters
    ----------
    ndim : int or None
        Number of dimensions, where `size` does not tell.
    size : None, int, sequence or vector
        None: the shape of the parameters. -1 in a sequence: as long as the parameters are along that axis.
    *parameters : TensorVariable

    Returns
    -------
    TensorVariable
        An int64 vector.
    tuple of bool
        Along which axes the sample is known to have length 1.
    """
    if size is None:
        if not parameters:
            raise TypeError("got no size, expected size=, since the distribution has no parameters that tell")
        template = sum(parameters[1:], parameters[0])
        shape, pattern = template.shape, template.type.broadcastable
    elif isinstance(size, tuple | list):
        if ndim is not None and len(size) != ndim:
            raise ValueError(f"got ndim={ndim} and size={size}, expected as many lengths")
        sides = [_side(axis, side, len(size), parameters) for axis, side in enumerate(size)]
        shape = tensor.stack([side for side, _ in sides]) if sides else tensor.constant([], dtype="int64")
        pattern = tuple(flag for _, flag in sides)
    else:
        shape = tensor.as_tensor_variable(size)
        shape = shape.dimshuffle("x") if shape.ndim == 0 else shape
        pattern = (False,) * (tensor.get_vector_length(shape) if ndim is None else ndim)
    if shape.ndim != 1 or shape.dtype not in integer_dtypes:
        raise TypeError(f"got the size {size}, expected integers, or a vector of integers")
    if any(parameter.ndim > len(pattern) for parameter in parameters):
        raise ValueError(
            f"got parameters of {[p.ndim for p in parameters]} dimensions, expected at most {len(pattern)}"
        )
    return tensor.cast(shape, "int64"), pattern


def _side(axis, side, ndim, parameters):
    """One length of a size, and whether it is known to be 1."""
    if hasattr(side, "type"):
        return side, False
    if side >= 0:
        return tensor.as_tensor_variable(side), side == 1
    if side != -1:
        raise ValueError(f"got the length {side} in a size, expected 0 or more, or -1 for that of the parameters")
    within = [(parameter, axis + parameter.ndim - ndim) for parameter in parameters if axis + parameter.ndim >= ndim]
    if not within:
        raise ValueError(f"got -1 for axis {axis} of a size, expected a parameter that has this axis")
    for parameter, own in within:
        if not parameter.type.broadcastable[own]:
            return parameter.shape[own], False
    return tensor.as_tensor_variable(1), True


def _drawing(fn, rng, shape, pattern, dtype, parameters, added=()):
    """Draw by `fn`; `added` is the pattern of the dimensions beyond those of the shape."""
    outtype = TensorType(dtype, shape=tuple(1 if flag else None for flag in (*pattern, *added)))
    return RandomFunction(fn, outtype, ndim_added=len(added))(rng, shape, *parameters)


def _draw_real(fn, rng, size, first, second, ndim, dtype):
    first, second = tensor.as_tensor_variable(first), tensor.as_tensor_variable(second)
    dtype = dtype or upcast(config.floatX, first.dtype, second.dtype)
    shape, pattern = _shape_and_pattern(ndim, size, first, second)
    return _drawing(fn, rng, shape, pattern, dtype, (first, second))


def uniform(random_state, size=None, low=0.0, high=1.0, ndim=None, dtype=None):
    """Draw from [`low`, `high`).

    Parameters
    ----------
    random_state : variable of type RandomStateType
    size : None, sequence or vector of integers, optional
        Shape of the sample. None: that of the parameters. -1 in a sequence: as long as the parameters are there.
    low, high : tensor, optional
    ndim : int, optional
        Number of dimensions, where `size` is a vector of unknown length.
    dtype : str, optional
        By default that of the parameters, but at least ``floatX``.

    Returns
    -------
    list of Variable
        The generator after the draw; the sample.
    """
    return _draw_real("uniform", random_state, size, low, high, ndim, dtype)


def normal(random_state, size=None, avg=0.0, std=1.0, ndim=None, dtype=None):
    """Draw from a Gaussian with mean `avg` and standard deviation `std`; the rest as `uniform`."""
    return _draw_real("normal", random_state, size, avg, std, ndim, dtype)


def binomial(random_state, size=None, n=1, p=0.5, ndim=None, dtype="int64", prob=None):
    """Draw how many of `n` trials succeed, each with probability `p`; the rest as `uniform`.

    `prob` is the old name of `p`.
    """
    if prob is not None:
        print("note: binomial(prob=) is called p now", file=sys.stderr)
        p = prob
    n, p = tensor.as_tensor_variable(n), tensor.as_tensor_variable(p)
    shape, pattern = _shape_and_pattern(ndim, size, n, p)
    # Theano declares no axis of this one to have length 1.
    return _drawing("binomial", random_state, shape, (False,) * len(pattern), dtype, (n, p))


def poisson(random_state, size=None, lam=1.0, ndim=None, dtype="int64"):
    """Draw from a Poisson distribution with mean `lam`; the rest as `uniform`."""
    lam = tensor.as_tensor_variable(lam)
    shape, pattern = _shape_and_pattern(ndim, size, lam)
    return _drawing("poisson", random_state, shape, pattern, dtype, (lam,))


def random_integers(random_state, size=None, low=0, high=1, ndim=None, dtype="int64"):
    """Draw integers from `low` to `high`, both included; the rest as `uniform`."""
    low, high = tensor.as_tensor_variable(low), tensor.as_tensor_variable(high)
    shape, pattern = _shape_and_pattern(ndim, size, low, high)
    return _drawing(random_integers_helper, random_state, shape, pattern, dtype, (low, high))


def choice(random_state, size=None, a=2, replace=True, p=None, ndim=None, dtype="int64"):
    """Draw elements of the vector `a`, or of ``range(a)``, with or without putting them back.

    Parameters
    ----------
    random_state : variable of type RandomStateType
    size : None, sequence or vector of integers, optional
        Shape of the sample; None: a scalar.
    a : vector or scalar, optional
    replace : bool, optional
    p : vector, optional
        Probabilities; None: all the same.
    ndim : int, optional
        Number of dimensions, where `size` is a vector of unknown length.
    dtype : str, optional

    Returns
    -------
    list of Variable
        The generator after the draw; the sample.
    """
    a = tensor.as_tensor_variable(a)
    replace = tensor.as_tensor_variable(np.int8(replace) if isinstance(replace, bool) else replace)
    p = tensor.as_tensor_variable([] if p is None else p)
    if a.ndim > 1 or p.ndim != 1:
        raise ValueError(f"got a of {a.ndim} and p of {p.ndim} dimensions, expected a vector or scalar, and a vector")
    shape, pattern = _shape_and_pattern(ndim, () if size is None else size)
    return _drawing(choice_helper, random_state, shape, pattern, dtype, (a, replace, p))


def permutation(random_state, size=None, n=1, ndim=None, dtype="int64"):
    """Draw permutations of ``range(n)``, as many as `size` says (None: one), along a last axis that is added.

    Parameters and results are those of `uniform`.
    """
    if size is None or (isinstance(size, tuple | list) and not size):
        if ndim not in (None, 0, 1):
            raise TypeError(f"got ndim={ndim} for one permutation, expected none")
        size, ndim = (), None
    shape, pattern = _shape_and_pattern(ndim, size)
    return _drawing(permutation_helper, random_state, shape, pattern, dtype, (n,), added=(False,))


def multinomial(random_state, size=None, n=1, pvals=(0.5, 0.5), ndim=None, dtype="int64"):
    """Draw how often each outcome occurs in `n` experiments.

    Parameters
    ----------
    random_state : variable of type RandomStateType
    size : None, sequence or vector of integers, optional
        Shape of the sample but for its last axis, the outcomes. None: that of `n` and of the rows of `pvals`. -1 in a
        sequence: as long as these are there.
    n : tensor, optional
    pvals : tensor, optional
        Probabilities, along the last axis.
    ndim : int, optional
        Number of dimensions of `size`, where that is a vector of unknown length.
    dtype : str, optional

    Returns
    -------
    list of Variable
        The generator after the draw; the counts.
    """
    n, pvals = tensor.as_tensor_variable(n), tensor.as_tensor_variable(pvals)
    shape, pattern = _shape_and_pattern(ndim, size, n, pvals[..., 0])
    added = (pvals.type.broadcastable[-1],)
    return _drawing(multinomial_helper, random_state, shape, pattern, dtype, (n, pvals), added)


class RandomStreamsBase:
    """The distributions as methods; ``gen(function, *arguments)``, which a subclass has, makes the draw."""

    def uniform(self, size=None, low=0.0, high=1.0, ndim=None, dtype=None):
        """Draw from [`low`, `high`); see `uniform`."""
        return self.gen(uniform, size, low, high, ndim=ndim, dtype=dtype)

    def normal(self, size=None, avg=0.0, std=1.0, ndim=None, dtype=None):
        """Draw from a Gaussian; see `normal`."""
        return self.gen(normal, size, avg, std, ndim=ndim, dtype=dtype)

    def binomial(self, size=None, n=1, p=0.5, ndim=None, dtype="int64", prob=None):
        """Draw numbers of successes; see `binomial`."""
        return self.gen(binomial, size, n, p, ndim=ndim, dtype=dtype, prob=prob)

    def random_integers(self, size=None, low=0, high=1, ndim=None, dtype="int64"):
        """Draw integers, both bounds included; see `random_integers`."""
        return self.gen(random_integers, size, low, high, ndim=ndim, dtype=dtype)

    def choice(self, size=None, a=2, replace=True, p=None, ndim=None, dtype="int64"):
        """Draw elements; see `choice`."""
        return self.gen(choice, size, a, replace, p, ndim=ndim, dtype=dtype)

    def poisson(self, size=None, lam=1.0, ndim=None, dtype="int64"):
        """Draw from a Poisson distribution; see `poisson`."""
        return self.gen(poisson, size, lam, ndim=ndim, dtype=dtype)

    def permutation(self, size=None, n=1, ndim=None, dtype="int64"):
        """Draw permutations; see `permutation`."""
        return self.gen(permutation, size, n, ndim=ndim, dtype=dtype)

    def multinomial(self, size=None, n=1, pvals=(0.5, 0.5), ndim=None, dtype="int64"):
        """Draw counts of outcomes; see `multinomial`."""
        return self.gen(multinomial, size, n, pvals, ndim=ndim, dtype=dtype)

    def shuffle_row_elements(self, input):
        """Shuffle each row of `input`, along its last axis; the result's ``permutation`` is by what."""
        permutation = self.permutation(size=input.shape[:-1], n=input.shape[-1], ndim=input.ndim - 1)
        shuffled = tensor.permute_row_elements(input, permutation)
        shuffled.permutation = permutation
        return shuffled
