"""The record and the curve of a run's folder: typed, written as JSON, read once and without trust."""

import json
from pathlib import Path
from typing import Any, get_args, get_origin

import msgspec

from crmn_legacy.archive.layout import CURVE, RUN
from crmn_legacy.errors import UserError, printable
from crmn_legacy.files import write_whole
from crmn_legacy.options import DEFAULTS, Options

# Far more than a run writes; JSON takes many times its size in memory.
_LARGEST_RECORD = 2**22
_LARGEST_CURVE = 2**28
# Beyond it sums of squares overflow, and nothing that was measured lies there.
_LARGEST_NUMBER = 1e100
_LAST_EPOCH = 10**6


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How a run goes, as its options and its recipe have it.

    Attributes
    ----------
    kind : str
        ``training``, ``rehearsal`` or ``smoke``.
    arguments : dict
        Of the recipe's network, other than its own.
    batch_size, epochs : int
    steps : int or None
        Updates after which the run ends, whatever the epoch.
    """

    kind: str
    arguments: dict[str, Any]
    batch_size: int
    epochs: int
    steps: int | None


class Score(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The mean score of a test set, a fraction.

    Attributes
    ----------
    mean : float
    pictures : int
    complete : bool
        Whether the set has as many pictures as its release.
    released : int or None
        Those; None for a set of no release.
    """

    mean: float
    pictures: int
    complete: bool
    released: int | None = None

    def extent(self):
        """How many pictures, and of how many where that is not all (a str); None where it is not recorded."""
        if self.pictures is None or self.complete is not False:
            return None if self.pictures is None else f"{self.pictures:,}"
        if not self.released:
            return f"{self.pictures:,}, in part"
        between = "of" if self.pictures < self.released else "where the release has"
        return f"{self.pictures:,} {between} {self.released:,}"


