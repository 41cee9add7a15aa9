"""Training of a network of one's own on arrays, out of a program; a run that proves itself wants a recipe."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import aesara.tensor as T
import lasagne
import numpy as np

from crmn_legacy import archive
from crmn_legacy.backend import determinism, precision
from crmn_legacy.data.randomness import Purpose, generator
from crmn_legacy.errors import UserError
from crmn_legacy.training import steps
from crmn_legacy.training.optimizers import NesterovMomentum
from crmn_legacy.training.tasks.classification import cross_entropy

# Of `steps.train_step`, which has a rate for each.
_COMPONENT = "network"


LOSSES = ("squared_error", "cross_entropy")
"""By name; any callable that takes prediction and target, symbolic, and returns (batch,) will do as well."""


@dataclass
class Fitted:
    """A network that `fit` has trained; its Lasagne parameters have the trained values.

    Attributes
    ----------
    network : Layer
    losses, validation_losses : list of float
        Mean of an example, an entry an epoch.
    """

    network: Any
    _task: Any = field(repr=False)
    losses: list = field(default_factory=list)
    validation_losses: list = field(default_factory=list)

    def note(self, losses, held_out):
        """Keep the losses of an epoch, and say them (a str).

        Parameters
        ----------
        losses : list of scalar
            Of its batches.
        held_out : crmn_legacy.training.protocols.Task or None
            Examples to be judged.
        """
        self.losses.append(float(np.mean([np.asarray(loss) for loss in losses])))
        line = f"loss {self.losses[-1]:.5g}"
        if held_out is not None:
            self.validation_losses.append(self._judge(held_out))
            line += f", validation loss {self.validation_losses[-1]:.5g}"
        return line

    @cached_property
    def _evaluation(self):
        return steps.evaluation_step(self.network, self._task)

    @cached_property
    def _prediction(self):
        return steps.prediction_step(self.network, self._task)

    def _judge(self, task):
        """The mean loss of a task's examples, by the parameters as they are."""
        losses = self._in_batches(self._evaluation, "losses", {"images": task.pictures, "targets": task.targets})
        return float(losses.mean())

    def _in_batches(self, step, name, arrays, size=256):
        """An output of a step for all rows of arrays, by the parameters as they are."""
        state, count = step.initial_state(), len(arrays["images"])
        parts = []
        for first in range(0, max(count, 1), size):
            batch = {key: array[first : first + size] for key, array in arrays.items()}
            parts.append(np.asarray(step(state, batch)[1][name]))
        return np.concatenate(parts)

    def predict(self, inputs):
        """The network's deterministic output.

        Parameters
        ----------
        inputs : array (inputs, ...)
            Of the shape that it was trained on; whole numbers (uint8) if those were.

        Returns
        -------
        array (inputs, ...)

        Raises
        ------
        UserError
            They have another shape, or are not uint8 where those of the training were.
        """
        inputs, kind = np.asarray(inputs), self._task.pictures.dtype
        _require_fit("inputs", inputs.shape, (None, *self._task.pictures.shape[1:]))
        if kind == np.uint8 != inputs.dtype:
            raise UserError(f"got inputs {inputs.dtype}, expected uint8, as the network was trained on")
        with precision.use(self._task.dtype):
            return self._in_batches(self._prediction, "predicted", {"images": inputs.astype(kind)})

    def save(self, path):
        """Write the parameters to an ``.npz`` file, by their names; `restore` reads it."""
        parameters = lasagne.layers.get_all_params(self.network)
        archive.write_arrays(path, {one.name: one.get_value() for one in parameters})


