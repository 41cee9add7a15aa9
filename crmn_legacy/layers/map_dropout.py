"""Dropout of whole feature maps, the same ones in every picture of a batch."""

import aesara
import aesara.tensor as T
import numpy as np
from lasagne.layers import Layer

from crmn_legacy.layers.random_numbers import RandomNumbers


class MapDropoutLayer(Layer):
    r"""Of C feature maps the whole part of C (1 - p) kept while training, drawn anew for each batch.

    .. math:: y_{b,c} = m_c\, x_{b,c}, \qquad \sum_c m_c = \lfloor C (1 - p) \rfloor

    The masks are one vector for the whole batch, with an exact number of ones; what is kept is not scaled. With
    ``deterministic=True`` all maps are kept and multiplied by 1 - p.

    Parameters
    ----------
    incoming : Layer or tuple
        Shape (batch, channels, ...), channels known.
    p : float
        In [0, 1); at least one map has to be left.
    **kwargs
        Of `lasagne.layers.Layer`.

    Raises
    ------
    ValueError
        `p` out of range, the number of channels unknown, or no map left.

    References
    ----------
    Graham, Reizenstein and Robinson, 2015, "Efficient batchwise dropout training using submatrices"; released code of
    "Fractional max-pooling", `NetworkInNetworkLayer.cu`.
    """

    def __init__(self, incoming, p=0.5, **kwargs):
        super().__init__(incoming, **kwargs)
        channels = self.input_shape[1] if len(self.input_shape) > 1 else None
        if channels is None or not 0 <= p < 1 or int(channels * (1 - p)) < 1:
            raise ValueError(
                f"MapDropoutLayer {self.name!r} expects input of shape (batch, channels, ...) with known channels, and "
                f"p in [0, 1) that leaves at least one of them, got {self.input_shape} and {p}"
            )
        self.p = p
        self.kept = int(channels * (1 - p))
        self.random_numbers = RandomNumbers(self.name, at_once=channels)

    def get_output_for(self, input, deterministic=False, **kwargs):
        if self.p == 0:
            return input
        if deterministic:
            return input * (1 - self.p)
        mask = self.mask(self.random_numbers.uniform((self.input_shape[1],)))
        return input * mask.dimshuffle("x", 0, *["x"] * (input.ndim - 2))

    def mask(self, u):
        """Ones at the `kept` least of the numbers `u` (channels,), of equal ones the first; zeros elsewhere."""
        earlier = np.tri(self.input_shape[1], k=-1, dtype=bool)
        mine, other = u.dimshuffle(0, "x"), u.dimshuffle("x", 0)
        rank = T.sum(T.lt(other, mine) | (T.eq(other, mine) & earlier), axis=1, dtype="int32")
        return T.lt(rank, self.kept).astype(aesara.config.floatX)
