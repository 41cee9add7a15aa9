"""The wide pre-activation residual network with Swapout of Singh et al. (2016)."""

from lasagne.init import HeNormal

from crmn_legacy.layers import SwapoutLayer
from crmn_legacy.models.blocks import batch_norm_rectify, he_convolution, pooled_output, three_stages


def swapout(input_layer, n, num_filters, last_keep, num_outputs, nonlinearity):
    """Three stages of pre-activation blocks, their shortcuts and residuals joined by `SwapoutLayer`.

    Both keep probabilities fall linearly from 1 at the first of the 3n blocks to `last_keep` at the last.

    Parameters
    ----------
    input_layer : Layer
        What the first convolution reads, (batch, channels, height, width).
    n : int
        Blocks in each of the three stages; two convolutions per block: 6n+2 layers.
    num_filters : int
        Feature maps of the first convolution and of the first stage; twice and four times as many in the second and
        the third.
    last_keep : float
        Keep probability of the last block's units, in (0, 1].
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
    Singh, Hoiem and Forsyth, "Swapout: learning an ensemble of deep architectures", NIPS 2016, Sections 3 and 4.
    """
    layer = he_convolution(input_layer, num_filters, 3, "stem.conv")
    blocks = list(three_stages(n, num_filters))
    for block, (filters, stride, name) in enumerate(blocks):
        keep = 1 + (last_keep - 1) * block / (len(blocks) - 1)
        layer = _block(layer, filters, stride, keep, name)
    return pooled_output(batch_norm_rectify(layer, "final"), num_outputs, nonlinearity, W=HeNormal())


def _block(incoming, num_filters, stride, keep, name):
    """BN, ReLU, convolution, twice; where the shape changes, a projection of what the first ReLU gives."""
    rectified = batch_norm_rectify(incoming, name, 1)
    shortcut = incoming
    if incoming.output_shape[1] != num_filters or stride != 1:
        shortcut = he_convolution(rectified, num_filters, 1, f"{name}.shortcut.conv", stride)
    residual = he_convolution(rectified, num_filters, 3, f"{name}.conv1", stride)
    residual = batch_norm_rectify(residual, name, 2)
    residual = he_convolution(residual, num_filters, 3, f"{name}.conv2")
    return SwapoutLayer(shortcut, residual, keep=(keep, keep), name=f"{name}.swapout")
