"""The pre-activation residual network of bottleneck blocks of He et al. (2016), 9n+2 layers deep."""

from lasagne.layers import ElemwiseSumLayer

from crmn_legacy.layers import RepeatedLayer
from crmn_legacy.models.blocks import NUM_STAGES, torch_batch_norm_rectify, torch_convolution, torch_pooled_output

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
        Blocks in each of the three stages; three convolutions per block.
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
    layer = torch_convolution(input_layer, num_filters, 3, "stem.conv")
    for stage in range(NUM_STAGES):
        names = [f"stage{stage + 1}.block{block + 1}" for block in range(n)]
        filters = num_filters * 2**stage
        layer = first_block(layer, filters, 1 if stage == 0 else 2, names[0])
        if n > 1:
            layer = RepeatedLayer(layer, _identity_block, names[1:], name=f"stage{stage + 1}.blocks")
    return torch_pooled_output(torch_batch_norm_rectify(layer, "final"), num_outputs, nonlinearity)


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
    common = torch_batch_norm_rectify(incoming, name, 1)
    residual = _residual(common, num_filters, stride, name)
    shortcut = torch_convolution(common, EXPANSION * num_filters, 1, f"{name}.shortcut.conv", stride=stride)
    return ElemwiseSumLayer([shortcut, residual], name=f"{name}.sum")


def _identity_block(incoming, name):
    """A block that keeps the shape: x + F(x), nothing on the way of x."""
    residual = torch_batch_norm_rectify(incoming, name, 1)
    residual = _residual(residual, incoming.output_shape[1] // EXPANSION, 1, name)
    return ElemwiseSumLayer([incoming, residual], name=f"{name}.sum")


def _residual(incoming, num_filters, stride, name):
    """1x1, 3x3, 1x1 on what has been normalised and rectified."""
    layer = torch_convolution(incoming, num_filters, 1, f"{name}.conv1", stride=stride)
    layer = torch_batch_norm_rectify(layer, name, 2)
    layer = torch_convolution(layer, num_filters, 3, f"{name}.conv2")
    layer = torch_batch_norm_rectify(layer, name, 3)
    return torch_convolution(layer, EXPANSION * num_filters, 1, f"{name}.conv3")
