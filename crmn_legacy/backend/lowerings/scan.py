"""Loops over time, and other ops that hold a graph of their own."""

import jax
import jax.numpy as jnp
import numpy as np
from aesara.compile.builders import OpFromGraph
from aesara.scan.op import Scan
from jax import lax

from .interpreter import Program
from .registry import as_array, concrete, known_integers, lowering, settings

# Steps of a loop whose shapes follow from the step's number, which is therefore written out.
MOST_WRITTEN_OUT = 128


@lowering.register(OpFromGraph)
def _graph(op, node):
    return Program(op.inner_inputs, op.inner_outputs).in_their_order


@lowering.register(Scan)
def _scan(op, node):
    if op.info.as_while:
        raise NotImplementedError(
            "no XLA lowering for a scan that ends on a condition (until): its outputs' length depends on the data. Run "
            "the graph with the C backend, or give the scan a fixed n_steps"
        )
    return Loop(op, node)


class Loop:
    """A `Scan` as one `jax.lax.scan`.

    A recurrent output travels as a whole buffer, initial values first, exactly as Aesara lays it out, or as the last
    values that a step reads (`_Buffer`, `_Window`). The outputs without recurrence are stacked by `lax.scan` itself.

    Parameters
    ----------
    op : aesara.scan.op.Scan
    node : aesara.graph.basic.Apply
    """

    def __init__(self, op, node):
        self.op = op
        self.node = node
        self.body = Program(op.inner_inputs, op.inner_outputs)

    def __call__(self, steps, *rest):
        op, info = self.op, self.op.info
        arguments = [steps, *rest]
        (steps,) = known_integers((steps,), "the number of steps of a scan")
        recurrent = self._recurrent(arguments, steps)
        shared = [as_array(x) for x in op.outer_shared(arguments)]
        constants = op.outer_non_seqs(arguments)

        def step(carry, slices):
            time, carried, shared = carry
            taps = [value for one, state in zip(recurrent, carried, strict=True) for value in one.read(state, time)]
            results = iter(self.body(*slices, *taps, *shared, *constants))
            written = [one.write(state, time, results) for one, state in zip(recurrent, carried, strict=True)]
            stacked = [as_array(next(results)) for _ in range(info.n_nit_sot)]
            shared = [as_array(next(results), old.dtype) for old in shared]
            return (time + 1, [state for state, _ in written], shared), ([made for _, made in written], stacked)

        carry = (jnp.zeros((), jnp.int32), [one.first for one in recurrent], shared)
        sequences = [x[:steps] for x in op.outer_seqs(arguments)]
        with settings(in_loop=True):
            (_, carried, shared), (made, stacked) = _repeated(step, carry, sequences, steps)
        values = [one.result(state, new) for one, state, new in zip(recurrent, carried, made, strict=True)]
        lengths = known_integers(op.outer_nitsot(arguments), "the length of a scan's output")
        stacked = [_of_length(values, length) for values, length in zip(stacked, lengths, strict=True)]
        return [*values, *stacked, *shared]

    def _recurrent(self, arguments, steps):
        """The recurrent outputs in Aesara's order, those first that are added up in place."""
        op, info = self.op, self.op.info
        given = [*op.outer_mitmot(arguments), *op.outer_mitsot(arguments), *op.outer_sitsot(arguments)]
        reads = (*info.mit_mot_in_slices, *info.mit_sot_in_slices, *info.sit_sot_in_slices)
        found = []
        for index, (value, taps) in enumerate(zip(given, reads, strict=True)):
            buffer = as_array(value, self.node.outputs[index].type.dtype)
            if index < info.n_mit_mot:
                found.append(_Buffer(buffer, taps, info.mit_mot_out_slices[index]))
            elif jnp.issubdtype(buffer.dtype, jnp.integer):
                found.append(_Window(buffer, taps))
            else:
                found.append(_Buffer(buffer, taps, (0,), steps))
        return found


