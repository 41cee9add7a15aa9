"""Where two folders part."""

import json

import numpy as np
import pytest

from crmn_legacy import archive
from crmn_legacy.archive.compare import PartedEpoch, RunOnDisk, first_epoch, first_update, state_at, traced_at
from crmn_legacy.archive.trace import digests
from crmn_legacy.errors import UserError
from tests.folders import STEPS, rewrite_json, states, write_run


@pytest.fixture
def ours(tmp_path):
    return write_run(tmp_path / "ours")


def epoch_line(ours, theirs, epoch):
    return str(PartedEpoch.of(RunOnDisk.read(ours), RunOnDisk.read(theirs), epoch))


def test_equal_runs_part_nowhere(ours, tmp_path):
    theirs = write_run(tmp_path / "theirs")
    assert first_epoch(RunOnDisk.read(ours), RunOnDisk.read(theirs)) is None
    assert first_update(ours, theirs) is None


@pytest.mark.parametrize("update", [1, 2, 3, 4])
def test_one_bit_in_one_update_is_found_in_its_epoch_step_and_tensor(ours, tmp_path, update):
    theirs = write_run(tmp_path / "theirs", disturbed=update)
    stored = RunOnDisk.read(ours), RunOnDisk.read(theirs)
    epoch, step = (update - 1) // STEPS + 1, (update - 1) % STEPS + 1
    assert first_epoch(*stored) == epoch
    found = first_update(ours, theirs)
    assert (found.epoch, found.step, found.update) == (epoch, step, update)
    assert found.tensors[-1] == "w.velocity" and found.count == 2
    assert f"epoch {epoch}, step {step} (update {update}): " in str(found)
    assert str(PartedEpoch.of(*stored, epoch)).startswith(f"{epoch} (of 2 | 2)")


def test_unlike_initial_states_part_before_the_first_update(ours, tmp_path):
    theirs = write_run(tmp_path / "theirs")
    rewrite_json(theirs, archive.RUN, lambda record: record.update(initial_bits="sha256:" + "0" * 64))
    rewrite_json(theirs, archive.TRACE, lambda lines: lines[0]["tensors"].update(w="0" * 64))
    assert first_epoch(RunOnDisk.read(ours), RunOnDisk.read(theirs)) == 0
    assert str(first_update(ours, theirs)) == "before the first update: 1 of 2 tensors, w"
    assert "initial states differ" in epoch_line(ours, theirs, 0)


def test_a_loss_that_differs_alone_is_told(ours, tmp_path):
    theirs = write_run(tmp_path / "theirs")
    rewrite_json(theirs, archive.TRACE, lambda lines: lines[3].update(loss=1.5))
    assert str(first_update(ours, theirs)).startswith("epoch 2, step 1 (update 3): the loss alone, ")


def test_a_tensor_of_one_run_only_differs(ours, tmp_path):
    theirs = write_run(tmp_path / "theirs")
    rewrite_json(theirs, archive.TRACE, lambda lines: [line["tensors"].update(more="0" * 64) for line in lines])
    assert first_update(ours, theirs).tensors == ["more"]


def test_an_epoch_names_its_rates_and_the_first_loss_that_differs(ours, tmp_path):
    theirs = write_run(tmp_path / "theirs")

    def change(curve):
        curve[1]["rates"] = {"all": 0.05}
        curve[1]["losses"][1] = 2.5

    rewrite_json(theirs, archive.CURVE, change)
    found = epoch_line(ours, theirs, 2)
    assert "rates: all 0.1 | 0.05" in found and "first unequal loss of step 2: " in found and "| 2.5" in found
    rewrite_json(theirs, archive.CURVE, lambda curve: curve[0]["losses"].__setitem__(2, 9.0))
    assert "first unequal its validation loss" in epoch_line(ours, theirs, 1)


@pytest.mark.parametrize(
    ("update", "name"),
    [(0, archive.INITIAL_WEIGHTS), (2, archive.FORMER_CHECKPOINT), (4, archive.CHECKPOINT), (3, None)],
)
def test_states_are_found_where_a_folder_stores_them(ours, update, name):
    state, found = state_at(ours, update)
    assert found == name
    if name:
        np.testing.assert_array_equal(state["w"], states()[update]["w"])
        assert digests(state).items() <= traced_at(ours, update).items()
    assert traced_at(ours, 99) is None


@pytest.mark.parametrize(
    "line",
    [{}, {"epoch": 2}, {"epoch": 1, "updates": "1", "losses": [], "rates": {}, "bits": ""}, {"epoch": 1}],
    ids=str,
)
def test_a_curve_that_is_altered_is_refused_in_one_line(ours, line):
    (ours / archive.CURVE).write_text(json.dumps(line) + "\n")
    with pytest.raises(UserError, match="altered in line 1"):
        RunOnDisk.read(ours)


def test_a_run_that_has_no_epoch_yet_can_be_read(ours):
    (ours / archive.CURVE).unlink()
    found = RunOnDisk.read(ours)
    assert found.curve == [] and len(found.links) == 1


def test_no_run_is_refused(tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        RunOnDisk.read(tmp_path)
