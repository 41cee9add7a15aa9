"""Functions of ``theano.tensor.nnet`` and ``.signal`` by Theano's conventions, where Aesara's are others."""

import math

import aesara.tensor as at
from aesara.graph.basic import Variable
from aesara.tensor import special
from aesara.tensor.nnet import abstract_conv
from aesara.tensor.nnet import conv2d as _conv2d
from aesara.tensor.signal.pool import pool_2d


def conv2d(
    input,
    filters,
    image_shape=None,
    filter_shape=None,
    border_mode="valid",
    subsample=(1, 1),
    filter_flip=True,
    **options,
):
    """Convolve 4-d `input` with 4-d `filters`; ``theano.tensor.nnet.conv.conv2d``.

    Parameters
    ----------
    image_shape, filter_shape : tuple of int or None, optional
        Static shapes of `input` and `filters`, as far as known.
    border_mode : {'valid', 'full'}
        Also what later versions of Theano took: ``'half'``, an int, a pair of ints.
    subsample : tuple of int
        Strides along rows and columns.
    filter_flip : bool
        Turn the filters, as a convolution does.
    **options
        ``input_shape``, ``filter_dilation``, ``num_groups`` as in later versions of Theano. Theano 0.7's
        hints to its code generator (``unroll_*``, ``version``, ``openmp``, ``verbose``) have no effect.

    Returns
    -------
    TensorVariable
        4-d, (batch, filters, rows, columns).
    """
    for hint in ("unroll_batch", "unroll_kern", "unroll_patch", "version", "openmp", "verbose"):
        options.pop(hint, None)
    input_shape = options.pop("input_shape", None)
    if image_shape is None:
        image_shape = input_shape
    return _conv2d(input, filters, image_shape, filter_shape, border_mode, subsample, filter_flip, **options)


def max_pool_2d(input, ds, ignore_border=False, st=None, padding=(0, 0), mode="max"):
    """Pool over the last two axes of `input`; ``theano.tensor.signal.downsample.max_pool_2d``.

    Parameters
    ----------
    ds, st, padding : tuple of int
        Window, stride (None: the window), and padding, along rows and columns.
    ignore_border : bool
        Leave out windows that reach over the edge.
    mode : {'max', 'sum', 'average_inc_pad', 'average_exc_pad'}
    """
    return pool_2d(input, ws=ds, ignore_border=ignore_border, stride=st, pad=padding, mode=mode)


def softmax(x):
    """Softmax over each row of a matrix; ``theano.tensor.nnet.softmax``. A vector counts as one row."""
    x = at.as_tensor_variable(x)
    # With the axis said, Aesara does not warn of a default that is to change.
    return special.softmax(at.shape_padleft(x) if x.ndim == 1 else x, axis=-1)


def softmax_graph(c):
    """Softmax over each row, written out; ``theano.tensor.nnet.softmax_graph``."""
    return at.exp(c) / at.exp(c).sum(axis=-1, keepdims=True)


def logsoftmax(x):
    """The logarithm of `softmax`; ``theano.tensor.nnet.logsoftmax``."""
    x = at.as_tensor_variable(x)
    return special.log_softmax(at.shape_padleft(x) if x.ndim == 1 else x, axis=-1)


class Softmax:
    """``theano.tensor.nnet.Softmax()(x)``."""

    def __call__(self, x):
        return softmax(x)


class LogSoftmax:
    """``theano.tensor.nnet.LogSoftmax()(x)``."""

    def __call__(self, x):
        return logsoftmax(x)


softmax_op, logsoftmax_op, softmax_grad = Softmax(), LogSoftmax(), special.SoftmaxGrad(axis=-1)


def bilinear_upsampling(
    input, ratio=None, frac_ratio=None, batch_size=None, num_input_channels=None, use_1D_kernel=True
):
    """Scale pictures up by a whole or a fractional ratio; ``theano.tensor.nnet.abstract_conv.bilinear_upsampling``.

    A number for the third argument is `batch_size`, and what follows moves up by one, as before Theano 1.0.
    """
    if isinstance(frac_ratio, int) and not isinstance(frac_ratio, bool):
        frac_ratio, batch_size, num_input_channels = None, frac_ratio, batch_size
    return abstract_conv.bilinear_upsampling(input, ratio, frac_ratio, batch_size, num_input_channels, use_1D_kernel)


