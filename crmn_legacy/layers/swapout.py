"""Swapout: every unit of a block is dropped, skipped, transformed or both, by chance."""

from lasagne.layers import MergeLayer

from crmn_legacy.layers.random_numbers import RandomNumbers


class SwapoutLayer(MergeLayer):
    r"""A block's input and its residual, each unit of either kept by chance.

    .. math:: y = \Theta_1 \odot x + \Theta_2 \odot F(x), \quad \Theta_i \sim \mathrm{Bernoulli}(\theta_i)

    with masks of the units' shape, drawn anew for each picture. What is kept is not scaled. With
    ``deterministic=True`` the masks' means stand for them, unless ``sampling=True``: the published inference
    averages the predictions of several draws.

    Parameters
    ----------
    shortcut, residual : Layer or tuple
        What is called x and F(x) above, of one shape.
    keep : (float, float)
        :math:`\theta_1` and :math:`\theta_2`, in (0, 1].
    **kwargs
        Of `lasagne.layers.MergeLayer`.

    Raises
    ------
    ValueError
        Shapes differ, or a probability is out of range.

    References
    ----------
    Singh, Hoiem and Forsyth, 2016, "Swapout: learning an ensemble of deep architectures", Section 3.
    """

    def __init__(self, shortcut, residual, keep=(0.5, 0.5), **kwargs):
        super().__init__([shortcut, residual], **kwargs)
        if len({tuple(shape) for shape in self.input_shapes}) != 1:
            raise ValueError(f"SwapoutLayer {self.name!r} expects inputs of one shape, got {self.input_shapes}")
        if len(keep) != 2 or not all(0 < probability <= 1 for probability in keep):
            raise ValueError(f"SwapoutLayer {self.name!r} expects two probabilities in (0, 1], got {keep}")
        self.keep = tuple(keep)
        self.random_numbers = tuple(RandomNumbers(f"{self.name}.{of}") for of in ("shortcut", "residual"))

    def get_output_shape_for(self, input_shapes):
        return input_shapes[0]

    def get_output_for(self, inputs, deterministic=False, sampling=False, **kwargs):
        """The sum; masks are drawn unless `deterministic`, and then too if `sampling`."""
        shape = [inputs[0].shape[0], *self.output_shape[1:]]
        draws = sampling or not deterministic
        parts = []
        for input, probability, numbers in zip(inputs, self.keep, self.random_numbers, strict=True):
            if probability == 1:
                parts.append(input)
            else:
                parts.append(input * (numbers.keep(probability, shape) if draws else probability))
        return parts[0] + parts[1]