def _repeated(step, carry, sequences, steps):
    """`jax.lax.scan`; step by step, where a shape follows from what is known of each step."""
    try:
        return lax.scan(step, carry, [as_array(x) for x in sequences], length=steps)
    except NotImplementedError:
        if not 0 < steps <= MOST_WRITTEN_OUT or not any(concrete(x) for x in sequences):
            raise
    made = []
    for time in range(steps):
        carry, new = step(carry, [np.asarray(x[time]) if concrete(x) else x[time] for x in sequences])
        made.append(new)
    return carry, jax.tree.map(lambda *values: jnp.stack(values), *made)


class _Buffer:
    """A recurrent output that travels whole, and is read and written in place.

    Parameters
    ----------
    first : array (length, ...)
        As Aesara has it: initial values first, then room for the values to come. One that is shorter than the loop is
        used in circles.
    reads, writes : tuple of int
        Places that a step reads and writes, counted from the present one.
    steps : int, optional
        Of the loop, where the oldest value is to come first in the end; what is added up in place stays where it is.
    """

    def __init__(self, first, reads, writes, steps=None):
        self.first, self._reads, self._writes, self._steps = first, reads, writes, steps
        self._start = -min(reads)

    def read(self, buffer, time):
        """The values that a step reads."""
        return [
            lax.dynamic_index_in_dim(buffer, _position(buffer, self._start + time + tap), keepdims=False)
            for tap in self._reads
        ]

    def write(self, buffer, time, results):
        """The buffer after a step, and nothing to be stacked."""
        for tap in self._writes:
            value = jnp.broadcast_to(as_array(next(results), buffer.dtype), buffer.shape[1:])
            position = _position(buffer, self._start + time + tap)
            buffer = lax.dynamic_update_index_in_dim(buffer, value, position, 0)
        return buffer, None

    def result(self, buffer, _):
        """The buffer after the loop."""
        return buffer if self._steps is None else _in_order(buffer, self._start, self._steps)


class _Window:
    """A recurrent output that travels as its last values, as many as a step reads; all of them are stacked.

    Random states travel so: they are large, and XLA would copy a whole buffer of them in each step, in a time that
    grows with the square of the steps. Floating-point outputs do not, since that would move the bits of what is
    computed from them.

    Parameters
    ----------
    buffer : array (length, ...)
        As that of `_Buffer`.
    reads : tuple of int
        Places that a step reads, from -1 down.
    """

    def __init__(self, buffer, reads):
        self._buffer, self._reads = buffer, reads
        self.first = buffer[: -min(reads)]
        # Of a buffer that holds no more than the window nothing else is wanted.
        self._stacks = len(buffer) > len(self.first)

    def read(self, window, _):
        """The values that a step reads."""
        return [window[tap] for tap in self._reads]

    def write(self, window, _, results):
        """The window after a step, and the value that is to be stacked."""
        value = jnp.broadcast_to(as_array(next(results), window.dtype), window.shape[1:])
        return jnp.concatenate([window[1:], value[None]]), value if self._stacks else None

    def result(self, window, made):
        """The buffer after the loop, the oldest value first."""
        return _of_length(jnp.concatenate([self.first, made]), len(self._buffer)) if self._stacks else window


def _position(buffer, position):
    # A buffer shorter than the loop is used in circles.
    return lax.rem(position, jnp.int32(buffer.shape[0]))


def _in_order(buffer, start, steps):
    """Turn a circular buffer so that the oldest value comes first, and clear what no step has written."""
    length, used = buffer.shape[0], start + steps
    if length < used:
        return jnp.roll(buffer, -(used % length), 0)
    if length > used:
        return lax.dynamic_update_slice_in_dim(
            buffer, jnp.zeros((length - used, *buffer.shape[1:]), buffer.dtype), used, 0
        )
    return buffer


def _of_length(values, length):
    """The last `length` of `values`, or all of them and zeros."""
    if length <= values.shape[0]:
        return values[values.shape[0] - length :]
    return jnp.pad(values, [(0, length - values.shape[0])] + [(0, 0)] * (values.ndim - 1))
