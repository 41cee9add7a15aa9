"""Graphs whose shapes depend on integers that are given with each call.

A minibatch is ``data[i * b:(i + 1) * b]``: its length does not change with ``i``, but XLA must be told it while the
program is traced. So small integers are known and traced at once (:class:`~.duals.Dual`). Where a shape follows from
one, what was used of it (of a slice, its length) is remembered as a guard: the program serves every later call for
which the guards hold, and another is made for one where they do not.
"""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .duals import Dual, known_of, takes_duals, traced_of
from .interpreter import Program, compute, evaluate
from .registry import as_array, concrete
from .selected import Selected

LARGEST = 16
"""How many integers an input may hold to be known while tracing."""


class Guards:
    """What must be as it was while a program was traced, for it to serve another call.

    Parameters
    ----------
    inputs : sequence of numpy.ndarray
        The integers of the call that it is traced for.
    """

    def __init__(self, inputs):
        self.count = len(inputs)
        self._steps = []

    def computed(self, node, arguments):
        """The known values of a node's outputs, each with its place; None if they cannot be known."""
        values = evaluate(node, [known_of(argument) for argument in arguments])
        if values is None:
            return None
        places = list(range(self.count, self.count + len(values)))
        self.count += len(values)
        self._steps.append(_Evaluation(node, tuple(map(_source, arguments)), places))
        return list(zip(values, places, strict=True))

    def require(self, arguments, of=None):
        """Guard what was used of some duals.

        Parameters
        ----------
        arguments : sequence
            Duals and other values.
        of : callable, optional
            What of them was used: takes their known values, returns something that compares; all by default.

        Returns
        -------
        object
            What `of` returned.
        """
        of = of or _comparable
        found = of(*map(known_of, arguments))
        self._steps.append(_Guard(of, tuple(map(_source, arguments)), found))
        return found

    def close(self):
        """Drop what no guard needs."""
        needed, kept = set(), []
        for step in reversed(self._steps):
            if isinstance(step, _Guard) or needed.intersection(step.places):
                needed.update(place for place, _ in step.sources if place is not None)
                kept.append(step)
        self._steps = kept[::-1]

    def __bool__(self):
        return bool(self._steps)

    def hold(self, inputs):
        """Tell whether they hold for the integers of another call."""
        values = dict(enumerate(inputs))
        for step in self._steps:
            arguments = [constant if place is None else values[place] for place, constant in step.sources]
            if isinstance(step, _Guard):
                if step.of(*arguments) != step.found:
                    return False
            else:
                values.update(zip(step.places, evaluate(step.node, arguments), strict=True))
        return True


@dataclasses.dataclass(frozen=True)
class _Evaluation:
    node: Any
    sources: tuple
    places: list


@dataclasses.dataclass(frozen=True)
class _Guard:
    of: Any
    sources: tuple
    found: Any


def _source(argument):
    """Where a value comes from: the place of a dual, or itself."""
    return (argument.place, None) if isinstance(argument, Dual) else (None, argument)


def _comparable(*values):
    return tuple(_plain(value) for value in values if not isinstance(value, jax.Array))


def _plain(value):
    if isinstance(value, slice):
        return tuple(None if bound is None else int(bound) for bound in (value.start, value.stop, value.step))
    return np.asarray(value).tolist()


class GuardedProgram(Program):
    """A `Program` of whose inputs some are known as well as traced."""

    def guarded(self, values, known):
        """Compute the outputs while JAX traces.

        Parameters
        ----------
        values : sequence of jax.Array
            One an input, traced.
        known : dict of int to numpy.ndarray
            Of which inputs, by their number, the values are known.

        Returns
        -------
        outputs : list of jax.Array
        guards : Guards
        """
        guards = Guards(list(known.values()))
        values = list(values)
        for place, (number, value) in enumerate(known.items()):
            values[number] = Dual(value, values[number], guards, place)
        outputs = [as_array(traced_of(value)) for value in self(*values)]
        guards.close()
        return outputs, guards

    def results(self, node, function, arguments):
        """The values of a node's outputs, known as well where they follow from known integers."""
        duals = [argument for argument in arguments if isinstance(argument, Dual)]
        if not duals:
            return super().results(node, function, arguments)
        guards = duals[0].guards
        known = guards.computed(node, arguments) if concrete(*map(known_of, arguments)) else None
        try:
            results = compute(node, function, arguments if takes_duals(function) else [*map(traced_of, arguments)])
            if known is not None and any(isinstance(result, Selected) for result in results):
                raise NotImplementedError("how much is selected follows from them")
        except NotImplementedError:
            # A shape follows from them.
            guards.require(arguments)
            return compute(node, function, [known_of(argument) for argument in arguments])
        if known is None:
            return results
        return [Dual(value, traced, guards, place) for traced, (value, place) in zip(results, known, strict=True)]


def window(size, index):
    """What a slice with dual bounds takes of a dimension: the first element, traced, and how many, known.

    Parameters
    ----------
    size : int
        Of the dimension.
    index : slice
        Some of its bounds are `Dual`; its step is not.

    Returns
    -------
    start : jax.Array or int
    length, step : int
        None of the three where the slice goes backward: its bounds are guarded then, and known.
    """
    bounds = (index.start, index.stop, index.step)
    guards = next(bound.guards for bound in bounds if isinstance(bound, Dual))

    def extent(*bounds):
        taken = _range(size, *bounds)
        return len(taken), taken.step

    step = known_of(index.step)
    if isinstance(index.step, Dual) or (step is not None and int(step) < 0):
        guards.require(bounds)
        taken = _range(size, *map(known_of, bounds))
        return taken.start, len(taken), taken.step
    length, step = guards.require(bounds, extent)
    if not isinstance(index.start, Dual):
        return _range(size, *map(known_of, bounds)).start, length, step
    start = index.start.traced
    return jnp.clip(jnp.where(start < 0, start + size, start), 0, size), length, step


def _range(size, *bounds):
    return range(*slice(*(None if bound is None else int(bound) for bound in bounds)).indices(size))
