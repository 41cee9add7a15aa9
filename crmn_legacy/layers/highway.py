"""The highway gate: how much of a layer's input is transformed, and how much is carried on as it is."""

from lasagne.layers import MergeLayer


class HighwayGateLayer(MergeLayer):
    r"""Transformed and carried input, mixed by a gate.

    .. math:: y = H(x) \odot T(x) + x \odot (1 - T(x))

    Training and ``deterministic=True`` do not differ.

    Parameters
    ----------
    transformed, gate, incoming : Layer or tuple
        H(x), T(x) in [0, 1], and x; of one shape.
    **kwargs
        Of `lasagne.layers.MergeLayer`.

    Raises
    ------
    ValueError
        Shapes differ.

    References
    ----------
    Srivastava, Greff and Schmidhuber, 2015, "Training very deep networks", equation 3.

    Examples
    --------
    >>> HighwayGateLayer((None, 32, 8, 8), (None, 32, 8, 8), (None, 32, 8, 8)).output_shape
    (None, 32, 8, 8)
    """

    def __init__(self, transformed, gate, incoming, **kwargs):
        super().__init__([transformed, gate, incoming], **kwargs)
        if len({tuple(shape) for shape in self.input_shapes}) != 1:
            raise ValueError(f"HighwayGateLayer {self.name!r} expects inputs of one shape, got {self.input_shapes}")

    def get_output_shape_for(self, input_shapes):
        return input_shapes[0]

    def get_output_for(self, inputs, **kwargs):
        transformed, gate, incoming = inputs
        return transformed * gate + incoming * (1 - gate)
