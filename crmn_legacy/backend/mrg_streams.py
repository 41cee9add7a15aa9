"""Where the streams of the generator MRG31k3p start.

L'Ecuyer and Touzin, "Fast combined multiple recursive generators with multipliers of the form a = ±2^d ± 2^e",
Winter Simulation Conference 2000.
"""

import numpy as np
from aesara.sandbox import rng_mrg


def stream_states(first, streams, numpy=np):
    """First states of `streams` streams, 2**72 numbers apart; int32 array (streams, 6).

    The same as Theano makes one after the other; here each product of matrices doubles their number.

    Parameters
    ----------
    first : int or array of int (6,)
        State of the first stream; one number stands for six of it.
    streams : int
    numpy : module
        NumPy, or `jax.numpy` with 64 bits, which traces it.
    """
    states = numpy.full((1, 6), first, dtype=np.uint64)
    jumps = _jumps(rng_mrg.A1p72, rng_mrg.A2p72)
    while len(states) < streams:
        states = numpy.concatenate([states, _ahead(states, jumps, numpy)])
        jumps = [(_product(jump, jump, modulus), modulus) for jump, modulus in jumps]
    return states[:streams].astype(np.int32)


def next_start(state):
    """The state 2**134 numbers ahead of `state`, where the streams of the next draw start; int32 array (6,)."""
    return _ahead(np.array([state], np.uint64), _jumps(rng_mrg.A1p134, rng_mrg.A2p134), np)[0].astype(np.int32)


def _jumps(*matrices):
    """Both recurrences' matrices, each with its modulus."""
    moduli = rng_mrg.M1, rng_mrg.M2
    return [(np.array(jump, np.uint64), np.uint64(modulus)) for jump, modulus in zip(matrices, moduli, strict=True)]


def _ahead(states, jumps, numpy):
    halves = [
        _product(states[:, 3 * part : 3 * part + 3], jump.T, modulus) for part, (jump, modulus) in enumerate(jumps)
    ]
    return numpy.concatenate(halves, axis=1)


def _product(left, right, modulus):
    # Each product has 62 bits at most, and three of them fit into 64.
    return (left[:, :, None] * right[None]).sum(axis=1, dtype=np.uint64) % modulus


def mend(module):
    """Have Aesara's streams take their states from here.

    Aesara 2.9.4 advances them one by one by a function that it compiles for this: a second for 15,360 streams where
    there is no C compiler.
    """

    def get_substream_rstates(self, n_streams, dtype, inc_rstate=True):
        """The states of `n_streams` streams, one a row (int32)."""
        states = stream_states(self.rstate, n_streams)
        if inc_rstate:
            self.inc_rstate()
        return states

    def inc_rstate(self):
        """Go on to where the streams of the next draw start."""
        self.rstate = next_start(self.rstate)

    module.MRG_RandomStream.get_substream_rstates = get_substream_rstates
    module.MRG_RandomStream.inc_rstate = inc_rstate
