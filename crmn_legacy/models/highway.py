"""The convolutional highway network of Srivastava et al. (2015); 19 layers in the code they released."""

from lasagne.init import Constant, HeNormal, Normal
from lasagne.layers import DenseLayer, GlobalPoolLayer, Pool2DLayer
from lasagne.nonlinearities import rectify, sigmoid

from crmn_legacy.layers import DropoutLayer, HighwayGateLayer
from crmn_legacy.models.blocks import convolution


def highway(
    input_layer, stages, num_features, dropout, num_outputs, nonlinearity, stem_deviation=1.0, output_deviation=None
):
    """Stages of one plain convolution and some highway layers, max-pooled in between, and a dense layer.

    Parameters
    ----------
    input_layer : Layer
        (batch, channels, height, width).
    stages : tuple of (int, int)
        Feature maps and highway layers of each stage. Each has one plain convolution more; all filters are 3 x 3.
    num_features : int
        Maps of the 1 x 1 convolution that the global pool reads.
    dropout : float
        Of the input, of each max-pool's output, and of what the dense layer reads.
    num_outputs : int
        Units of the dense layer.
    nonlinearity : callable
        Of the dense layer.
    stem_deviation : float
        Standard deviation of the first convolution's first weights.
    output_deviation : float, optional
        The same for the dense layer; by default He et al.'s, like all other weights.

    Returns
    -------
    Layer
        (batch, num_outputs).

    References
    ----------
    Srivastava, Greff and Schmidhuber, "Training very deep networks", NIPS 2015, and the code they released.
    """
    layer = DropoutLayer(input_layer, dropout, name="input_dropout")
    for number, (num_filters, num_blocks) in enumerate(stages, start=1):
        name = f"stage{number}"
        if number > 1:
            layer = Pool2DLayer(layer, 2, mode="max", name=f"{name}.pool")
            layer = DropoutLayer(layer, dropout, name=f"{name}.dropout")
        W = Normal(stem_deviation) if number == 1 else HeNormal(gain="relu")
        layer = convolution(layer, num_filters, 3, f"{name}.conv", W=W, nonlinearity=rectify)
        for block in range(num_blocks):
            layer = _highway(layer, f"{name}.block{block + 1}")
    layer = convolution(layer, num_features, 1, "features.conv", W=HeNormal(gain="relu"), nonlinearity=rectify)
    layer = DropoutLayer(GlobalPoolLayer(layer, name="global_pool"), dropout, name="output_dropout")
    W = HeNormal(gain="relu") if output_deviation is None else Normal(output_deviation)
    return DenseLayer(layer, num_outputs, W=W, nonlinearity=nonlinearity, name="output")


def _highway(incoming, name):
    """One highway layer: the gate's biases start at -2, so that most of the input is carried on."""
    branches = {f"{name}.conv": (Constant(0), rectify), f"{name}.gate.conv": (Constant(-2), sigmoid)}
    transformed, gate = (
        convolution(
            incoming, incoming.output_shape[1], 3, branch, W=HeNormal(gain="relu"), b=b, nonlinearity=nonlinearity
        )
        for branch, (b, nonlinearity) in branches.items()
    )
    return HighwayGateLayer(transformed, gate, incoming, name=f"{name}.highway")
