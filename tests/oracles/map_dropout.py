"""Batchwise dropout of whole feature maps (Graham, Reizenstein and Robinson, 2015)."""

import numpy as np


def training(x, u, p):
    """The maps with the least numbers `u` are kept, as many as the whole part of channels (1 - p)."""
    kept = np.argsort(u, kind="stable")[: int(x.shape[1] * (1 - p))]
    result = np.zeros_like(x)
    result[:, kept] = x[:, kept]
    return result


def deterministic(x, p):
    """All maps, weighed by the part that training keeps."""
    return x * (1 - p)
