"""Examples in arrays as a task: what `fit` trains on, held against the network before anything is compiled."""

import aesara.tensor as T
import lasagne
import numpy as np

from crmn_legacy.data.randomness import Purpose, generator
from crmn_legacy.errors import UserError
from crmn_legacy.training.tasks.classification import cross_entropy

LOSSES = ("squared_error", "cross_entropy")
"""By name; any callable that takes prediction and target, symbolic, and returns a loss of each example will do too."""

_TARGETS = "targets"


class ArrayTask:
    """Examples as a `crmn_legacy.training.protocols.Task`, as far as steps ask for one.

    Parameters
    ----------
    network : Layer
        The last one.
    loss : str or callable
        Of `LOSSES`, or a function.
    inputs : array, or dict of array
        By the input layers, or by their names, where there are several.
    targets : array

    Attributes
    ----------
    arrays : dict of str to array
        What input layers read, and ``targets``; the first axis is the examples'.
    count : int
        Examples.
    batch_size : int or None
        What input layers fix.
    dtype : str
        Of the parameters.

    Raises
    ------
    UserError
        They do not fit the network, or one another.
    """

    def __init__(self, network, loss, inputs, targets):
        if not isinstance(network, lasagne.layers.Layer | lasagne.layers.MergeLayer):
            raise UserError(f"got {type(network).__name__} for a network, expected its last layer, of Lasagne")
        if not callable(loss) and loss not in LOSSES:
            raise UserError(f"loss got {loss!a}, expected one of {', '.join(LOSSES)}, or a callable")
        layers = lasagne.layers.get_all_layers(network)
        self._sources = [layer for layer in layers if isinstance(layer, lasagne.layers.InputLayer)]
        self._loss, self._outputs = loss, network.output_shape
        parameters = lasagne.layers.get_all_params(network, trainable=True)
        if not parameters:
            raise UserError("got a network without parameters, expected some to be trained")
        self.dtype, self.batch_size = str(parameters[0].dtype), self._fixed_size()
        self.arrays = self.read(inputs)
        targets = _as_array("targets", targets)
        self.count = len(targets) if targets.ndim else 0
        lengths = {len(array) for array in self.arrays.values()}
        if lengths != {self.count} or not self.count:
            raise UserError(
                f"got {', '.join(map(str, sorted(lengths)))} inputs and {self.count} targets, expected as many of "
                "both, at least one"
            )
        self.arrays[_TARGETS] = self._checked_targets(targets)

    def _fixed_size(self):
        sizes = {layer.shape[0] for layer in self._sources} - {None}
        if len(sizes) > 1:
            raise UserError(f"got input layers for batches of {sorted(sizes)} examples, expected one size, or None")
        return sizes.pop() if sizes else None

    def read(self, inputs, trained_on=None):
        """The arrays that the input layers read (dict of str to array), held against them.

        Parameters
        ----------
        inputs
            As the task's own.
        trained_on : dict of str to array, optional
            Those that the network was trained on: whole numbers (uint8) are then expected where these are.
        """
        arrays = {}
        for name, layer, given in self._by_layer(inputs):
            what = "inputs" if len(self._sources) == 1 else f"inputs of {layer.name or name}"
            array = _as_array(what, given)
            _require_fit(what, array.shape, layer.shape)
            kind = trained_on[name].dtype if trained_on else None
            arrays[name] = _as_read(what, array, self._dtype_of(layer), kind)
        return arrays

    def _by_layer(self, inputs):
        """(Name in the batch, input layer, what was given for it) of each input layer."""
        names = [f"input{number}" for number in range(1, len(self._sources) + 1)]
        if not isinstance(inputs, dict):
            if len(self._sources) != 1:
                raise UserError(
                    f"got one array of inputs for a network of {len(self._sources)} input layers, expected a dict of "
                    "arrays by these layers, or by their names"
                )
            return [(names[0], self._sources[0], inputs)]
        known = set(self._sources) | {layer.name for layer in self._sources if layer.name}
        if strangers := [key for key in inputs if key not in known]:
            raise UserError(f"got inputs of {strangers[0]!a}, expected of the network's input layers or their names")
        found = []
        for name, layer in zip(names, self._sources, strict=True):
            if layer not in inputs and layer.name not in inputs:
                raise UserError(f"got no inputs of the network's input layer {layer.name or name}, expected an array")
            found.append((name, layer, inputs[layer] if layer in inputs else inputs[layer.name]))
        return found

    def _dtype_of(self, layer):
        """What a layer reads: whole numbers where its variable has them, else numbers like the parameters."""
        dtype = layer.input_var.dtype
        return dtype if dtype.startswith(("int", "uint")) else self.dtype

    def _checked_targets(self, targets):
        if self._loss == "cross_entropy":
            if len(self._outputs) != 2:
                raise UserError(
                    f"cross_entropy got a network whose output is {self._outputs}, expected (examples, classes); for "
                    "others give a function as the loss"
                )
            classes = self._outputs[1]
            if targets.ndim != 1 or targets.dtype.kind not in "iu" or targets.min() < 0 or targets.max() >= classes:
                raise UserError(
                    f"got targets {targets.dtype} {targets.shape}, expected whole numbers from 0 to {classes - 1}, one "
                    "an input (of rows with a 1 in them their argmax(axis=1))"
                )
            return targets.astype(np.int32)
        column = targets.ndim == 1 and self._outputs[1:] == (1,)
        if self._loss == "squared_error":
            targets = targets[:, None] if column else targets
            _require_fit("targets", targets.shape, self._outputs)
        elif column:
            # Their difference would be a square of all with all.
            raise UserError(
                f"got targets {targets.shape} beside an output of one column, expected targets[:, None] for a loss of "
                "your own"
            )
        return _finite("targets", targets.astype(self.dtype) if targets.dtype.kind == "f" else targets)

    def shuffled(self, seed, epoch, size):
        """Batches of an epoch; of fewer examples than a batch, all of them."""
        order = generator(seed, Purpose.ORDER, epoch).permutation(self.count)
        size = min(size, self.count)
        for first in range(0, self.count - size + 1, size):
            yield {name: array[order[first : first + size]] for name, array in self.arrays.items()}

    def inputs(self):
        """Symbolic batch: what each input layer reads, and ``targets``."""
        return {name: T.TensorType(a.dtype, (None,) * a.ndim)(name) for name, a in self.arrays.items()}

    def known(self, inputs):
        """What layers are told: the input layers' expressions."""
        names = [name for name in self.arrays if name != _TARGETS]
        read = zip(self._sources, names, strict=True)
        return {"inputs": {layer: T.cast(inputs[name], self._dtype_of(layer)) for layer, name in read}}

    def losses(self, predicted, inputs):
        """Loss of each example, (batch,); of a function that gives several of an example, their mean."""
        targets = inputs[_TARGETS]
        if self._loss == "cross_entropy":
            try:
                return cross_entropy(predicted, targets, self._outputs[1])
            except ValueError:
                raise UserError(
                    "cross_entropy got a network whose last operation is no softmax, expected one: "
                    "nonlinearity=lasagne.nonlinearities.softmax in its last layer"
                ) from None
        if self._loss == "squared_error":
            return ((predicted - targets) ** 2).reshape((predicted.shape[0], -1)).sum(axis=1)
        loss = T.as_tensor_variable(self._loss(predicted, targets))
        if loss.ndim == 0:
            raise UserError("got a loss that is one number, expected one of each example: leave out its mean")
        return loss if loss.ndim == 1 else loss.mean(axis=tuple(range(1, loss.ndim)))

    def watched(self, predicted, inputs):
        """Steps put out nothing more."""
        return {}


