"""What answers for ``theano.sandbox.cuda`` and ``theano.gpuarray``: arrays and operations of the host, and no copies.

What a program moves to the card stays what it is, and XLA has it where it computes.
"""

import aesara
import aesara.tensor as at
import numpy as np
from aesara.graph.op import Op
from aesara.tensor.nnet import abstract_conv
from aesara.tensor.nnet.blocksparse import sparse_block_dot
from aesara.tensor.sharedvar import TensorSharedVariable
from aesara.tensor.type import TensorType

from crmn_legacy.backend import variables
from crmn_legacy.backend.theano_modules.nnet import conv2d

cuda_available = cuda_enabled = pygpu_activated = False
GpuOp = Op
CudaNdarrayVariable = GpuArrayVariable = at.TensorVariable
CudaNdarrayConstant = GpuArrayConstant = at.TensorConstant
CudaNdarraySharedVariable = GpuArraySharedVariable = TensorSharedVariable
shared_constructor = float32_shared_constructor = gpuarray_shared_constructor = aesara.shared
sparse_block_dot_SS = sparse_block_dot  # noqa: N816 - Theano's name

_used = set()


def use(device, *arguments, **options):
    """Take a card; told, once, that there is none of Theano's."""
    if device != "cpu" and device not in _used:
        _used.add(device)
        variables.tell(f"use({device!r}) set aside: this computes without Theano's GPU code")


def unuse():
    """Give the card back."""


def active_device_name():
    """The device's name."""
    return "cpu"


def active_device_number():
    """The device's number, -1 for none."""
    return -1


# Arrays.


class CudaNdarray:
    """An array of float32; what calling it makes is one of NumPy."""

    def __new__(cls, value=()):
        return np.asarray(value, dtype="float32")

    @staticmethod
    def zeros(shape):
        """An array of nought."""
        return np.zeros(shape, dtype="float32")


def CudaNdarray_unpickler(npa):
    """What a pickle calls for an array that lay on a card: the array."""
    return npa


def GpuArray_unpickler(npa, ctx_name=None):
    """What a pickle calls for an array that lay on a card: the array."""
    return npa


# Types, and what pickles make of them without calling them.


class CudaNdarrayType(TensorType):
    """Calling it gives the type of float32 tensors with these lengths of 1; ``theano.sandbox.cuda.CudaNdarrayType``."""

    def __new__(cls, broadcastable=None, name=None, dtype="float32"):
        return object.__new__(cls) if broadcastable is None else TensorType(dtype, tuple(broadcastable), name)

    def __init__(self, *arguments):
        """Nothing: a pickle gives the state."""

    def __setstate__(self, state):
        self.__class__ = TensorType
        self.__setstate__({"dtype": "float32", **state})


class GpuArrayType(TensorType):
    """Calling it gives the type of tensors with these lengths of 1; ``theano.gpuarray.GpuArrayType``."""

    def __new__(cls, dtype=None, broadcastable=None, name=None, context_name=None):
        return object.__new__(cls) if dtype is None else TensorType(dtype, tuple(broadcastable), name)

    def __init__(self, *arguments):
        """Nothing: a pickle gives the state."""

    __setstate__ = CudaNdarrayType.__setstate__


# Operations that only move, or lay out, what is there.


def gpu_contiguous(x):
    """`x` as a symbolic tensor."""
    return at.as_tensor_variable(x)


gpu_from_host = host_from_gpu = as_cuda_ndarray_variable = as_cuda_array = gpu_contiguous


def as_gpuarray_variable(x, context_name=None):
    """`x` as a symbolic tensor."""
    return at.as_tensor_variable(x)


def infer_context_name(*variables):
    """The card that variables are on: none."""


class _Moving:
    """An operation that moves its input."""

    def __init__(self, context_name=None):
        self.context_name = context_name

    def __call__(self, x):
        return at.as_tensor_variable(x)


class HostFromGpu(_Moving):
    """``HostFromGpu()(x)``."""


class GpuFromHost(_Moving):
    """``GpuFromHost(context)(x)``."""


class GpuContiguous(_Moving):
    """``GpuContiguous()(x)``."""


class GpuAllocEmpty:
    """``GpuAllocEmpty(dtype, context)(*shape)``; nought here."""

    def __init__(self, dtype="float32", context_name=None):
        self.dtype = dtype

    def __call__(self, *shape):
        return at.zeros(shape, dtype=self.dtype)


