"""``theano.function`` through XLA.

Aesara's own front end does all that the caller sees: named inputs, defaults, `givens`, `updates`, checks of what is
given, copies of a function. Only the *linker*, which computes the graph, is another: it gives the graph to XLA
(:mod:`~crmn_legacy.backend.stages`) in place of C or Python.
"""

import collections
import contextlib
import contextvars
import importlib
import sys

import numpy as np
from aesara.compile.function.types import FunctionMaker, orig_function
from aesara.compile.mode import Mode, get_mode
from aesara.compile.sharedvalue import SharedVariable
from aesara.link.basic import Container, Linker
from aesara.link.utils import map_storage, raise_with_op
from aesara.tensor.random.type import RandomType

from crmn_legacy.backend import device_values
from crmn_legacy.backend.lowerings.interpreter import is_array, nodes_without_lowering
from crmn_legacy.backend.lowerings.random_states import array_to_state
from crmn_legacy.backend.stabilization import Stabilization
from crmn_legacy.backend.stages import Stages, for_stages

_TYPES = "aesara.compile.function.types"
_xla = contextvars.ContextVar("xla_compiles", default=None)
_settings = {"xla": False, "prepare": None}
_told = set()


def install(default=True, prepare=None):
    """Have every function that Aesara makes compiled by XLA, but those whose mode looks into them; idempotent.

    ``DebugMode``, ``NanGuardMode`` and modes of a script's own classes look at each value as it is computed, so their
    functions stay Aesara's.

    Parameters
    ----------
    default : bool
        Whether that holds everywhere; else only within `xla_compiles`.
    prepare : callable, optional
        Called before the first function is compiled.
    """
    _settings["xla"], _settings["prepare"] = default, prepare
    # By their names in sys.modules: aesara.compile has functions of the same names.
    for name in ("aesara.compile", "aesara.compile.function", "aesara.compile.function.pfunc", _TYPES):
        importlib.import_module(name)
        sys.modules[name].orig_function = _through_xla
    device_values.install()


def _through_xla(inputs, outputs, mode=None, **options):
    """A function of `inputs`; see Aesara's `orig_function`."""
    mode = get_mode(mode)
    by_xla = _xla.get()
    if not (_settings["xla"] if by_xla is None else by_xla) or type(mode) not in (Mode, XlaMode):
        with aesara_compiles():
            return _bringing_home(orig_function(inputs, outputs, mode=mode, **options))
    prepare, _settings["prepare"] = _settings["prepare"], None
    if prepare is not None:
        prepare()
    return orig_function(inputs, outputs, mode=mode if isinstance(mode, XlaMode) else XlaMode(), **options)


def aesara_compiles():
    """A context in which functions are left to Aesara: those inside its own ops, a scan's step for one."""
    return _compiling(by_xla=False)


def xla_compiles():
    """A context in which functions are compiled by XLA."""
    return _compiling(by_xla=True)


@contextlib.contextmanager
def _compiling(by_xla):
    token = _xla.set(by_xla)
    try:
        yield
    finally:
        _xla.reset(token)


def _bringing_home(function):
    """A function of Aesara's own that finds shared values at home."""

    class AtHome(type(function)):
        def __call__(self, *arguments, **named):
            for container in self.input_storage:
                device_values.home(container.storage)
            with aesara_compiles():
                return super().__call__(*arguments, **named)

    function.__class__ = AtHome
    return function


class XlaMode(Mode):
    """The mode of functions that XLA computes."""

    def __init__(self, linker=None, optimizer=None):
        super().__init__(linker or XlaLinker(), optimizer or Stabilization())

    @property
    def function_maker(self):
        return XlaFunctionMaker


class XlaFunctionMaker(FunctionMaker):
    """Makes functions whose graphs stay free of Aesara's care for memory, which is XLA's."""

    @staticmethod
    def prepare_fgraph(inputs, outputs, additional_outputs, fgraph, mode, profile):
        """Rewrite the graph."""
        mode.optimizer(fgraph)


