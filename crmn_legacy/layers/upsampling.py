"""From coarse maps to fine ones."""

import aesara.tensor as T
from lasagne.layers import Layer


class UpsamplingLayer(Layer):
    """Each pixel repeated: a square of equal ones takes its place.

    Parameters
    ----------
    incoming : Layer or tuple
        Shape (batch, channels, height, width), all but the batch known.
    factor : int
        Times as high and as wide.
    **kwargs
        Of `lasagne.layers.Layer`.

    Raises
    ------
    ValueError
        An input of another shape, or a factor below 1.

    References
    ----------
    Honari et al., 2016, and their released code; Lasagne has an `Upscale2DLayer` from its version 0.2 on.

    Examples
    --------
    >>> UpsamplingLayer((None, 64, 5, 5), 2).output_shape
    (None, 64, 10, 10)
    """

    def __init__(self, incoming, factor, **kwargs):
        super().__init__(incoming, **kwargs)
        if len(self.input_shape) != 4 or None in self.input_shape[1:] or factor < 1:
            raise ValueError(
                f"UpsamplingLayer {self.name!r} expects input of shape (batch, channels, height, width), all but the "
                f"batch known, and a factor of at least 1, got {self.input_shape} and {factor}"
            )
        self.factor = factor

    def get_output_shape_for(self, input_shape):
        batch, channels, height, width = input_shape
        return batch, channels, height * self.factor, width * self.factor

    def get_output_for(self, input, **kwargs):
        _, channels, height, width = self.input_shape
        batch, factor = input.shape[0], self.factor
        spread = T.alloc(input.dimshuffle(0, 1, 2, "x", 3, "x"), batch, channels, height, factor, width, factor)
        return spread.reshape((batch, channels, height * factor, width * factor))
