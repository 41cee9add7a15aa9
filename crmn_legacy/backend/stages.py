"""A graph as programs for XLA, and between them what only Aesara can compute.

Nearly all graphs are one program. A node that has no lowering, or whose shape follows from data, is computed on the
host by Aesara; what it reads is one stage's program, and what reads it the next one's.
"""

import contextlib

import numpy as np
from aesara.graph.basic import Constant
from aesara.tensor.random.type import RandomType
from aesara.tensor.type import TensorType
from aesara.tensor.type_other import SliceType

from crmn_legacy.backend import device_values
from crmn_legacy.backend.graph_building import uncollected
from crmn_legacy.backend.lowerings.guarded import LARGEST, GuardedProgram
from crmn_legacy.backend.lowerings.interpreter import is_array, sorted_nodes
from crmn_legacy.backend.lowerings.random_states import array_to_state, state_to_array

# Combinations of integers whose programs are remembered, before guards are asked again.
_KEPT = 65536


class Stages:
    """A graph that is computed stage by stage.

    Parameters
    ----------
    inputs, outputs : sequence of Variable
    donated : set of Variable
        Inputs whose memory a program may overwrite, if there is but one program.
    on_host : set of Apply
        Nodes that are known to be none of XLA's.
    """

    def __init__(self, inputs, outputs, donated, on_host):
        self._inputs, self._outputs = list(inputs), list(outputs)
        nodes = sorted_nodes(self._inputs, self._outputs)
        on_host = _with_what_they_alone_read(nodes, on_host)
        levels = _levels(nodes, on_host)
        last = max(levels.values(), default=0)
        self._stages = []
        for level in range(last + 1):
            program = [node for node in nodes if levels[node] == level and node not in on_host]
            host = [node for node in nodes if levels[node] == level and node in on_host]
            self._add(program, host, nodes, levels, level)
        single = last == 0 and not on_host
        for stage in self._stages:
            if isinstance(stage, Program):
                stage.donated = [v for v in stage.inputs if v in donated] if single else []

    def _add(self, program, host, nodes, levels, level):
        made = {variable for node in program for variable in node.outputs}
        later = [node for node in nodes if levels[node] > level] + host
        wanted = {variable for node in later for variable in node.inputs} | set(self._outputs)
        outputs = [v for node in program for v in node.outputs if v in wanted]
        if outputs:
            read = dict.fromkeys(
                v for node in program for v in node.inputs if v not in made and not isinstance(v, Constant)
            )
            self._stages.append(Program(list(read), outputs))
        self._stages += [HostNode(node) for node in host]

    def __call__(self, values):
        """The values of the outputs.

        Parameters
        ----------
        values : dict of Variable to array
            One an input.
        """
        values = dict(values)
        for stage in self._stages:
            values.update(zip(stage.outputs, stage([_value(v, values) for v in stage.inputs]), strict=True))
        return [_value(variable, values) for variable in self._outputs]


def _value(variable, values):
    return variable.data if isinstance(variable, Constant) else values[variable]


def _with_what_they_alone_read(nodes, on_host):
    """Nodes for the host, and those that make slices for them: what is no array is not handed from stage to stage."""
    found = set(on_host)
    for node in reversed(nodes):
        found.update(
            v.owner for v in node.inputs if node in found and v.owner is not None and isinstance(v.type, SliceType)
        )
    return found


def _levels(nodes, on_host):
    """In which stage each node is computed."""
    levels = {}
    for node in nodes:
        producers = [v.owner for v in node.inputs if v.owner in levels]
        # A program reads what the host computed in an earlier stage; the host what a program computed in its own.
        levels[node] = max(
            (levels[p] + (p in on_host and node not in on_host) for p in producers),
            default=0,
        )
    return levels


class HostNode:
    """A node that Aesara computes.

    Parameters
    ----------
    node : aesara.graph.basic.Apply
    """

    def __init__(self, node):
        self.node, self.inputs, self.outputs = node, node.inputs, node.outputs
        self._cells = {variable: [None] for variable in (*node.inputs, *node.outputs)}
        self._computed = {variable: [True] for variable in node.inputs} | {v: [False] for v in node.outputs}
        self._thunk = None

    def __call__(self, values):
        from crmn_legacy.backend.function import aesara_compiles

        with aesara_compiles():
            if self._thunk is None:
                self._thunk = self.node.op.make_thunk(self.node, self._cells, self._computed, [], impl="py")
            for variable, value in zip(self.inputs, values, strict=True):
                self._cells[variable][0] = _at_home(variable, value, bool(self.node.op.destroy_map))
            try:
                self._thunk()
            except Exception as error:
                error.host_node = self.node
                raise
            results = [for_stages(self._cells[variable][0]) for variable in self.outputs]
            for variable in (*self.inputs, *self.outputs):
                self._cells[variable][0] = None
        return results


