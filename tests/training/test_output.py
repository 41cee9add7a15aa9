"""Nobody reads the output any more, or nobody can: the run stops like one that was told to, with all of it saved."""

import fcntl
import json
import os
import pty
import signal
import subprocess
import termios

import pytest

from crmn_legacy import archive
from tests.training.runs import ROOT, assert_same_run, bits_of, command_of, environment, run_tiny

# The fourth update lasts until the terminal is gone, whenever that is.
SLOW_UPDATE = """
import time
from crmn_legacy.training import loop
count = loop.Training._count
def counting(self, outputs, progress):
    count(self, outputs, progress)
    while progress.updates == 4 and not os.path.exists(os.environ["GONE"]):
        time.sleep(0.05)
loop.Training._count = counting
"""


def updates_saved(folder):
    return json.loads(str(archive.read_arrays(folder / archive.CHECKPOINT)["progress"]))["updates"]


def test_a_reader_that_leaves_after_the_first_line_costs_nothing_but_the_rest_of_the_run(tmp_path, data, finished):
    folder = tmp_path / "run"
    # As `python recipe.py | head -1` does.
    child = subprocess.Popen(
        command_of("--data", data, "--out", folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment(),
    )
    with child:
        assert child.stdout.readline().startswith("table1_crmn: training on")
        child.stdout.close()
        said = child.stderr.read()
    assert child.returncode == 128 + signal.SIGPIPE
    assert said.startswith("interrupted; go on with: ") and len(said.splitlines()) == 1
    assert archive.read_record(folder).status == "interrupted"
    assert updates_saved(folder) == 3
    assert bits_of(run_tiny("--resume", folder)) == finished[1]
    assert_same_run(folder, finished[0])


@pytest.mark.slow
def test_a_reader_that_never_was_leaves_a_folder_that_can_be_used(tmp_path, data, finished):
    folder = tmp_path / "run"
    reading, writing = os.pipe()
    os.close(reading)
    command = command_of("--data", data, "--out", folder)
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=environment())
    os.close(writing)
    assert done.returncode == 128 + signal.SIGPIPE and done.stderr == ""
    assert bits_of(run_tiny("--data", data, "--out", folder)) == finished[1]


@pytest.mark.slow
def test_a_log_without_room_is_told_in_one_line(tmp_path, data):
    with open("/dev/full", "w", encoding="ascii") as full:
        command = command_of("--data", data, "--out", tmp_path / "run")
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=environment())
    assert done.returncode == 2
    assert "No space left on device" in done.stderr and len(done.stderr.splitlines()) == 1


@pytest.mark.slow
def test_a_terminal_that_is_closed_stops_the_run_after_the_step_at_hand(tmp_path, data, finished):
    folder = tmp_path / "run"
    ours, theirs = pty.openpty()

    def own_terminal():
        os.setsid()
        fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)

    child = subprocess.Popen(
        command_of("--data", data, "--out", folder, before=SLOW_UPDATE),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=ROOT,
        env=environment(GONE=str(tmp_path / "gone")),
        preexec_fn=own_terminal,
        pass_fds=[theirs],
    )
    os.close(theirs)
    shown = b""
    while b"epoch 1/3: loss" not in shown:
        shown += os.read(ours, 1000)
    os.close(ours)
    (tmp_path / "gone").touch()
    child.wait()
    assert archive.read_record(folder).status == "interrupted"
    assert 3 <= updates_saved(folder) <= 5
    assert bits_of(run_tiny("--resume", folder)) == finished[1]
    assert_same_run(folder, finished[0])


@pytest.mark.slow
def test_a_run_under_nohup_outlives_its_terminal(tmp_path, data, finished):
    folder = tmp_path / "run"
    hang_up = """
signal.signal(signal.SIGHUP, signal.SIG_IGN)
from crmn_legacy.training import progress as reports
reports._Lines.step = lambda self, progress: os.kill(os.getpid(), signal.SIGHUP)
"""
    assert bits_of(run_tiny("--data", data, "--out", folder, before=hang_up)) == finished[1]
    assert_same_run(folder, finished[0])
