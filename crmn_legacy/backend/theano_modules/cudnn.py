"""What answers for ``theano.sandbox.cuda.dnn`` and ``theano.gpuarray.dnn``: the ordinary operations, for cuDNN's."""

import aesara.tensor as at
from aesara.graph.basic import Variable
from aesara.tensor import special
from aesara.tensor.nnet import abstract_conv, batchnorm
from aesara.tensor.signal.pool import pool_2d, pool_3d

_CONVOLUTIONS = {2: abstract_conv.conv2d, 3: abstract_conv.conv3d}


def dnn_available(context_name=None):
    """Whether cuDNN's functions are answered: they are."""
    return True


dnn_present = dnn_available
dnn_available.msg = ""


def version(raises=True):
    """The version of cuDNN whose functions are answered."""
    return 5110


def dnn_conv(img, kerns, border_mode="valid", subsample=(1, 1), *rest, **options):
    """Convolve 4-d `img` with 4-d `kerns`.

    Parameters
    ----------
    border_mode : str, int or tuple of int
        ``valid``, ``full``, ``half``, or the padding.
    subsample : tuple of int
        Strides.
    *rest, **options
        `dilation` (since Theano 0.9), `conv_mode` (``conv``, the default, or ``cross``), `num_groups`; hints
        of how to compute it (`direction_hint`, `workmem`, `algo`, `precision`) have no effect.
    """
    return _convolved(2, img, kerns, _Convolution(2, border_mode, subsample, rest, options))


def dnn_conv3d(img, kerns, border_mode="valid", subsample=(1, 1, 1), *rest, **options):
    """Convolve 5-d `img` with 5-d `kerns`; see `dnn_conv`."""
    return _convolved(3, img, kerns, _Convolution(3, border_mode, subsample, rest, options))


class _Convolution:
    """How a convolution is meant, whichever Theano's order its arguments have."""

    def __init__(self, ndim, border_mode, subsample, rest=(), options=()):
        options = dict(options)
        # The dilation came in between later.
        named = ("conv_mode",) if not rest or isinstance(rest[0], str) else ("dilation", "conv_mode")
        options.update(zip(named, rest, strict=False))
        self.border_mode = border_mode if isinstance(border_mode, str | int) else tuple(border_mode)
        self.subsample = tuple(subsample)
        self.conv_mode = options.get("conv_mode", "conv")
        self.dilation = tuple(options.get("dilation", (1,) * ndim))
        self.num_groups = options.get("num_groups", 1)
        if self.conv_mode not in ("conv", "cross"):
            raise ValueError(f"got conv_mode={self.conv_mode!r}, expected 'conv' or 'cross'")

    def options(self):
        """As Aesara's convolutions take them."""
        return {
            "border_mode": self.border_mode, "subsample": self.subsample, "filter_dilation": self.dilation,
            "filter_flip": self.conv_mode == "conv", "num_groups": self.num_groups,
        }  # fmt: skip


def _convolved(ndim, img, kerns, how):
    return _CONVOLUTIONS[ndim](img, kerns, **how.options())


def dnn_gradweight(img, topgrad, kerns_shp, border_mode="valid", subsample=(1, 1), *rest, **options):
    """The gradient of `dnn_conv` for its filters, whose shape is `kerns_shp`."""
    return _weights(2, img, topgrad, kerns_shp, _Convolution(2, border_mode, subsample, rest, options))


def dnn_gradweight3d(img, topgrad, kerns_shp, border_mode="valid", subsample=(1, 1, 1), *rest, **options):
    """The gradient of `dnn_conv3d` for its filters, whose shape is `kerns_shp`."""
    return _weights(3, img, topgrad, kerns_shp, _Convolution(3, border_mode, subsample, rest, options))


def dnn_gradinput(kerns, topgrad, img_shp, border_mode="valid", subsample=(1, 1), *rest, **options):
    """The gradient of `dnn_conv` for its pictures, whose shape is `img_shp`."""
    return _inputs(2, kerns, topgrad, img_shp, _Convolution(2, border_mode, subsample, rest, options))


def dnn_gradinput3d(kerns, topgrad, img_shp, border_mode="valid", subsample=(1, 1, 1), *rest, **options):
    """The gradient of `dnn_conv3d` for its volumes, whose shape is `img_shp`."""
    return _inputs(3, kerns, topgrad, img_shp, _Convolution(3, border_mode, subsample, rest, options))


def _weights(ndim, img, topgrad, shape, how):
    gradient = getattr(abstract_conv, f"AbstractConv{ndim}d_gradWeights")(**how.options())
    return gradient(img, topgrad, at.as_tensor_variable(shape)[2:])


def _inputs(ndim, kerns, topgrad, shape, how):
    gradient = getattr(abstract_conv, f"AbstractConv{ndim}d_gradInputs")(**how.options())
    return gradient(kerns, topgrad, at.as_tensor_variable(shape)[2:])


# The same as operations, which programs call for a convolution's transpose.


class GpuDnnConvDesc(_Convolution):
    """How to convolve: ``GpuDnnConvDesc(border_mode, subsample, conv_mode)(img_shape, kern_shape)``."""

    def __init__(self, border_mode, subsample=(1, 1), *rest, **options):
        super().__init__(len(tuple(subsample)), border_mode, subsample, rest, options)

    def __call__(self, *shapes):
        """The description; the shapes follow from what is convolved."""
        return self


