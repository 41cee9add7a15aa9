"""An Aesara graph as a function of JAX arrays."""

import itertools

import jax
import numpy as np
from aesara.graph.basic import Constant, NoParams, io_toposort
from aesara.printing import Print
from aesara.scalar.basic import ScalarType
from aesara.sparse.type import SparseTensorType
from aesara.tensor.basic import ARange
from aesara.tensor.random.type import RandomType
from aesara.tensor.type import TensorType
from aesara.tensor.type_other import NoneTypeT, SliceType

from . import selections
from .branches import choices
from .order import of_maps, takes_maps, written
from .registry import as_array, canonical, concrete, lowering
from .selected import Selected

# Generators travel as arrays; the others say how arrays are indexed, and are known while tracing.
_BESIDE_ARRAYS = (RandomType, SliceType, NoneTypeT)

# What JAX raises where a value must be known while tracing, and is not.
_UNKNOWN = (
    jax.errors.ConcretizationTypeError,
    jax.errors.NonConcreteBooleanIndexError,
    jax.errors.TracerArrayConversionError,
    jax.errors.TracerIntegerConversionError,
)


def lower(inputs, outputs, as_written=True):
    """Turn an Aesara graph into a function that JAX can trace.

    The graph is taken as built: no Aesara rewrite is needed. Whatever follows from shapes and constants alone is
    computed while tracing, so that shapes reach XLA as numbers.

    Parameters
    ----------
    inputs : sequence of aesara.graph.basic.Variable
        All free variables of the graph; shared variables among them.
    outputs : sequence of aesara.graph.basic.Variable
        What the function computes.
    as_written : bool
        Whether all outputs are arrays as the graph has them; else a :class:`~.order.Map` comes as it lies.

    Returns
    -------
    callable
        Takes an array (or map) an input, returns a list with a JAX array an output. NumPy's generators come and go as
        arrays, too (:mod:`.random_states`).

    Raises
    ------
    NotImplementedError
        If an op has no lowering.
    ValueError
        If the graph needs a variable that is not among `inputs`.
    """
    program = Program(inputs, outputs)
    types = [variable.type for variable in inputs]

    def function(*arrays):
        if len(arrays) != len(types):
            raise TypeError(f"got {len(arrays)} arrays, expected {len(types)}, one for each input")
        values = [_as_input(array, kind) for array, kind in zip(arrays, types, strict=True)]
        results = program(*values) if as_written else program.in_their_order(*values)
        return [as_array(value) for value in results]

    return function


def _as_input(value, kind):
    if isinstance(kind, TensorType | ScalarType):
        return as_array(value, kind.dtype)
    return as_array(value) if isinstance(kind, RandomType) else value


def sorted_nodes(inputs, outputs):
    """The nodes between `inputs` and `outputs`, each after those that it needs.

    Aesara's own list may hold more: of a node with two outputs, one of them an input here, it wants the other one, too.
    """
    given, needed = set(inputs), set()
    ends = [variable for variable in outputs if variable not in given]
    while ends:
        node = ends.pop().owner
        if node is not None and node not in needed:
            needed.add(node)
            ends += [variable for variable in node.inputs if variable not in given]
    return [node for node in io_toposort(inputs, outputs) if node in needed]


class Program:
    """The nodes of a graph in order, each with its JAX function.

    Parameters
    ----------
    inputs, outputs : sequence of aesara.graph.basic.Variable
        As `lower` takes them.
    """

    def __init__(self, inputs, outputs):
        self.inputs = list(inputs)
        self.outputs = list(outputs)
        nodes = sorted_nodes(self.inputs, self.outputs)
        self._require_inputs(nodes)
        chosen = choices(nodes, self.outputs)
        inside = {node for choice in chosen.values() for side in choice.sides for node in side}
        self._chosen, self.steps = set(), []
        for node in nodes:
            if node in chosen:
                function = chosen[node].function(type(self))
                self._chosen.add(function)
                self.steps.append((node, [node.inputs[0], *itertools.chain(*chosen[node].inputs())], function))
            elif node not in inside:
                self.steps.append((node, node.inputs, _function(node)))

    def _require_inputs(self, nodes):
        given = set(self.inputs)
        used = [variable for node in nodes for variable in node.inputs] + self.outputs
        for variable in used:
            if variable.owner is None and variable not in given and not isinstance(variable, Constant):
                raise ValueError(f"the graph needs {variable} of type {variable.type}, which is not among its inputs")

    def __call__(self, *arrays):
        """Compute the outputs; known inputs may be NumPy arrays, and then stay known."""
        return [written(value) for value in self.in_their_order(*arrays)]

    @of_maps
    def in_their_order(self, *values):
        """The same of a graph inside a graph: maps come and go in the order in which they lie."""
        values = dict(zip(self.inputs, values, strict=True))

        def value_of(variable):
            if variable in values:
                return values[variable]
            return variable.data

        for node, inputs, function in self.steps:
            arguments = [value_of(variable) for variable in inputs]
            try:
                results = self.results(node, function, arguments)
            except Exception as error:
                error.add_note(f"while lowering {node} with inputs {[_describe(value) for value in arguments]}")
                # The outermost, where the fault lies in a graph inside a graph; what stands on one side of a choice is
                # this graph's own.
                if function not in self._chosen or not hasattr(error, "lowered_node"):
                    error.lowered_node = _culprit(error, node)
                raise
            for variable, result in zip(node.outputs, results, strict=True):
                values.setdefault(variable, result)
        return [_of_known_length(value_of(variable)) for variable in self.outputs]

    def results(self, node, function, arguments):
        """The values of a node's outputs."""
        return compute(node, function, arguments)


