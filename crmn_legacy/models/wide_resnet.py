"""The wide residual network of Zagoruyko and Komodakis (2016)."""

from lasagne.layers import ElemwiseSumLayer

from crmn_legacy.layers import DropoutLayer
from crmn_legacy.models.torch_conventions import batch_norm_rectify, convolution, pooled_output

NUM_STAGES = 3
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
        Blocks a stage; three stages, two convolutions a block.
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
    layer = convolution(input_layer, STEM_FILTERS, 3, "stem.conv")
    for stage in range(NUM_STAGES):
        for block in range(n):
            stride = 2 if stage > 0 and block == 0 else 1
            layer = _block(layer, num_filters * 2**stage, stride, dropout, f"stage{stage + 1}.block{block + 1}")
    return pooled_output(batch_norm_rectify(layer, "final.bn", "final.rectify"), num_outputs, nonlinearity)


def _block(incoming, num_filters, stride, dropout, name):
    """x + F(x), or, where the shape changes, projection and F of the same normalised and rectified x."""
    common = batch_norm_rectify(incoming, f"{name}.bn1", f"{name}.rectify1")
    residual = convolution(common, num_filters, 3, f"{name}.conv1", stride=stride)
    residual = batch_norm_rectify(residual, f"{name}.bn2", f"{name}.rectify2")
    if dropout:
        residual = DropoutLayer(residual, dropout, name=f"{name}.dropout")
    residual = convolution(residual, num_filters, 3, f"{name}.conv2")
    shortcut = incoming
    if incoming.output_shape[1] != num_filters or stride != 1:
        shortcut = convolution(common, num_filters, 1, f"{name}.shortcut.conv", stride=stride)
    return ElemwiseSumLayer([shortcut, residual], name=f"{name}.sum")
