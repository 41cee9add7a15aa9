"""A run's progress as arrays and back: tensors by name, all else as one line of JSON beside them."""

import json
import math
import re
from dataclasses import asdict, dataclass, field

import numpy as np

from crmn_legacy.errors import UserError
from crmn_legacy.training.rates import ScheduleState

_PROGRESS = "progress"


@dataclass
class Progress:
    """Where a run stands between two updates.

    Attributes
    ----------
    epoch : int
        The epoch under way, from 1.
    step : int
        Updates made in it.
    updates : int
        Updates made in all.
    losses : list of float
        Training losses of this epoch's updates so far.
    schedule : ScheduleState
        Of the learning rates.
    curve : list of dict
        What ``curve.jsonl`` holds of the epochs that ended.
    bits : str
        The chain's last link.
    """

    epoch: int = 1
    step: int = 0
    updates: int = 0
    losses: list = field(default_factory=list)
    schedule: ScheduleState = field(default_factory=ScheduleState)
    curve: list = field(default_factory=list)
    bits: str = ""


def pack(state, progress):
    """Arrays of a checkpoint: `state` (dict of str to array) and the progress."""
    return {**state, _PROGRESS: np.array(json.dumps(asdict(progress)))}


def unpack(arrays, state):
    """State and progress out of a checkpoint's arrays.

    Parameters
    ----------
    arrays : dict of str to array
        As `read_checkpoint` gives them.
    state : dict of str to array
        Of the run as it would begin: gives the names, shapes and dtypes.

    Raises
    ------
    UserError
        The arrays are not those of this network.
    """
    try:
        record = json.loads(str(arrays[_PROGRESS]))
        progress = Progress(**{**record, "schedule": ScheduleState(**record["schedule"])})
        _check(progress)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise UserError(
            f"got a checkpoint without its progress ({str(error)[:200]}); expected one that this version wrote"
        ) from None
    expected = {name: (value.shape, value.dtype) for name, value in state.items()}
    found = {name: (value.shape, value.dtype) for name, value in arrays.items() if name != _PROGRESS}
    if found != expected:
        name = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))[0]
        raise UserError(
            f"got a checkpoint whose {name!r} is {found.get(name, 'absent')}; expected {expected.get(name, 'none')}: "
            "resume with the recipe and the options it was made by"
        )
    return {name: arrays[name] for name in expected}, progress


def _check(progress):
    """`ValueError` for a progress with which a run could not go on, or could not end."""
    schedule, curve = progress.schedule, progress.curve
    counts = (progress.step, progress.updates, schedule.best_epoch, schedule.last_shift, schedule.shifts)
    counts = (*counts, schedule.warm_until)
    if not all(_is_count(count) for count in (progress.epoch, *counts)):
        raise ValueError("a count that is none")
    if not isinstance(curve, list) or progress.epoch != len(curve) + 1:
        raise ValueError("a curve that is not of the epochs before")
    if any(_epoch_of(line) != number for number, line in enumerate(curve, 1)):
        raise ValueError("a curve that is not of the epochs before")
    if max(schedule.best_epoch, schedule.last_shift) > len(curve) or bool(schedule.best_epoch) != bool(curve):
        raise ValueError("a schedule of other epochs")
    best = schedule.best_loss
    if type(best) is not float or math.isnan(best) or (curve and not math.isfinite(best)):
        raise ValueError("a best loss that is none")
    if not _are_losses(list(schedule.recent)):
        raise ValueError("training errors that are none")
    if not _are_losses(progress.losses) or len(progress.losses) != progress.step:
        raise ValueError("other losses than of the steps made")
    if not isinstance(progress.bits, str) or not re.fullmatch("sha256:[0-9a-f]{64}", progress.bits):
        raise ValueError("no bits")


def _epoch_of(line):
    """The number of an epoch whose line has what the loop, and the end of the run, take from it; else None."""
    good = isinstance(line, dict) and _is_count(line.get("epoch")) and _are_losses(line.get("losses"))
    good = good and _are_losses([line.get("validation_loss"), line.get("train_loss")])
    return line["epoch"] if good else None


def _is_count(value):
    return type(value) is int and 0 <= value < 2**53


def _are_losses(values):
    return isinstance(values, list) and all(type(value) is float and math.isfinite(value) for value in values)