def _as_array(what, given):
    try:
        array = np.asarray(given)
    except ValueError:
        raise UserError(f"got {what} of unlike lengths, expected one array") from None
    if array.dtype.kind not in "biuf":
        raise UserError(f"got {what} {array.dtype}, expected numbers")
    return array


def _as_read(what, array, dtype, trained_on=None):
    """An array in the numbers that a layer reads; uint8 stays what it is, and is converted by the step."""
    if trained_on == np.uint8 != array.dtype:
        raise UserError(f"got {what} {array.dtype}, expected uint8, as the network was trained on")
    if array.dtype == np.uint8 == (trained_on or array.dtype):
        return array
    if array.dtype.kind == "f" and not dtype.startswith("float"):
        raise UserError(f"got {what} {array.dtype}, expected whole numbers, as the layer's variable has them")
    return _finite(what, array.astype(trained_on or dtype))


def _finite(what, array):
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise UserError(f"got {what} that are not finite, expected numbers: look for NaN and infinities in them")
    return array


def _require_fit(what, found, expected):
    own, wanted = found[1:], expected[1:]
    if len(found) != len(expected) or any(side not in (None, at) for at, side in zip(own, wanted, strict=True)):
        shape = ", ".join("any" if side is None else str(side) for side in wanted)
        raise UserError(f"got {what} {tuple(found)}, expected (examples, {shape}) as the network has it")
