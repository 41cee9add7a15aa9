"""Counter-based random numbers: a draw depends on what it is for, never on what was drawn before it.

Philox (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011) turns a key and a counter into
random bits. The seed and the purpose are the key; the epoch and the index stand in the upper half of the
counter, which leaves 2**128 numbers to each of them. So a run may be resumed, or its pictures prepared by any
number of threads, without one bit moving.
"""

import enum

import numpy as np

from crmn_legacy.data.philox import LOWER, philox
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
    _check(seed, epoch, index)
    # Two integers, low word first: sequences would go through signed 64-bit arrays on the way.
    key = int(seed) | int(Purpose(purpose)) << 64
    counter = int(index) << 128 | int(epoch) << 192
    return np.random.Generator(np.random.Philox(key=key, counter=counter))


class Generators:
    """The :func:`generator` of each of many indices, drawn from together.

    A method draws from every generator what `numpy.random.Generator`'s method of that name draws, bit for bit, and puts
    the generators' numbers in rows. Iterated over, it gives each index's own generator, from its beginning.

    Parameters
    ----------
    seed, purpose, epoch
        As :func:`generator` takes them.
    indices : int array (n,)

    Raises
    ------
    UserError, ValueError
        As :func:`generator`.
    """

    def __init__(self, seed, purpose, epoch, indices):
        indices = np.asarray(indices, dtype=np.int64)
        for index in (indices.min(initial=0), indices.max(initial=0)):
            _check(seed, epoch, index)
        self._place = seed, purpose, epoch
        self._indices = indices
        self._words = np.empty((len(indices), 0), np.uint64)
        # Which word each generator draws next; and the upper half of the last one, where only its lower half was drawn.
        self._next = np.zeros(len(indices), np.int64)
        self._kept = np.zeros(len(indices), np.uint64)
        self._keeps = np.zeros(len(indices), bool)

    def __len__(self):
        return len(self._indices)

    def __iter__(self):
        for index in self._indices.tolist():
            yield generator(*self._place, index)

    def random(self):
        """Numbers drawn evenly from [0, 1); float64 array (n,)."""
        return (self._whole(np.arange(len(self))) >> np.uint64(11)) * 2.0**-53

    def uniform(self, low, high, size=None):
        """Numbers drawn evenly from [low, high); float64 array (n,), or (n, size)."""
        return _columns(lambda: low + (high - low) * self.random(), size)

    def integers(self, low, high, size=None, endpoint=False):
        """Whole numbers drawn evenly from [low, high), or [low, high] with `endpoint`.

        Parameters
        ----------
        low, high : int or int array (n,)
        size : int, optional
        endpoint : bool

        Returns
        -------
        int64 array (n,), or (n, size)

        Raises
        ------
        ValueError
            A range is empty, or has 2**32 numbers or more.
        """
        spans = np.broadcast_to(np.asarray(high, np.int64) - low + endpoint, len(self))
        if len(self) and not 1 <= spans.min() <= spans.max() < 2**32:
            raise ValueError(f"expected from low = {low} to high = {high} at least one number, and fewer than 2**32")
        return _columns(lambda: low + self._below(spans.astype(np.uint64)).astype(np.int64), size)

    def _below(self, spans):
        """Numbers from 0 to `spans` - 1: Lemire, "Fast random integer generation in an interval", 2019, in 32 bits."""
        found = np.zeros(len(self), np.uint64)
        # NumPy draws nothing where there is no choice.
        waiting = np.flatnonzero(spans > 1)
        while len(waiting):
            span = spans[waiting]
            products = self._halves(waiting) * span
            found[waiting] = products >> np.uint64(32)
            # What would make some numbers likelier than others is drawn anew.
            waiting = waiting[(products & LOWER) < (np.uint64(2**32) - span) % span]
        return found

    def _halves(self, which):
        """The next 32 bits of the generators at `which`: the lower half of a word, then its upper half."""
        kept = self._keeps[which]
        fresh = which[~kept]
        words, halves = self._whole(fresh), self._kept[which]
        halves[~kept] = words & LOWER
        self._kept[fresh] = words >> np.uint64(32)
        self._keeps[which] = ~kept
        return halves

    def _whole(self, which):
        """The next word of the generators at `which`; a half that was kept is kept on."""
        places = self._next[which]
        while len(which) and places.max() >= self._words.shape[1]:
            self._words = np.concatenate([self._words, self._more_words()], axis=1)
        self._next[which] += 1
        return self._words[which, places]

    def _more_words(self):
        """The next four words of each generator, (n, 4)."""
        seed, purpose, epoch = self._place
        counter = np.zeros((4, len(self)), np.uint64)
        # NumPy counts on before it makes words.
        counter[0] = self._words.shape[1] // 4 + 1
        counter[2], counter[3] = self._indices, np.uint64(epoch)
        return philox((int(seed), int(Purpose(purpose))), counter).T


def _columns(draw, size):
    return draw() if size is None else np.stack([draw() for _ in range(size)], axis=1)


def _check(seed, epoch, index):
    if not 0 <= seed < _WORD:
        raise UserError(f"got seed {seed}; expected a whole number from 0 to {_WORD - 1}")
    if not (0 <= epoch < _WORD and 0 <= index < _WORD):
        raise ValueError(f"got epoch {epoch} and index {index}; expected whole numbers from 0")
