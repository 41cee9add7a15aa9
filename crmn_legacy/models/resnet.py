"""The 6n+2 residual network of He et al. (2015), the paper's convolutional part and its baseline."""

from functools import partial

from lasagne.init import Constant
from lasagne.layers import ElemwiseSumLayer

from crmn_legacy.layers import BatchNormLayer
from crmn_legacy.models.blocks import batch_norm_rectify, he_convolution, pooled_output, rectified, three_stages

# A bias beside batch norm, as the paper's parameter counts require.
_convolution = partial(he_convolution, b=Constant(0.0))


def resnet(input_layer, n, num_filters, num_outputs, nonlinearity):
    """The 6n+2 ResNet: residual blocks, global average pool, one dense layer.

    Parameters
    ----------
    input_layer : Layer
        What the first convolution reads, (batch, channels, height, width).
    n : int
        Blocks in each of the three stages; two convolutions per block.
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
    return pooled_output(residual_blocks(input_layer, n, num_filters)[-1], num_outputs, nonlinearity)


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
    layer = batch_norm_rectify(_convolution(input_layer, num_filters, 3, "stem.conv"), "stem")
    blocks = []
    for filters, stride, name in three_stages(n, num_filters):
        layer = _block(layer, filters, stride, name)
        blocks.append(layer)
    return blocks


def _block(incoming, num_filters, stride, name):
    """One residual block: ReLU(shortcut + residual), option B where the shape changes (He et al., Section 3.3)."""
    residual = batch_norm_rectify(_convolution(incoming, num_filters, 3, f"{name}.conv1", stride), name, 1)
    residual = BatchNormLayer(_convolution(residual, num_filters, 3, f"{name}.conv2"), name=f"{name}.bn2")
    shortcut = incoming
    if incoming.output_shape[1] != num_filters or stride != 1:
        shortcut = _convolution(incoming, num_filters, 1, f"{name}.shortcut.conv", stride)
        shortcut = BatchNormLayer(shortcut, name=f"{name}.shortcut.bn")
    return rectified(ElemwiseSumLayer([shortcut, residual], name=f"{name}.sum"), f"{name}.rectify2")
