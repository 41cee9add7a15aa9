"""The maxout network of Goodfellow et al. (2013) for CIFAR-10."""

from lasagne.init import Uniform
from lasagne.layers import DenseLayer, FeaturePoolLayer, MaxPool2DLayer

from crmn_legacy.layers import Conv2DLayer, DropoutLayer

# Filter side, padding, and side and stride of the pool of the three convolutional layers.
GEOMETRY = ((8, 4, 4, 2), (8, 3, 4, 2), (5, 3, 2, 2))


def maxout(input_layer, num_filters, num_units, num_pieces, dropout, initial_range, num_outputs, nonlinearity):
    """Three convolutional maxout layers, one dense one, and the classes; dropout before each.

    A maxout unit is the greatest of some linear ones. Pools that reach over the border take what is there, so that
    maps of 33, 15 and 9 pixels a side become 16, 7 and 5.

    Parameters
    ----------
    input_layer : Layer
        (batch, channels, height, width).
    num_filters : (int, int, int)
        Maxout units at each place of each convolutional layer.
    num_units : int
        Maxout units of the dense layer.
    num_pieces : (int, int)
        Linear units in each maxout unit: in the convolutional layers and in the dense one.
    dropout : (float, float)
        Of the input, which is not scaled for it, and before every later layer.
    initial_range : float
        Every weight starts between minus and plus this, all values alike probable; biases at 0.
    num_outputs : int
        Units of the last layer.
    nonlinearity : callable
        Of the last layer: softmax for classes.

    Returns
    -------
    Layer
        (batch, num_outputs).

    Raises
    ------
    ValueError
        Other than three convolutional layers.

    References
    ----------
    Goodfellow et al., "Maxout networks", ICML 2013, Sections 2 and 5.2; pylearn2, `scripts/papers/maxout/cifar10.yaml`.
    """
    if len(num_filters) != len(GEOMETRY):
        raise ValueError(f"maxout expects num_filters of {len(GEOMETRY)} convolutional layers, got {num_filters}")
    # What is kept of the input is not scaled, in testing neither.
    layer = DropoutLayer(input_layer, dropout[0], scale=1, name="stage1.dropout")
    for stage, (filters, (side, pad, pool, stride)) in enumerate(zip(num_filters, GEOMETRY, strict=True), start=1):
        name = f"stage{stage}"
        if stage > 1:
            layer = DropoutLayer(layer, dropout[1], name=f"{name}.dropout")
        layer = Conv2DLayer(
            layer,
            filters * num_pieces[0],
            side,
            pad=pad,
            W=Uniform(initial_range),
            nonlinearity=None,
            name=f"{name}.conv",
        )
        layer = FeaturePoolLayer(layer, num_pieces[0], name=f"{name}.maxout")
        layer = MaxPool2DLayer(layer, pool, stride=stride, ignore_border=False, name=f"{name}.pool")
    layer = DropoutLayer(layer, dropout[1], name="stage4.dropout")
    layer = DenseLayer(
        layer, num_units * num_pieces[1], W=Uniform(initial_range), nonlinearity=None, name="stage4.dense"
    )
    layer = FeaturePoolLayer(layer, num_pieces[1], name="stage4.maxout")
    layer = DropoutLayer(layer, dropout[1], name="output_dropout")
    return DenseLayer(layer, num_outputs, W=Uniform(initial_range), nonlinearity=nonlinearity, name="output")
