"""What families have in common: convolutions, batch norm, rectifiers, the head, and how three stages are numbered.

Functions whose names begin with `torch` have the first weights and the settings of peers that were written in Torch.
Where a block is called `name` and a layer in it has a `number`, the layers are `name.conv<number>`,
`name.bn<number>` and `name.rectify<number>`.
"""

from math import sqrt

from lasagne.init import HeNormal, Normal, Uniform
from lasagne.layers import DenseLayer, GlobalPoolLayer, NonlinearityLayer
from lasagne.nonlinearities import rectify

from crmn_legacy.layers import BatchNormLayer, Conv2DLayer

NUM_STAGES = 3

# Torch's 1e-5, and so little more that single precision has it not below the least that our layer takes.
TORCH_BATCH_NORM = {"epsilon": 1.000001e-5, "average": "var"}


def three_stages(n, num_filters):
    """Where maps double and shrink in a residual network of three stages.

    Parameters
    ----------
    n : int
        Blocks of each stage.
    num_filters : int
        Feature maps of the first stage; each later stage has twice as many as the one before.

    Yields
    ------
    (int, int, str)
        Feature maps, stride and name of each of the 3n blocks, in the order of depth.
    """
    for stage in range(NUM_STAGES):
        for block in range(n):
            stride = 2 if stage > 0 and block == 0 else 1
            yield num_filters * 2**stage, stride, f"stage{stage + 1}.block{block + 1}"


def convolution(incoming, num_filters, filter_size, name, **arguments):
    """Convolution with filters of an odd side, padded so that stride 1 keeps the maps' size.

    Parameters
    ----------
    incoming : Layer
        (batch, channels, height, width).
    num_filters, filter_size : int
        Maps that come out; side of the filters.
    name : str
        Path of the layer.
    **arguments
        For `Conv2DLayer`; by default Glorot uniform weights, biases of 0 and the rectifier.

    Returns
    -------
    Layer
        (batch, num_filters, height / stride, width / stride).
    """
    return Conv2DLayer(incoming, num_filters, filter_size, pad=filter_size // 2, name=name, **arguments)


def he_convolution(incoming, num_filters, filter_size, name, stride=1, b=None):
    """Linear convolution with the first weights of He et al. (2015), by default without bias."""
    W = HeNormal(gain="relu")
    return convolution(incoming, num_filters, filter_size, name, stride=stride, W=W, b=b, nonlinearity=None)


def torch_convolution(incoming, num_filters, filter_size, name, stride=1):
    """Linear convolution without bias, its weights' variance 2 / (filter's area x maps that come out)."""
    W = Normal(sqrt(2 / (filter_size**2 * num_filters)))
    return convolution(incoming, num_filters, filter_size, name, stride=stride, W=W, b=None, nonlinearity=None)


def rectified(incoming, name):
    """The rectifier as a layer of its own."""
    return NonlinearityLayer(incoming, rectify, name=name)


def batch_norm_rectify(incoming, name, number="", **batch_norm):
    """Batch norm, its settings in `batch_norm`, then the rectifier."""
    normalised = BatchNormLayer(incoming, name=f"{name}.bn{number}", **batch_norm)
    return rectified(normalised, f"{name}.rectify{number}")


def torch_batch_norm_rectify(incoming, name, number=""):
    """Batch norm with Torch's settings, then the rectifier."""
    return batch_norm_rectify(incoming, name, number, **TORCH_BATCH_NORM)


def pooled_output(incoming, num_outputs, nonlinearity, **arguments):
    """Global mean pool and a dense layer, (batch, num_outputs); `arguments` are the dense layer's."""
    features = GlobalPoolLayer(incoming, name="global_pool")
    return DenseLayer(features, num_outputs, nonlinearity=nonlinearity, name="output", **arguments)


def torch_linear_init(num_inputs):
    """Torch's own first values of a linear layer, its biases' too."""
    return Uniform(1 / sqrt(num_inputs))


def torch_pooled_output(incoming, num_outputs, nonlinearity):
    """Global mean pool and a dense layer of Torch's first weights, biases of 0."""
    W = torch_linear_init(incoming.output_shape[1])
    return pooled_output(incoming, num_outputs, nonlinearity, W=W)