def gpu_alloc_empty(*arguments, dtype=None, **options):
    """A tensor of a shape; of the old kind given the shape, of the new the context, then ``(*shape)``."""
    if dtype is not None or not arguments or arguments[0] is None or isinstance(arguments[0], str):
        return GpuAllocEmpty(dtype or aesara.config.floatX)
    return at.zeros(arguments, dtype=aesara.config.floatX)


# Convolutions by their makers.


class GpuCorrMM:
    """Correlation, the filters as they are: ``GpuCorrMM(border_mode, subsample)(img, kern)``.

    What came third was the padding until Theano 0.8 and then the dilation: it is taken by its name alone.
    """

    def __init__(self, border_mode="valid", subsample=(1, 1), *, pad=(0, 0), filter_dilation=(1, 1), **options):
        self.border_mode = pad if tuple(np.broadcast_to(pad, 2)) != (0, 0) else border_mode
        self.subsample, self.filter_dilation = tuple(subsample), tuple(filter_dilation)
        self.num_groups = options.get("num_groups", 1)

    def _options(self):
        return {
            "border_mode": self.border_mode, "subsample": self.subsample, "filter_dilation": self.filter_dilation,
            "num_groups": self.num_groups, "filter_flip": False,
        }  # fmt: skip

    def __call__(self, img, kern):
        return conv2d(img, kern, **self._options())


class GpuCorrMM_gradInputs(GpuCorrMM):  # noqa: N801 - Theano's name
    """Its gradient for the pictures: ``(kern, topgrad, shape=None)``."""

    def __call__(self, kern, topgrad, shape=None):
        gradient = abstract_conv.AbstractConv2d_gradInputs(**self._options())
        kern, topgrad = at.as_tensor_variable(kern), at.as_tensor_variable(topgrad)
        if shape is None:
            shape = smallest_input(kern.shape[2:], topgrad.shape[2:], self)
        return gradient(kern, topgrad, at.as_tensor_variable(shape))


class GpuCorrMM_gradWeights(GpuCorrMM):  # noqa: N801 - Theano's name
    """Its gradient for the filters: ``(img, topgrad, shape=None)``."""

    def __call__(self, img, topgrad, shape=None):
        gradient = abstract_conv.AbstractConv2d_gradWeights(**self._options())
        img, topgrad = at.as_tensor_variable(img), at.as_tensor_variable(topgrad)
        if shape is None:
            padding = _padding(self.border_mode)
            shape = [
                side + 2 * pad - (top - 1) * step
                for side, top, step, pad in zip(img.shape[2:], topgrad.shape[2:], self.subsample, padding, strict=True)
            ]
        return gradient(img, topgrad, at.as_tensor_variable(shape))


def smallest_input(kern, topgrad, conv):
    """Sides of the smallest pictures that a convolution makes `topgrad` of."""
    padding = _padding(conv.border_mode)
    return [
        (top - 1) * step + (side - 1) * dilation + 1 - 2 * pad
        for side, top, step, dilation, pad in zip(
            (kern[0], kern[1]), (topgrad[0], topgrad[1]), conv.subsample, conv.filter_dilation, padding, strict=True
        )
    ]


def _padding(border_mode):
    if border_mode == "valid":
        return 0, 0
    if isinstance(border_mode, str):
        raise ValueError(f"got border_mode={border_mode!r} and no shape, expected a shape: the sides are not known")
    return tuple(int(pad) for pad in np.broadcast_to(border_mode, 2))


class GpuCorr3dMM:
    """Correlation of volumes: ``GpuCorr3dMM(border_mode, subsample)(img, kern)``."""

    def __init__(self, border_mode="valid", subsample=(1, 1, 1), pad=(0, 0, 0), **options):
        self.border_mode = pad if any(np.atleast_1d(pad)) else border_mode
        self.subsample = tuple(subsample)

    def __call__(self, img, kern):
        return abstract_conv.conv3d(
            img, kern, border_mode=self.border_mode, subsample=self.subsample, filter_flip=False
        )


def conv2d_fft(input, filters, image_shape=None, filter_shape=None, border_mode="valid", pad_last_dim=False):
    """Convolution; ``theano.sandbox.cuda.fftconv.conv2d_fft``."""
    return conv2d(input, filters, image_shape, filter_shape, border_mode)


def conv3d_fft(input, filters, image_shape=None, filter_shape=None, border_mode="valid", pad_last_dim=False):
    """Convolution of volumes; ``theano.sandbox.cuda.fftconv.conv3d_fft``."""
    return abstract_conv.conv3d(input, filters, image_shape, filter_shape, border_mode)
