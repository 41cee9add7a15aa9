"""Progress as arrays and back."""

import json

import numpy as np
import pytest
from msgspec import to_builtins

from crmn_legacy.archive.checkpoint import Progress, ScheduleState, pack, require_like
from crmn_legacy.archive.checkpoint import unpack as unpack_arrays
from crmn_legacy.archive.record import Epoch
from crmn_legacy.errors import UserError

STATE = {"w": np.arange(3, dtype="float32"), "b": np.float64(2.5)}
LINES = [
    Epoch(
        epoch=epoch,
        updates=4 * epoch,
        rates={"all": 0.1},
        losses=[5e-324, 0.5],
        train_loss=5e-324,
        validation_loss=0.5,
        bits="sha256:00",
    )
    for epoch in (1, 2)
]
PROGRESS = Progress(
    epoch=3,
    step=2,
    updates=11,
    losses=[0.1, 1 / 3],
    schedule=ScheduleState(best_loss=0.30000000000000004, best_epoch=2, last_shift=1, shifts=1),
    curve=LINES,
    bits="sha256:" + "1" * 64,
)


def unpack(arrays, expected):
    """State and progress out of a checkpoint that must be of the expected state's network."""
    state, progress = unpack_arrays(arrays)
    require_like(state, expected)
    return state, progress


@pytest.mark.parametrize("progress", [PROGRESS, Progress(bits=PROGRESS.bits)])
def test_state_and_progress_come_back_to_the_last_bit(progress):
    state, found = unpack(pack(STATE, progress), STATE)
    assert found == progress
    assert state.keys() == STATE.keys()
    assert all(np.array_equal(state[name], STATE[name]) for name in STATE)


def test_packing_needs_no_pickle():
    packed = pack(STATE, PROGRESS)["progress"]
    assert packed.dtype.kind == "U" and json.loads(str(packed))["updates"] == 11


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"w": np.zeros(4, "float32")}, "whose 'w' is"),
        ({"w": np.zeros(3, "float64")}, "whose 'w' is"),
        ({"w": None}, "whose 'w' is absent"),
        ({"more": np.zeros(1)}, "whose 'more' is"),
        ({"progress": None}, "without its progress"),
        ({"progress": np.array("{")}, "without its progress"),
        ({"progress": np.array("[]")}, "without its progress"),
        ({"progress": np.array("{}")}, "without its progress"),
        ({"progress": np.array('{"schedule": {"shift": 1}}')}, "without its progress"),
        ({"progress": np.zeros(3)}, "without its progress"),
    ],
)
def test_arrays_of_another_network_are_refused(changes, said):
    arrays = {**pack(STATE, PROGRESS), **changes}
    with pytest.raises(UserError, match=said):
        unpack({name: value for name, value in arrays.items() if value is not None}, STATE)


SCHEDULE = to_builtins(PROGRESS.schedule)
THEIRS = to_builtins(LINES)


@pytest.mark.parametrize(
    "changes",
    [
        {"epoch": 0},
        {"epoch": 4},
        {"epoch": 10**15},
        {"epoch": True},
        {"epoch": 3.0},
        {"step": -1},
        {"step": 1},
        {"updates": None},
        {"updates": 10**40},
        {"losses": [0.1, float("nan")]},
        {"losses": "ab"},
        {"curve": {}},
        {"curve": THEIRS[:1]},
        {"curve": [THEIRS[1], THEIRS[0]]},
        {"curve": [THEIRS[0], {**THEIRS[1], "losses": None}]},
        {"curve": [THEIRS[0], {**THEIRS[1], "validation_loss": "0.5"}]},
        {"schedule": {**SCHEDULE, "best_epoch": 3}},
        {"schedule": {**SCHEDULE, "best_epoch": 0}},
        {"schedule": {**SCHEDULE, "last_shift": 9}},
        {"schedule": {**SCHEDULE, "best_loss": float("nan")}},
        {"schedule": {**SCHEDULE, "best_loss": "a"}},
        {"bits": ""},
        {"bits": "sha256:" + "g" * 64},
    ],
)
def test_a_progress_with_which_no_run_could_go_on_is_refused(changes):
    altered = {**to_builtins(PROGRESS), **changes}
    with pytest.raises(UserError, match="without its progress"):
        unpack({**STATE, "progress": np.array(json.dumps(altered))}, STATE)


def test_a_long_name_in_a_progress_is_not_told_whole():
    altered = {**to_builtins(PROGRESS), "schedule": {"x" * 10**6: 1}}
    with pytest.raises(UserError, match="without its progress") as caught:
        unpack({**STATE, "progress": np.array(json.dumps(altered))}, STATE)
    assert len(str(caught.value)) < 1000


def test_a_progress_nested_without_end_is_refused():
    with pytest.raises(UserError, match="without its progress"):
        unpack({**STATE, "progress": np.array("[" * 100_000)}, STATE)
