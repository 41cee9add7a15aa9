"""Batch normalisation with the conventions of Lasagne's later releases."""

import aesara.tensor as T
from aesara.tensor.nnet.batchnorm import batch_normalization_train
from lasagne import init
from lasagne.layers import Layer


class BatchNormLayer(Layer):
    r"""Each channel brought to mean 0 and variance 1 over the batch, then scaled and shifted.

    .. math:: y = \gamma\,(x - \mu) / \sqrt{\sigma^2 + \epsilon} + \beta

    While training, the batch's own statistics are used, and running averages of the mean and of the *inverse
    standard deviation* (Lasagne), or of the mean and of the unbiased *variance* (Torch), are kept: a step compiled from
    the training output moves them by ``stored <- (1 - alpha) stored + alpha batch's`` through default updates. With
    ``deterministic=True`` the stored ones are used.

    Averages of inverse deviations keep their first value, 1, for longer where deviations are large: after 12 updates
    the 1001-layer network's deterministic output was not finite with them.

    Parameters
    ----------
    incoming : Layer or tuple
        Shape (batch, channels, ...); statistics are taken over all axes but the second.
    epsilon : float
        Added to the variance; at least 1e-5.
    alpha : float
        Weight of the newest batch in the running averages.
    beta, gamma : callable or array
        Initialisers of shift and scale, (channels,).
    mean, inv_std, var : callable or array
        Initialisers of the stored statistics, (channels,); not trained. There is either `inv_std` or `var`.
    average : {'inv_std', 'var'}
        What is stored beside the mean.
    **kwargs
        Of `lasagne.layers.Layer`.

    Raises
    ------
    ValueError
        The number of channels is unknown, or `average` is neither.

    References
    ----------
    Ioffe and Szegedy, 2015, Algorithm 1. One operation of Aesara's with its gradient in closed form
    (`batch_normalization_train`), so that a backend may compute it as a whole.
    """

    def __init__(
        self,
        incoming,
        epsilon=1e-4,
        alpha=0.1,
        beta=init.Constant(0),  # noqa: B008 - an initialiser, as in Lasagne's own signatures
        gamma=init.Constant(1),  # noqa: B008
        mean=init.Constant(0),  # noqa: B008
        inv_std=init.Constant(1),  # noqa: B008
        var=init.Constant(1),  # noqa: B008
        average="inv_std",
        **kwargs,
    ):
        super().__init__(incoming, **kwargs)
        if len(self.input_shape) < 2 or self.input_shape[1] is None:
            raise ValueError(
                f"BatchNormLayer {self.name!r} expects input of shape (batch, channels, ...) with known channels, "
                f"got {self.input_shape}"
            )
        if average not in ("inv_std", "var"):
            raise ValueError(f"BatchNormLayer {self.name!r} got average={average!r}, expected 'inv_std' or 'var'")
        self.epsilon = epsilon
        self.alpha = alpha
        self.axes = (0, *range(2, len(self.input_shape)))
        shape = (self.input_shape[1],)
        self.beta = self.add_param(beta, shape, "beta", regularizable=False)
        self.gamma = self.add_param(gamma, shape, "gamma", regularizable=False)
        self.mean = self.add_param(mean, shape, "mean", trainable=False, regularizable=False)
        self.average = average
        if average == "inv_std":
            self.inv_std = self.add_param(inv_std, shape, "inv_std", trainable=False, regularizable=False)
        else:
            self.var = self.add_param(var, shape, "var", trainable=False, regularizable=False)

    def get_output_for(self, input, deterministic=False, **kwargs):
        """Normalised input, of its shape; `deterministic` picks the stored statistics."""
        if deterministic:
            inv_std = self.inv_std if self.average == "inv_std" else 1 / T.sqrt(self.var + self.epsilon)
            pattern = ["x" if axis in self.axes else 0 for axis in range(input.ndim)]
            mean, scale = self.mean.dimshuffle(pattern), (self.gamma * inv_std).dimshuffle(pattern)
            return (input - mean) * scale + self.beta.dimshuffle(pattern)

        # A default update takes effect only if its variable is part of the compiled graph. The copies share the
        # stored values.
        if self.average == "var":
            running = [self.mean.clone(), self.var.clone()]
            normalised, _, _, *averages = batch_normalization_train(
                input,
                self.gamma,
                self.beta,
                axes=self.axes,
                epsilon=self.epsilon,
                running_average_factor=self.alpha,
                running_mean=running[0],
                running_var=running[1],
            )
        else:
            running = [self.mean.clone(), self.inv_std.clone()]
            # Zero times a copy brings it into the graph without moving a result.
            beta = self.beta + sum(0 * average for average in running)
            normalised, *statistics = batch_normalization_train(
                input, self.gamma, beta, axes=self.axes, epsilon=self.epsilon
            )
            averages = [
                (1 - self.alpha) * average + self.alpha * of_batch
                for average, of_batch in zip(running, statistics, strict=True)
            ]
        for stored, average in zip(running, averages, strict=True):
            stored.default_update = average
        return normalised
