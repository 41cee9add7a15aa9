"""The large all-convolutional network of Springenberg et al. (2015) for CIFAR-10."""

from math import sqrt

from lasagne.init import HeNormal
from lasagne.layers import GlobalPoolLayer, NonlinearityLayer
from lasagne.nonlinearities import very_leaky_rectify

from crmn_legacy.layers import Conv2DLayer, DropoutLayer


def all_convolutional(input_layer, num_filters, num_stages, dropout, num_outputs, nonlinearity):
    """Stages of three 2 x 2 convolutions, the third of stride 2 where a pool was, then 2 x 2, 1 x 1 and the classes.

    Stage i from 1 has i times `num_filters` maps; its two first convolutions have dropout of i - 1 times `dropout`
    behind them, and so have the 2 x 2 and 1 x 1 convolutions after the last stage, which count as one stage more.

    Parameters
    ----------
    input_layer : Layer
        (batch, channels, height, width); 126 pixels a side leave one place after five stages.
    num_filters : int
        Maps of the first stage.
    num_stages : int
        Stages that end in a stride of 2.
    dropout : float
        Of the second stage.
    num_outputs : int
        Maps of the last convolution.
    nonlinearity : callable
        Of the output: softmax for classes.

    Returns
    -------
    Layer
        (batch, num_outputs); places that are left are averaged.

    References
    ----------
    Springenberg et al., "Striving for simplicity: the all convolutional net", 2015, on Graham's network for CIFAR-10;
    initial weights after He et al., "Delving deep into rectifiers", 2015, Section 2.2, for this slope.
    """
    layer = input_layer
    for stage in range(1, num_stages + 1):
        name, p = f"stage{stage}", dropout * (stage - 1)
        for number in (1, 2):
            layer = _rectified(layer, stage * num_filters, 2, 1, f"{name}.conv{number}")
            if p:
                layer = DropoutLayer(layer, p, name=f"{name}.dropout{number}")
        layer = _rectified(layer, stage * num_filters, 2, 2, f"{name}.conv3")
    name, maps = f"stage{num_stages + 1}", (num_stages + 1) * num_filters
    for number, side in ((1, 2), (2, 1)):
        layer = _rectified(layer, maps, side, 1, f"{name}.conv{number}")
        layer = DropoutLayer(layer, dropout * num_stages, name=f"{name}.dropout{number}")
    layer = Conv2DLayer(layer, num_outputs, 1, W=HeNormal(), nonlinearity=None, name="output")
    return NonlinearityLayer(GlobalPoolLayer(layer, name="global_pool"), nonlinearity, name="classes")


def _rectified(incoming, num_filters, side, stride, name):
    gain = sqrt(2 / (1 + very_leaky_rectify.leakiness**2))
    return Conv2DLayer(
        incoming, num_filters, side, stride=stride, W=HeNormal(gain), nonlinearity=very_leaky_rectify, name=name
    )
