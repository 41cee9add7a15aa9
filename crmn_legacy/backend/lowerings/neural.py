"""Softmax, and cross entropies of it."""

import jax
import jax.numpy as jnp
from aesara.tensor.nnet.basic import (
    CrossentropyCategorical1Hot,
    CrossentropyCategorical1HotGrad,
    CrossentropySoftmax1HotWithBiasDx,
    CrossentropySoftmaxArgmax1HotWithBias,
    Prepend_scalar_constant_to_each_row,
    Prepend_scalar_to_each_row,
    SoftmaxWithBias,
)
from aesara.tensor.special import LogSoftmax, Softmax, SoftmaxGrad

from .registry import as_array, lowering, output_dtype


@lowering.register(Softmax)
def _softmax(op, node):
    return lambda x: jax.nn.softmax(as_array(x), axis=op.axis)


@lowering.register(LogSoftmax)
def _log_softmax(op, node):
    return lambda x: jax.nn.log_softmax(as_array(x), axis=op.axis)


@lowering.register(SoftmaxGrad)
def _softmax_gradient(op, node):
    def gradient(g, probabilities):
        weighted = g * probabilities
        return weighted - jnp.sum(weighted, axis=op.axis, keepdims=True) * probabilities

    return gradient


@lowering.register(SoftmaxWithBias)
def _softmax_with_bias(op, node):
    return lambda x, b: jax.nn.softmax(x + b, axis=1)


def _target_mask(targets, shape):
    """A matrix of `shape`, true at each row's target."""
    return targets[:, None] == jnp.arange(shape[1], dtype=targets.dtype)


def _pick(x, targets):
    # A comparison instead of a gather: its gradient then needs no scatter.
    mask = _target_mask(targets, x.shape)
    # A target that is no class would be an error; it must not cost nothing.
    return jnp.where(mask.any(1), jnp.sum(jnp.where(mask, x, 0), 1), jnp.nan)


@lowering.register(CrossentropyCategorical1Hot)
def _crossentropy(op, node):
    return lambda probabilities, targets: -jnp.log(_pick(probabilities, targets))


@lowering.register(CrossentropyCategorical1HotGrad)
def _crossentropy_gradient(op, node):
    def gradient(g, probabilities, targets):
        mask = _target_mask(targets, probabilities.shape)
        return jnp.where(mask, -g[:, None] / jnp.where(mask, probabilities, 1), 0)

    return gradient


@lowering.register(CrossentropySoftmaxArgmax1HotWithBias)
def _softmax_crossentropy(op, node):
    def crossentropy(x, b, targets):
        x = x + b
        logarithms = jax.nn.log_softmax(x, axis=1)
        return -_pick(logarithms, targets), jnp.exp(logarithms), jnp.argmax(x, 1)

    return crossentropy


@lowering.register(CrossentropySoftmax1HotWithBiasDx)
def _softmax_crossentropy_gradient(op, node):
    def gradient(g, probabilities, targets):
        g = jnp.atleast_1d(g)[:, None]
        return g * (probabilities - _target_mask(targets, probabilities.shape))

    return gradient


@lowering.register(Prepend_scalar_constant_to_each_row)
def _prepend_constant(op, node):
    def prepend(x):
        return jnp.pad(x, ((0, 0), (1, 0)), constant_values=as_array(op.val.data, output_dtype(node)))

    return prepend


@lowering.register(Prepend_scalar_to_each_row)
def _prepend(op, node):
    return lambda value, x: jnp.pad(x, ((0, 0), (1, 0)), constant_values=as_array(value, output_dtype(node)))