def name_parameters(network):
    """Give every parameter of a network a name that no other has; one that has such a name keeps it.

    Names follow from the network alone: the same layers get the same names again.

    Parameters
    ----------
    network : Layer

    Examples
    --------
    >>> from lasagne.layers import DenseLayer, InputLayer
    >>> network = DenseLayer(DenseLayer(InputLayer((None, 3)), 2), 1)
    >>> name_parameters(network)
    >>> [parameter.name for parameter in lasagne.layers.get_all_params(network)]
    ['layer1.W', 'layer1.b', 'layer2.W', 'layer2.b']
    """
    parameters = lasagne.layers.get_all_params(network)
    names = [one.name for one in parameters]
    taken = {name for name in names if name and names.count(name) == 1}
    for place, layer in enumerate(lasagne.layers.get_all_layers(network)):
        for number, one in enumerate(layer.get_params()):
            if one.name in taken:
                continue
            path = layer.name or f"layer{place}"
            name = f"{path}.{(one.name or str(number)).rsplit('.', 1)[-1]}"
            while name in taken:
                name += "_"
            one.name = name
            taken.add(name)


def restore(network, path):
    """Set the parameters of a network to what `Fitted.save` wrote of one built alike.

    Parameters
    ----------
    network : Layer
        The last one.
    path : path
        An ``.npz`` file.

    Raises
    ------
    UserError
        A parameter is missing, or of another shape.
    """
    name_parameters(network)
    stored = archive.read_arrays(path)
    for one in lasagne.layers.get_all_params(network):
        shape = one.get_value(borrow=True).shape
        found = stored[one.name].shape if one.name in stored else "none"
        if found != shape:
            raise UserError(f"got '{path}' with {one.name} {found}, expected {shape}: another network's?")
        one.set_value(stored[one.name])


def fit(
    network,
    inputs,
    targets,
    *,
    loss="squared_error",
    optimizer=None,
    rate=0.01,
    epochs=10,
    batch_size=32,
    validation=None,
    weight_decay=0.0,
    seed=1,
    tell=print,
):
    """Train a Lasagne network on arrays, compiled by XLA; on one machine the same call gives the same bits.

    Parameters
    ----------
    network : Layer
        The last one; there is one input layer. Parameters without a name of their own get one.
    inputs, targets : array
        Their first axis is the examples'; of ``cross_entropy`` targets are whole numbers (examples,).
    loss : {'squared_error', 'cross_entropy'} or callable
        The squared error is summed over the outputs. A callable takes prediction and target, symbolic, and returns the
        loss of each example, (batch,).
    optimizer : crmn_legacy.training.protocols.Optimizer, optional
        Of `crmn_legacy.training`; Nesterov's momentum of 0.9 by default.
    rate : float or callable
        The learning rate; a callable takes the epoch, from 1.
    epochs, batch_size : int
        An epoch drops what of the shuffled examples does not fill a batch.
    validation : (array, array), optional
        Inputs and targets whose loss is told after each epoch.
    weight_decay : float
        Of half the sum of squares of all weights.
    seed : int
        Of the order of the examples. First weights are the network's own, drawn by Lasagne.
    tell : callable or None
        Takes a line an epoch.

    Returns
    -------
    Fitted
        After an interruption by Ctrl-C with what was learned up to then.

    Raises
    ------
    UserError
        Arrays do not fit the network, or one another; an unknown loss.

    Examples
    --------
    >>> from lasagne.layers import DenseLayer, InputLayer
    >>> x = np.random.default_rng(0).normal(size=(64, 3))
    >>> fitted = fit(DenseLayer(InputLayer((None, 3)), 1, nonlinearity=None), x, x[:, :1], epochs=5, tell=None)
    >>> fitted.losses[-1] < fitted.losses[0]
    True
    """
    name_parameters(network)
    task = _Arrays(network, loss, inputs, targets)
    held_out = None if validation is None else _Arrays(network, loss, *validation)
    determinism.pin_within()
    fitted = Fitted(network, task)
    with precision.use(task.dtype):
        step = steps.train_step(network, task, optimizer or NesterovMomentum(0.9), (_COMPONENT,), weight_decay)
        state = step.initial_state()
        try:
            for epoch in range(1, epochs + 1):
                now = {_COMPONENT: np.asarray(rate(epoch) if callable(rate) else rate, task.dtype)}
                losses = []
                for batch in task.shuffled(seed, epoch, batch_size):
                    state, outputs = step(state, batch, now)
                    losses.append(outputs["loss"])
                step.write_back(state)
                line = fitted.note(losses, held_out)
                if tell:
                    tell(f"epoch {epoch}/{epochs}: {line}")
        except KeyboardInterrupt:
            if tell:
                tell(f"interrupted: the network is as after epoch {len(fitted.losses)}")
    return fitted


