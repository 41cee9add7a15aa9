"""Local contrast normalisation, the face pictures' preprocessing."""

import aesara
import aesara.tensor as T
import numpy as np
from lasagne.layers import Layer


class LocalContrastNormalizationLayer(Layer):
    r"""Each pixel against its neighbourhood: mean taken off, divided by the local or the mean deviation.

    .. math::

        v &= x - g * x, \qquad s = \sqrt{g * v^2} \\
        y &= (v / \max(s, \bar s, t) + 2.5) / 5

    with a Gaussian window g, zeros beyond the border, and :math:`\bar s` the mean of s over the *picture*.

    Parameters
    ----------
    incoming : Layer or tuple
        Shape (batch, channels, height, width), values 0 to 255; each channel is treated on its own.
    kernel_size : int
        Side of the window, odd, in pixels.
    sigma : float
        Standard deviation of the window, in pixels.
    threshold : float
        Least divisor, so that an even picture becomes 0.5 and no NaN.
    **kwargs
        Of `lasagne.layers.Layer`.

    Raises
    ------
    ValueError
        An even window, or an input of other than four dimensions.

    References
    ----------
    Honari et al., 2016, took it from Pylearn2 (after Jarrett et al., 2009), with :math:`\bar s` over the whole batch;
    a picture's own mean makes the result independent of its neighbours in the batch.
    """

    def __init__(self, incoming, kernel_size=9, sigma=1.591, threshold=1e-4, **kwargs):
        super().__init__(incoming, **kwargs)
        if len(self.input_shape) != 4 or kernel_size % 2 == 0:
            raise ValueError(
                f"LocalContrastNormalizationLayer {self.name!r} expects input of shape (batch, channels, height, "
                f"width) and an odd kernel_size, got {self.input_shape} and {kernel_size}"
            )
        offsets = np.arange(kernel_size) - kernel_size // 2
        window = np.exp(-(offsets**2) / (2 * sigma**2))
        self.window = window / window.sum()
        self.threshold = threshold

    def _smooth(self, x):
        """The Gaussian window's weighted mean; it is separable, so one axis after the other."""
        window = self.window.astype(aesara.config.floatX)
        for shape in ((1, 1, -1, 1), (1, 1, 1, -1)):
            x = T.nnet.conv2d(x, T.constant(window.reshape(shape)), border_mode="half")
        return x

    def get_output_for(self, input, **kwargs):
        _, channels, height, width = self.input_shape
        x = input.reshape((input.shape[0] * channels, 1, height, width))
        centred = x - self._smooth(x)
        deviation = T.sqrt(self._smooth(T.square(centred)))
        of_picture = deviation.mean(axis=(1, 2, 3), keepdims=True)
        divisor = T.maximum(T.maximum(deviation, of_picture), self.threshold)
        return ((centred / divisor + 2.5) / 5).reshape(input.shape)
