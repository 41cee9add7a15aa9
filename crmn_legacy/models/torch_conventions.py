"""What the peers that were written in Torch have in common: convolution, batch norm, first weights."""

from math import sqrt

from lasagne.init import Normal, Uniform
from lasagne.layers import DenseLayer, GlobalPoolLayer, NonlinearityLayer
from lasagne.nonlinearities import rectify

from crmn_legacy.layers import BatchNormLayer, Conv2DLayer

# Torch's batch norm. Its 1e-5, and so little more that single precision has it not below the least that ours takes.
BATCH_NORM = {"epsilon": 1.000001e-5, "average": "var"}


def convolution(incoming, num_filters, filter_size, name, stride=1):
    """Convolution without bias, its weights' variance 2 / (filter's area x maps that come out)."""
    return Conv2DLayer(
        incoming,
        num_filters,
        filter_size,
        stride=stride,
        pad=filter_size // 2,
        W=Normal(sqrt(2 / (filter_size**2 * num_filters))),
        b=None,
        nonlinearity=None,
        name=name,
    )


def batch_norm_rectify(incoming, bn_name, rectify_name):
    """Batch norm with Torch's settings, then the rectifier."""
    return NonlinearityLayer(BatchNormLayer(incoming, name=bn_name, **BATCH_NORM), rectify, name=rectify_name)


def linear_init(num_inputs):
    """Torch's own first values of a linear layer, its biases' too."""
    return Uniform(1 / sqrt(num_inputs))


def pooled_output(incoming, num_outputs, nonlinearity):
    """Global mean pool and a dense layer of Torch's first weights, biases of 0."""
    features = GlobalPoolLayer(incoming, name="global_pool")
    W = linear_init(features.output_shape[1])
    return DenseLayer(features, num_outputs, W=W, nonlinearity=nonlinearity, name="output")
