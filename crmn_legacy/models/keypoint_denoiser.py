"""The keypoint denoiser of Honari et al. (2016), and its joint prediction with another network."""

from lasagne.layers import get_all_layers

from crmn_legacy.layers import JointPredictionLayer, MovedPointsLayer, NoisyPixelsLayer, OneHotMapsLayer
from crmn_legacy.models.blocks import convolution

NUM_CONVOLUTIONS = 3


def keypoint_denoiser(input_layer, num_filters, filter_size):
    """Where each point belongs, given where all points are said to be: maps of scores, before any softmax.

    Three rectified convolutions whose filters reach over half of the map, and a linear 1x1 convolution.

    Parameters
    ----------
    input_layer : Layer
        One map for each point, 1 at its pixel and 0 elsewhere: (batch, points, height, width).
    num_filters : int
        Maps of the three convolutions.
    filter_size : int
        Side of their filters, odd.

    Returns
    -------
    Layer
        (batch, points, height, width).

    References
    ----------
    Honari et al., 2016, and their released code (`Denoising_300W.py`).
    """
    layer = input_layer
    for number in range(1, NUM_CONVOLUTIONS + 1):
        layer = convolution(layer, num_filters, filter_size, f"denoiser.conv{number}")
    return convolution(layer, input_layer.output_shape[1], 1, "denoiser.output", nonlinearity=None)


def joint_prediction(maps, num_filters, filter_size, num_moved):
    """A network's maps and a denoiser beside them: they are trained apart and predict together.

    While training, the denoiser reads the true points, some of them moved anywhere. In a deterministic pass it reads
    the points that `maps` predicts, and the scores of both are added.

    Parameters
    ----------
    maps : Layer
        The network's scores, (batch, points, height, width).
    num_filters, filter_size : int
        As for `keypoint_denoiser`.
    num_moved : int
        Points of each picture that are moved in training.

    Returns
    -------
    Layer
        (batch, 2 points): x0, y0, x1, y1, ... in [0, 1]. In training a `crmn_legacy.layers.JointMaps`; a pass needs
        the true ``keypoints`` then.

    References
    ----------
    Honari et al., 2016, and their released code (`--mult_probs`).
    """
    _, _, height, width = maps.output_shape
    moved = MovedPointsLayer(maps, num_moved, name="denoiser.moved")
    pixels = NoisyPixelsLayer([maps, moved], name="denoiser.pixels")
    one_hot = OneHotMapsLayer(pixels, height, width, name="denoiser.one_hot")
    denoised = keypoint_denoiser(one_hot, num_filters, filter_size)
    picture = get_all_layers(maps)[0]
    return JointPredictionLayer([maps, denoised, moved, picture], name="joint")
