"""Max-pooling by a fraction: regions of length 2 whose distances are 1 or 2, drawn anew for each picture."""

import aesara
import aesara.tensor as T
import numpy as np
from lasagne.layers import Layer
from lasagne.utils import as_tuple

from crmn_legacy.layers.random_numbers import RandomNumbers

REGION = 2


class FractionalPool2DLayer(Layer):
    r"""Maxima over pseudorandom overlapping regions of 2 x 2, for each picture and axis other ones.

    Along an axis of N numbers, region j of n begins at

    .. math:: s_j = \lfloor (j + u)\,\alpha \rfloor - \lfloor u\,\alpha \rfloor,
              \qquad \alpha = (N - 2) / (n - 1), \quad u \sim U(0, 1), \quad j = 0, \ldots, n - 1

    so the first begins at 0 and the last ends at N. With ``deterministic=True`` u is 1/2, the same regions always;
    with ``sampling=True`` u is drawn as in training, which is the published inference.

    Parameters
    ----------
    incoming : Layer or tuple
        Shape (batch, channels, height, width), the sides known.
    output_size : int or (int, int)
        Rows and columns of the output, at least 2 and fewer than the input's.
    **kwargs
        Of `lasagne.layers.Layer`.

    Raises
    ------
    ValueError
        The input has other than four dimensions, or the sizes do not fit.

    Notes
    -----
    :math:`\lfloor (j + u)\,\alpha \rfloor = \lfloor (j A + \lfloor u A \rfloor) / B \rfloor` with the whole numbers
    A = N - 2 and B = n - 1, so all but one product is done in whole numbers: no rounding can move a region past the
    border or part two machines. A region's place is a row of zeros and a one, and products with these rows select:
    exact in float32, and with a gradient that is a product too.

    References
    ----------
    Graham, 2014, "Fractional max-pooling", Section 2, pseudorandom overlapping regions; released code, `Regions.cu`,
    which draws for each picture and for each axis.

    Examples
    --------
    >>> FractionalPool2DLayer((None, 160, 93, 93), 74, name="pool").output_shape
    (None, 160, 74, 74)
    """

    def __init__(self, incoming, output_size, **kwargs):
        super().__init__(incoming, **kwargs)
        self.output_size = as_tuple(output_size, 2)
        sides = self.input_shape[2:]
        fits = len(self.input_shape) == 4 and all(
            side is not None and REGION <= length < side for side, length in zip(sides, self.output_size, strict=True)
        )
        if not fits:
            raise ValueError(
                f"FractionalPool2DLayer {self.name!r} expects input of shape (batch, channels, height, width) with "
                f"known sides, and output_size of at least {REGION} and less than them, got {self.input_shape} and "
                f"{self.output_size}"
            )
        self.random_numbers = RandomNumbers(self.name, at_once=256)

    def get_output_shape_for(self, input_shape):
        return *input_shape[:2], *self.output_size

    def get_output_for(self, input, deterministic=False, sampling=False, **kwargs):
        """Pooled input; regions are drawn unless `deterministic`, and with `sampling` always."""
        shape = (2, input.shape[0])
        if sampling or not deterministic:
            u = self.random_numbers.uniform(shape)
        else:
            u = T.ones(shape, dtype=aesara.config.floatX) / 2
        return self.pool(input, u)

    def pool(self, input, u):
        """Maxima over the regions that `u` gives.

        Parameters
        ----------
        input : Variable
            (batch, channels, height, width).
        u : Variable
            (2, batch) in [0, 1]: for the rows and for the columns of each picture.

        Returns
        -------
        Variable
            ``(batch, channels, *output_size)``.
        """
        _, channels, height, width = self.input_shape
        rows, columns = self.output_size
        across = _pooled(input, _places(u[1], width, columns), (channels, height))
        down = _pooled(across.dimshuffle(0, 1, 3, 2), _places(u[0], height, rows), (channels, columns))
        return down.dimshuffle(0, 1, 3, 2)


def _places(u, side, length):
    """One where a region begins: (batch, side - 1, length), float."""
    whole, steps = side - REGION, length - 1
    moved = T.cast(T.floor(u * whole), "int32").dimshuffle(0, "x")
    starts = (np.arange(length, dtype=np.int32) * whole + moved) // steps - moved // steps
    begins = T.eq(starts.dimshuffle(0, "x", 1), np.arange(side - 1, dtype=np.int32)[:, None])
    return begins.astype(aesara.config.floatX)


def _pooled(x, places, rest):
    """Along the last axis of x (batch, *rest, side): the greater of two neighbours, at the places only."""
    side, length = places.shape[1], places.shape[2]
    pairs = T.maximum(x[..., :-1], x[..., 1:])
    chosen = T.batched_dot(pairs.reshape((x.shape[0], rest[0] * rest[1], side)), places)
    return chosen.reshape((x.shape[0], *rest, length))
