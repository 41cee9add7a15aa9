"""The 6n+2 residual network of He et al. (2015), the paper's convolutional part and its baseline."""

from lasagne.init import HeNormal
from lasagne.layers import (
    DenseLayer,
    ElemwiseSumLayer,
    GlobalPoolLayer,
    NonlinearityLayer,
)
from lasagne.nonlinearities import rectify

from crmn_legacy.layers import BatchNormLayer, Conv2DLayer

NUM_STAGES = 3


def resnet(input_layer, n, num_filters, num_outputs, nonlinearity):
    """The 6n+2 ResNet: residual blocks, global average pool, one dense layer.

    Parameters
    ----------
    input_layer : Layer
        What the first convolution reads, (batch, channels, height, width).
    n : int
        Blocks a stage; three stages, two convolutions a block.
    num_filters : int
        Feature maps of the first stage, 16 fm; twice and four times as many in the second and the third.
    num_outputs : int
        Units of the dense layer.
    nonlinearity : callable
        Of the dense layer: sigmoid for keypoints, softmax for classes.

    Returns
    -------
    Layer
        (batch, num_outputs).

    References
    ----------
    He et al., 2015, Section 4.2; Moniz and Pal, 2017, Table 1, rows "ResNet".
    """
    blocks = residual_blocks(input_layer, n, num_filters)
    features = GlobalPoolLayer(blocks[-1], name="global_pool")
    return DenseLayer(features, num_outputs, nonlinearity=nonlinearity, name="output")


def residual_blocks(input_layer, n, num_filters):
    """Outputs of the 3n residual blocks, in the order of depth (the paper's x_l, after addition and rectifier).

    Parameters
    ----------
    input_layer : Layer
        What the first convolution reads.
    n, num_filters : int
        As for `resnet`.

    Returns
    -------
    list of Layer
        3n layers of shape (batch, filters, height, width).
    """
    layer = _rectified(_conv_bn(input_layer, num_filters, 3, 1, "stem.conv", "stem.bn"), "stem.rectify")
    blocks = []
    for stage in range(NUM_STAGES):
        for block in range(n):
            stride = 2 if stage > 0 and block == 0 else 1
            layer = _block(layer, num_filters * 2**stage, stride, f"stage{stage + 1}.block{block + 1}")
            blocks.append(layer)
    return blocks


def _block(incoming, num_filters, stride, name):
    """One residual block: ReLU(shortcut + residual), option B where the shape changes (He et al., Section 3.3)."""
    residual = _conv_bn(incoming, num_filters, 3, stride, f"{name}.conv1", f"{name}.bn1")
    residual = _rectified(residual, f"{name}.rectify1")
    residual = _conv_bn(residual, num_filters, 3, 1, f"{name}.conv2", f"{name}.bn2")
    shortcut = incoming
    if incoming.output_shape[1] != num_filters or stride != 1:
        shortcut = _conv_bn(incoming, num_filters, 1, stride, f"{name}.shortcut.conv", f"{name}.shortcut.bn")
    return _rectified(ElemwiseSumLayer([shortcut, residual], name=f"{name}.sum"), f"{name}.rectify2")


def _conv_bn(incoming, num_filters, filter_size, stride, conv_name, bn_name):
    """Convolution and batch norm; the convolution keeps its bias, as the paper's parameter counts require."""
    conv = Conv2DLayer(
        incoming,
        num_filters,
        filter_size,
        stride=stride,
        pad=filter_size // 2,
        W=HeNormal(gain="relu"),
        nonlinearity=None,
        name=conv_name,
    )
    return BatchNormLayer(conv, name=bn_name)


def _rectified(incoming, name):
    return NonlinearityLayer(incoming, rectify, name=name)
