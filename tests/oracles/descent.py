"""NumPy oracles of the other optimisers, one array at a time, from their sources."""

import numpy as np


def momentum(parameter, velocity, gradient, rate, momentum):
    """Plain momentum as Lasagne 0.1 writes it."""
    velocity = momentum * velocity - rate * gradient
    return parameter + velocity, velocity


def torch_momentum(parameter, velocity, gradient, rate, momentum):
    """Torch's `optim.sgd`, dampening 0, no Nesterov."""
    velocity = momentum * velocity + gradient
    return parameter - rate * velocity, velocity


def torch_nesterov(parameter, velocity, gradient, rate, momentum):
    """Torch's `optim.sgd`, dampening 0, Nesterov."""
    velocity = momentum * velocity + gradient
    return parameter - rate * (gradient + momentum * velocity), velocity


def adadelta(parameter, squares, steps, gradient, rate, rho, epsilon):
    """Zeiler, 2012, Algorithm 1, with a rate before the step."""
    squares = rho * squares + (1 - rho) * gradient**2
    step = -np.sqrt(steps + epsilon) / np.sqrt(squares + epsilon) * gradient
    steps = rho * steps + (1 - rho) * step**2
    return parameter + rate * step, squares, steps


def max_norm(weights, limit):
    """Columns of a matrix, or filters (first axis) of a convolution, scaled down to the norm `limit`."""
    axes = (0,) if weights.ndim == 2 else (1, 2, 3)
    norms = np.sqrt((weights**2).sum(axis=axes, keepdims=True))
    return weights * np.minimum(1, limit / np.maximum(norms, 1e-12))
