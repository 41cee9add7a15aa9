"""The wide residual network of Zagoruyko and Komodakis (2016)."""

from lasagne.layers import ElemwiseSumLayer

from crmn_legacy.layers import DropoutLayer
from crmn_legacy.models.blocks import three_stages, torch_batch_norm_rectify, torch_convolution, torch_pooled_output

STEM_FILTERS = 16


def wide_resnet(input_layer, n, num_filters, num_outputs, nonlinearity, dropout=0.0):
    """The 6n+4 wide ResNet: pre-activation blocks of two 3x3 convolutions, global pool, one dense layer.

    Each stage's first block projects its shortcut by a 1x1 convolution of what batch norm and rectifier have given,
    the others add their input as it is.

    Parameters
    ----------
    input_layer : Layer
        What the first convolution reads, (batch, channels, height, width); that convolution has 16 maps.
    n : int
        Blocks in each of the three stages; two convolutions per block.
    num_filters : int
        Feature maps of the first stage, 16 times the widening factor; twice and four times as many in the second and
        the third.
    num_outputs : int
        Units of the dense layer.
    nonlinearity : callable
        Of the dense layer.
    dropout : float
        Probability that a number between the two convolutions of a block is set to 0; 0 leaves dropout out.

    Returns
    -------
    Layer
        (batch, num_outputs).

    References
    ----------
    Zagoruyko and Komodakis, "Wide residual networks", BMVC 2016, Table 1, Figure 1(c, d), Section 2.4.
    """
    layer = torch_convolution(input_layer, STEM_FILTERS, 3, "stem.conv")
    for filters, stride, name in three_stages(n, num_filters):
        layer = _block(layer, filters, stride, dropout, name)
    return torch_pooled_output(torch_batch_norm_rectify(layer, "final"), num_outputs, nonlinearity)


def _block(incoming, num_filters, stride, dropout, name):
    """x + F(x), or, where the shape changes, projection and F of the same normalised and rectified x."""
    common = torch_batch_norm_rectify(incoming, name, 1)
    residual = torch_convolution(common, num_filters, 3, f"{name}.conv1", stride=stride)
    residual = torch_batch_norm_rectify(residual, name, 2)
    if dropout:
        residual = DropoutLayer(residual, dropout, name=f"{name}.dropout")
    residual = torch_convolution(residual, num_filters, 3, f"{name}.conv2")
    shortcut = incoming
    if incoming.output_shape[1] != num_filters or stride != 1:
        shortcut = torch_convolution(common, num_filters, 1, f"{name}.shortcut.conv", stride=stride)
    return ElemwiseSumLayer([shortcut, residual], name=f"{name}.sum")
