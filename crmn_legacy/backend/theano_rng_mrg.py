"""Theano's ``theano.sandbox.rng_mrg``: streams of random numbers of the generator MRG31k3p."""

import numpy as np
from aesara.sandbox.rng_mrg import MRG_RandomStream

from .mrg_streams import next_start, stream_states

__all__ = ["MRG_RandomStreams"]


class MRG_RandomStreams(MRG_RandomStream):  # noqa: N801 (Theano's name)
    """Random variables of MRG31k3p, with the interface that Theano had from 0.7 to 1.0.

    Aesara's class, and its numbers. It takes what Aesara's constructor no longer takes, and finds the states of its
    streams without compiling anything.

    Parameters
    ----------
    seed : int or sequence of six int
        Not 0, and less than 2147462579.
    use_cuda : bool, optional
        Has no effect.

    Attributes
    ----------
    state_updates : list of pair
        Each variable's state, a shared variable, and what it becomes by a draw.
    rstate : array of int32 (6,)
        Where the next variable's first stream starts.

    Examples
    --------
    >>> streams = MRG_RandomStreams(seed=42)
    >>> mask = streams.binomial(size=(2, 3), p=0.5, dtype="float32")
    """

    def __init__(self, seed=12345, use_cuda=None):
        self.use_cuda = bool(use_cuda)
        self._sizes = []
        super().__init__(int(seed) if isinstance(seed, np.integer) else seed)

    def updates(self):
        """The `state_updates`, as a function takes them."""
        return list(self.state_updates)

    def seed(self, seed=None):
        """Set all states as if the streams had been made with `seed` (None: that of the constructor)."""
        seed = self.default_instance_seed if seed is None else seed
        self.set_rstate(int(seed) if isinstance(seed, np.integer) else seed)
        for (state, new), (size, streams) in zip(self.state_updates, self._sizes, strict=True):
            count = self.n_streams(size) if streams is None else streams
            state.set_value(self.get_substream_rstates(count, new.owner.outputs[1].dtype), borrow=True)

    def inc_rstate(self):
        """Take `rstate` 2^134 numbers ahead."""
        self.rstate = next_start(self.rstate)

    def get_substream_rstates(self, n_streams, dtype=None, inc_rstate=True):
        """The states of so many streams, 2^72 numbers apart.

        Parameters
        ----------
        n_streams : int
        dtype : str, optional
            Has no effect.
        inc_rstate : bool
            Take `rstate` ahead, so that the next streams are others.

        Returns
        -------
        array of int32 (n_streams, 6)
        """
        if not 0 < n_streams < 2**72:
            raise ValueError(f"got {n_streams} streams, expected 1 or more")
        states = stream_states(self.rstate, n_streams)
        if inc_rstate:
            self.inc_rstate()
        return states

    def uniform(self, size, low=0.0, high=1.0, ndim=None, dtype=None, nstreams=None, **kwargs):
        """Draw from (`low`, `high`).

        Parameters
        ----------
        size : tuple of int or of scalars, or vector
        low, high : tensor, optional
        ndim : int, optional
            Number of dimensions, where `size` is a vector of unknown length.
        dtype : str, optional
            By default that of the bounds, but at least ``floatX``.
        nstreams : int, optional
            Number of streams that take turns; it decides the numbers.
        **kwargs
            ``target``, as a shared variable takes it.

        Returns
        -------
        TensorVariable
        """
        size = tuple(size) if isinstance(size, list) else size
        return super().uniform(size, low, high, ndim, dtype, nstreams, **kwargs)

    def pretty_return(self, node_rstate, new_rstate, sample, size=None, nstreams=None):
        """Note a new variable's state and what it becomes; return the variable."""
        node_rstate.tag.is_rng = True
        node_rstate.default_update = new_rstate
        sample.rstate = node_rstate
        sample.update = node_rstate, new_rstate
        self.state_updates.append(sample.update)
        self._sizes.append((size, nstreams))
        return sample
