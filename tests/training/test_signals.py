"""Signals that end a run, by themselves and at a run's last moments."""

import errno
import os
import pty
import shlex
import signal
import subprocess
import sys
import threading

import pytest

from crmn_legacy import archive
from crmn_legacy.training.signals import Interrupted, Signals
from tests.training.runs import ROOT, assert_same_run, bits_of, command_of, environment, run_tiny


@pytest.fixture
def disposed():
    """Sets what a signal does; it is set back at the end."""
    before = {}

    def dispose(number, handler):
        before.setdefault(number, signal.signal(number, handler))

    yield dispose
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGUSR1])
def test_what_was_ignored_stays_so(disposed, number):
    disposed(number, signal.SIG_IGN)
    with Signals() as signals:
        assert signal.getsignal(number) is signal.SIG_IGN
        os.kill(os.getpid(), number)
        os.kill(os.getpid(), signal.SIGUSR2)
    assert signals.caught == signal.SIGUSR2


def test_what_somebody_else_has_taken_stays_theirs(disposed):
    got = []
    disposed(signal.SIGUSR1, lambda number, frame: got.append(number))
    with Signals() as signals:
        os.kill(os.getpid(), signal.SIGUSR1)
    assert got == [signal.SIGUSR1] and signals.caught is None


def test_several_processes_stop_when_all_have_agreed():
    asked = []

    def agree(number, updates):
        asked.append((number, updates))
        return signal.SIGTERM if updates >= 3 else None

    with Signals(agree) as signals:
        assert not signals.stop_after(1)
        os.kill(os.getpid(), signal.SIGUSR1)
        assert signals.caught is None and not signals.stop_after(2)
        with signals.at_once():
            os.kill(os.getpid(), signal.SIGTERM)  # what is computed here is computed by all
        assert signals.stop_after(3) and signals.stop_after(4)
    assert signals.caught == signal.SIGTERM
    assert asked == [(None, 1), (signal.SIGUSR1, 2), (signal.SIGUSR1, 3)]


def test_what_needs_no_saving_is_broken_off_also_by_a_signal_from_before():
    with Signals() as signals:
        with pytest.raises(Interrupted) as stop, signals.at_once():
            os.kill(os.getpid(), signal.SIGTERM)
            raise AssertionError("not broken off")
        assert stop.value.number == signal.SIGTERM
        with pytest.raises(Interrupted), signals.at_once():
            raise AssertionError("not broken off")
        os.kill(os.getpid(), signal.SIGTERM)  # remembered, as before


def test_elsewhere_than_in_the_main_thread_none_is_taken():
    before, found = signal.getsignal(signal.SIGTERM), []

    def look():
        with Signals():
            found.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert found == [before]


@pytest.mark.parametrize("number", [errno.EPIPE, errno.ENOSPC])
def test_output_that_cannot_be_written_stops_the_run(number):
    with Signals() as signals, signals.output():
        raise OSError(number, os.strerror(number))
    assert signals.caught == signal.SIGPIPE


def test_a_run_that_left_its_terminal_outlives_it(tmp_path, data, finished):
    """As `setsid` or `disown` have it: no SIGHUP comes, and whatever is printed fails."""
    folder = tmp_path / "run"
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        command_of("--data", data, "--out", folder),
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        cwd=ROOT,
        env=environment(),
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    while b"\n" not in shown:
        shown += os.read(ours, 1000)
    os.close(ours)
    assert child.wait() == 0
    assert_same_run(folder, finished[0])


SCORING = """
from crmn_legacy.training import evaluation
predict = evaluation.predict
def predicting(*arguments):
    os.kill(os.getpid(), signal.SIGTERM)
    return predict(*arguments)
evaluation.predict = predicting
"""


def test_a_signal_while_the_test_sets_are_scored_breaks_off_and_says_how_to_go_on(tmp_path, data, finished):
    folder = tmp_path / "run"
    stopped = run_tiny("--data", data, "--out", folder, before=SCORING)
    assert stopped.returncode == 128 + signal.SIGTERM
    assert archive.read_record(folder).status == "interrupted"
    (line,) = stopped.stderr.splitlines()
    words = shlex.split(line.removeprefix("interrupted; go on with: "))
    again = subprocess.run(
        [sys.executable, *words[1:]], capture_output=True, text=True, cwd=ROOT, env=environment(), timeout=600
    )
    assert bits_of(again) == finished[1]
    assert_same_run(folder, finished[0])


IN_TRAINING = """
from crmn_legacy.training import progress as reports
reports._Lines.step = lambda self, progress: progress.updates == 4 and os.kill(os.getpid(), signal.SIGUSR1)
"""


def test_the_line_that_says_how_to_go_on_can_be_pasted_whatever_the_folders_name(tmp_path, data, finished):
    name = os.fsdecode(b"-o a  b'$HOME%s\n\xff" + b"x" * 200)
    stopped = run_tiny("--data", data, f"--out={name}", before=IN_TRAINING, cwd=tmp_path)
    assert stopped.returncode == 128 + signal.SIGUSR1
    (line,) = stopped.stderr.splitlines()
    assert len(stopped.stdout.splitlines()) == 2  # it begins, and an epoch
    again = subprocess.run(
        ["bash", "-c", line.removeprefix("interrupted; go on with: ")],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment(),
        timeout=600,
    )
    assert bits_of(again) == finished[1]
    assert_same_run(tmp_path / name, finished[0])


FINISHING = """
from crmn_legacy import archive
finish = archive.RunFolder.finish
def finishing(self, record):
    for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP):
        os.kill(os.getpid(), number)
    finish(self, record)
archive.RunFolder.finish = finishing
"""


TERMINAL_ENDS = """
from crmn_legacy import archive
finish = archive.RunFolder.finish
def finishing(self, record):
    finish(self, record)
    ours, theirs = os.openpty()
    for stream in (1, 2):
        os.dup2(theirs, stream)
    os.close(theirs)
    os.close(ours)
archive.RunFolder.finish = finishing
"""


def test_last_lines_that_no_terminal_takes_any_more_are_no_failure(tmp_path, data, finished):
    assert run_tiny("--data", data, "--out", tmp_path / "run", before=TERMINAL_ENDS).returncode == 0
    assert_same_run(tmp_path / "run", finished[0])


def test_a_signal_while_the_last_files_are_written_is_too_late(tmp_path, data, finished):
    assert bits_of(run_tiny("--data", data, "--out", tmp_path / "run", before=FINISHING)) == finished[1]
    assert_same_run(tmp_path / "run", finished[0])