# Theano 0.7's convolution of videos, whose channels come last.


def conv3D(V, W, b, d):
    """Correlate videos with filters; ``theano.tensor.nnet.conv3D``.

    Parameters
    ----------
    V : 5-d
        (batch, rows, columns, time, channels).
    W : 5-d
        (filters, rows, columns, time, channels); not flipped.
    b : vector
        Added, one a filter.
    d : sequence of 3 int
        Strides along rows, columns and time.

    Returns
    -------
    TensorVariable
        (batch, rows, columns, time, filters).
    """
    result = abstract_conv.conv3d(_channels_first(V), _channels_first(W), subsample=_strides(d), filter_flip=False)
    return _channels_last(result) + b


def convTransp3D(W, b, d, H, RShape=None):
    """What `conv3D` takes from `H` to its input, with `b` added; ``theano.tensor.nnet.convTransp3D``."""
    H, W = _channels_first(H), _channels_first(W)
    if RShape is None:
        RShape = [
            (side - 1) * step + size for side, step, size in zip(H.shape[2:], _strides(d), W.shape[2:], strict=True)
        ]
    gradient = abstract_conv.AbstractConv3d_gradInputs(subsample=_strides(d), filter_flip=False)
    return _channels_last(gradient(W, H, at.as_tensor_variable(RShape))) + b


def convGrad3D(V, d, WShape, dCdH):
    """The gradient of `conv3D` for its filters; ``theano.tensor.nnet.convGrad3D``."""
    gradient = abstract_conv.AbstractConv3d_gradWeights(subsample=_strides(d), filter_flip=False)
    shape = at.as_tensor_variable(WShape)[1:4]
    return _channels_last(gradient(_channels_first(V), _channels_first(dCdH), shape))


def _channels_first(x):
    return at.as_tensor_variable(x).dimshuffle(0, 4, 1, 2, 3)


def _channels_last(x):
    return x.dimshuffle(0, 2, 3, 4, 1)


def _strides(d):
    """Strides as numbers: they are part of the operation here."""
    return tuple(int(at.get_scalar_constant_value(step)) if isinstance(step, Variable) else int(step) for step in d)


# Pooling as an operation.


class DownsampleFactorMax:
    """Pooling; ``theano.tensor.signal.downsample.DownsampleFactorMax(ds)(x)``.

    Parameters
    ----------
    ds, st, padding : tuple of int
        Window, stride (None: the window), and padding, along rows and columns.
    ignore_border : bool
    mode : {'max', 'sum', 'average_inc_pad', 'average_exc_pad'}
    """

    def __init__(self, ds, ignore_border=False, st=None, padding=(0, 0), mode="max"):
        self.ds, self.st, self.padding = tuple(ds), tuple(st or ds), tuple(padding)
        self.ignore_border, self.mode = ignore_border, mode

    def __call__(self, x):
        return pool_2d(x, self.ds, self.ignore_border, self.st, self.padding, self.mode)

    @staticmethod
    def out_shape(imgshape, ds, ignore_border=False, st=None, padding=(0, 0)):
        """Shape of what pooling makes of `imgshape`, a list."""
        pooled = [
            _pooled(side + 2 * pad, window, step, ignore_border)
            for side, window, step, pad in zip(imgshape[-2:], ds, st or ds, padding, strict=True)
        ]
        return [*imgshape[:-2], *pooled]


def _pooled(side, window, step, ignore_border):
    if isinstance(side, Variable):
        if ignore_border:
            return at.maximum((side - window) // step + 1, 0)
        if step >= window:
            return (side - 1) // step + 1
        return at.maximum(0, (side - 1 - window + step) // step) + 1
    if ignore_border:
        return max((side - window) // step + 1, 0)
    return math.ceil(side / step) if step >= window else max(0, math.ceil((side - window) / step)) + 1
