"""A checkpoint: the whole state by name, and where the run stands as one line of JSON beside it."""

import json
import math
import re

import msgspec
import numpy as np

from crmn_legacy.archive.record import Epoch
from crmn_legacy.errors import UserError

_PROGRESS = "progress"


class ScheduleState(msgspec.Struct, frozen=True, kw_only=True):
    """Where a schedule of learning rates stands after an epoch.

    Attributes
    ----------
    best_loss : float
        Least validation loss so far.
    best_epoch, last_shift : int
        The epochs of it and of the last shift; 0 before any.
    shifts : int
        Shifts made.
    warm_until : int
        The last update of a warm-up that ends on a training error; 0 while it goes on.
    recent : tuple of float
        Training errors of the latest updates of such a warm-up.
    """

    best_loss: float = math.inf
    best_epoch: int = 0
    last_shift: int = 0
    shifts: int = 0
    warm_until: int = 0
    recent: tuple[float, ...] = ()


class Progress(msgspec.Struct, kw_only=True):
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
    curve : list of Epoch
        The epochs that ended.
    bits : str
        The chain's last link.
    """

    epoch: int = 1
    step: int = 0
    updates: int = 0
    losses: list[float] = []
    schedule: ScheduleState = ScheduleState()
    curve: list[Epoch] = []
    bits: str = ""


def pack(state, progress):
    """Arrays of a checkpoint: `state` (dict of str to array) and the progress."""
    return {**state, _PROGRESS: np.array(json.dumps(msgspec.to_builtins(progress)))}


def unpack(arrays):
    """State and progress out of a checkpoint's arrays.

    Parameters
    ----------
    arrays : dict of str to array
        As `archive.read_arrays` gives them.

    Returns
    -------
    dict of str to array, Progress

    Raises
    ------
    UserError
        There is no progress among them, or none with which a run could go on, or end.
    """
    state = dict(arrays)
    try:
        progress = msgspec.convert(json.loads(str(state.pop(_PROGRESS))), Progress)
        _check(progress)
    except (KeyError, ValueError, RecursionError) as error:
        raise UserError(
            f"got a checkpoint without its progress ({str(error)[:200]}); expected one that this version wrote"
        ) from None
    return state, progress


def require_like(state, expected):
    """Refuse a state that is not of the same names, shapes and dtypes as another.

    Parameters
    ----------
    state, expected : dict of str to array
        Of a checkpoint; of the run as it would begin.

    Raises
    ------
    UserError
        The checkpoint is not of this network.
    """
    ours, theirs = ({name: (a.shape, a.dtype) for name, a in arrays.items()} for arrays in (expected, state))
    if ours != theirs:
        name = sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))[0]
        raise UserError(
            f"got a checkpoint whose {name!r} is {theirs.get(name, 'absent')}; expected {ours.get(name, 'none')}: "
            "resume with the recipe and the options it was made by"
        )


def _check(progress):
    """`ValueError` for a progress with which a run could not go on, or could not end."""
    schedule, curve = progress.schedule, progress.curve
    counts = (progress.epoch, progress.step, progress.updates, schedule.best_epoch, schedule.last_shift)
    if not all(0 <= count < 2**53 for count in (*counts, schedule.shifts, schedule.warm_until)):
        raise ValueError("a count that is none")
    if progress.epoch != len(curve) + 1 or any(line.epoch != number for number, line in enumerate(curve, 1)):
        raise ValueError("a curve that is not of the epochs before")
    if not all(_are_finite([*line.losses, line.train_loss, line.validation_loss]) for line in curve):
        raise ValueError("a curve with losses that are none")
    if max(schedule.best_epoch, schedule.last_shift) > len(curve) or bool(schedule.best_epoch) != bool(curve):
        raise ValueError("a schedule of other epochs")
    best = schedule.best_loss
    if math.isnan(best) or (curve and not math.isfinite(best)):
        raise ValueError("a best loss that is none")
    if not _are_finite(schedule.recent):
        raise ValueError("training errors that are none")
    if not _are_finite(progress.losses) or len(progress.losses) != progress.step:
        raise ValueError("other losses than of the steps made")
    if not re.fullmatch("sha256:[0-9a-f]{64}", progress.bits):
        raise ValueError("no bits")


def _are_finite(values):
    return all(math.isfinite(value) for value in values)
