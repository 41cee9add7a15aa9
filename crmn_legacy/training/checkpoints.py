"""A run's progress as arrays and back: tensors by name, all else as one line of JSON beside them."""

import json
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
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"got a checkpoint without its progress ({error}); expected one that this version wrote"
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
