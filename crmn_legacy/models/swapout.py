"""The wide pre-activation residual network with Swapout of Singh et al. (2016)."""

from lasagne.init import HeNormal
from lasagne.layers import DenseLayer, GlobalPoolLayer, NonlinearityLayer
from lasagne.nonlinearities import rectify

from crmn_legacy.layers import BatchNormLayer, Conv2DLayer, SwapoutLayer

NUM_STAGES = 3


def swapout(input_layer, n, num_filters, last_keep, num_outputs, nonlinearity):
    """Three stages of pre-activation blocks, their shortcuts and residuals joined by `SwapoutLayer`.

    Both keep probabilities fall linearly from 1 at the first of the 3n blocks to `last_keep` at the last.

    Parameters
    ----------
    input_layer : Layer
        What the first convolution reads, (batch, channels, height, width).
    n : int
        Blocks a stage; two convolutions a block: 6n+2 layers.
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
    layer = _conv(input_layer, num_filters, 3, 1, "stem.conv")
    for block in range(NUM_STAGES * n):
        stage, place = divmod(block, n)
        stride = 2 if stage > 0 and place == 0 else 1
        keep = 1 + (last_keep - 1) * block / (NUM_STAGES * n - 1)
        layer = _block(layer, num_filters * 2**stage, stride, keep, f"stage{stage + 1}.block{place + 1}")
    features = GlobalPoolLayer(_bn_rectify(layer, "final.bn", "final.rectify"), name="global_pool")
    return DenseLayer(features, num_outputs, W=HeNormal(), nonlinearity=nonlinearity, name="output")


def _block(incoming, num_filters, stride, keep, name):
    """BN, ReLU, convolution, twice; where the shape changes, a projection of what the first ReLU gives."""
    rectified = _bn_rectify(incoming, f"{name}.bn1", f"{name}.rectify1")
    shortcut = incoming
    if incoming.output_shape[1] != num_filters or stride != 1:
        shortcut = _conv(rectified, num_filters, 1, stride, f"{name}.shortcut.conv")
    residual = _conv(rectified, num_filters, 3, stride, f"{name}.conv1")
    residual = _bn_rectify(residual, f"{name}.bn2", f"{name}.rectify2")
    residual = _conv(residual, num_filters, 3, 1, f"{name}.conv2")
    return SwapoutLayer(shortcut, residual, keep=(keep, keep), name=f"{name}.swapout")


def _conv(incoming, num_filters, filter_size, stride, name):
    return Conv2DLayer(
        incoming,
        num_filters,
        filter_size,
        stride=stride,
        pad=filter_size // 2,
        W=HeNormal(gain="relu"),
        b=None,
        nonlinearity=None,
        name=name,
    )


def _bn_rectify(incoming, bn_name, rectify_name):
    return NonlinearityLayer(BatchNormLayer(incoming, name=bn_name), rectify, name=rectify_name)
