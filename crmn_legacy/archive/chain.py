"""Does what a finished run wrote follow from the rest of it? The chain of digests, held against every file it covers.

Each epoch's ``bits`` digest its last state, its losses and the link before. The checkpoints hold the states of the
last two links; the weights are digested in the line of their epoch; a trace has every state's tensors and every loss.
A light folder has no arrays, so of the chain only its ends, and the trace, can be held against something.
"""

import struct
from pathlib import Path

from crmn_legacy.archive import checkpoint
from crmn_legacy.archive.arrays import digest_tensors, read_arrays
from crmn_legacy.archive.layout import (
    ARRAYS,
    CHECKPOINT,
    CURVE,
    FORMER_CHECKPOINT,
    INITIAL_WEIGHTS,
    RUN,
    TRACE,
    WEIGHTS,
)
from crmn_legacy.archive.record import read_curve, read_record
from crmn_legacy.archive.trace import digests, read_trace
from crmn_legacy.errors import UserError


def problems(folder, left_out=()):
    """What does not follow, a line each.

    Parameters
    ----------
    folder : path
        Of a finished run whose manifest holds.
    left_out : container of str
        Files that it is known to be without.

    Returns
    -------
    list of str
    """
    try:
        return list(_Run(Path(folder), left_out).problems())
    except (UserError, ValueError, LookupError, TypeError, AttributeError, struct.error) as error:
        return [f"{CURVE}: no chain of digests in it ({error})"]


class _Run:
    def __init__(self, folder, left_out):
        self.folder = folder
        self.record, self.curve = read_record(folder, required=("initial_bits",)), read_curve(folder)
        if not self.curve:
            raise ValueError("no epoch")
        self.links = [self.record.initial_bits, *(line.bits for line in self.curve)]
        self.arrays = [name for name in ARRAYS if name not in left_out and (folder / name).exists()]
        # Update -> files whose tensors are those of the trace there.
        self.traced = {}

    def problems(self):
        if self.record.bits != self.links[-1]:
            yield f"{RUN}: bits {self.record.bits} are not the last of {CURVE}, {self.links[-1]}"
        for name in (CHECKPOINT, FORMER_CHECKPOINT):
            if name in self.arrays:
                yield from self._checkpoint(name)
        if INITIAL_WEIGHTS in self.arrays:
            yield from self._weights(INITIAL_WEIGHTS, self.record.initial_weights, 0)
        if WEIGHTS in self.arrays:
            best = next((line for line in reversed(self.curve) if line.weights), None)
            yield from self._weights(WEIGHTS, best and best.weights, best and best.updates)
        if (self.folder / TRACE).exists():
            yield from self._trace()

    def _checkpoint(self, name):
        """The state of a checkpoint gives the link of its epoch."""
        state, progress = checkpoint.unpack(read_arrays(self.folder / name))
        done = len(progress.curve)
        if progress.curve != self.curve[:done]:
            yield f"{CURVE}: not the epochs that {name} has"
            return
        self.traced.setdefault(progress.updates, []).append((name, digests(state)))
        # Within an epoch, where a run was interrupted, there is no link.
        if progress.step:
            return
        losses, before = (self.curve[done - 1].losses, self.links[done - 1]) if done else ((), "")
        found = digest_tensors(state, losses, before)
        if found != self.links[done] or found != progress.bits:
            yield f"{CURVE}: bits {self.links[done]} of epoch {done} do not follow from {name}, which gives {found}"
        if name == CHECKPOINT and done != len(self.curve):
            yield f"{CURVE}: more epochs than {name} has"

    def _weights(self, name, expected, update):
        """Weights give the digest that was taken of them."""
        weights = read_arrays(self.folder / name)
        if expected is not None and digest_tensors(weights) != expected:
            yield f"{name}: not the weights with {expected}"
        self.traced.setdefault(update, []).append((name, digests(weights)))

    def _trace(self):
        """The trace has every loss of the curve, and the tensors of every state that is stored."""
        losses = [loss for line in self.curve for loss in line.losses[:-1]]
        ends = [line.updates for line in self.curve]
        last = None
        for line in read_trace(self.folder):
            last = line.update
            if last and (last > len(losses) or line.loss != losses[last - 1]):
                yield f"{TRACE}: another loss at update {last} than {CURVE} has"
                return
            if last and line.epoch != 1 + sum(end < last for end in ends):
                yield f"{TRACE}: another epoch at update {last} than {CURVE} has"
                return
            for name, tensors in self.traced.get(last, ()):
                unlike = [tensor for tensor in tensors if tensors[tensor] != line.tensors.get(tensor)]
                if unlike:
                    yield f"{TRACE}: another {unlike[0]} at update {last} than {name} has"
        if last != len(losses):
            yield f"{TRACE}: {last} updates, where {CURVE} has {len(losses)}"
