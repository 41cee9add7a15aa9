"""Where two folders part, and why."""

import json

import numpy as np
import pytest

from crmn_legacy import archive
from crmn_legacy.archive.compare import (
    RunOnDisk,
    epoch_line,
    first_epoch,
    first_update,
    reasons,
    shown,
    state_at,
    traced_at,
)
from crmn_legacy.archive.trace import digests
from crmn_legacy.errors import UserError
from crmn_legacy.options import Options
from tests.folders import STEPS, rewrite_json, states, write_run


@pytest.fixture
def ours(tmp_path):
    return write_run(tmp_path / "ours")


def test_equal_runs_part_nowhere(ours, tmp_path):
    theirs = write_run(tmp_path / "theirs")
    assert first_epoch(RunOnDisk.read(ours), RunOnDisk.read(theirs)) is None
    assert first_update(ours, theirs) is None
    assert reasons(RunOnDisk.read(ours), RunOnDisk.read(theirs)) == []


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
    assert epoch_line(*stored, epoch).startswith(f"{epoch} (of 2 | 2)")


def test_unlike_initial_states_part_before_the_first_update(ours, tmp_path):
    theirs = write_run(tmp_path / "theirs")
    rewrite_json(theirs, archive.RUN, lambda record: record.update(initial_bits="sha256:" + "0" * 64))
    rewrite_json(theirs, archive.TRACE, lambda lines: lines[0]["tensors"].update(w="0" * 64))
    assert first_epoch(RunOnDisk.read(ours), RunOnDisk.read(theirs)) == 0
    assert str(first_update(ours, theirs)) == "before the first update: 1 of 2 tensors, w"
    assert "initial states differ" in epoch_line(RunOnDisk.read(ours), RunOnDisk.read(theirs), 0)


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
    found = epoch_line(RunOnDisk.read(ours), RunOnDisk.read(theirs), 2)
    assert "rates: all 0.1 | 0.05" in found and "first unequal loss of step 2: " in found and "| 2.5" in found
    rewrite_json(theirs, archive.CURVE, lambda curve: curve[0]["losses"].__setitem__(2, 9.0))
    assert "first unequal its validation loss" in epoch_line(RunOnDisk.read(ours), RunOnDisk.read(theirs), 1)


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


def test_reasons_are_told_a_line_each(ours, tmp_path):
    theirs = write_run(
        tmp_path / "theirs",
        options=Options(seed=2, data="/elsewhere/faces.h5"),
        data_digest="e" * 64,
        packages={"numpy": "2.0.0"},
        platform_key="xla/there",
        environment={"NPROC": "4"},
        source={"state": "dirty"},
    )
    (theirs / archive.RECIPE).write_text("RECIPE = 2\n")
    assert reasons(RunOnDisk.read(ours), RunOnDisk.read(theirs)) == [
        "recipe.py: 2 lines differ",
        "  - RECIPE = 1",
        "  + RECIPE = 2",
        "options: seed 1 | 2",
        "data: dddddddddddd | eeeeeeeeeeee",
        "packages: numpy 1.26.4 | 2.0.0",
        "source: state None | dirty",
        "platform key: xla/here | xla/there",
        "environment: NPROC None | 4",
    ]


def test_variables_that_libraries_read_are_among_the_reasons(tmp_path):
    ours = write_run(
        tmp_path / "ours",
        variables={"PYTHONPATH": "<source>", "LANG": "C", "CRMN_LEGACY_CACHE": "off", "NPROC": "8"},
        environment={"NPROC": "8"},
    )
    theirs = write_run(
        tmp_path / "theirs",
        variables={"LD_PRELOAD": "/opt/x.so", "JAX_DISABLE_JIT": "1 (set aside)", "PYTHONPATH": "/other"},
        environment={"NPROC": "8"},
    )
    assert reasons(RunOnDisk.read(ours), RunOnDisk.read(theirs)) == [
        "variables: JAX_DISABLE_JIT None | 1 (set aside); LD_PRELOAD None | /opt/x.so; PYTHONPATH None | /other"
    ]


def test_a_long_difference_of_recipes_is_cut_short(ours, tmp_path):
    theirs = write_run(tmp_path / "theirs")
    (theirs / archive.RECIPE).write_text("".join(f"{'x' * 300}{number}\n" for number in range(50)))
    lines = reasons(RunOnDisk.read(ours), RunOnDisk.read(theirs))
    assert lines[0] == "recipe.py: 51 lines differ" and lines[-1] == "  and 39 more"
    assert len(lines) == 14 and max(map(len, lines)) < 120


def test_what_a_file_says_is_printed_on_one_line_without_controls():
    assert shown("a\x1b[2Jb\nc") == "'a\\x1b[2Jb\\nc'"
    assert shown("0123456789abcdef" * 4) == "0123456789ab"
    assert "\n" not in shown({"a": "x\ny"})


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