class Result(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came out of a finished run; of `validation_error` and `validation_accuracy` it has one."""

    best_epoch: int
    epochs: int
    updates: int
    validation_loss: float
    validation_error: float | None = None
    validation_accuracy: float | None = None
    test: dict[str, Score] | None = None


class Epoch(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of ``curve.jsonl``.

    Attributes
    ----------
    epoch, updates : int
        Both from 1; updates of the whole run.
    rates : dict of str to float
        The last learning rate of each component.
    losses : list of float
        Of each update, then of the validation.
    train_loss, validation_loss : float
        Means.
    validation_error, validation_accuracy : float or None
        Of the two, the task's.
    shifts : int
        Shifts that the schedule has made.
    seconds : float or None
    waited_seconds : float or None
        Those of them in which the loop had to wait for a batch, of the training or the validation part.
    bits : str
        The link of the chain.
    weights : str or None
        The digest of the weights, if they are the best so far.
    """

    epoch: int
    updates: int
    rates: dict[str, float]
    losses: list[float]
    train_loss: float
    validation_loss: float
    bits: str
    validation_error: float | None = None
    validation_accuracy: float | None = None
    shifts: int = 0
    seconds: float | None = None
    waited_seconds: float | None = None
    weights: str | None = None

    @property
    def score(self):
        """The validation part's error or accuracy, a fraction."""
        return self.validation_error if self.validation_accuracy is None else self.validation_accuracy


class RunRecord(msgspec.Struct, kw_only=True, omit_defaults=True):
    """``run.json``: what a run was told, what made it, what came out.

    Of a record that was read, the fields of `REQUIRED` are never None. Any other is None where the file has none, or
    has something that this version does not write.
    """

    row: str | None = None
    status: str | None = None
    options: Options | None = None
    plan: Plan | None = None
    seed: int | None = None
    data_digest: str | None = None
    started: str | None = None
    # What of a training run is not as its row was published, a line each; None where the row is not of the paper.
    unlike: list[str] | None = None
    # SHA-256 of the description of the bundle whose programs trained, where no graph was built.
    programs: str | None = None
    # What the run computed.
    parameters: int | None = None
    flops: int | None = None
    initial_bits: str | None = None
    initial_weights: str | None = None
    result: Result | None = None
    bits: str | None = None
    error: str | None = None
    # When.
    stopped: str | None = None
    seconds: float | None = None
    seconds_before: float | None = None
    # With what, and on what.
    data_path: str | None = None
    platform_key: str | None = None
    environment: dict[str, str] | None = None
    kernel_caches: str | None = None
    python: str | None = None
    packages: dict[str, str | None] | None = None
    distributions: dict[str, str] | None = None
    machine: str | None = None
    system: str | None = None
    operating_system: str | None = None
    libc: str | None = None
    hardware: dict[str, Any] | None = None
    variables: dict[str, str] | None = None
    source: dict[str, Any] | None = None
    git_commit: str | None = None
    git_dirty: bool | None = None
    argv: list[str] | None = None
    orig_argv: list[str] | None = None
    left_out: dict[str, str] | None = None

    def as_json(self):
        """The record as it is written (a dict)."""
        return msgspec.to_builtins(self)

    def not_as_published(self):
        """What of a training run is not as its row was published (list of str), `unlike` or, without it, its options.

        A record of a version that did not write `unlike` tells by its options alone.
        """
        if self.unlike is not None:
            return self.unlike
        options = self.options
        if options is None:
            return ["its options are not recorded"]
        told = {**(options.network or {}), **(options.set or {})}
        told |= {name: getattr(options, name) for name in ("epochs", "steps") if getattr(options, name) is not None}
        if options.precision not in (None, DEFAULTS.precision):
            told["precision"] = options.precision
        found = [f"{name} {value!r}" for name, value in told.items()]
        return found + ["a recipe of its own"] * ((self.source or {}).get("recipe_of_tree") is False)


REQUIRED = ("row", "status", "options", "plan", "seed", "data_digest", "started")
"""What is needed to take a run up again."""


def read_json(path):
    """A JSON object from a file; `UserError` if it is missing or none."""
    path = Path(path)
    try:
        record = json.loads(bounded_text(path, _LARGEST_RECORD))
    except FileNotFoundError:
        anew = ": a run that was stopped before it wrote one has saved nothing; begin it anew"
        raise UserError(
            f"got '{path}', which does not exist; expected the folder of a run, with {RUN}"
            f"{anew if path.parent.is_dir() else ''}"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"got '{path}', which is no JSON ({error}); expected what a run writes") from None
    if not isinstance(record, dict):
        raise UserError(f"got '{path}', which holds no JSON object; expected what a run writes")
    return record


def read_record(folder, required=REQUIRED):
    """``run.json`` of a run's folder, held against what a run writes.

    Parameters
    ----------
    folder : path
    required : iterable of str
        Fields without which the record is of no use to the caller.

    Returns
    -------
    RunRecord

    Raises
    ------
    UserError
        The folder holds no run, or its record lacks a required field.
    """
    path = Path(folder) / RUN
    found = read_json(path)
    for name in required:
        try:
            # Not as far as it goes, like the others, but whole.
            if msgspec.convert(found[name], _KINDS[RunRecord][name]) is None:
                raise KeyError(name)
        except KeyError:
            reason = "is missing or altered"
        except (ValueError, RecursionError) as error:
            reason = f"is missing or altered ({_reason(error)})"
        else:
            continue
        raise UserError(f"got '{path}', whose {name!r} {reason}; expected what this version writes")
    return _as_far_as_it_goes(RunRecord, found)


def _kinds(struct):
    return {field.name: field.type for field in msgspec.structs.fields(struct)}


_KINDS = {struct: _kinds(struct) for struct in (RunRecord, Epoch, Result, Plan, Options, Score)}


def _as_far_as_it_goes(struct, found):
    """A struct out of JSON, with None for every field that is missing or of another kind.

    Where a field is itself a struct or a dict, the same holds for its parts.
    """
    values = {name: _part(kind, found[name]) for name, kind in _KINDS[struct].items() if name in found}
    missing = {field.name: None for field in msgspec.structs.fields(struct) if field.required}
    try:
        return struct(**{**missing, **values})
    except ValueError:  # parts that do not go together
        return struct(**missing)


def _part(kind, value):
    """A value of a kind, as far as it goes: see `_as_far_as_it_goes`."""
    struct = next((one for one in (kind, *get_args(kind)) if one in _KINDS), None)
    try:
        whole = msgspec.convert(value, kind)
    except (ValueError, RecursionError):
        if struct is not None and isinstance(value, dict):
            return _as_far_as_it_goes(struct, value)
        within = next((one for one in (kind, *get_args(kind)) if get_origin(one) is dict), None)
        if within is not None and isinstance(value, dict):
            parts = {name: _part(get_args(within)[1], part) for name, part in value.items()}
            return {name: part for name, part in parts.items() if part is not None}
        return None
    if isinstance(whole, dict):
        return {name: part for name, part in whole.items() if not _is_absurd(part)}
    return None if _is_absurd(whole) else whole


def _is_absurd(value):
    """Whether a number is none that was ever measured or counted."""
    if isinstance(value, float):
        return not abs(value) <= _LARGEST_NUMBER
    return isinstance(value, int) and abs(value) >= 2**64


def write_record(folder, record):
    """Write ``run.json``, whole or not at all."""
    write_json(Path(folder) / RUN, record.as_json())


def write_json(path, record):
    """Write `record` as JSON, whole or not at all."""
    write_whole(path, (json.dumps(record, indent=2, sort_keys=True) + "\n").encode())


def read_curve(folder):
    """The epochs of a run (list of `Epoch`), from 1 on; `UserError` if the curve is missing or altered."""
    path = Path(folder) / CURVE
    lines = []
    for number, line in enumerate(_curve_lines(path), 1):
        try:
            lines.append(msgspec.convert(json.loads(line), Epoch))
            if lines[-1].epoch != number:
                raise ValueError(f"epoch {lines[-1].epoch}")
        except (ValueError, RecursionError) as error:
            raise UserError(
                f"got '{path}', which is altered in line {number} ({_reason(error)}); expected what this version writes"
            ) from None
    return lines


def read_epochs(folder):
    """The epochs of a curve as far as it goes: what cannot be read of one is None.

    Parameters
    ----------
    folder : path

    Returns
    -------
    list of Epoch
        In the order of their numbers, which are all there.
    int
        How many lines were left out.

    Raises
    ------
    UserError
        The curve is missing, too large or no file.
    """
    found, left_out = {}, 0
    for line in filter(None, map(str.strip, _curve_lines(Path(folder) / CURVE, errors="replace"))):
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            entry = None
        epoch = _as_far_as_it_goes(Epoch, entry) if isinstance(entry, dict) else None
        if epoch is None or epoch.epoch is None or not 1 <= epoch.epoch <= _LAST_EPOCH or epoch.epoch in found:
            left_out += 1
        else:
            found[epoch.epoch] = epoch
    return [found[number] for number in sorted(found)], left_out


def write_curve(folder, epochs):
    """Write ``curve.jsonl``, a JSON object for each epoch."""
    text = "".join(json.dumps(msgspec.to_builtins(epoch)) + "\n" for epoch in epochs)
    write_whole(Path(folder) / CURVE, text.encode())


def bounded_text(path, most, errors="strict"):
    """The text of a file of at most `most` bytes; `ValueError` if it is larger, no UTF-8 or no file (a pipe, say)."""
    if Path(path).exists() and not Path(path).is_file():
        raise ValueError("it is no regular file")
    with open(path, "rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"it has more than {most} bytes")
    return content.decode("utf-8", errors)


def _curve_lines(path, errors="strict"):
    try:
        # Not splitlines, which takes other characters for ends of lines too.
        text = bounded_text(path, _LARGEST_CURVE, errors)
        return text.removesuffix("\n").split("\n") if text else []
    except (OSError, ValueError) as error:
        raise UserError(f"got '{path}', which cannot be read ({error}); expected a JSON object a line") from None


def _reason(error):
    """What is wrong with a value, in msgspec's or Python's words, safe to print on one line."""
    return printable(str(error))[:120]
