"""Lasagne's two-dimensional convolution, its padding left to the convolution."""

import aesara.tensor as T
import lasagne


class Conv2DLayer(lasagne.layers.Conv2DLayer):
    """`lasagne.layers.Conv2DLayer` without the padded copy of its input.

    Lasagne 0.1 writes zeros around the input and convolves that; the convolution itself can read zeros beyond the
    border. Values, parameters, names and the true convolution (filters flipped, as in Theano) are Lasagne's.

    Parameters
    ----------
    incoming : Layer or tuple
        Shape (batch, channels, height, width).
    num_filters : int
    filter_size : int or (int, int)
        Rows and columns.
    **kwargs
        Of `lasagne.layers.Conv2DLayer`: stride, pad, untie_biases, W (filters, channels, rows, columns), b (filters,)
        and nonlinearity among them.

    Raises
    ------
    ValueError
        ``pad="same"`` with an even side of the filter, whose padding is not symmetric: Lasagne's own layer has it.

    Examples
    --------
    >>> Conv2DLayer((None, 1, 80, 80), 64, 3, stride=2, pad=1).output_shape
    (None, 64, 40, 40)
    """

    def __init__(self, incoming, num_filters, filter_size, **kwargs):
        super().__init__(incoming, num_filters, filter_size, **kwargs)
        if self.pad == "same":
            if any(side % 2 == 0 for side in self.filter_size):
                raise ValueError(f"pad='same' of {self.name!r} got filters of {self.filter_size}, expected odd sides")
            self.pad = tuple(side // 2 for side in self.filter_size)

    def get_output_for(self, input, **kwargs):
        activation = T.nnet.conv2d(
            input,
            self.W,
            input_shape=self.input_shape,
            filter_shape=self.get_W_shape(),
            border_mode=self.pad,
            subsample=self.stride,
        )
        if self.b is not None:
            pattern = ("x", 0, 1, 2) if self.untie_biases else ("x", 0, "x", "x")
            activation = activation + self.b.dimshuffle(pattern)
        return self.nonlinearity(activation)
