"""Shortcuts without parameters: fewer pixels, and zeros for the channels that are new."""

import aesara.tensor as T
from aesara.tensor.signal.pool import pool_2d
from lasagne.layers import Layer

MODES = ("subsample", "average")


class IdentityShortcutLayer(Layer):
    """The input brought to a residual's shape, option A: pixels left out or averaged, channels of zeros behind.

    Parameters
    ----------
    incoming : Layer or tuple
        Shape (batch, channels, height, width).
    num_filters : int
        Channels of the output, at least those of the input.
    stride : int
        Height and width are divided by it; they are multiples of it.
    mode : {'subsample', 'average'}
        Take the first pixel of each stride x stride window (He et al.), or the window's mean (Huang et al.).
    **kwargs
        Of `lasagne.layers.Layer`.

    Raises
    ------
    ValueError
        The input does not fit, or the mode is unknown.

    References
    ----------
    He et al., 2015, Section 3.3, option A; Huang et al., 2016, and the code they released.

    Examples
    --------
    >>> IdentityShortcutLayer((None, 16, 32, 32), 32, stride=2).output_shape
    (None, 32, 16, 16)
    """

    def __init__(self, incoming, num_filters, stride=1, mode="subsample", **kwargs):
        super().__init__(incoming, **kwargs)
        shape = self.input_shape
        fits = len(shape) == 4 and None not in shape[1:] and shape[1] <= num_filters
        if not fits or any(side % stride for side in shape[2:]):
            raise ValueError(
                f"IdentityShortcutLayer {self.name!r} expects input of shape (batch, channels, height, width) with at "
                f"most {num_filters} channels and sides that are multiples of {stride}, got {shape}"
            )
        if mode not in MODES:
            raise ValueError(f"IdentityShortcutLayer {self.name!r} expects a mode of {MODES}, got {mode!r}")
        self.num_filters = num_filters
        self.stride = stride
        self.mode = mode

    def get_output_shape_for(self, input_shape):
        batch_size, _, height, width = input_shape
        return batch_size, self.num_filters, height // self.stride, width // self.stride

    def get_output_for(self, input, **kwargs):
        if self.stride > 1 and self.mode == "subsample":
            input = input[:, :, :: self.stride, :: self.stride]
        elif self.stride > 1:
            input = pool_2d(input, (self.stride, self.stride), ignore_border=True, mode="average_inc_pad")
        missing = self.num_filters - self.input_shape[1]
        if missing == 0:
            return input
        shape = (input.shape[0], missing, *self.output_shape[2:])
        return T.concatenate([input, T.zeros(shape, dtype=input.dtype)], axis=1)