class _ByDescription:
    """An operation that is told how by a `GpuDnnConvDesc`, and by how much its result counts."""

    def __init__(self, *arguments, **options):
        """Hints of how to compute it have no effect."""

    def _result(self, ndim, *arguments):
        raise NotImplementedError

    def __call__(self, first, second, output, desc, alpha=None, beta=None):
        first, second = at.as_tensor_variable(first), at.as_tensor_variable(second)
        result = self._result(first.ndim - 2, first, second, output, desc)
        if alpha is not None:
            result = alpha * result
        return result if beta is None else result + beta * output


class GpuDnnConv(_ByDescription):
    """``GpuDnnConv()(img, kern, output, desc)``."""

    def _result(self, ndim, img, kern, output, desc):
        return _convolved(ndim, img, kern, desc)

    @staticmethod
    def get_out_shape(ishape, kshape, border_mode, subsample, dilation=None):
        """Shape of the result, a tuple."""
        return abstract_conv.get_conv_output_shape(ishape, kshape, border_mode, subsample, dilation)


class GpuDnnConvGradW(_ByDescription):
    """``GpuDnnConvGradW()(img, topgrad, output, desc)``: `output` has the filters' shape."""

    def _result(self, ndim, img, topgrad, output, desc):
        return _weights(ndim, img, topgrad, output.shape, desc)


class GpuDnnConvGradI(_ByDescription):
    """``GpuDnnConvGradI()(kern, topgrad, output, desc)``: `output` has the pictures' shape."""

    def _result(self, ndim, kern, topgrad, output, desc):
        return _inputs(ndim, kern, topgrad, output.shape, desc)


GpuDnnConv3d, GpuDnnConv3dGradW, GpuDnnConv3dGradI = GpuDnnConv, GpuDnnConvGradW, GpuDnnConvGradI


# Pooling.


def dnn_pool(img, ws, stride=None, mode="max", pad=None):
    """Pool over the last two axes of 4-d `img`, the last three of 5-d; windows that reach over the edge are left out.

    Parameters
    ----------
    ws, stride, pad : tuple of int
        Window, stride (1 by default) and padding.
    mode : {'max', 'sum', 'average_inc_pad', 'average_exc_pad'}
    """
    img = at.as_tensor_variable(img)
    ndim = img.ndim - 2
    pool = pool_2d if ndim == 2 else pool_3d
    mode = "average_inc_pad" if mode == "average" else mode
    stride = (1,) * ndim if stride is None else stride
    pad = (0,) * ndim if pad is None else pad
    return pool(img, _sides(ws), True, _sides(stride), pad, mode)


def _sides(lengths):
    """Lengths as the operation takes them: as one tensor where one of them is symbolic."""
    symbolic = not isinstance(lengths, Variable) and any(isinstance(length, Variable) for length in lengths)
    return at.stack(lengths) if symbolic else lengths


class GpuDnnPoolDesc:
    """How to pool: ``GpuDnnPoolDesc(ws, stride, mode, pad)()``."""

    def __init__(self, ws=(1, 1), stride=None, mode="max", pad=None):
        self.ws, self.stride, self.mode, self.pad = ws, stride, mode, pad

    def __call__(self):
        """The description."""
        return self


class GpuDnnPool:
    """``GpuDnnPool()(img, desc)``, or later ``GpuDnnPool(mode)(img, ws, stride, pad)``."""

    def __init__(self, mode="max"):
        self.mode = mode

    def __call__(self, img, ws, stride=None, pad=None):
        if isinstance(ws, GpuDnnPoolDesc):
            return dnn_pool(img, ws.ws, ws.stride, ws.mode, ws.pad)
        return dnn_pool(img, ws, stride, self.mode, pad)


# The rest.


class GpuDnnSoftmax:
    """Softmax of 4-d tensors: ``GpuDnnSoftmax(algo, mode)(x)``; before Theano 0.9 with ``tensor_format`` first.

    Over the channels of each place (``channel``), or over all that a picture has (``instance``).
    """

    def __init__(self, *arguments, algo="accurate", mode="channel", tensor_format="bc01"):
        for given in arguments:
            if given in ("channel", "instance"):
                mode = given
            elif given in ("accurate", "fast", "log"):
                algo = given
            else:
                tensor_format = given
        if tensor_format not in ("bc01", "b01c"):
            raise ValueError(f"got tensor_format={tensor_format!r}, expected 'bc01' or 'b01c'")
        self.function = special.log_softmax if algo == "log" else special.softmax
        self.mode, self.axis = mode, 1 if tensor_format == "bc01" else 3

    def __call__(self, x):
        x = at.as_tensor_variable(x)
        if self.mode == "channel":
            return self.function(x, axis=self.axis)
        return self.function(x.flatten(2), axis=-1).reshape(x.shape)


def dnn_batch_normalization_train(
    inputs,
    gamma,
    beta,
    mode="per-activation",
    epsilon=1e-4,
    running_average_factor=0.1,
    running_mean=None,
    running_var=None,
):
    """Normalise by the batch; ``theano.sandbox.cuda.dnn.dnn_batch_normalization_train``.

    Returns
    -------
    out, mean, invstd
        And the new running mean and variance where those before are given.
    """
    return batchnorm.batch_normalization_train(
        inputs, gamma, beta, mode, epsilon, running_average_factor, running_mean, running_var
    )


def dnn_batch_normalization_test(inputs, gamma, beta, mean, var, mode="per-activation", epsilon=1e-4):
    """Normalise by a mean and a variance; ``theano.sandbox.cuda.dnn.dnn_batch_normalization_test``."""
    return batchnorm.batch_normalization_test(inputs, gamma, beta, mean, var, mode, epsilon)
