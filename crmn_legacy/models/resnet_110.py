"""The 6n+2 residual network of He et al. (2015) for CIFAR: shortcuts without parameters; 110 layers for n = 18."""

from lasagne.init import HeNormal
from lasagne.layers import DenseLayer, ElemwiseSumLayer, GlobalPoolLayer, NonlinearityLayer
from lasagne.nonlinearities import rectify

from crmn_legacy.layers import BatchNormLayer, Conv2DLayer, IdentityShortcutLayer

NUM_STAGES = 3


def cifar_resnet(input_layer, n, num_filters, num_outputs, nonlinearity):
    """The ResNet of He et al.'s CIFAR experiments: option A, no bias where batch norm follows.

    `resnet` is the same network as Moniz and Pal count it: projections as shortcuts, convolutions with a bias.

    Parameters
    ----------
    input_layer : Layer
        What the first convolution reads, (batch, channels, height, width).
    n : int
        Blocks a stage; three stages, two convolutions a block.
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
    features = GlobalPoolLayer(residual_blocks(input_layer, n, num_filters)[-1], name="global_pool")
    return DenseLayer(features, num_outputs, W=HeNormal(), nonlinearity=nonlinearity, name="output")


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
    layer = _rectified(_conv_bn(input_layer, num_filters, 1, "stem.conv", "stem.bn", **batch_norm), "stem.rectify")
    blocks = []
    for stage in range(NUM_STAGES):
        filters = num_filters * 2**stage
        for block in range(n):
            name = f"stage{stage + 1}.block{block + 1}"
            stride = 2 if stage > 0 and block == 0 else 1
            residual = _conv_bn(layer, filters, stride, f"{name}.conv1", f"{name}.bn1", **batch_norm)
            residual = _rectified(residual, f"{name}.rectify1")
            residual = _conv_bn(residual, filters, 1, f"{name}.conv2", f"{name}.bn2", **batch_norm)
            if on_residual is not None:
                residual = on_residual(residual, len(blocks) + 1)
            if stride != 1:
                layer = IdentityShortcutLayer(layer, filters, stride, mode, name=f"{name}.shortcut")
            layer = _rectified(ElemwiseSumLayer([layer, residual], name=f"{name}.sum"), f"{name}.rectify2")
            blocks.append(layer)
    return blocks


def _conv_bn(incoming, num_filters, stride, conv_name, bn_name, **batch_norm):
    conv = Conv2DLayer(
        incoming,
        num_filters,
        3,
        stride=stride,
        pad=1,
        W=HeNormal(gain="relu"),
        b=None,
        nonlinearity=None,
        name=conv_name,
    )
    return BatchNormLayer(conv, name=bn_name, **batch_norm)


def _rectified(incoming, name):
    return NonlinearityLayer(incoming, rectify, name=name)
