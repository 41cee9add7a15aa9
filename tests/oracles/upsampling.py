"""NumPy oracle of upsampling by repetition: each pixel becomes a square of equal ones (Honari et al., 2016)."""

import numpy as np


def upsample(maps, factor):
    """Maps (batch, channels, height, width), `factor` times as high and as wide."""
    return np.repeat(np.repeat(maps, factor, axis=2), factor, axis=3)


def gradient(of_output, factor):
    """Gradient with respect to the maps: each pixel collects that of its square."""
    batch, channels, height, width = of_output.shape
    maps = np.zeros((batch, channels, height // factor, width // factor))
    for row in range(height):
        for column in range(width):
            maps[:, :, row // factor, column // factor] += of_output[:, :, row, column]
    return maps
