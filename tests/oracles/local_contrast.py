"""NumPy oracle of local contrast normalisation as Honari et al. (2016) applied it, a picture at a time."""

import numpy as np

SIGMA = 1.591


def kernel(size=9, sigma=SIGMA):
    offsets = np.arange(size) - size // 2
    weights = np.exp(-(offsets[:, None] ** 2 + offsets[None, :] ** 2) / (2 * sigma**2))
    return weights / weights.sum()


def smooth(picture, weights):
    """Weighted mean of each pixel's neighbourhood; beyond the border stands zero."""
    half = weights.shape[0] // 2
    padded = np.pad(picture, half)
    height, width = picture.shape
    return sum(
        weights[dy, dx] * padded[dy : dy + height, dx : dx + width]
        for dy in range(weights.shape[0])
        for dx in range(weights.shape[1])
    )


def normalise(picture, size=9, sigma=SIGMA, threshold=1e-4):
    """One picture (height, width) of values 0 to 255 to numbers about 0.5."""
    weights = kernel(size, sigma)
    centred = picture - smooth(picture, weights)
    deviation = np.sqrt(smooth(centred**2, weights))
    return (centred / np.maximum(np.maximum(deviation, deviation.mean()), threshold) + 2.5) / 5
