"""NumPy oracle of stochastic depth (Huang et al., 2016, equations 2 to 5)."""

import numpy as np


def survival_probabilities(blocks, last):
    """Equation 4: p_l = 1 - l/L (1 - p_L), for l = 1 ... L."""
    return [1 - block / blocks * (1 - last) for block in range(1, blocks + 1)]


def training(residual, gate):
    """Equation 2 without the shortcut: b_l f_l, one b_l for the whole batch."""
    assert gate in (0, 1)
    return gate * residual


def deterministic(residual, survival):
    """Equation 5 without the shortcut: p_l f_l."""
    return survival * residual


def block(shortcut, residual, factor):
    """ReLU(factor f_l + shortcut), where the factor is b_l or p_l."""
    return np.maximum(factor * residual + shortcut, 0)
