"""Philox4x64 with ten rounds, the bits of `numpy.random.Philox`, of many counters at once.

Reference
---------
Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011, Sections 3.3 and 5; NumPy's `philox.h`.
"""

import numpy as np

_ROUNDS = 10
# Of the first and the third word; the first words' constants in the upper row.
_MULTIPLIERS = np.array([[0xD2E7470EE14C6C93], [0xCA5A826395121157]], np.uint64)
_KEY_STEPS = 0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B

_HALF = np.uint64(32)
LOWER = np.uint64(2**32 - 1)
"""The lower half of a word."""


def philox(key, counter):
    """The four random words of each counter.

    Parameters
    ----------
    key : (int, int)
        The two words of the key.
    counter : uint64 array (4, ...)
        The words of each counter, the lowest first.

    Returns
    -------
    uint64 array (4, ...)
    """
    flat = counter.reshape(4, -1)
    # A round multiplies the words 0 and 2, and mixes the words 1 and 3 in.
    even, odd = flat[::2], flat[1::2]
    for number in range(_ROUNDS):
        keys = [(word + number * step) % 2**64 for word, step in zip(key, _KEY_STEPS, strict=True)]
        high, low = _products(even)
        even, odd = high[::-1] ^ odd ^ np.array(keys, np.uint64)[:, None], low[::-1]
    return np.stack([even, odd], axis=1).reshape(counter.shape)


def _products(words):
    """The upper and the lower word of the products of 128 bits with `_MULTIPLIERS`; arrays like `words`, (2, n)."""
    lower, upper = words & LOWER, words >> _HALF
    by_lower, by_upper = _MULTIPLIERS & LOWER, _MULTIPLIERS >> _HALF
    crossed = upper * by_lower
    # No sum here has more than 64 bits.
    middle = (lower * by_lower >> _HALF) + (crossed & LOWER) + lower * by_upper
    return upper * by_upper + (crossed >> _HALF) + (middle >> _HALF), words * _MULTIPLIERS
