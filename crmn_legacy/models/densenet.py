"""The densely connected network of Huang et al. (2017), without bottlenecks and compression."""

from lasagne.layers import ConcatLayer, Pool2DLayer

from crmn_legacy.layers import RecomputedLayer
from crmn_legacy.models.blocks import NUM_STAGES, torch_batch_norm_rectify, torch_convolution, torch_pooled_output


def densenet(input_layer, n, growth_rate, num_outputs, nonlinearity, stem_filters=16):
    """The 3n+4 DenseNet: in a stage each convolution reads what all before it gave, and the stage's input.

    The gradient of batch norm concatenates the maps again (`RecomputedLayer`). What batch norm and rectifier make of
    them is kept, which grows with the square of n; with ``remat=True`` it is computed again as well.

    Parameters
    ----------
    input_layer : Layer
        What the first convolution reads, (batch, channels, height, width).
    n : int
        Convolutions in each of the three stages.
    growth_rate : int
        Feature maps of each of these (the source's k).
    num_outputs : int
        Units of the dense layer.
    nonlinearity : callable
        Of the dense layer.
    stem_filters : int
        Feature maps of the first convolution.

    Returns
    -------
    Layer
        (batch, num_outputs).

    References
    ----------
    Huang et al., "Densely connected convolutional networks", CVPR 2017, Section 3, Table 2.
    """
    layer = torch_convolution(input_layer, stem_filters, 3, "stem.conv")
    for stage in range(NUM_STAGES):
        maps = [layer]
        for block in range(n):
            maps.append(_block(maps, growth_rate, f"stage{stage + 1}.block{block + 1}"))
        if stage < NUM_STAGES - 1:
            layer = _transition(maps, f"stage{stage + 1}.transition")
    return torch_pooled_output(_bn_rectify(maps, "final", "final"), num_outputs, nonlinearity)


def _block(maps, growth_rate, name):
    """Batch norm, rectifier, 3x3 convolution of all maps before; with ``remat=True`` all of it is computed again."""

    def inside(incomings):
        normalised = _bn_rectify(incomings, f"{name}.maps", name, 1)
        return torch_convolution(normalised, growth_rate, 3, f"{name}.conv1")

    return RecomputedLayer(maps, inside, on_request=True, name=name)


def _transition(maps, name):
    """Batch norm, rectifier, 1x1 convolution that keeps the number of maps, 2x2 mean pool."""
    normalised = _bn_rectify(maps, f"{name}.maps", name)
    conv = torch_convolution(normalised, normalised.output_shape[1], 1, f"{name}.conv")
    return Pool2DLayer(conv, 2, mode="average_inc_pad", name=f"{name}.pool")


def _bn_rectify(maps, name, block, number=""):
    """Batch norm and rectifier of concatenated maps; the concatenation itself is not kept for the gradient."""

    def inside(incomings):
        together = ConcatLayer(incomings, name=f"{name}.concat")
        return torch_batch_norm_rectify(together, block, number)

    return RecomputedLayer(maps, inside, name=name)
