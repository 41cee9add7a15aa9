"""Progress as arrays and back."""

import json

import numpy as np
import pytest

from crmn_legacy.errors import UserError
from crmn_legacy.training.checkpoints import Progress, pack, unpack
from crmn_legacy.training.rates import ScheduleState

STATE = {"w": np.arange(3, dtype="float32"), "b": np.float64(2.5)}
PROGRESS = Progress(
    epoch=3,
    step=2,
    updates=11,
    losses=[0.1, 1 / 3],
    schedule=ScheduleState(best_loss=0.30000000000000004, best_epoch=2, last_shift=1, shifts=1),
    curve=[{"epoch": 1, "losses": [5e-324], "bits": "sha256:00"}],
    bits="sha256:11",
)


@pytest.mark.parametrize("progress", [PROGRESS, Progress()])
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
