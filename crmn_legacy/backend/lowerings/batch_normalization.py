"""Batch normalisation with its closed-form gradient."""

import functools
import math

import jax.numpy as jnp
from aesara.tensor.nnet.batchnorm import (
    AbstractBatchNormInference,
    AbstractBatchNormTrain,
    AbstractBatchNormTrainGrad,
)
from jax import lax

from .order import keeping_order, moved_axis
from .reductions import long_sums
from .registry import as_array, lowering, output_dtype


def _sum(x, axes):
    return _sums([x], axes)[0]


def _sums(arrays, axes):
    return [jnp.expand_dims(x, axes) for x in long_sums(arrays, axes)]


def _inverse_root(variance):
    # XLA would turn 1 / sqrt(x) into the processor's approximate reciprocal square root, another number on each make.
    return 1 / lax.optimization_barrier(jnp.sqrt(variance))


def _over(axes, function):
    """The lowered function of statistics over `axes`: `function` of the axes and the inputs."""
    moved = [moved_axis(axis) for axis in axes] if len(axes) < 4 else axes
    return keeping_order(functools.partial(function, axes), functools.partial(function, moved))


def _count(x, axes):
    return math.prod(x.shape[axis] for axis in axes)


@lowering.register(AbstractBatchNormTrain)
def _train(op, node):
    def normalize(axes, x, scale, bias, epsilon, factor, *running):
        dtype = output_dtype(node)
        x = as_array(x, dtype)
        count = _count(x, axes)
        mean = _sum(x, axes) / count
        centred = x - mean
        variance = _sum(centred * centred, axes) / count
        inverse_std = _inverse_root(variance + as_array(epsilon, dtype))
        results = [centred * (scale * inverse_std) + bias, mean, inverse_std]
        factor = as_array(factor, dtype)
        if running:
            results.append(running[0] * (1 - factor) + mean * factor)
            results.append(running[1] * (1 - factor) + variance * (count / (count - 1)) * factor)
        return results

    return _over(op.axes, normalize)


@lowering.register(AbstractBatchNormTrainGrad)
def _train_gradient(op, node):
    def gradient(axes, x, g, scale, mean, inverse_std, epsilon):
        dtype = output_dtype(node)
        x, g = as_array(x, dtype), as_array(g, dtype)
        count = _count(x, axes)
        normalized = (x - mean) * inverse_std
        g_bias, g_scale = _sums([g, g * normalized], axes)
        g_x = (scale * inverse_std) * (g - g_bias / count - normalized * (g_scale / count))
        return g_x, g_scale, g_bias

    return _over(op.axes, gradient)


@lowering.register(AbstractBatchNormInference)
def _inference(op, node):
    def normalize(x, scale, bias, mean, variance, epsilon):
        dtype = output_dtype(node)
        return (x - mean) * (scale * _inverse_root(variance + as_array(epsilon, dtype))) + bias

    return keeping_order(normalize)
