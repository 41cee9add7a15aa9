"""Theano's ``theano.tensor.shared_randomstreams``: streams of random numbers that NumPy draws."""

import numpy as np
from aesara import shared
from aesara.tensor.random.var import RandomStateSharedVariable

from .theano_raw_random import RandomStreamsBase

__all__ = ["RandomStateSharedVariable", "RandomStreams"]


class RandomStreams(RandomStreamsBase):
    """Random variables, each with a generator of its own that goes on from call to call of a function.

    Parameters
    ----------
    seed : int, optional
        Of the generator that seeds those of the variables, one after the other.

    Attributes
    ----------
    state_updates : list of pair
        Each variable's generator, a shared variable, and what it becomes by a draw.
    gen_seedgen : numpy.random.RandomState
        Where the next variable's seed comes from.
    default_instance_seed : int or None
        `seed`.

    Examples
    --------
    >>> import crmn_legacy, theano
    >>> streams = RandomStreams(1)
    >>> coin = theano.function([], streams.binomial((4,)))
    >>> coin(), coin()
    (array([1, 0, 0, 0]), array([1, 0, 1, 1]))
    """

    def __init__(self, seed=None):
        self.state_updates = []
        self.default_instance_seed = seed
        self.gen_seedgen = np.random.RandomState(seed)

    def updates(self):
        """The `state_updates`, as a function takes them."""
        return list(self.state_updates)

    def seed(self, seed=None):
        """Set all generators as if the streams had been made with `seed` (None: that of the constructor)."""
        seeds = np.random.RandomState(self.default_instance_seed if seed is None else seed)
        for rng, _ in self.state_updates:
            rng.set_value(np.random.RandomState(_next_seed(seeds)), borrow=True)

    def __getitem__(self, item):
        """The `RandomState` of `item`, a random variable's ``rng``."""
        return item.get_value(borrow=True)

    def __setitem__(self, item, val):
        """Give `item`, a random variable's ``rng``, the `RandomState` `val`."""
        item.set_value(val, borrow=True)

    def gen(self, op, *args, **kwargs):
        """Make a random variable.

        Parameters
        ----------
        op : callable
            Takes a generator and the arguments, returns the generator after the draw and the sample.
        *args, **kwargs
            What `op` takes besides.

        Returns
        -------
        TensorVariable
            The sample. Its ``rng`` is the shared generator; its ``update`` that and what it becomes.
        """
        rng = shared(np.random.RandomState(_next_seed(self.gen_seedgen)), borrow=True)
        rng.tag.is_rng = True
        new, sample = op(rng, *args, **kwargs)
        sample.rng = rng
        sample.update = rng, new
        rng.default_update = new
        self.state_updates.append(sample.update)
        return sample


def _next_seed(generator):
    return int(generator.randint(2**30))
