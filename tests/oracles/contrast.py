"""NumPy oracle of global contrast normalisation as pylearn2 has it, a picture at a time."""

import math


def normalise(picture, scale=55.0, subtract_mean=True, min_divisor=1e-8):
    """One picture, given and returned as a flat list of numbers."""
    values = [float(pixel) for pixel in picture]
    if subtract_mean:
        mean = math.fsum(values) / len(values)
        values = [value - mean for value in values]
    divisor = math.sqrt(math.fsum(value * value for value in values)) / scale
    if divisor < min_divisor:
        divisor = 1.0
    return [value / divisor for value in values]
