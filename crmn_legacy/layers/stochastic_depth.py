"""Stochastic depth: a residual that a batch has as a whole, or not at all."""

from lasagne.layers import Layer

from crmn_legacy.layers.random_numbers import RandomNumbers


class StochasticDepthLayer(Layer):
    r"""A residual that survives with a given probability while training.

    .. math:: y = b\,x, \quad b \sim \mathrm{Bernoulli}(p)

    There is one b a layer and mini-batch. With ``deterministic=True``, y = p x.

    Parameters
    ----------
    incoming : Layer or tuple
        The residual, of any shape.
    survival : float
        The probability p, in (0, 1].
    **kwargs
        Of `lasagne.layers.Layer`.

    Raises
    ------
    ValueError
        `survival` out of range.

    References
    ----------
    Huang et al., 2016, "Deep networks with stochastic depth", equations 2 and 5.
    """

    def __init__(self, incoming, survival, **kwargs):
        super().__init__(incoming, **kwargs)
        if not 0 < survival <= 1:
            raise ValueError(f"StochasticDepthLayer {self.name!r} expects survival in (0, 1], got {survival}")
        self.survival = survival
        self.random_numbers = RandomNumbers(self.name, at_once=1)

    def get_output_for(self, input, deterministic=False, **kwargs):
        """The residual, scaled by its gate; `deterministic` takes the gate's mean."""
        if self.survival == 1:
            return input
        if deterministic:
            return input * self.survival
        return input * self.random_numbers.keep(self.survival, (1,))[0]
