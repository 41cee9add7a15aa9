"""The states of MRG31k3p's streams, 2^72 numbers apart, all at once.

Aesara 2.9.4 advances them one by one in a function of its own that it compiles for this: a second for 15,360 streams
where there is no C compiler. The state of stream `k` is ``A^k s`` modulo `m`, so the states of the first `n` streams
give those of the next `n` by one product with ``A^n``.
"""

import numpy as np


def mend(module):
    """Have Aesara's MRG streams take their states from here."""

    def get_substream_rstates(self, n_streams, dtype, inc_rstate=True):
        """The states of `n_streams` streams, one a row (int32)."""
        states = stream_states(self.rstate, n_streams, module)
        if inc_rstate:
            self.inc_rstate()
        return states

    def multMatVect(v, A, m1, B, m2):
        """The first half of `v` times `A` modulo `m1`, and the second times `B` modulo `m2`."""
        v = np.asarray(v)
        return np.concatenate([_times(v[None, :3], A, m1)[0], _times(v[None, 3:], B, m2)[0]]).astype("int32")

    module.MRG_RandomStream.get_substream_rstates = get_substream_rstates
    module.multMatVect = multMatVect


def stream_states(first, count, module):
    """The states of `count` streams.

    Parameters
    ----------
    first : array (6,)
        The state of the first one.
    count : int
    module : module
        Aesara's, for the generator's constants.

    Returns
    -------
    numpy.ndarray of int32 (count, 6)
    """
    halves = [
        _powers(np.asarray(first)[part], count, np.asarray(matrix), int(modulus))
        for part, matrix, modulus in (
            (slice(None, 3), module.A1p72, module.M1),
            (slice(3, None), module.A2p72, module.M2),
        )
    ]
    return np.concatenate(halves, 1).astype("int32")


def _powers(first, count, matrix, modulus):
    """``matrix ** k @ first`` for each `k` below `count`, modulo `modulus`; one a row."""
    rows = np.asarray(first, "uint64")[None]
    while len(rows) < count:
        rows = np.concatenate([rows, _times(rows, matrix, modulus)])
        matrix = _times(matrix.T, matrix, modulus).T  # the matrix's square, column by column
    return rows[:count]


def _times(rows, matrix, modulus):
    """Each row times the matrix, modulo `modulus`: three products below 2^62 fit into 64 bits."""
    return np.asarray(rows, "uint64") @ np.asarray(matrix, "uint64").T % np.uint64(modulus)
