"""An Aesara graph as a function of JAX arrays."""

import numpy as np
from aesara.graph.basic import Constant, NoParams
from aesara.graph.basic import io_toposort as sorted_nodes
from aesara.scalar.basic import ScalarType
from aesara.tensor.basic import ARange
from aesara.tensor.random.type import RandomType
from aesara.tensor.type import TensorType

from .order import of_maps, takes_maps, written
from .registry import as_array, canonical, concrete, lowering


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
        self.steps = [(node, _function(node)) for node in nodes]

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

        for node, function in self.steps:
            arguments = [value_of(variable) for variable in node.inputs]
            try:
                results = _compute(node, function, arguments)
            except Exception as error:
                error.add_note(f"while lowering {node} with inputs {[_describe(value) for value in arguments]}")
                raise
            for variable, result in zip(node.outputs, results, strict=True):
                values.setdefault(variable, result)
        return [value_of(variable) for variable in self.outputs]


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


def _describe(value):
    return f"{value.dtype}{list(value.shape)}" if hasattr(value, "shape") else repr(value)


def _compute(node, function, arguments):
    if concrete(*arguments):
        results = _evaluate(node, arguments)
        if results is not None:
            return results
    # Floating-point constants take part in the computation; integers may be shapes and stay NumPy.
    arguments = [
        as_array(value) if isinstance(value, np.ndarray | np.floating) and value.dtype.kind == "f" else value
        for value in arguments
    ]
    if not takes_maps(function):
        arguments = [written(value) for value in arguments]
    results = function(*arguments)
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


def _evaluate(node, arguments):
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
    if node.op.destroy_map:
        return False
    for variable in node.outputs:
        dtype = getattr(variable.type, "dtype", None)
        kind = "i" if dtype is None else np.dtype(dtype).kind
        if kind not in "iub" and not (kind == "f" and getattr(variable.type, "ndim", 0) == 0):
            return False
    return True
