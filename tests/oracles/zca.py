"""NumPy oracle of ZCA whitening as pylearn2 has it: the eigenvectors of the whole covariance."""

import numpy as np


def fit(rows, filter_bias=0.1):
    """Mean (pixels,) and matrix (pixels, pixels) of training pictures in rows."""
    mean = rows.mean(axis=0)
    centred = rows - mean
    covariance = centred.T @ centred / len(rows) + filter_bias * np.identity(rows.shape[1])
    variances, vectors = np.linalg.eigh(covariance)
    return mean, vectors @ np.diag(1 / np.sqrt(variances)) @ vectors.T


def apply(rows, mean, matrix):
    """Pictures in rows, whitened."""
    return np.array([matrix @ (row - mean) for row in rows])
