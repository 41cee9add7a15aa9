"""From a network to compiled steps: one that trains, one that predicts."""

from functools import partial

import aesara
import aesara.tensor as T
import lasagne
import numpy as np

from crmn_legacy.backend.compile import compile_step
from crmn_legacy.backend.graph_building import graph_building
from crmn_legacy.data.randomness import Purpose, generator
from crmn_legacy.training.optimizers import component_of
from crmn_legacy.training.penalties import as_decay


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


@graph_building()
def train_step(
    network, task, optimizer, components, weight_decay=0.0, constraints=(), remat=False, trained=None, **compilation
):
    """Compile one update of all parameters, or of those of some components.

    Parameters
    ----------
    network : Layer
        Its output has the task's width.
    task : crmn_legacy.training.protocols.Task
        Gives the symbolic batch and the losses.
    optimizer : crmn_legacy.training.protocols.Optimizer
        Gives the updates.
    components : tuple of str
        Each has a rate of its own.
    weight_decay : float or crmn_legacy.training.WeightDecay
        A number is the weight of half the sum of squares of the regularizable parameters.
    constraints : sequence of crmn_legacy.training.MaxNorm
        Hold for the parameters after the update.
    remat : bool
        Whether layers that can do so compute again what the gradients need, instead of keeping it.
    trained : tuple of str, optional
        Components that are updated, all by default. Layers are told, so that what only serves others is not computed;
        its parameters are then no part of the step's state.
    **compilation
        For `compile_step`.

    Returns
    -------
    crmn_legacy.backend.compile.Step
        Outputs ``loss``: the mean of the pictures' losses, without the decay; and what the task watches in training.
    """
    trained = tuple(components) if trained is None else trained
    inputs, predicted = _forward([network], task, deterministic=False, remat=remat, trained=trained)
    loss = task.losses(predicted, inputs).mean()
    rates = {name: T.scalar(f"rate.{name}") for name in trained}
    parameters = [
        parameter
        for parameter in lasagne.layers.get_all_params(network, trainable=True)
        if component_of(parameter.name, components) in trained
    ]
    penalised = as_decay(weight_decay).added_to(loss, network, among=set(parameters))
    updates = optimizer.updates(penalised, parameters, rates)
    for constraint in constraints:
        constraint.constrain(updates)
    return compile_step(inputs, {"loss": loss, **task.watched(predicted, inputs)}, updates, rates, **compilation)


class TrainingSteps:
    """The training step of an epoch: of all components while all are trained, later of those that still are.

    A step is compiled when it is first needed. The state is that of the step that trains all; what another one does
    not have stays as it is.

    Parameters
    ----------
    network, task, optimizer, components
        As for `train_step`.
    *arguments, **keywords
        For `train_step`.
    """

    def __init__(self, network, task, optimizer, components, *arguments, **keywords):
        self._compile = partial(train_step, network, task, optimizer, components, *arguments, **keywords)
        self._whole = self._compile()
        self._dtype = aesara.config.floatX
        self._steps = {tuple(components): self._whole}
        # Of the whole step: the state's ways in and out.
        self.initial_state, self.release = self._whole.initial_state, self._whole.release
        self.put, self.get = self._whole.put, self._whole.get

    def __call__(self, state, batch, rates):
        """One update of the components that have a rate (a float); see `crmn_legacy.backend.compile.Step`."""
        trained = tuple(rates)
        # Numbers of the format that the step's inputs have.
        rates = {name: np.asarray(rate, self._dtype) for name, rate in rates.items()}
        if trained not in self._steps:
            self._steps[trained] = self._compile(trained=trained)
        new, outputs = self._steps[trained](state, batch, rates)
        return {**state, **new}, outputs


@graph_building()
def evaluation_step(network, task, with_stem_input=False, sampling=False, **compilation):
    """Compile the forward pass as it is used after training.

    Parameters
    ----------
    network, task
        As for `train_step`.
    with_stem_input : bool
        Whether to put out ``stem_input`` too, what the first convolution reads.
    sampling : bool
        Whether layers whose published inference is itself random draw; the state then holds their random numbers'.
    **compilation
        For `compile_step`.

    Returns
    -------
    crmn_legacy.backend.compile.Step
        Outputs ``predicted`` (batch, outputs) and ``losses`` (batch,).
    """
    inputs, predicted, stem = _forward([network, stem_input(network)], task, deterministic=True, sampling=sampling)
    outputs = {"predicted": predicted, "losses": task.losses(predicted, inputs)}
    if with_stem_input:
        outputs["stem_input"] = stem
    return compile_step(inputs, outputs, donate=False, **compilation)


def stem_input(network):
    """The layer whose output the first convolution reads."""
    layers = lasagne.layers.get_all_layers(network)
    return next(layer for layer in layers if isinstance(layer, lasagne.layers.Conv2DLayer)).input_layer


def random_state(state):
    """The part of a state that is layers' random numbers, which no weights file has (a dict)."""
    return {name: value for name, value in state.items() if name.endswith(".rng")}


def _forward(layers, task, **how):
    """The task's symbolic batch, and the outputs of `layers` for it."""
    inputs = task.inputs()
    pictures = T.cast(inputs["images"], aesara.config.floatX)
    return inputs, *lasagne.layers.get_output(layers, pictures, **task.known(inputs), **how)
