"""The Recombinator Network of Honari et al. (2016): five resolutions, recombined from coarse to fine."""

from lasagne.layers import ConcatLayer, MaxPool2DLayer

from crmn_legacy.layers import UpsamplingLayer
from crmn_legacy.models.blocks import convolution

# From the coarsest branch to the finest: its name, and how many 1x1 convolutions follow its first one.
BRANCHES = (("coarsest", 1), ("coarser", 0), ("coarse", 1), ("middle", 1), ("fine", 2))


def rcn(input_layer, num_points, num_filters, filter_size):
    """A map of scores over the input's pixels for each point, before any softmax.

    The trunk is five 3x3 convolutions with 2x2 max pooling between them. From its coarsest map on, each branch
    convolves, and is upsampled by repetition and put beside the trunk's map of the next finer resolution, which the
    next branch reads. All but the last convolution are rectified and keep the size of their map.

    Parameters
    ----------
    input_layer : Layer
        What the first convolution reads, (batch, channels, height, width); sides are multiples of 16.
    num_points : int
        Maps of the output.
    num_filters : int
        Maps of every other convolution.
    filter_size : int
        Side, odd, of the first filters of each branch.

    Returns
    -------
    Layer
        (batch, num_points, height, width).

    Raises
    ------
    ValueError
        A side of the input is no multiple of 16.

    References
    ----------
    Honari et al., 2016; the sizes are those of the default network for 68 points of their released code
    (`RCN_300W.py`).
    """
    height, width = input_layer.output_shape[2:]
    if height % 16 or width % 16:
        raise ValueError(f"rcn expects an input whose sides are multiples of 16, got {height} x {width}")
    trunk = [convolution(input_layer, num_filters, 3, "rcn.trunk.conv1")]
    for number in range(2, len(BRANCHES) + 1):
        pooled = MaxPool2DLayer(trunk[-1], 2, name=f"rcn.trunk.pool{number - 1}")
        trunk.append(convolution(pooled, num_filters, 3, f"rcn.trunk.conv{number}"))

    layer = trunk.pop()
    for branch, small in BRANCHES:
        if branch != BRANCHES[0][0]:
            upsampled = UpsamplingLayer(layer, 2, name=f"rcn.{branch}.upsample")
            layer = ConcatLayer([trunk.pop(), upsampled], name=f"rcn.{branch}.recombine")
        layer = convolution(layer, num_filters, filter_size, f"rcn.{branch}.conv1")
        for number in range(small):
            layer = convolution(layer, num_filters, 1, f"rcn.{branch}.conv{number + 2}")
    return convolution(layer, num_points, 1, "rcn.output", nonlinearity=None)