class XlaLinker(Linker):
    """Has XLA compute a graph."""

    def __init__(self, allow_gc=None, scheduler=None):
        super().__init__(allow_gc=True)
        self.fgraph = None

    def accept(self, fgraph, no_recycling=None, profile=None):
        """A linker of this graph."""
        linker = type(self)()
        linker.fgraph = fgraph
        return linker

    def make_thunk(self, input_storage=None, output_storage=None, storage_map=None, **_):
        """The callable that computes the graph, and the cells that it reads and fills."""
        graph = self.fgraph
        inputs, outputs, storage_map = map_storage(graph, graph.toposort(), input_storage, output_storage, storage_map)
        return (
            XlaThunk(graph, inputs, storage_map),
            [Container(variable, cell) for variable, cell in zip(graph.inputs, inputs, strict=True)],
            [Container(variable, cell, readonly=True) for variable, cell in zip(graph.outputs, outputs, strict=True)],
        )


class XlaThunk:
    """Computes a graph by XLA, and what XLA cannot compute by Aesara.

    Parameters
    ----------
    graph : aesara.graph.fg.FunctionGraph
    cells : list of list
        Of the inputs, in which shared values lie.
    storage_map : dict
    """

    # What Aesara's `Function` asks of a thunk.
    need_update_inputs = False
    allow_gc = True

    def __init__(self, graph, cells, storage_map):
        self.graph, self.cells, self.storage_map = graph, cells, storage_map
        self._shared = [
            cell
            for variable, cell in zip(graph.inputs, cells, strict=True)
            if isinstance(variable, SharedVariable) and is_array(variable.type)
        ]
        self._updated = dict(graph.update_mapping or {})
        self._on_host, self._stages = {}, None

    def __call__(self, output_subset=None):
        """The values of the outputs; those of updates are left in their cells, and told as None."""
        for cell in self._shared:
            device_values.move(cell)
        values = {v: for_stages(cell[0]) for v, cell in zip(self.graph.inputs, self.cells, strict=True)}
        results = self._computed(values)
        outputs = []
        for number, (variable, value) in enumerate(zip(self.graph.outputs, results, strict=True)):
            place = self._updated.get(number)
            if place is not None:
                self._update(self.cells[place], variable, value)
            outputs.append(_taken(variable, value) if place is None else None)
            if variable.owner is not None:
                self.storage_map[variable][0] = outputs[-1]
        return outputs

    def _computed(self, values):
        while True:
            stages = self._staged()
            try:
                return stages(values)
            except Exception as error:
                node = getattr(error, "lowered_node", None)
                if node is not None and node not in self._on_host:
                    self._to_host(node, error)
                    continue
                node = getattr(error, "host_node", None)
                if node is None:
                    raise
                if not isinstance(self._on_host.get(node), NotImplementedError):
                    # The fault is the values', so it says nothing of other calls.
                    del self._on_host[node]
                    self._stages = None
                raise_with_op(self.graph, node)

    def _staged(self):
        if self._stages is None:
            for node, error in nodes_without_lowering(self.graph):
                if node not in self._on_host:
                    self._to_host(node, error)
            self._stages = Stages(self.graph.inputs, self.graph.outputs, self._donated(), self._on_host)
        return self._stages

    def _donated(self):
        """Shared variables that are updated, so that their old values may be overwritten unless somebody gets them."""
        times = collections.Counter(map(id, self.cells))
        updated = {self.graph.inputs[place] for place in self._updated.values() if times[id(self.cells[place])] == 1}
        return updated.difference(self.graph.outputs)

    def _to_host(self, node, error):
        self._on_host[node] = error
        self._stages = None
        if isinstance(error, NotImplementedError):
            _tell(node, error)

    def _update(self, cell, variable, value):
        if isinstance(variable.type, RandomType):
            cell[0] = array_to_state(np.asarray(value), into=cell[0])
        elif device_values.is_on_device(value):
            # A value that is but handed on must not be two variables' memory.
            device_values.keep(cell, value if variable.owner is not None else device_values.copied(value))
        else:
            cell[0] = _taken(variable, value)


def _taken(variable, value):
    """A result as the caller gets it."""
    if isinstance(variable.type, RandomType):
        return array_to_state(np.asarray(value))
    if device_values.is_on_device(value) or isinstance(value, np.ndarray):
        return np.array(value)
    return value


def _tell(node, error):
    """Say once what Aesara computes, and why."""
    line = f"note: {node.op} is computed by Aesara, not by XLA: {str(error).splitlines()[0]}"
    if line not in _told:
        _told.add(line)
        print(line, file=sys.stderr)
