"""Training of a network of one's own on arrays, out of a program; a run that proves itself wants a recipe."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import lasagne
import numpy as np

from crmn_legacy import archive
from crmn_legacy.backend import determinism, precision
from crmn_legacy.errors import UserError
from crmn_legacy.training import steps
from crmn_legacy.training.array_task import ArrayTask
from crmn_legacy.training.optimizers import NesterovMomentum
from crmn_legacy.training.penalties import WeightDecay

# Of `steps.train_step`, which has a rate for each.
_COMPONENT = "network"

# Examples; where input layers fix none.
_BATCH, _EVALUATED = 32, 256


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

    def note(self, loss, held_out):
        """Keep the loss of an epoch, and say it (a str).

        Parameters
        ----------
        loss : float
            Mean of its batches.
        held_out : crmn_legacy.training.array_task.ArrayTask or None
            Examples to be judged.
        """
        self.losses.append(loss)
        line = f"loss {loss:.5g}"
        if held_out is not None:
            losses = self._in_batches(self._evaluation, "losses", held_out.arrays, held_out.count)
            self.validation_losses.append(float(losses.mean()))
            line += f", validation loss {self.validation_losses[-1]:.5g}"
        return line

    @cached_property
    def _evaluation(self):
        return steps.evaluation_step(self.network, self._task)

    @cached_property
    def _prediction(self):
        return steps.prediction_step(self.network, self._task)

    def _in_batches(self, step, name, arrays, count):
        """An output of a step for all rows of arrays, by the parameters as they are."""
        state, size = step.initial_state(), self._task.batch_size or _EVALUATED
        parts = []
        for first in range(0, max(count, 1), size):
            batch = {key: array[first : first + size] for key, array in arrays.items()}
            rows = min(size, count - first)
            if self._task.batch_size and rows < size:
                # The network takes whole batches alone; what the last row gives again is left out.
                batch = {key: np.concatenate([a, a[-1:].repeat(size - rows, axis=0)]) for key, a in batch.items()}
            found = np.asarray(step(state, batch)[1][name])
            # A network that looks at the steps of a sequence one by one has several rows an example.
            parts.append(found[: len(found) * rows // size] if self._task.batch_size else found)
        return np.concatenate(parts)

    def predict(self, inputs):
        """The network's deterministic output.

        Parameters
        ----------
        inputs : array (inputs, ...), or dict of them
            As `fit` takes them; whole numbers (uint8) if those of the training were.

        Returns
        -------
        array (inputs, ...)

        Raises
        ------
        UserError
            They have another shape, or are not uint8 where those of the training were.
        """
        arrays = self._task.read(inputs, trained_on=self._task.arrays)
        (count,) = {len(array) for array in arrays.values()}
        with precision.kept(), precision.use(self._task.dtype):
            return self._in_batches(self._prediction, "predicted", arrays, count)

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
        The last one; parameters without a name of their own get one, as in `fit`.
    path : path
        An ``.npz`` file.

    Raises
    ------
    UserError
        The file is none of arrays; a parameter is missing, or of another shape.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from lasagne.layers import DenseLayer, InputLayer
    >>> first, second = DenseLayer(InputLayer((None, 3)), 2), DenseLayer(InputLayer((None, 3)), 2)
    >>> fitted = fit(first, np.eye(3), np.zeros((3, 2)), epochs=1, tell=None)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     fitted.save(pathlib.Path(folder, "weights.npz"))
    ...     restore(second, pathlib.Path(folder, "weights.npz"))
    >>> bool((first.W.get_value() == second.W.get_value()).all())
    True
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
    batch_size=None,
    validation=None,
    weight_decay=0.0,
    seed=1,
    tell=print,
):
    """Train a Lasagne network on arrays, compiled by XLA; on one machine the same call gives the same bits.

    Parameters
    ----------
    network : Layer
        The last one. Parameters without a name of their own get one.
    inputs : array, or dict of array
        Their first axis is the examples'. Of a network with several input layers a dict, by these layers or by their
        names. Pictures of uint8 stay so until a step reads them.
    targets : array
        Of ``cross_entropy`` whole numbers, (examples,).
    loss : {'squared_error', 'cross_entropy'} or callable
        The squared error is summed over the outputs. A callable takes prediction and target, symbolic, and returns the
        loss of each example, (batch,), or several of each, of which the mean is taken: a function of
        `lasagne.objectives` will do.
    optimizer : crmn_legacy.training.protocols.Optimizer or callable, optional
        Of `crmn_legacy.training`, or a function like those of `lasagne.updates`, which takes loss, parameters and
        ``learning_rate``; Nesterov's momentum of 0.9 by default.
    rate : float or callable
        The learning rate; a callable takes the epoch, from 1.
    epochs : int
    batch_size : int, optional
        32 by default, or what the input layers fix. An epoch drops what of the shuffled examples does not fill a batch.
    validation : (array, array), optional
        Inputs and targets whose loss is told after each epoch.
    weight_decay : float or crmn_legacy.training.WeightDecay
        A number is the weight of half the sum of squares of all weights.
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
        Arrays do not fit the network, or one another; another argument is none that will do. A loss is not finite: the
        network is then as after the epoch before.

    Examples
    --------
    >>> from lasagne.layers import DenseLayer, InputLayer
    >>> x = np.random.default_rng(0).normal(size=(64, 3))
    >>> fitted = fit(DenseLayer(InputLayer((None, 3)), 1, nonlinearity=None), x, x[:, :1], epochs=5, tell=None)
    >>> fitted.losses[-1] < fitted.losses[0]
    True
    """
    task = ArrayTask(network, loss, inputs, targets)
    name_parameters(network)
    held_out = _held_out(network, loss, validation)
    _require_whole("epochs", epochs, least=0)
    if not isinstance(weight_decay, int | float | WeightDecay):
        raise UserError(f"weight_decay got {weight_decay!a}, expected a number")
    size = _batch_size(task, batch_size)
    optimizer = _as_optimizer(optimizer)
    determinism.pin_within()
    fitted = Fitted(network, task)
    with precision.kept(), precision.use(task.dtype):
        step = steps.train_step(network, task, optimizer, (_COMPONENT,), weight_decay)
        state = step.initial_state()
        try:
            for epoch in range(1, epochs + 1):
                now = {_COMPONENT: _rate_in(epoch, rate, task.dtype)}
                losses = []
                for batch in task.shuffled(seed, epoch, size):
                    state, outputs = step(state, batch, now)
                    losses.append(outputs["loss"])
                mean = _finite_mean(losses, epoch)
                step.write_back(state)
                line = fitted.note(mean, held_out)
                if tell:
                    tell(f"epoch {epoch}/{epochs}: {line}")
        except KeyboardInterrupt:
            if tell:
                tell(f"interrupted: the network is as after epoch {len(fitted.losses)}")
    return fitted


def _held_out(network, loss, validation):
    if validation is None:
        return None
    if not isinstance(validation, tuple | list) or len(validation) != 2:
        raise UserError(f"validation got {type(validation).__name__}, expected a pair: (inputs, targets)")
    return ArrayTask(network, loss, *validation)


def _batch_size(task, asked):
    size = (task.batch_size or _BATCH) if asked is None else asked
    _require_whole("batch_size", size, least=1)
    if task.batch_size not in (None, size):
        raise UserError(f"batch_size got {asked}, expected {task.batch_size}, as the network's input layers have it")
    if task.batch_size and task.count < size:
        raise UserError(f"got {task.count} examples, expected at least {size}, which the network's input layers fix")
    return int(size)


def _require_whole(name, number, least):
    if not isinstance(number, int | np.integer) or number < least:
        raise UserError(f"{name} got {number!a}, expected a whole number of at least {least}")


def _rate_in(epoch, rate, dtype):
    found = rate(epoch) if callable(rate) else rate
    try:
        return np.asarray(found, dtype).reshape(())
    except (TypeError, ValueError):
        raise UserError(
            f"rate got {found!a:.40}, expected a number, or a function of the epoch that gives one"
        ) from None


def _as_optimizer(given):
    if given is None:
        return NesterovMomentum(0.9)
    if isinstance(given, type) or not (hasattr(given, "updates") or callable(given)):
        raise UserError(
            f"optimizer got {getattr(given, '__name__', repr(given))[:40]}, expected one such as "
            "crmn_legacy.training.NesterovMomentum(0.9), or a function such as lasagne.updates.adam"
        )
    return given if hasattr(given, "updates") else _LasagneUpdates(given)


class _LasagneUpdates:
    """A function of `lasagne.updates` as a `crmn_legacy.training.protocols.Optimizer`."""

    def __init__(self, function):
        self._function = function

    def updates(self, loss, parameters, rates):
        """New values of parameters and of what the function keeps."""
        return self._function(loss, parameters, learning_rate=rates[_COMPONENT])


def _finite_mean(losses, epoch):
    mean = float(np.mean([np.asarray(loss) for loss in losses]))
    if not np.isfinite(mean):
        raise UserError(
            f"got a loss that is {mean} in epoch {epoch}, expected a finite one: lower the rate, or look at the loss; "
            f"the network is as {f'after epoch {epoch - 1}' if epoch > 1 else 'before'}"
        )
    return mean
