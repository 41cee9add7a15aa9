"""However a run is stopped, going on with it gives the bits of a run that was never stopped."""

import json
import shlex
import signal
import subprocess

import pytest

from crmn_legacy import archive
from tests.training.runs import (
    EPOCHS,
    FILES,
    ROOT,
    assert_one_line,
    assert_same_run,
    bits_of,
    curve,
    environment,
    run_tiny,
)

# Sends itself a signal right after an update, before its loss is known.
AFTER_UPDATE = """
from crmn_legacy.training import progress as reports
def step(self, progress):
    if progress.updates == {update}:
        os.kill(os.getpid(), signal.{signal})
reports._Lines.step = step
"""

# Is killed right before or right after a file of a certain name takes its place for the n-th time.
AT_REPLACE = """
replace, seen = os.replace, []
def killing(source, target):
    here = os.path.basename(target) == "{name}"
    seen.append(here)
    due = here and sum(seen) == {count}
    if due and "{when}" == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    replace(source, target)
    if due:
        os.kill(os.getpid(), signal.SIGKILL)
os.replace = killing
"""

# The disk is found to be full at the n-th sync of a file or its folder.
FULL_DISK = """
fsync, seen = os.fsync, []
def failing(descriptor):
    seen.append(descriptor)
    if len(seen) == {count}:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    fsync(descriptor)
os.fsync = failing
"""


def test_uninterrupted_run_writes_a_whole_folder(finished):
    folder, bits = finished
    assert {path.name for path in folder.iterdir()} == FILES
    assert archive.verify(folder) == []
    record = archive.read_record(folder)
    assert record.status == "finished" and f"bits: {record.bits}" == bits
    assert [line.epoch for line in curve(folder)] == list(range(1, EPOCHS + 1))
    chain = [record.initial_bits, *(line.bits for line in curve(folder))]
    assert len(set(chain)) == EPOCHS + 1


@pytest.mark.parametrize(
    ("number", "update"),
    [
        pytest.param(signal.SIGINT, 4, id="ctrl-C in the middle of an epoch"),
        pytest.param(signal.SIGTERM, 6, id="SIGTERM at an epoch's last step"),
    ],
)
def test_signal_ends_the_step_saves_and_prints_a_command_that_works(tmp_path, data, finished, number, update):
    folder = tmp_path / "a run"
    before = AFTER_UPDATE.format(update=update, signal=number.name)
    stopped = run_tiny("--data", data, "--out", folder, before=before)
    assert stopped.returncode == 128 + number, stopped.stderr
    assert len(stopped.stderr.splitlines()) == 1
    assert archive.read_record(folder).status == "interrupted"
    progress = json.loads(str(archive.read_arrays(folder / "checkpoint.npz")["progress"]))
    assert progress["updates"] == update
    said, _, command = stopped.stderr.strip().partition("go on with: ")
    assert said == "interrupted; "
    words = shlex.split(command)
    resumed = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, env=environment())
    assert bits_of(resumed) == finished[1]
    assert f"({update} updates made)" in resumed.stdout
    assert_same_run(folder, finished[0])


@pytest.mark.parametrize("update", [2, pytest.param(7, marks=pytest.mark.slow)])
def test_sigkill_in_the_middle_of_an_epoch_loses_only_that_epoch(tmp_path, data, finished, update):
    before = AFTER_UPDATE.format(update=update, signal="SIGKILL")
    assert run_tiny("--data", data, "--out", tmp_path / "run", before=before).returncode == -signal.SIGKILL
    assert archive.verify(tmp_path / "run")  # unfinished
    resumed = run_tiny("--resume", tmp_path / "run")
    assert bits_of(resumed) == finished[1]
    assert f"resumed at epoch {(update - 1) // 3 + 1}, step 0" in resumed.stdout
    assert_same_run(tmp_path / "run", finished[0])


@pytest.mark.parametrize(
    ("when", "name", "count"),
    [
        ("before", "checkpoint.npz", 3),
        ("before", "checkpoint.previous.npz", 2),
        pytest.param("after", "checkpoint.previous.npz", 2, marks=pytest.mark.slow),
        pytest.param("after", "weights.npz", 2, marks=pytest.mark.slow),
        pytest.param("before", "curve.jsonl", 2, marks=pytest.mark.slow),
        pytest.param("after", "checkpoint.npz", 4, marks=pytest.mark.slow),
        pytest.param("before", "run.json", 2, marks=pytest.mark.slow),
        ("before", "MANIFEST.sha256", 1),
    ],
)
def test_sigkill_within_saving_loses_nothing_that_was_saved(tmp_path, data, finished, when, name, count):
    before = AT_REPLACE.format(when=when, name=name, count=count)
    assert run_tiny("--data", data, "--out", tmp_path / "run", before=before).returncode == -signal.SIGKILL
    archive.read_arrays(tmp_path / "run" / "checkpoint.npz")
    resumed = run_tiny("--resume", tmp_path / "run")
    assert bits_of(resumed) == finished[1]
    assert "note: " not in resumed.stdout
    assert_same_run(tmp_path / "run", finished[0])


