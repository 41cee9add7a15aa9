"""Counter-based random numbers: a draw depends on what it is for, never on what was drawn before it.

Philox (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011) turns a key and a counter into
random bits. The seed and the purpose are the key; the epoch and the index stand in the upper half of the
counter, which leaves 2**128 numbers to each of them. So a run may be resumed, or its pictures prepared by any
number of threads, without one bit moving.
"""

import enum

import numpy as np

from crmn_legacy.errors import UserError

_WORD = 2**64


class Purpose(enum.IntEnum):
    """What a draw is for. The integers are part of the results: never renumber them."""

    WEIGHTS = 1
    ORDER = 2
    AUGMENTATION = 3
    VALIDATION_AUGMENTATION = 4
    SPLIT = 5
    RENDERING = 6
    DROPOUT = 7


def generator(seed, purpose, epoch=0, index=0):
    """The generator of one place in a run; equal arguments give equal numbers, on any machine.

    Parameters
    ----------
    seed : int
        The run's seed, from 0 to 2**64 - 1.
    purpose : Purpose
        What the numbers are for.
    epoch, index : int
        The place: epoch, and picture or layer within it.

    Returns
    -------
    numpy.random.Generator

    Raises
    ------
    UserError
        If `seed` is out of range.
    ValueError
        If `epoch` or `index` is.

    Examples
    --------
    >>> int(generator(1, Purpose.ORDER, epoch=2).integers(1000))
    906
    """
    if not 0 <= seed < _WORD:
        raise UserError(f"got seed {seed}; expected a whole number from 0 to {_WORD - 1}")
    if not (0 <= epoch < _WORD and 0 <= index < _WORD):
        raise ValueError(f"got epoch {epoch} and index {index}; expected whole numbers from 0")
    # Two integers, low word first: sequences would go through signed 64-bit arrays on the way.
    key = int(seed) | int(Purpose(purpose)) << 64
    counter = int(index) << 128 | int(epoch) << 192
    return np.random.Generator(np.random.Philox(key=key, counter=counter))
