"""Dropout whose masks are part of the run's state."""

from lasagne.layers import Layer

from crmn_legacy.layers.random_numbers import RandomNumbers


class DropoutLayer(Layer):
    r"""Each number set to 0 with probability `p` while training.

    .. math:: y = m \odot x \cdot s, \quad m \sim \mathrm{Bernoulli}(1 - p)

    With ``deterministic=True`` the input passes as it is.

    Parameters
    ----------
    incoming : Layer or tuple
        Any shape.
    p : float
        In [0, 1).
    scale : float, optional
        What is kept is multiplied by it while training; by default 1 / (1 - p), so that the mean stays.
    **kwargs
        Of `lasagne.layers.Layer`.

    Raises
    ------
    ValueError
        `p` out of range.

    References
    ----------
    Hinton et al., 2012, "Improving neural networks by preventing co-adaptation of feature detectors".
    """

    def __init__(self, incoming, p=0.5, scale=None, **kwargs):
        super().__init__(incoming, **kwargs)
        if not 0 <= p < 1:
            raise ValueError(f"DropoutLayer {self.name!r} expects p in [0, 1), got {p}")
        self.p = p
        self.scale = 1 / (1 - p) if scale is None else scale
        self.random_numbers = RandomNumbers(self.name)

    def get_output_for(self, input, deterministic=False, **kwargs):
        if deterministic or self.p == 0:
            return input
        shape = [input.shape[0], *self.input_shape[1:]]
        return input * self.random_numbers.keep(1 - self.p, shape) * self.scale
