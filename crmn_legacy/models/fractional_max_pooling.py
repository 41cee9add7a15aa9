"""The network of Graham's "Fractional max-pooling" (2014): (160nC2-FMP)_12-C2-C1."""

from math import sqrt

from lasagne.init import GlorotUniform, Uniform
from lasagne.layers import DenseLayer
from lasagne.nonlinearities import LeakyRectify

from crmn_legacy.layers import Conv2DLayer, FractionalPool2DLayer, MapDropoutLayer


def field_sizes(num_layers, ratio):
    """Sides of the maps before each pool and of what it leaves, counted back from one place at the end.

    Parameters
    ----------
    num_layers : int
        Fractional pools.
    ratio : float
        Side before a pool over the side after it, about.

    Returns
    -------
    list of (int, int)
        First pool first. The field is one pixel wider than the first side: a 2 x 2 convolution lies before it.

    Examples
    --------
    >>> field_sizes(12, 2**0.3333)[0]
    (93, 74)
    """
    sizes, side = [], 2
    for _ in range(num_layers):
        before = max(int(side * ratio + 0.5), side + 1)
        sizes.append((before, side))
        side = before + 1
    return sizes[::-1]


def fractional_max_pooling(input_layer, num_filters, num_layers, ratio, dropout, leakiness, num_outputs, nonlinearity):
    """2 x 2 convolutions, each before a fractional max-pool, then 2 x 2, 1 x 1 and the classes.

    Layer i from 1 has i times `num_filters` maps, and dropout of whole maps that grows evenly from 0 to `dropout` in
    the 1 x 1 convolution.

    Parameters
    ----------
    input_layer : Layer
        (batch, channels, side, side); `field_sizes` gives the side.
    num_filters : int
        Maps of the first layer.
    num_layers : int
        Convolutions with a pool.
    ratio : float
        Of the pools: side before over side after, about.
    dropout : float
        Of the last convolution.
    leakiness : float
        Slope of the rectifiers below 0.
    num_outputs : int
        Units of the dense layer.
    nonlinearity : callable
        Of the dense layer: softmax for classes.

    Returns
    -------
    Layer
        (batch, num_outputs).

    Raises
    ------
    ValueError
        The input's side is not the one that leaves one place at the end.

    References
    ----------
    Graham, 2014, Section 3; released code, `NetworkArchitectures.cpp` (POFMPSparseConvNet), initial weights as in
    `NetworkInNetworkLayer.cu`: even, of width sqrt(6 / (inputs + outputs side^2 / ratio^2)).
    """
    sizes = field_sizes(num_layers, ratio)
    side = sizes[0][0] + 1 if sizes else 2
    if tuple(input_layer.output_shape[2:]) != (side, side):
        raise ValueError(
            f"{num_layers} pools of ratio {ratio:g} expect a field of {side} x {side}, got "
            f"{input_layer.output_shape[2:]}"
        )
    rectify = LeakyRectify(leakiness)
    layer = input_layer
    for number, (_, after) in enumerate(sizes, start=1):
        name, maps = f"stage{number}", number * num_filters
        fan = 4 * layer.output_shape[1] + maps * (2 / ratio) ** 2
        layer = Conv2DLayer(layer, maps, 2, W=Uniform(sqrt(6 / fan)), nonlinearity=rectify, name=f"{name}.conv")
        layer = FractionalPool2DLayer(layer, after, name=f"{name}.pool")
        layer = _dropped(layer, dropout * (number - 1) / (num_layers + 1), f"{name}.dropout")
    for number, filter_side in ((num_layers + 1, 2), (num_layers + 2, 1)):
        name, maps = f"stage{number}", number * num_filters
        layer = Conv2DLayer(layer, maps, filter_side, W=GlorotUniform(), nonlinearity=rectify, name=f"{name}.conv")
        layer = _dropped(layer, dropout * (number - 1) / (num_layers + 1), f"{name}.dropout")
    return DenseLayer(layer, num_outputs, nonlinearity=nonlinearity, name="output")


def _dropped(incoming, p, name):
    return MapDropoutLayer(incoming, p, name=name) if p else incoming
