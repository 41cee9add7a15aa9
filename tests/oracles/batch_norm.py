"""NumPy oracle of batch normalisation (Ioffe and Szegedy, 2015, Algorithm 1), forward and gradient."""

import numpy as np


def statistics(x, epsilon):
    """Mean and inverse standard deviation of each channel of x (batch, channels, ...)."""
    axes = (0, *range(2, x.ndim))
    mean = x.mean(axis=axes)
    variance = ((x - _over_channels(mean, x.ndim)) ** 2).mean(axis=axes)
    return mean, 1.0 / np.sqrt(variance + epsilon)


def unbiased_variance(x):
    """Of each channel of x (batch, channels, ...): the sum of squares over one less than their number (as Torch's)."""
    mean, _ = statistics(x, 0)
    axes = (0, *range(2, x.ndim))
    return ((x - _over_channels(mean, x.ndim)) ** 2).sum(axis=axes) / (x.size // x.shape[1] - 1)


def forward(x, gamma, beta, epsilon):
    mean, inv_std = statistics(x, epsilon)
    normalised = (x - _over_channels(mean, x.ndim)) * _over_channels(inv_std, x.ndim)
    return normalised * _over_channels(gamma, x.ndim) + _over_channels(beta, x.ndim)


def gradient(x, gamma, epsilon, d_out):
    """Gradients by x, gamma and beta: the chain rule of Section 3 of that paper, in closed form."""
    axes = (0, *range(2, x.ndim))
    count = x.size // x.shape[1]
    mean, inv_std = statistics(x, epsilon)
    normalised = (x - _over_channels(mean, x.ndim)) * _over_channels(inv_std, x.ndim)
    d_beta = d_out.sum(axis=axes)
    d_gamma = (d_out * normalised).sum(axis=axes)
    centred = d_out - _over_channels(d_beta, x.ndim) / count - normalised * _over_channels(d_gamma, x.ndim) / count
    return _over_channels(gamma * inv_std, x.ndim) * centred, d_gamma, d_beta


def _over_channels(vector, ndim):
    return vector.reshape((1, -1) + (1,) * (ndim - 2))
