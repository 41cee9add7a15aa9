"""Where two runs part, by what their folders hold: the first epoch, the first update and its tensors."""

from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from crmn_legacy.archive import checkpoint
from crmn_legacy.archive.arrays import read_arrays
from crmn_legacy.archive.differences import Difference, entries, shown
from crmn_legacy.archive.layout import CHECKPOINT, CURVE, FORMER_CHECKPOINT, INITIAL_WEIGHTS, TRACE
from crmn_legacy.archive.record import REQUIRED, Epoch, RunRecord, read_curve, read_record
from crmn_legacy.archive.trace import read_trace
from crmn_legacy.errors import UserError

_MOST_NAMES = 4


@dataclass(frozen=True)
class RunOnDisk:
    """What a run's folder says of the run; `UserError` from `read` if it says nothing that can be compared.

    Attributes
    ----------
    folder : Path
    record : RunRecord
    curve : list of Epoch
    traced : bool
        Whether there is a trace.
    """

    folder: Path
    record: RunRecord
    curve: list[Epoch]
    traced: bool

    @classmethod
    def read(cls, folder):
        """Read a folder, finished or not."""
        folder = Path(folder)
        record = read_record(folder, required=(*REQUIRED, "initial_bits"))
        curve = read_curve(folder) if (folder / CURVE).exists() else []
        return cls(folder, record, curve, (folder / TRACE).exists())

    @property
    def links(self):
        """The chain: the digest before the first update, and each epoch's."""
        return [self.record.initial_bits, *(line.bits for line in self.curve)]


def first_epoch(ours, theirs):
    """The first epoch whose link differs; 0 for the initial state, None if one chain begins with the other.

    Parameters
    ----------
    ours, theirs : RunOnDisk
    """
    pairs = enumerate(zip(ours.links, theirs.links, strict=False))
    return next((epoch for epoch, (link, other) in pairs if link != other), None)


@dataclass(frozen=True)
class Update:
    """The first update after which two traced runs differ.

    Attributes
    ----------
    epoch, step, update : int
        As in the trace.
    tensors : list of str
        Those that differ, in name order; empty if the loss alone does.
    losses : tuple
        Of both.
    count : int
        Tensors of the state.
    """

    epoch: int
    step: int
    update: int
    tensors: list
    losses: tuple
    count: int

    def __str__(self):
        if not self.update:
            place = "before the first update"
        else:
            place = f"epoch {self.epoch}, step {self.step} (update {self.update})"
        if not self.tensors:
            return f"{place}: the loss alone, {self.losses[0]} | {self.losses[1]}"
        named, rest = [shown(name) for name in self.tensors[:_MOST_NAMES]], len(self.tensors) - _MOST_NAMES
        more = f" and {rest} more" if rest > 0 else ""
        return f"{place}: {len(self.tensors)} of {self.count} tensors, {', '.join(named)}{more}"

    def described(self):
        """The same as plain values (a dict), with all names."""
        return {
            "epoch": self.epoch,
            "step": self.step,
            "update": self.update,
            "tensors": self.tensors,
            "of": self.count,
            "losses": self.losses,
        }


def first_update(ours, theirs):
    """The first `Update` of two folders with traces that differs; None if one trace begins with the other."""
    for line, other in zip(read_trace(ours), read_trace(theirs), strict=False):
        names = line.tensors.keys() | other.tensors.keys()
        unlike = sorted(name for name in names if line.tensors.get(name) != other.tensors.get(name))
        if unlike or line.loss != other.loss:
            return Update(line.epoch, line.step, line.update, unlike, (line.loss, other.loss), len(names))
    return None


def traced_at(folder, update):
    """A trace's tensors after an update (dict of str to digest), or None if it does not go so far."""
    return next((line.tensors for line in read_trace(folder) if line.update == update), None)


def state_at(folder, update):
    """A state that a folder stores, and in which file; (None, None) if it stores none of that update.

    Parameters
    ----------
    folder : path
    update : int
        0 for the weights before the first.

    Returns
    -------
    dict of str to array, str
    """
    for name in (CHECKPOINT, FORMER_CHECKPOINT):
        try:
            state, progress = checkpoint.unpack(read_arrays(Path(folder) / name))
        except UserError:
            continue
        if progress.updates == update:
            return state, name
    if update == 0 and (Path(folder) / INITIAL_WEIGHTS).exists():
        return read_arrays(Path(folder) / INITIAL_WEIGHTS), INITIAL_WEIGHTS
    return None, None


@dataclass(frozen=True)
class PartedEpoch:
    """How two runs part in the first epoch whose links differ.

    Attributes
    ----------
    epoch : int
        0 for the initial states, of which there is nothing more to say.
    lengths : (int, int)
        Epochs of both curves.
    rates : Difference or None
        Of the learning rates.
    step : int or None
        The first whose loss differs; None if it is the validation's, or if all losses are equal.
    losses : tuple or None
        Both; None if all are equal.
    """

    epoch: int
    lengths: tuple
    rates: Difference | None = None
    step: int | None = None
    losses: tuple | None = None

    @classmethod
    def of(cls, ours, theirs, epoch):
        """Of two runs (`RunOnDisk`) that part in an epoch."""
        lengths = len(ours.curve), len(theirs.curve)
        if epoch == 0:
            return cls(0, lengths)
        line, other = ours.curve[epoch - 1], theirs.curve[epoch - 1]
        pairs = enumerate(zip_longest(line.losses, other.losses), 1)
        step, losses = next(((step, pair) for step, pair in pairs if pair[0] != pair[1]), (None, None))
        if step == len(line.losses) == len(other.losses):
            step = None
        return cls(epoch, lengths, entries("rates", line.rates, other.rates), step, losses)

    def __str__(self):
        if self.epoch == 0:
            return "before the first update: the initial states differ"
        parts = [f"{self.epoch} (of {self.lengths[0]} | {self.lengths[1]})"]
        if self.rates:
            parts += self.rates.lines()
        if self.losses is None:
            parts.append("its losses are equal")
        else:
            place = "its validation loss" if self.step is None else f"loss of step {self.step}"
            parts.append(f"first unequal {place}: {self.losses[0]} | {self.losses[1]}")
        return "; ".join(parts)

    def described(self):
        """The same as plain values (a dict)."""
        return {
            "epoch": self.epoch,
            "of": list(self.lengths),
            "rates": self.rates.described() if self.rates else [],
            "step": self.step,
            "losses": self.losses,
        }