class _Arrays:
    """Examples as a `crmn_legacy.training.protocols.Task`, as far as steps ask for one.

    Raises
    ------
    UserError
        They do not fit the network, or one another.
    """

    def __init__(self, network, loss, inputs, targets):
        layers = lasagne.layers.get_all_layers(network)
        sources = [layer for layer in layers if isinstance(layer, lasagne.layers.InputLayer)]
        if len(sources) != 1:
            raise UserError(f"got a network of {len(sources)} input layers, expected one")
        if not callable(loss) and loss not in LOSSES:
            raise UserError(f"loss got {loss!a}, expected one of {', '.join(LOSSES)}, or a callable")
        self._loss, self._outputs = loss, network.output_shape
        self.dtype = str(lasagne.layers.get_all_params(network)[0].dtype)
        self.pictures, self.targets = np.asarray(inputs), np.asarray(targets)
        if not 0 < len(self.pictures) == len(self.targets):
            raise UserError(
                f"got {len(self.pictures)} inputs and {len(self.targets)} targets, expected as many of both, at least "
                "one"
            )
        _require_fit("inputs", self.pictures.shape, sources[0].shape)
        if self.pictures.dtype != np.uint8:
            self.pictures = self.pictures.astype(self.dtype)
        self.targets = self._checked_targets()

    def _checked_targets(self):
        targets = self.targets
        if self._loss == "cross_entropy":
            classes = self._outputs[1]
            if targets.ndim != 1 or targets.dtype.kind not in "iu" or targets.min() < 0 or targets.max() >= classes:
                raise UserError(
                    f"got targets {targets.dtype} {targets.shape}, expected whole numbers from 0 to {classes - 1}, one "
                    "an input"
                )
            return targets.astype(np.int32)
        if self._loss == "squared_error":
            _require_fit("targets", targets.shape, self._outputs)
        return targets.astype(self.dtype) if targets.dtype.kind == "f" else targets

    def shuffled(self, seed, epoch, size):
        """Batches of an epoch; of fewer examples than a batch, all of them."""
        order = generator(seed, Purpose.ORDER, epoch).permutation(len(self.pictures))
        size = min(size, len(order))
        for first in range(0, len(order) - size + 1, size):
            rows = order[first : first + size]
            yield {"images": self.pictures[rows], "targets": self.targets[rows]}

    def inputs(self):
        """Symbolic batch: ``images``, ``targets``."""
        arrays = {"images": self.pictures, "targets": self.targets}
        return {name: T.TensorType(a.dtype, (None,) * a.ndim)(name) for name, a in arrays.items()}

    def losses(self, predicted, inputs):
        """Loss of each example, (batch,)."""
        targets = inputs["targets"]
        if callable(self._loss):
            return self._loss(predicted, targets)
        if self._loss == "cross_entropy":
            return cross_entropy(predicted, targets, self._outputs[1])
        return ((predicted - targets) ** 2).reshape((predicted.shape[0], -1)).sum(axis=1)

    def known(self, inputs):
        """Layers are told nothing more."""
        return {}

    def watched(self, predicted, inputs):
        """Steps put out nothing more."""
        return {}


def _require_fit(what, found, expected):
    own, wanted = found[1:], expected[1:]
    if len(found) != len(expected) or any(side not in (None, at) for at, side in zip(own, wanted, strict=True)):
        shape = ", ".join("any" if side is None else str(side) for side in wanted)
        raise UserError(f"got {what} {tuple(found)}, expected (examples, {shape}) as the network has it")