def _culprit(error, node):
    """The node whose lowering is at fault: `node`, or the one that selected what `node` cannot compute with."""
    origin, error.origin = getattr(error, "origin", None), None
    return origin or node


def _of_known_length(value):
    if isinstance(value, Selected):
        error = NotImplementedError(
            f"how much {value.origin.op} selects depends on the data, but XLA fixes shapes when it compiles: "
            "where(mask, x, 0) keeps them"
        )
        error.lowered_node = value.origin
        raise error
    return value


def _function(node):
    try:
        return lowering(node.op, node)
    except NotImplementedError as error:
        if not _known_early(node):
            raise
        # Without a lowering it can still be computed while tracing, if its inputs are known then.
        missing = error

    def refuse(*_):
        raise missing

    return refuse


def nodes_without_lowering(graph):
    """The nodes of a `FunctionGraph` that only Aesara can compute.

    Returns
    -------
    list of (Apply, NotImplementedError)
    """
    found = []
    for node in graph.toposort():
        try:
            lowering(node.op, node)
            _require_arrays(node)
        except NotImplementedError as error:
            if not (_known_early(node) and all(isinstance(variable, Constant) for variable in node.inputs)):
                found.append((node, error))
    return found


def is_array(kind):
    """Tell whether XLA can hold values of a type: numbers, but no sparse matrices, lists or texts."""
    if isinstance(kind, TensorType):
        return not isinstance(kind, SparseTensorType) and np.dtype(kind.dtype).kind in "biufc"
    return isinstance(kind, ScalarType)


def _require_arrays(node):
    """Refuse a node that computes what XLA knows nothing of."""
    for variable in (*node.inputs, *node.outputs):
        kind = variable.type
        if not (is_array(kind) or isinstance(kind, _BESIDE_ARRAYS) or isinstance(variable, Constant)):
            raise NotImplementedError(f"XLA has no values of the type {kind}")


def _describe(value):
    return f"{value.dtype}{list(value.shape)}" if hasattr(value, "shape") else repr(value)


def compute(node, function, arguments):
    """The values of a node's outputs: known while tracing, or what its JAX function makes of the arguments."""
    if any(isinstance(value, Selected) for value in arguments):
        return selections.computed(node, function, arguments, compute)
    if concrete(*arguments):
        results = evaluate(node, arguments)
        if results is not None:
            return results
    # Floating-point constants take part in the computation; integers may be shapes and stay NumPy.
    arguments = [
        as_array(value) if isinstance(value, np.ndarray | np.floating) and value.dtype.kind == "f" else value
        for value in arguments
    ]
    if not takes_maps(function):
        arguments = [written(value) for value in arguments]
    try:
        results = function(*arguments)
    except _UNKNOWN as error:
        raise NotImplementedError(f"{node.op} needs to know values that depend on the data") from error
    if not isinstance(results, tuple | list):
        results = (results,)
    return [_of_type(result, variable.type) for result, variable in zip(results, node.outputs, strict=True)]


def _of_type(value, kind):
    if not isinstance(kind, TensorType) or not hasattr(value, "shape"):
        return value
    if np.ndim(value) != kind.ndim:
        raise TypeError(f"a lowering returned {np.ndim(value)} dimensions where the graph has {kind.ndim}")
    if concrete(value) or value.dtype == canonical(kind.dtype):
        return value
    return value.astype(canonical(kind.dtype))


def evaluate(node, arguments):
    """Compute a node with Aesara's own Python code while tracing; None if it is not of that kind."""
    if not _known_early(node):
        return None
    storage = [[None] for _ in node.outputs]
    parameters = node.run_params()
    try:
        node.op.prepare_node(node, None, None, "py")
        node.op.perform(node, arguments, storage, *([] if parameters is NoParams else [parameters]))
    except (NotImplementedError, AttributeError):
        return None
    return [cell[0] for cell in storage]


def _known_early(node):
    """Tell whether a node whose inputs are known is computed while tracing.

    All integers are, for they may be shapes. Of real numbers only those without dimensions (the divisor of a mean)
    and sequences, whose length is a shape. Other arrays of them are XLA's business.
    """
    if isinstance(node.op, ARange):
        return True
    if node.op.destroy_map or isinstance(node.op, Print):
        return False
    for variable in node.outputs:
        dtype = getattr(variable.type, "dtype", None)
        kind = "i" if dtype is None else np.dtype(dtype).kind
        if kind not in "iub" and not (kind == "f" and getattr(variable.type, "ndim", 0) == 0):
            return False
    return True
