"""Loops over time, and other ops that hold a graph of their own."""

import jax.numpy as jnp
from aesara.compile.builders import OpFromGraph
from aesara.scan.op import Scan
from jax import lax

from .interpreter import Program
from .registry import as_array, known_integers, lowering


@lowering.register(OpFromGraph)
def _graph(op, node):
    return Program(op.inner_inputs, op.inner_outputs)


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

    The recurrent outputs travel as whole buffers, initial values first, exactly as Aesara lays them out; the loop reads
    and writes them in place. The outputs without recurrence are stacked by `lax.scan` itself.

    Parameters
    ----------
    op : aesara.scan.op.Scan
    node : aesara.graph.basic.Apply
    """

    def __init__(self, op, node):
        self.op = op
        self.node = node
        self.body = Program(op.inner_inputs, op.inner_outputs)
        self.taps = op.info.mit_mot_in_slices + op.info.mit_sot_in_slices + op.info.sit_sot_in_slices
        self.written = op.info.mit_mot_out_slices + ((0,),) * (op.info.n_mit_sot + op.info.n_sit_sot)

    def __call__(self, steps, *rest):
        op, info = self.op, self.op.info
        arguments = [steps, *rest]
        (steps,) = known_integers((steps,), "the number of steps of a scan")
        sequences = [as_array(x)[:steps] for x in op.outer_seqs(arguments)]
        recurrent = (
            *op.outer_mitmot(arguments),
            *op.outer_mitsot(arguments),
            *op.outer_sitsot(arguments),
        )
        buffers = [
            as_array(x, variable.type.dtype)
            for x, variable in zip(recurrent, self.node.outputs[: len(recurrent)], strict=True)
        ]
        shared = [as_array(x) for x in op.outer_shared(arguments)]
        constants = op.outer_non_seqs(arguments)
        starts = [-min(taps) for taps in self.taps]

        def step(carry, slices):
            time, buffers, shared = carry
            taps = [
                _read(buffer, start + time + tap)
                for buffer, start, reads in zip(buffers, starts, self.taps, strict=True)
                for tap in reads
            ]
            results = iter(self.body(*slices, *taps, *shared, *constants))
            buffers = list(buffers)
            for index, (start, writes) in enumerate(zip(starts, self.written, strict=True)):
                for tap in writes:
                    buffers[index] = _write(buffers[index], next(results), start + time + tap)
            stacked = [as_array(next(results)) for _ in range(info.n_nit_sot)]
            shared = [as_array(next(results), old.dtype) for old in shared]
            return (time + 1, buffers, shared), stacked

        carry = (jnp.zeros((), jnp.int32), buffers, shared)
        (_, buffers, shared), stacked = lax.scan(step, carry, sequences, length=steps)
        buffers = [
            buffer if index < info.n_mit_mot else _in_order(buffer, start, steps)
            for index, (buffer, start) in enumerate(zip(buffers, starts, strict=True))
        ]
        lengths = known_integers(op.outer_nitsot(arguments), "the length of a scan's output")
        stacked = [_of_length(values, length) for values, length in zip(stacked, lengths, strict=True)]
        return [*buffers, *stacked, *shared]


def _position(buffer, position):
    # A buffer shorter than the loop is used in circles.
    return lax.rem(position, jnp.int32(buffer.shape[0]))


def _read(buffer, position):
    return lax.dynamic_index_in_dim(buffer, _position(buffer, position), keepdims=False)


def _write(buffer, value, position):
    value = jnp.broadcast_to(as_array(value, buffer.dtype), buffer.shape[1:])
    return lax.dynamic_update_index_in_dim(buffer, value, _position(buffer, position), 0)


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
