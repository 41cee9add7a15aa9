"""An Aesara graph with updates as one pure step: ``step(state, batch, rates) -> (state, outputs)``.

Two backends compute the same graph: ``xla`` lowers it to one jitted XLA program whose state is donated, so that no
parameter leaves the device between steps; ``c`` hands it to Aesara's own C compiler and is the second witness. They
agree where numbers are extreme, too: what overflows as it is written is replaced, by `stabilization` or by Aesara.
"""

from collections import OrderedDict

import numpy as np
from aesara.compile.sharedvalue import SharedVariable
from aesara.graph.basic import graph_inputs

from crmn_legacy.backend import freed_memory, precision, step_arguments
from crmn_legacy.backend.graph_building import uncollected
from crmn_legacy.backend.graph_merging import merged

BACKENDS = ("xla", "c")


def compile_step(batch, outputs, updates=None, rates=None, *, backend="xla", donate=True, devices=1, c_flags=None):
    """Compile a graph to a step.

    Parameters
    ----------
    batch : dict of str to Variable
        What changes with every call, by name; the first axis is the batch where there are several devices.
    outputs : dict of str to Variable
        What is computed, by name.
    updates : dict of SharedVariable to Variable, optional
        New values of shared variables. Default updates of shared variables in the graph join them, as they do in
        `aesara.function`.
    rates : dict of str to Variable, optional
        Scalars that change between calls and never cause a compilation: learning rates.
    backend : {'xla', 'c'}
        Who compiles.
    donate : bool
        Whether the step may overwrite the state it is given (`xla`); a state given once is then gone. A step without
        updates never does.
    devices : int
        Devices that share the batch; the state is on each (`xla`).
    c_flags : str, optional
        Given to the C compiler in place of Aesara's choice (`c`).

    Returns
    -------
    Step
        Callable as ``step(state, batch, rates) -> (state, outputs)``, with `initial_state()`.

    Raises
    ------
    ValueError
        An unknown backend; two updates of one shared value; two shared values of one name; a variable that the graph
        reads and nobody gives (`xla`).

    Examples
    --------
    >>> import aesara
    >>> import aesara.tensor as T
    >>> w, x = aesara.shared(1.0, name="w"), T.dscalar("x")
    >>> step = compile_step({"x": x}, {"y": w * x}, {w: w + x})
    >>> state, outputs = step(step.initial_state(), {"x": 3.0})
    >>> float(outputs["y"]), float(state["w"])
    (3.0, 4.0)
    """
    updates = _with_default_updates(outputs.values(), updates or {})
    graph = _Graph(batch, outputs, updates, rates or {})
    if backend == "xla":
        # A step that changes nothing leaves the state that it was given as it is.
        return XlaStep(graph, donate and bool(graph.new_state), devices)
    if backend == "c":
        return CStep(graph, c_flags)
    raise ValueError(f"got backend {backend!r}, expected one of {', '.join(BACKENDS)}")


def _with_default_updates(outputs, updates):
    """`updates`, and the default updates of every shared variable that the graph reads."""
    updates = OrderedDict(updates)
    frontier = [*outputs, *updates.values()]
    while frontier:
        found = [
            variable
            for variable in graph_inputs(frontier)
            if getattr(variable, "default_update", None) is not None and variable not in updates
        ]
        found = list(dict.fromkeys(found))
        updates.update((variable, variable.default_update) for variable in found)
        frontier = [variable.default_update for variable in found]
    return updates


class _Graph:
    """The graph's parts by name: several shared variables may stand for one stored value (clones of it do)."""

    def __init__(self, batch, outputs, updates, rates):
        self.batch, self.outputs, self.rates = dict(batch), dict(outputs), dict(rates)
        self.updates = updates
        roots = [*outputs.values(), *updates.values()]
        shared = [v for v in graph_inputs(roots) if isinstance(v, SharedVariable)]
        self.shared = list(dict.fromkeys([*shared, *updates]))
        self.name_of = self._names()
        self.new_state = {}
        for variable, expression in updates.items():
            name = self.name_of[variable]
            if name in self.new_state:
                raise ValueError(f"two updates of the shared value {name!r}; expected one")
            self.new_state[name] = variable.type.filter_variable(expression, allow_convert=True)

    def _names(self):
        """Shared variable -> the name of the value it stands for."""
        containers, taken, names = {}, set(), {}
        for variable in self.shared:
            key = id(variable.container)
            if key not in containers:
                name = variable.name or f"shared{len(containers)}"
                if name in taken:
                    raise ValueError(f"two shared values are named {name!r}; give each a name of its own")
                containers[key] = name
                taken.add(name)
            names[variable] = containers[key]
        return names

    def initial_state(self):
        """The stored values themselves, not copies."""
        return {self.name_of[v]: v.get_value(borrow=True) for v in self.shared}

    def is_wide(self):
        """Whether anything that is given or stored is float64."""
        return any(v.dtype == "float64" for v in [*self.shared, *self.batch.values(), *self.rates.values()])

    def release(self):
        for variable in self.shared:
            value = variable.get_value(borrow=True)
            variable.set_value(np.broadcast_to(np.zeros((), value.dtype), value.shape), borrow=True)


