"""The 6n+2 residual network of He et al. (2015) for CIFAR: shortcuts without parameters; 110 layers for n = 18."""

from lasagne.init import HeNormal
from lasagne.layers import ElemwiseSumLayer

from crmn_legacy.layers import BatchNormLayer, IdentityShortcutLayer
from crmn_legacy.models.blocks import batch_norm_rectify, he_convolution, pooled_output, rectified, three_stages


def cifar_resnet(input_layer, n, num_filters, num_outputs, nonlinearity):
    """The ResNet of He et al.'s CIFAR experiments: option A, no bias where batch norm follows.

    `resnet` is the same network as Moniz and Pal count it: projections as shortcuts, convolutions with a bias.

    Parameters
    ----------
    input_layer : Layer
        What the first convolution reads, (batch, channels, height, width).
    n : int
        Blocks in each of the three stages; two convolutions per block.
    num_filters : int
        Feature maps of the first stage; twice and four times as many in the second and the third.
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
    He et al., "Deep residual learning for image recognition", 2015, Section 4.2.
    """
    return pooled_output(residual_blocks(input_layer, n, num_filters)[-1], num_outputs, nonlinearity, W=HeNormal())


def residual_blocks(input_layer, n, num_filters, mode="subsample", on_residual=None, **batch_norm):
    """Outputs of the 3n blocks, ReLU(shortcut + residual), in the order of depth.

    Parameters
    ----------
    input_layer : Layer
        What the first convolution reads.
    n, num_filters : int
        As for `cifar_resnet`.
    mode : {'subsample', 'average'}
        How a shortcut's maps become smaller, see `IdentityShortcutLayer`.
    on_residual : callable, optional
        Takes a block's residual (Layer) and the block's number, from 1; returns what is added in its place.
    **batch_norm
        For every `BatchNormLayer`.

    Returns
    -------
    list of Layer
        3n layers of shape (batch, filters, height, width).
    """
    layer = batch_norm_rectify(he_convolution(input_layer, num_filters, 3, "stem.conv"), "stem", **batch_norm)
    blocks = []
    for filters, stride, name in three_stages(n, num_filters):
        residual = he_convolution(layer, filters, 3, f"{name}.conv1", stride)
        residual = batch_norm_rectify(residual, name, 1, **batch_norm)
        residual = he_convolution(residual, filters, 3, f"{name}.conv2")
        residual = BatchNormLayer(residual, name=f"{name}.bn2", **batch_norm)
        if on_residual is not None:
            residual = on_residual(residual, len(blocks) + 1)
        if stride != 1:
            layer = IdentityShortcutLayer(layer, filters, stride, mode, name=f"{name}.shortcut")
        layer = rectified(ElemwiseSumLayer([layer, residual], name=f"{name}.sum"), f"{name}.rectify2")
        blocks.append(layer)
    return blocks
