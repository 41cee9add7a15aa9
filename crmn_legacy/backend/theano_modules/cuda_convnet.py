"""What answers for ``pylearn2.sandbox.cuda_convnet``: convolution and pooling with the batch as the last axis."""

import aesara.tensor as at
from aesara.tensor.nnet import abstract_conv
from aesara.tensor.signal.pool import pool_2d


class FilterActs:
    """Correlation: ``FilterActs(pad, partial_sum, stride)(images, filters)``.

    `images` are (channels, rows, columns, batch), `filters` (channels, rows, columns, filters). Where the stride does
    not fit, one more window reaches over the edge, as cuda-convnet had it.
    """

    def __init__(self, pad=0, partial_sum=None, stride=1):
        self.pad, self.partial_sum, self.stride = pad, partial_sum, stride

    def __call__(self, images, filters):
        images, filters = _batch_first(images), _batch_first(filters)
        if self.stride > 1:
            images = _padded(images, self.pad, self.pad + self.stride - 1)
        border_mode = (self.pad, self.pad) if self.stride == 1 else "valid"
        result = abstract_conv.conv2d(
            images, filters, border_mode=border_mode, subsample=(self.stride, self.stride), filter_flip=False
        )
        return result.dimshuffle(1, 2, 3, 0)


class _Pool:
    """Pooling of (channels, rows, columns, batch); windows may reach over the edge."""

    mode = "max"

    def __init__(self, ds, stride, start=0, outputs=0):
        if start or outputs:
            raise NotImplementedError("cuda-convnet's pooling is answered for start=0 and outputs=0 alone")
        self.ds, self.stride = ds, stride

    def __call__(self, images):
        window, step = (self.ds, self.ds), (self.stride, self.stride)
        pooled = pool_2d(_batch_first(images), window, ignore_border=False, stride=step, mode=self.mode)
        return pooled.dimshuffle(1, 2, 3, 0)


class MaxPool(_Pool):
    """``MaxPool(ds, stride)(images)``."""


class AvgPool(_Pool):
    """``AvgPool(ds, stride)(images)``."""

    mode = "average_exc_pad"


def max_pool_c01b(c01b, pool_shape, pool_stride, start=0):
    """Pool as `MaxPool` does; ``pylearn2.sandbox.cuda_convnet.pool.max_pool_c01b``."""
    return MaxPool(_one(pool_shape), _one(pool_stride), start)(c01b)


def _one(sides):
    if isinstance(sides, int):
        return sides
    if len(set(sides)) != 1:
        raise ValueError(f"got {tuple(sides)}, expected a square: cuda-convnet knows no other")
    return sides[0]


def _batch_first(x):
    return at.as_tensor_variable(x).dimshuffle(3, 0, 1, 2)


def _padded(x, before, after):
    rows, columns = x.shape[2], x.shape[3]
    whole = at.zeros((x.shape[0], x.shape[1], rows + before + after, columns + before + after), dtype=x.dtype)
    return at.set_subtensor(whole[:, :, before : before + rows, before : before + columns], x)