class Step:
    """A compiled graph; see `compile_step`, which makes it.

    Parameters
    ----------
    graph : _Graph
        What is compiled.

    Attributes
    ----------
    state_names, batch_names : list of str
        Names of the shared values, in name order; of what changes with every call.
    """

    def __init__(self, graph):
        self._graph = graph
        self.batch_names = list(graph.batch)
        self.state_names = sorted(set(graph.name_of.values()))

    def initial_state(self):
        """The shared variables' present values, dict of str to array, ready to be given to the step."""
        return self.put(self._graph.initial_state())

    def initial_values(self):
        """The shared variables' present values themselves, on the host (dict of str to array)."""
        return self._graph.initial_state()

    def write_back(self, state):
        """Set the shared variables to the values of a state, so that Lasagne's own functions see what was trained."""
        found = self.get(state)
        for variable, name in self._graph.name_of.items():
            variable.set_value(found[name])

    def _require(self, state, batch, rates):
        variables = {"state": dict.fromkeys(self.state_names), "batch": self._graph.batch, "rates": self._graph.rates}
        step_arguments.require(variables, {"state": state, "batch": batch, "rates": rates})

    def release(self):
        """Give up the shared variables' own values, which a state holds by now; zeros of their shapes stay."""
        self._graph.release()

    def put(self, state):
        """A state of NumPy arrays as the backend holds it."""
        return {name: np.array(state[name]) for name in self.state_names}

    def get(self, state):
        """A state as NumPy arrays, by name."""
        return {name: np.asarray(state[name]) for name in self.state_names}

    def get_outputs(self, outputs):
        """Outputs as NumPy arrays, by name; waits until they are computed."""
        return {name: np.asarray(value) for name, value in outputs.items()}


class XlaStep(Step):
    """One XLA program, its state donated.

    Attributes
    ----------
    program : callable
        (state, batch, rates) -> (new state, outputs), a pure function for JAX to trace; filters of the state are held
        as `crmn_legacy.backend.lowerings.registry.as_held` has them.
    donates : bool
        Whether the new state is whole, and may overwrite the old one.
    """

    def __init__(self, graph, donate=True, devices=1):
        import jax

        super().__init__(graph)
        self._jax = jax
        self.donates = donate
        self._numbers = precision.JaxNumbers(wide=graph.is_wide())
        self.program = _lowered(graph, donate)
        self._sharded, self._replicated = _shardings(jax, devices)
        self.step = self._jitted(self._replicated)
        self._compiled = False

    def _jitted(self, replicated):
        """The program for XLA to compile; on several devices all that it gives is on each."""
        from crmn_legacy.backend.lowerings import settings

        # For one device that is named the program is that for any.
        everywhere = None if replicated is None or replicated.mesh.size == 1 else replicated

        def program(*arguments):
            with settings(mesh=everywhere and everywhere.mesh):
                return self.program(*arguments)

        return self._jax.jit(program, donate_argnums=(0,) if self.donates else (), out_shardings=everywhere)

    def put(self, state):
        # Copies: a donated buffer is overwritten, and JAX reads the caller's memory in the background.
        from crmn_legacy.backend.lowerings.registry import as_held

        with self._numbers():
            return {name: self._on_each(as_held(np.array(state[name]))) for name in self.state_names}

    def _on_each(self, value):
        """A value of the host on each device; several processes have the same one."""
        if self._replicated is None or self._replicated.is_fully_addressable:
            return self._jax.device_put(value, self._replicated, may_alias=False)

        def on_own(array):
            parts = [self._jax.device_put(array, one, may_alias=False) for one in self._replicated.addressable_devices]
            return self._jax.make_array_from_single_device_arrays(array.shape, self._replicated, parts)

        return self._jax.tree.map(on_own, value)

    def get(self, state):
        from crmn_legacy.backend.lowerings.order import written

        return {name: np.asarray(written(self._jax.device_get(state[name])), order="C") for name in self.state_names}

    def put_batch(self, batch):
        """A batch on the device, its first axis shared out among the devices; returns before it is there.

        Of several processes each gives its own part.
        """
        if self._sharded is None or self._sharded.is_fully_addressable:
            with self._numbers():
                return {name: self._jax.device_put(batch[name], self._sharded) for name in self._graph.batch}
        place = self._jax.make_array_from_process_local_data
        return {name: place(self._sharded, batch[name]) for name in self._graph.batch}

    @uncollected()  # the first call traces the program
    def __call__(self, state, batch, rates=None):
        """One step; `state` must not be used again if the step donates."""
        rates = rates or {}
        self._require(state, batch, rates)
        state = {name: state[name] for name in self.state_names}
        try:
            with self._numbers():
                new_state, outputs = self.step(state, self.put_batch(batch), rates)
        except (RuntimeError, ValueError):
            step_arguments.require_whole(state, self._jax.tree.leaves)
            raise
        if not self._compiled:
            self._compiled = True
            freed_memory.give_back()
        return state | new_state, outputs

    def kinds(self):
        """Shapes and dtypes of what the program reads beside its batch, as written (two dicts: state, rates)."""
        rates = {name: self._jax.ShapeDtypeStruct((), v.dtype) for name, v in self._graph.rates.items()}
        state = self._graph.initial_state()
        return {
            name: self._jax.ShapeDtypeStruct(state[name].shape, state[name].dtype) for name in self.state_names
        }, rates

    @uncollected()
    def lower(self, state, batch, rates=None):
        """JAX's lowered program for these shapes, to be compiled ahead or looked at."""
        state = {name: state[name] for name in self.state_names}
        with self._numbers():
            return self.step.lower(state, self.put_batch(batch), rates or {})

    @uncollected()
    def lower_ahead(self, batch, sharded=None, replicated=None):
        """JAX's lowered program for devices that may not be there.

        Parameters
        ----------
        batch : dict of str to jax.ShapeDtypeStruct
        sharded, replicated : jax.sharding.Sharding, optional
            How a batch and how a state lie on those devices; as on the step's own by default.

        Returns
        -------
        jax.stages.Lowered
        """

        if replicated is None:
            sharded, replicated = self._sharded, self._replicated

        def like(value, sharding):
            return self._jax.ShapeDtypeStruct(value.shape, value.dtype, sharding=sharding)

        state, rates = ({name: like(v, replicated) for name, v in part.items()} for part in self.kinds())
        batch = {name: like(batch[name], sharded) for name in self._graph.batch}
        with self._numbers():
            return self._jitted(replicated).lower(state, batch, rates)


