"""Random numbers inside the graph: one generator a layer, whose state is part of the run's state."""

import aesara
import aesara.tensor as T
import lasagne
from aesara.sandbox import rng_mrg

from crmn_legacy.backend.mrg_streams import stream_states

MOST_STREAMS = 15360
"""So many numbers are drawn side by side at most; more are drawn in rounds."""


class RandomNumbers:
    """One layer's random numbers, by Theano's generator MRG31k3p.

    Their state is a shared value called ``<name>.rng``. It is no parameter, so weights files are without it; but each
    step that is compiled from a graph that draws advances it and hands it on, and so checkpoints have it. Both backends
    draw the same numbers. After any number of updates they depend on the run's seed, on how many layers that draw
    were made before this one, and on nothing else.

    Parameters
    ----------
    name : str
        Of the layer.
    at_once : int, optional
        How many numbers are drawn at once, where that is known and small: no more streams than these are kept.

    References
    ----------
    L'Ecuyer and Touzin, "Fast combined multiple recursive generators with multipliers of the form a = ±2^d ± 2^e",
    Winter Simulation Conference 2000. Seeds and streams are those of `theano.sandbox.rng_mrg.MRG_RandomStreams`.
    """

    def __init__(self, name, at_once=MOST_STREAMS):
        seed = int(lasagne.random.get_rng().randint(1, int(rng_mrg.M2)))
        self.state = aesara.shared(stream_states(seed, min(at_once, MOST_STREAMS)), name=f"{name}.rng")

    def uniform(self, shape):
        """Numbers above 0 and below 1 as an expression of ``floatX``; a compiled step may hold one a layer.

        Parameters
        ----------
        shape : tuple of int or scalar Variable
        """
        # The copy shares the stored value; the update is seen by steps whose graph holds this expression only.
        state = self.state.clone()
        size = T.stack([T.as_tensor_variable(length, dtype="int64") for length in shape])
        state.default_update, numbers = rng_mrg.mrg_uniform.new(state, len(shape), aesara.config.floatX, size)
        return numbers

    def keep(self, probability, shape):
        """A mask of ``floatX``: 1 with `probability` (a float or an expression), else 0."""
        return T.lt(self.uniform(shape), T.cast(probability, aesara.config.floatX)).astype(aesara.config.floatX)
