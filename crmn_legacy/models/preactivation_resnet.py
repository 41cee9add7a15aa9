"""The pre-activation residual network of bottleneck blocks of He et al. (2016), 9n+2 layers deep."""

from math import sqrt

from lasagne.init import Normal, Uniform
from lasagne.layers import DenseLayer, ElemwiseSumLayer, GlobalPoolLayer, NonlinearityLayer
from lasagne.nonlinearities import rectify

from crmn_legacy.layers import BatchNormLayer, Conv2DLayer, RepeatedLayer

NUM_STAGES = 3
# Torch's 1e-5, and so little more that single precision has it not below the least that batch norm takes.
EPSILON = 1.000001e-5
EXPANSION = 4


def preactivation_resnet(input_layer, n, num_filters, num_outputs, nonlinearity):
    """The 9n+2 pre-activation ResNet: one convolution, 3n bottleneck blocks, batch norm, global pool, one dense layer.

    A stage's first block changes the maps' number and size and stands by itself; the n - 1 alike after it are one
    `RepeatedLayer`, compiled once. Names and numbers of parameters are those of the blocks written out.

    Parameters
    ----------
    input_layer : Layer
        What the first convolution reads, (batch, channels, height, width).
    n : int
        Blocks a stage; three stages, three convolutions a block.
    num_filters : int
        Feature maps of the first convolution, and inside the first stage's blocks; their outputs have four times as
        many. Twice and four times as many in the second and the third stage.
    num_outputs : int
        Units of the dense layer.
    nonlinearity : callable
        Of the dense layer.

    Returns
    -------
    Layer
        (batch, num_outputs).

    References
    ----------
    He et al., "Identity mappings in deep residual networks", ECCV 2016, Figure 1(b), Section 5 and Appendix.
    """
    layer = _conv(input_layer, num_filters, 3, 1, "stem.conv")
    for stage in range(NUM_STAGES):
        names = [f"stage{stage + 1}.block{block + 1}" for block in range(n)]
        filters = num_filters * 2**stage
        layer = first_block(layer, filters, 1 if stage == 0 else 2, names[0])
        if n > 1:
            layer = RepeatedLayer(layer, _identity_block, names[1:], name=f"stage{stage + 1}.blocks")
    features = GlobalPoolLayer(_bn_rectify(layer, "final.bn", "final.rectify"), name="global_pool")
    reach = 1 / sqrt(features.output_shape[1])
    return DenseLayer(features, num_outputs, W=Uniform(reach), nonlinearity=nonlinearity, name="output")


def first_block(incoming, num_filters, stride, name):
    """A block that changes the shape: batch norm and rectifier stand before both branches, the shortcut projects.

    Parameters
    ----------
    incoming : Layer
        (batch, channels, height, width).
    num_filters : int
        Maps of the two inner convolutions; four times as many come out.
    stride : int
        Of the first convolution and of the shortcut's.
    name : str
        Path of the block.

    Returns
    -------
    Layer
        (batch, 4 num_filters, height / stride, width / stride).
    """
    common = _bn_rectify(incoming, f"{name}.bn1", f"{name}.rectify1")
    residual = _residual(common, num_filters, stride, name)
    shortcut = _conv(common, EXPANSION * num_filters, 1, stride, f"{name}.shortcut.conv")
    return ElemwiseSumLayer([shortcut, residual], name=f"{name}.sum")


def _identity_block(incoming, name):
    """A block that keeps the shape: x + F(x), nothing on the way of x."""
    residual = _bn_rectify(incoming, f"{name}.bn1", f"{name}.rectify1")
    residual = _residual(residual, incoming.output_shape[1] // EXPANSION, 1, name)
    return ElemwiseSumLayer([incoming, residual], name=f"{name}.sum")


def _residual(incoming, num_filters, stride, name):
    """1x1, 3x3, 1x1 on what has been normalised and rectified."""
    layer = _conv(incoming, num_filters, 1, stride, f"{name}.conv1")
    layer = _bn_rectify(layer, f"{name}.bn2", f"{name}.rectify2")
    layer = _conv(layer, num_filters, 3, 1, f"{name}.conv2")
    layer = _bn_rectify(layer, f"{name}.bn3", f"{name}.rectify3")
    return _conv(layer, EXPANSION * num_filters, 1, 1, f"{name}.conv3")


def _conv(incoming, num_filters, filter_size, stride, name):
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


def _bn_rectify(incoming, bn_name, rectify_name):
    return NonlinearityLayer(BatchNormLayer(incoming, epsilon=EPSILON, name=bn_name), rectify, name=rectify_name)
