"""Where two runs part, by what their folders hold: the first epoch, the first update and its tensors; and why."""

import difflib
import os
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from msgspec.structs import asdict

from crmn_legacy.archive import checkpoint
from crmn_legacy.archive.arrays import read_arrays
from crmn_legacy.archive.layout import CHECKPOINT, CURVE, FORMER_CHECKPOINT, INITIAL_WEIGHTS, RECIPE, TRACE
from crmn_legacy.archive.record import REQUIRED, Epoch, RunRecord, bounded_text, read_curve, read_record
from crmn_legacy.archive.trace import read_trace
from crmn_legacy.errors import UserError
from crmn_legacy.options import DECLARED

MOVE_NO_BITS = tuple(name for name, declared in DECLARED.items() if not declared.moves_bits)
"""Options that two runs to one result may differ in."""

_LARGEST_RECIPE = 2**20
_LONGEST_DIFFERENCE = 12
_WIDEST = 110
_MOST_NAMES = 4
_NO_BITS = ("CRMN_LEGACY_", "LANG", "LC_", "TZ")


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


def reasons(ours, theirs):
    """Why two runs may differ: what their folders say they were made by and on, a line each (a list of str).

    Parameters
    ----------
    ours, theirs : RunOnDisk
        Or whatever has their `folder` and `record`.
    """
    return [*made_by(ours, theirs), *_made_on(ours.record, theirs.record)]


def made_by(ours, theirs):
    """What of two runs' recipes, options, data, packages and sources differs; as `reasons`, without the machine."""
    lines = _recipe(ours.folder / RECIPE, theirs.folder / RECIPE)
    a, b = ours.record, theirs.record
    # The data's digest tells more than their path.
    lines += _entries("options", asdict(a.options), asdict(b.options), ignored=("data", *MOVE_NO_BITS))
    for title, one, other in (
        ("row", a.row, b.row),
        ("data", a.data_digest, b.data_digest),
        ("Python", a.python, b.python),
    ):
        if one != other:
            lines.append(f"{title}: {shown(one)} | {shown(other)}")
    lines += _entries("packages", a.packages, b.packages)
    return lines + _entries("source", a.source, b.source, ignored=("recipe", "recipe_of_tree"))


def _made_on(a, b):
    """What of the machines of two runs, and of all that is installed there, differs."""
    keys = a.platform_key, b.platform_key
    lines = [] if keys[0] == keys[1] else [f"platform key: {shown(keys[0])} | {shown(keys[1])}"]
    lines += _entries("distributions", a.distributions, b.distributions, ignored=a.packages or {})
    lines += _entries("environment", a.environment, b.environment)
    lines += _entries("variables", _moving(a), _moving(b))
    lines += _entries("hardware", a.hardware, b.hardware, ignored=("cores", "cores_usable", "memory_bytes"))
    return lines


def _moving(record):
    """The environment variables of a run that may move bits and are told nowhere else, name -> value (a dict)."""
    found = {
        name: value
        for name, value in (record.variables or {}).items()
        if not name.startswith(_NO_BITS) and name not in (record.environment or {})
    }
    # A rerun adds the place of its own source.
    places = [place for place in found.pop("PYTHONPATH", "").split(os.pathsep) if place not in ("", "<source>")]
    return {**found, "PYTHONPATH": os.pathsep.join(places)} if places else found


def _recipe(ours, theirs):
    try:
        texts = [bounded_text(path, _LARGEST_RECIPE, errors="replace").splitlines() for path in (ours, theirs)]
    except OSError as error:
        return [f"{RECIPE}: cannot be read ({error.strerror})"]
    except ValueError as error:
        return [f"{RECIPE}: cannot be read ({error})"]
    changes = [line for line in difflib.unified_diff(*texts, n=0, lineterm="") if line[:3] not in ("---", "+++")]
    changes = [line for line in changes if not line.startswith("@@") and line[1:].strip()]
    if not changes:
        return []
    lines = [f"{RECIPE}: {len(changes)} lines differ"]
    for line in changes[:_LONGEST_DIFFERENCE]:
        text = shown(line[1:].strip())
        lines.append(f"  {line[0]} {text if len(text) <= _WIDEST else text[:_WIDEST] + '...'}")
    if len(changes) > _LONGEST_DIFFERENCE:
        lines.append(f"  and {len(changes) - _LONGEST_DIFFERENCE} more")
    return lines


def _entries(title, ours, theirs, ignored=()):
    """One line that names what differs between two dicts."""
    ours, theirs = ours or {}, theirs or {}
    unlike = [name for name in sorted(ours.keys() | theirs.keys()) if ours.get(name) != theirs.get(name)]
    unlike = [name for name in unlike if name not in ignored]
    named = [f"{shown(name)} {shown(ours.get(name))} | {shown(theirs.get(name))}" for name in unlike[:6]]
    more = f"; and {len(unlike) - 6} more" if len(unlike) > 6 else ""
    return [f"{title}: {'; '.join(named)}{more}"] if unlike else []


def shown(value):
    """A value out of a file, safe to print on one line."""
    text = value if isinstance(value, str) else repr(value)
    if len(text) == 64 and all(digit in "0123456789abcdef" for digit in text):
        return text[:12]
    return text if text.isprintable() else ascii(text)


def epoch_line(ours, theirs, epoch):
    """One line on how two runs part in an epoch: its rates, and the first of its losses that differs (a str)."""
    if epoch == 0:
        return "before the first update: the initial states differ"
    line, other = ours.curve[epoch - 1], theirs.curve[epoch - 1]
    parts = [f"{epoch} (of {len(ours.curve)} | {len(theirs.curve)})"]
    if line.rates != other.rates:
        parts.append(_entries("rates", line.rates, other.rates)[0])
    pairs = enumerate(zip_longest(line.losses, other.losses), 1)
    unlike = next(((step, pair) for step, pair in pairs if pair[0] != pair[1]), None)
    if unlike is None:
        parts.append("its losses are equal")
    else:
        step, (loss, another) = unlike
        last = step == len(line.losses) == len(other.losses)
        place = "its validation loss" if last else f"loss of step {step}"
        parts.append(f"first unequal {place}: {loss} | {another}")
    return "; ".join(parts)
