"""The residual network with stochastic depth of Huang et al. (2016)."""

from crmn_legacy.layers import StochasticDepthLayer
from crmn_legacy.models.blocks import TORCH_BATCH_NORM, pooled_output, torch_linear_init
from crmn_legacy.models.resnet_110 import residual_blocks


def stochastic_depth(input_layer, n, num_filters, last_survival, num_outputs, nonlinearity):
    """The 6n+2 ResNet whose residuals survive a batch by chance; shortcuts average where maps become smaller.

    The l-th of the L = 3n blocks survives with probability 1 - l/L (1 - `last_survival`).

    Parameters
    ----------
    input_layer : Layer
        What the first convolution reads, (batch, channels, height, width).
    n, num_filters : int
        As for `cifar_resnet`.
    last_survival : float
        Survival probability of the last block, in (0, 1].
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
    Huang et al., "Deep networks with stochastic depth", ECCV 2016, Sections 3 and 4, equation 4.
    """

    def by_chance(residual, block):
        survival = 1 - block / (3 * n) * (1 - last_survival)
        return StochasticDepthLayer(residual, survival, name=f"{residual.name.rsplit('.', 1)[0]}.survival")

    blocks = residual_blocks(input_layer, n, num_filters, mode="average", on_residual=by_chance, **TORCH_BATCH_NORM)
    init = torch_linear_init(blocks[-1].output_shape[1])
    return pooled_output(blocks[-1], num_outputs, nonlinearity, W=init, b=init)