@pytest.mark.parametrize("name", [pytest.param("weights_initial.npz", marks=pytest.mark.slow), "checkpoint.npz"])
def test_sigkill_before_anything_is_saved_begins_anew(tmp_path, data, finished, name):
    before = AT_REPLACE.format(when="before", name=name, count=1)
    killed = run_tiny("--data", data, "--out", tmp_path / "run", before=before)
    assert killed.returncode == -signal.SIGKILL
    assert archive.verify(tmp_path / "run")
    resumed = run_tiny("--resume", tmp_path / "run")
    assert bits_of(resumed) == finished[1]
    assert "resumed at the beginning" in resumed.stdout
    assert_same_run(tmp_path / "run", finished[0])


@pytest.mark.parametrize(
    "damage", ["flipped", *(pytest.param(damage, marks=pytest.mark.slow) for damage in ("cut off", "missing"))]
)
def test_damaged_checkpoint_gives_way_to_the_one_before_and_says_so(tmp_path, data, finished, damage):
    folder = tmp_path / "run"
    before = AFTER_UPDATE.format(update=7, signal="SIGKILL")
    run_tiny("--data", data, "--out", folder, before=before)
    newest = folder / "checkpoint.npz"
    content = bytearray(newest.read_bytes())
    weights = archive.read_arrays(newest)["lstm.W_in_to_cell"].tobytes()
    if damage == "cut off":
        newest.write_bytes(content[: len(content) // 2])
    elif damage == "flipped":
        content[content.index(weights) + len(weights) // 2] ^= 1
        newest.write_bytes(content)
    else:
        newest.unlink()
    # Killed again before its first save: the good checkpoint must outlive a second accident.
    again = run_tiny("--resume", folder, before=AT_REPLACE.format(when="before", name="checkpoint.npz", count=1))
    assert again.returncode == -signal.SIGKILL
    resumed = run_tiny("--resume", folder)
    assert bits_of(resumed) == finished[1]
    note = "note: checkpoint.npz is missing or altered; going on from checkpoint.previous.npz, the one before"
    assert note in resumed.stdout
    assert "resumed at epoch 2, step 0 (3 updates made)" in resumed.stdout
    assert_same_run(folder, finished[0])


# Four files, each synced with its folder, at the start and four an epoch: here the weights, the checkpoint and the two
# forms of the curve of the second epoch.
@pytest.mark.parametrize(
    "count",
    [pytest.param(17, marks=pytest.mark.slow), 19, *(pytest.param(n, marks=pytest.mark.slow) for n in (21, 23))],
)
def test_full_disk_keeps_the_former_checkpoint(tmp_path, data, finished, count):
    folder = tmp_path / "run"
    child = run_tiny("--data", data, "--out", folder, before=FULL_DISK.format(count=count))
    line = assert_one_line(child)
    assert "No space left on device" in line and "a whole checkpoint is kept" in line
    assert not list(folder.glob("*.part"))
    archive.read_arrays(folder / "checkpoint.npz")
    assert bits_of(run_tiny("--resume", folder)) == finished[1]
    assert_same_run(folder, finished[0])


def test_limit_on_file_sizes_keeps_the_former_checkpoint(tmp_path, data, finished):
    folder = tmp_path / "run"
    # Larger than the first checkpoint, whose progress is shorter, and smaller than a later one.
    first = (finished[0] / "checkpoint.previous.npz").stat().st_size - 400
    limit = f"resource.setrlimit(resource.RLIMIT_FSIZE, ({first}, {first}))\n"
    child = run_tiny("--data", data, "--out", folder, before=limit)
    assert "File too large" in assert_one_line(child)
    resumed = run_tiny("--resume", folder)
    assert bits_of(resumed) == finished[1]
    assert_same_run(folder, finished[0])


@pytest.mark.slow
@pytest.mark.parametrize(("update", "number"), [(2, "SIGKILL"), (5, "SIGINT"), (8, "SIGKILL")])
def test_trace_of_a_resumed_run_is_that_of_one_never_stopped(tmp_path, data, finished, update, number):
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    assert bits_of(run_tiny("--data", data, "--out", whole, "--trace")) == finished[1]
    before = AFTER_UPDATE.format(update=update, signal=number)
    run_tiny("--data", data, "--out", stopped, "--trace", before=before)
    assert bits_of(run_tiny("--resume", stopped)) == finished[1]
    assert (stopped / archive.TRACE).read_bytes() == (whole / archive.TRACE).read_bytes()
    assert_same_run(stopped, whole)


def test_finished_run_goes_on_when_told_more_epochs(tmp_path, data, finished):
    folder = tmp_path / "run"
    bits_of(run_tiny("--data", data, "--out", folder, "--epochs", "2"))
    refused = run_tiny("--resume", folder)
    assert "finished" in assert_one_line(refused)
    assert archive.verify(folder) == []
    assert bits_of(run_tiny("--resume", folder, "--epochs", EPOCHS)) == finished[1]
    assert archive.verify(folder) == []
    assert curve(folder) == curve(finished[0])


def test_second_process_in_a_folder_is_refused_and_harms_nothing(tmp_path, data, finished):
    folder = tmp_path / "run"
    run_tiny("--data", data, "--out", folder, before=AFTER_UPDATE.format(update=4, signal="SIGINT"))
    holding = archive.RunFolder(folder, new=False)
    try:
        before = {path.name: path.read_bytes() for path in folder.iterdir()}
        assert "another process is running" in assert_one_line(run_tiny("--resume", folder))
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    finally:
        holding.close()
    assert bits_of(run_tiny("--resume", folder)) == finished[1]