def for_stages(value):
    """A value as stages hand it on: of a random generator, its state as an array."""
    return state_to_array(value) if isinstance(value, np.random.RandomState | np.random.Generator) else value


def _at_home(variable, value, written):
    if isinstance(variable.type, RandomType) and not isinstance(value, np.random.RandomState | np.random.Generator):
        return array_to_state(np.asarray(value))
    if not is_array(variable.type):
        return value
    array = np.array(value) if written else np.asarray(value)
    return array if isinstance(variable.type, TensorType) else array[()]


class Program:
    """Part of a graph that XLA compiles, once for each combination of shapes.

    Parameters
    ----------
    inputs, outputs : list of Variable

    Attributes
    ----------
    donated : list of Variable
        Inputs whose memory is given up.
    """

    def __init__(self, inputs, outputs):
        self.inputs, self.outputs = inputs, outputs
        self.donated = []
        self._integers = [number for number, variable in enumerate(inputs) if _may_say_a_shape(variable)]
        self._graph = None
        self._compiled, self._found = {}, {}

    def __call__(self, values):
        known = {number: np.asarray(values[number]) for number in self._integers if _is_small(values[number])}
        compiled = self._of((tuple(known), *(getattr(value, "shape", ()) for value in values)), known)
        return compiled(values, known)

    def _of(self, signature, known):
        """The program that serves these shapes and integers."""
        candidates = self._compiled.setdefault(signature, [])
        if candidates and not candidates[0].guards:
            return candidates[0]
        key = (signature, tuple(value.tobytes() for value in known.values()))
        found = self._found.get(key)
        if found is None:
            given = list(known.values())
            found = next((one for one in candidates if one.guards is not None and one.guards.hold(given)), None)
            if found is None:
                found = Compiled(self._lowered(), [self.inputs.index(variable) for variable in self.donated])
                found.joins = candidates
            if len(self._found) >= _KEPT:
                self._found.clear()
            self._found[key] = found
        return found

    def _lowered(self):
        if self._graph is None:
            self._graph = GuardedProgram(self.inputs, self.outputs)
        return self._graph


class Compiled:
    """A program for one combination of shapes, and of what it uses of integers.

    Parameters
    ----------
    graph : crmn_legacy.backend.lowerings.guarded.GuardedProgram
    donated : list of int
        Which inputs are given up.

    Attributes
    ----------
    guards : Guards or None
        What must hold for the integers of a call; None before the first one.
    joins : list of Compiled
        Where it is put once it is compiled.
    """

    def __init__(self, graph, donated):
        import jax

        self.guards, self.joins = None, []
        self._graph, self._donated = graph, donated
        self._kept = [i for i in range(len(graph.inputs)) if i not in set(donated)]
        self._known = None
        self._function = jax.jit(self._traced, donate_argnums=(0,))
        self._jax = jax

    def _traced(self, donated, kept):
        import jax.numpy as jnp

        values = dict(zip(self._donated, donated, strict=True)) | dict(zip(self._kept, kept, strict=True))
        values = [values[number] for number in range(len(values))]
        outputs, self.guards = self._graph.guarded(values, self._known)
        given = {id(value) for value in values}
        # JAX would hand out the very array that it was given, which may be donated later.
        return [jnp.copy(value) if id(value) in given else value for value in outputs]

    def __call__(self, values, known):
        from jax.experimental import enable_x64

        first = self.guards is None
        self._known = known
        donated = [_given_up(values[number]) for number in self._donated]
        kept = [_as_it_is(values[number]) for number in self._kept]
        with enable_x64(), uncollected() if first else contextlib.nullcontext():
            results = self._function(donated, kept)
        # Whoever gave arrays of his own may write them again.
        self._jax.block_until_ready(results)
        if first:
            self.joins.append(self)
        return results


def _may_say_a_shape(variable):
    kind = variable.type
    return isinstance(kind, TensorType) and is_array(kind) and kind.ndim < 2 and np.dtype(kind.dtype).kind in "iu"


def _is_small(value):
    # One number is fetched from the device; several are known where they are given.
    return np.ndim(value) == 0 or (isinstance(value, np.ndarray) and value.size <= LARGEST)


def _given_up(value):
    """An array that a program may overwrite."""
    if device_values.is_on_device(value) and device_values.may_be_donated(value):
        return value
    return device_values.copied(value)


def _as_it_is(value):
    twin = device_values.twin(value) if isinstance(value, np.ndarray) else None
    return value if twin is None else twin
