"""From a network to compiled steps: one that trains, one that predicts."""

import aesara
import aesara.tensor as T
import lasagne

from crmn_legacy.backend.compile import compile_step
from crmn_legacy.data.randomness import Purpose, generator


def build(network, seed):
    """Build a network with initial weights that are a pure function of the seed.

    Parameters
    ----------
    network : callable
        Returns the output Layer.
    seed : int
        The run's seed.

    Returns
    -------
    Layer
    """
    before = lasagne.random.get_rng()
    lasagne.random.set_rng(_WeightDraws(seed))
    try:
        return network()
    finally:
        lasagne.random.set_rng(before)


class _WeightDraws:
    """Stands for Lasagne's generator: the k-th draw depends on the seed and k alone."""

    def __init__(self, seed):
        self._seed, self._drawn, self._seeds = seed, 0, 0

    def randint(self, low, high):
        """The seed of a layer's own random numbers, which layers that draw none do not move."""
        draw = generator(self._seed, Purpose.DROPOUT, index=self._seeds).integers(low, high)
        self._seeds += 1
        return draw

    def __getattr__(self, distribution):
        draw = getattr(generator(self._seed, Purpose.WEIGHTS, index=self._drawn), distribution)
        self._drawn += 1
        return draw


def train_step(network, task, optimizer, components, weight_decay=0.0, **compilation):
    """Compile one update of all parameters.

    Parameters
    ----------
    network : Layer
        Its output has the task's width.
    task : crmn_legacy.training.Keypoints or alike
        Gives the symbolic batch and the losses.
    optimizer : crmn_legacy.training.NesterovMomentum or alike
        Gives the updates.
    components : tuple of str
        Each has a rate of its own.
    weight_decay : float
        Weight of half the sum of squares of the regularizable parameters.
    **compilation
        For `compile_step`.

    Returns
    -------
    crmn_legacy.backend.compile.Step
        Outputs ``loss``: the mean of the pictures' losses, without the decay.
    """
    inputs, predicted = _forward([network], task, deterministic=False)
    loss = task.losses(predicted, inputs).mean()
    penalised = loss
    if weight_decay:
        weights = lasagne.layers.get_all_params(network, trainable=True, regularizable=True)
        penalised = loss + 0.5 * weight_decay * sum(T.square(w).sum() for w in weights)
    rates = {name: T.scalar(f"rate.{name}") for name in components}
    parameters = lasagne.layers.get_all_params(network, trainable=True)
    updates = optimizer.updates(penalised, parameters, rates)
    return compile_step(inputs, {"loss": loss}, updates, rates, **compilation)


def evaluation_step(network, task, with_stem_input=False, **compilation):
    """Compile the deterministic forward pass.

    Parameters
    ----------
    network, task
        As for `train_step`.
    with_stem_input : bool
        Whether to put out ``stem_input`` too, what the first convolution reads.
    **compilation
        For `compile_step`.

    Returns
    -------
    crmn_legacy.backend.compile.Step
        Outputs ``predicted`` (batch, outputs) and ``losses`` (batch,).
    """
    inputs, predicted, stem = _forward([network, stem_input(network)], task, deterministic=True)
    outputs = {"predicted": predicted, "losses": task.losses(predicted, inputs)}
    if with_stem_input:
        outputs["stem_input"] = stem
    return compile_step(inputs, outputs, donate=False, **compilation)


def stem_input(network):
    """The layer whose output the first convolution reads."""
    layers = lasagne.layers.get_all_layers(network)
    return next(layer for layer in layers if isinstance(layer, lasagne.layers.Conv2DLayer)).input_layer


def _forward(layers, task, deterministic):
    """The task's symbolic batch, and the outputs of `layers` for it."""
    inputs = task.inputs()
    pictures = T.cast(inputs["images"], aesara.config.floatX)
    return inputs, *lasagne.layers.get_output(layers, pictures, deterministic=deterministic)
