"""From a network to compiled steps: one that trains, one that predicts."""

import itertools
from functools import partial

import aesara
import aesara.tensor as T
import lasagne
from aesara.graph.basic import graph_inputs

from crmn_legacy.backend.compile import compile_step
from crmn_legacy.backend.graph_building import graph_building
from crmn_legacy.backend.programs.draws import Draw
from crmn_legacy.data.randomness import Purpose, generator
from crmn_legacy.layers import PeepholeLSTMLayer
from crmn_legacy.training.component_steps import ComponentSteps
from crmn_legacy.training.optimizers import component_of
from crmn_legacy.training.penalties import as_decay


def build(network, seed, draws=None):
    """Build a network with initial weights that are a pure function of the seed.

    Parameters
    ----------
    network : callable
        Returns the output Layer.
    seed : int
        The run's seed.
    draws : list, optional
        Takes each `crmn_legacy.backend.programs.draws.Draw` that the weights are made of.

    Returns
    -------
    Layer
    """
    before = lasagne.random.get_rng()
    lasagne.random.set_rng(_WeightDraws(seed, [] if draws is None else draws))
    try:
        return network()
    finally:
        lasagne.random.set_rng(before)


class _WeightDraws:
    """Stands for Lasagne's generator: the k-th draw depends on the seed and k alone."""

    def __init__(self, seed, draws):
        self._seed, self._draws = seed, draws
        self._drawn, self._seeds = itertools.count(), itertools.count()

    def randint(self, low, high):
        """The seed of a layer's own random numbers, which layers that draw none do not move."""
        return self._draw((Purpose.DROPOUT, next(self._seeds)), "integers", low, high)

    def __getattr__(self, distribution):
        return partial(self._draw, (Purpose.WEIGHTS, next(self._drawn)), distribution)

    def _draw(self, place, distribution, *arguments, **keywords):
        self._draws.append(Draw(place, distribution, arguments, keywords))
        return drawn(self._seed, self._draws[-1])


def drawn(seed, draw):
    """What a `crmn_legacy.backend.programs.draws.Draw` gives."""
    purpose, index = draw.place
    return getattr(generator(seed, purpose, index=index), draw.distribution)(*draw.arguments, **draw.keywords)


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


def parts_of(recipe, network):
    """What `train_step` and `TrainingSteps` are given of a `Recipe` and the network that was built of it (a tuple)."""
    optimizer, components = recipe.optimizer, recipe.schedule.components
    return network, recipe.task, optimizer, components, recipe.weight_decay, recipe.constraints


class TrainingSteps(ComponentSteps):
    """The training steps of a network, compiled when they are first needed.

    Parameters
    ----------
    network, task, optimizer, components
        As for `train_step`.
    *arguments, **keywords
        For `train_step`.
    """

    def __init__(self, network, task, optimizer, components, *arguments, **keywords):
        compile_ = partial(train_step, network, task, optimizer, components, *arguments, **keywords)
        super().__init__(compile_, components, aesara.config.floatX)


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
    layers = [network, stem_input(network)] if with_stem_input else [network]
    inputs, predicted, *stem = _forward(layers, task, deterministic=True, sampling=sampling)
    outputs = {"predicted": predicted, "losses": task.losses(predicted, inputs)}
    if with_stem_input:
        (outputs["stem_input"],) = stem
    return compile_step(inputs, outputs, donate=False, **compilation)


@graph_building()
def prediction_step(network, task):
    """Compile the deterministic forward pass alone: what the input layers read to ``predicted`` (batch, outputs)."""
    inputs = task.inputs()
    predicted = lasagne.layers.get_output(network, _told(task, inputs)["inputs"], deterministic=True)
    needed = set(graph_inputs([predicted]))
    return compile_step({n: v for n, v in inputs.items() if v in needed}, {"predicted": predicted}, donate=False)


@graph_building()
def memory_step(network, task):
    """Compile what a network's memory holds at each depth, and what the output layer takes from it.

    Parameters
    ----------
    network, task
        As for `train_step`.

    Returns
    -------
    crmn_legacy.backend.compile.Step or None
        Outputs each of `crmn_legacy.layers.peephole_lstm.STATES`, (batch, depth, units), and ``from_memory`` and
        ``from_pool``, (batch, outputs): what the hidden state and the global pool add to the output layer's sum, before
        bias and nonlinearity. None of a network that has no peephole LSTM before its output layer.
    """
    joined = getattr(network, "input_layer", None)
    if not isinstance(joined, lasagne.layers.ConcatLayer) or not isinstance(joined.input_layers[0], PeepholeLSTMLayer):
        return None
    memory = joined.input_layers[0]
    inputs, steps, features = _forward([memory.input_layer, joined], task, deterministic=True)
    units = memory.num_units
    heads = {
        "from_memory": T.dot(features[:, :units], network.W[:units]),
        "from_pool": T.dot(features[:, units:], network.W[units:]),
    }
    return compile_step({"images": inputs["images"]}, memory.get_states_for(steps) | heads, donate=False)


def stem_input(network):
    """The layer whose output the first convolution reads."""
    layers = lasagne.layers.get_all_layers(network)
    return next(layer for layer in layers if isinstance(layer, lasagne.layers.Conv2DLayer)).input_layer


def _forward(layers, task, **how):
    """The task's symbolic batch, and the outputs of `layers` for it."""
    inputs = task.inputs()
    return inputs, *lasagne.layers.get_output(layers, **_told(task, inputs), **how)


def _told(task, inputs):
    """What layers are told: what the task knows; its pictures, where it does not say what each input layer reads."""
    known = task.known(inputs)
    return known if "inputs" in known else {"inputs": T.cast(inputs["images"], aesara.config.floatX)} | known