def _lowered(graph, donate):
    """The graph as a pure JAX function of (state, batch, rates): what changes of the state, and outputs.

    A state that is donated comes back whole. Of another XLA would copy what stays as it is.
    """
    from crmn_legacy.backend.lowerings import lower, settings
    from crmn_legacy.backend.lowerings.order import lying_like, written

    inputs = [*graph.shared, *graph.batch.values(), *graph.rates.values()]
    names = list(graph.new_state)
    outputs = [*graph.outputs.values(), *(graph.new_state[name] for name in names)]
    function = lower(*merged(inputs, outputs), as_written=False)

    def program(state, batch, rates):
        with settings(passes_checks=True):
            values = function(
                *(state[graph.name_of[variable]] for variable in graph.shared),
                *(batch[name] for name in graph.batch),
                *(rates[name] for name in graph.rates),
            )
        outputs = {name: written(value) for name, value in zip(graph.outputs, values, strict=False)}
        new = dict(zip(names, values[len(outputs) :], strict=True))
        new = {name: lying_like(value, state[name]) for name, value in new.items()}
        return state | new if donate else new, outputs

    return program


def _shardings(jax, devices):
    """How a batch and how a state lie on the devices (None: on the only one)."""
    if devices == 1:
        return None, None
    from crmn_legacy.backend.lowerings.devices import shared_by

    # Each process has as many.
    share = devices // jax.process_count()
    return shared_by([one for process in range(jax.process_count()) for one in jax.local_devices(process)[:share]])


def _aesaras_own(*arguments, **options):
    """A function that Aesara compiles, whoever compiles those of the program around."""
    import aesara

    from crmn_legacy.backend.function import aesara_compiles

    with aesara_compiles():
        return aesara.function(*arguments, **options)


class CStep(Step):
    """Aesara's own compiled function behind the same interface."""

    def __init__(self, graph, c_flags=None):
        import aesara

        super().__init__(graph)
        if c_flags is not None:
            aesara.config.gcc__cxxflags = c_flags
        self._storage = {graph.name_of[variable]: variable for variable in reversed(graph.shared)}
        self._function = _aesaras_own(
            [*graph.batch.values(), *graph.rates.values()],
            list(graph.outputs.values()),
            updates=graph.updates,
            on_unused_input="ignore",
            allow_input_downcast=True,
            no_default_updates=True,
        )

    def __call__(self, state, batch, rates=None):
        """One step; the state given stays as it was."""
        rates = rates or {}
        self._require(state, batch, rates)
        for name, variable in self._storage.items():
            variable.set_value(state[name])
        values = self._function(*(batch[n] for n in self._graph.batch), *(rates[n] for n in self._graph.rates))
        new_state = {name: np.array(variable.get_value(borrow=True)) for name, variable in self._storage.items()}
        return new_state, dict(zip(self._graph.outputs, values, strict=True))
