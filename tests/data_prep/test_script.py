"""What the scripts share."""

import errno
import io
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from crmn_legacy.errors import UserError
from data_prep import script
from data_prep.script import check_out, in_processes, show_progress, show_stages


class Terminal(io.StringIO):
    """Text that says it goes to a terminal."""

    def isatty(self):
        return True


def as_terminal(monkeypatch):
    """Standard error, from now on a terminal of a known width."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys, "stderr", Terminal())
    return sys.stderr


def last_line(text):
    """What a terminal shows of `text`, which ends its line."""
    assert text.count("\n") == 1 and text.endswith("\n")
    return text.rstrip().rpartition("\r")[2]


def test_progress_is_one_line_of_a_terminal(monkeypatch):
    terminal = as_terminal(monkeypatch)
    assert list(show_progress(iter("abc"), 3, "pictures read")) == ["a", "b", "c"]
    assert last_line(terminal.getvalue()).startswith("pictures read: 100%") and "3/3" in terminal.getvalue()


def test_error_after_progress_begins_on_its_own_line(monkeypatch):
    terminal = as_terminal(monkeypatch)

    def fail():
        yield "a"
        raise UserError("bad picture")

    with pytest.raises(UserError, match="bad picture"):
        list(show_progress(fail(), 3, "read"))
    assert "1/3" in last_line(terminal.getvalue())


def test_stages_are_one_line_of_a_terminal(monkeypatch):
    terminal = as_terminal(monkeypatch)
    with show_stages(2) as begin:
        begin("reading")
        assert terminal.getvalue().rstrip().endswith("stage 1 of 2: reading")
        begin("writing")
    assert last_line(terminal.getvalue()) == "stage 2 of 2: writing"


def test_error_after_a_stage_begins_on_its_own_line(monkeypatch):
    terminal = as_terminal(monkeypatch)
    with pytest.raises(UserError, match="bad file"), show_stages(2) as begin:
        begin("reading")
        raise UserError("bad file")
    assert last_line(terminal.getvalue()) == "stage 1 of 2: reading"


def test_progress_is_silent_without_a_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert list(show_progress([1, 2], 2, "read")) == [1, 2]
    with show_stages(1) as begin:
        begin("reading")
    assert sys.stderr.getvalue() == ""


def test_new_file_in_a_writable_folder_will_do(tmp_path):
    check_out(tmp_path / "faces.h5")
    assert not list(tmp_path.iterdir())


def test_folder_broken_link_and_missing_folder_are_refused(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "none" / "target")
    for out in (tmp_path, tmp_path / "link", tmp_path / "none" / "faces.h5"):
        with pytest.raises(UserError, match="expected"):
            check_out(out)


def negative(number):
    """What the processes of these tests do; one number is refused, one fails where it is not at home."""
    if number == 99:
        raise UserError("got 99")
    if number == 98 and multiprocessing.parent_process() is not None:
        raise OSError("no memory here")
    if number == 97 and multiprocessing.parent_process() is not None:
        os.kill(os.getpid(), signal.SIGKILL)
    return -number


def test_processes_give_results_in_order():
    assert list(in_processes(negative, range(20), 2, chunksize=3)) == [-number for number in range(20)]


def test_one_worker_is_this_process(monkeypatch):
    monkeypatch.setattr(script, "ProcessPoolExecutor", None)
    assert list(in_processes(negative, range(3), 1, chunksize=1)) == [0, -1, -2]


def test_an_item_that_is_refused_is_refused_from_a_process_and_none_is_left():
    with pytest.raises(UserError, match="got 99"):
        list(in_processes(negative, [*range(20), 99], 2, chunksize=3))
    assert not wait_for_children()


def wait_for_children():
    """Processes that are left after two seconds."""
    for _ in range(40):
        if not multiprocessing.active_children():
            break
        time.sleep(0.05)
    return multiprocessing.active_children()


@pytest.mark.parametrize("number", [97, 98])
def test_what_fails_in_a_process_alone_is_done_in_this_one(capsys, number):
    assert list(in_processes(negative, [1, number, 2], 2, chunksize=1)) == [-1, -number, -2]
    said = capsys.readouterr().err
    assert said.startswith("note: no 2 processes (") and said.count("\n") == 1
    assert not wait_for_children()


@pytest.mark.parametrize(
    ("place", "error"),
    [
        ("multiprocessing.synchronize.SemLock.__init__", OSError(errno.ENOSYS, "Function not implemented")),
        ("multiprocessing.synchronize.SemLock.__init__", PermissionError(errno.EACCES, "Permission denied")),
        ("multiprocessing.context.SpawnProcess._Popen", BlockingIOError(errno.EAGAIN, "Resource unavailable")),
        ("concurrent.futures.process._ExecutorManagerThread.start", RuntimeError("can't start new thread")),
        ("concurrent.futures.process._check_system_limits", NotImplementedError("no semaphores")),
    ],
)
def test_where_no_processes_can_be_had_one_does_it(monkeypatch, capsys, place, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(place, fail)
    assert list(in_processes(negative, range(5), 2, chunksize=1)) == [0, -1, -2, -3, -4]
    said = capsys.readouterr().err
    assert str(error) in said and said.endswith("the rest is done in one\n") and said.count("\n") == 1
    assert not wait_for_children()


def test_processes_start_whatever_the_folder_for_temporary_files(monkeypatch, tmp_path, capsys):
    deep = tmp_path / ("long" * 30)
    deep.mkdir()
    for folder in (deep, tmp_path / "none"):
        monkeypatch.setenv("TMPDIR", str(folder))
        monkeypatch.setattr("tempfile.tempdir", None if folder == deep else str(folder))
        assert list(in_processes(negative, range(5), 2, chunksize=1)) == [0, -1, -2, -3, -4]
    assert capsys.readouterr().err == ""


INTERRUPTED = """
import os, signal, sys, time
from crmn_legacy.errors import run
from data_prep.script import in_processes

def slow(number):
    time.sleep(0.2)
    return number

def main():
    for number in in_processes(slow, range(1000), 2, 1):
        print(number, flush=True)

if __name__ == "__main__":
    run(main)
"""


def test_ctrl_c_ends_all_processes_in_one_line(tmp_path):
    (tmp_path / "program.py").write_text(INTERRUPTED)
    environment = {**os.environ, "PYTHONPATH": str(Path(script.__file__).parents[1])}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    command = [sys.executable, tmp_path / "program.py"]
    with subprocess.Popen(command, env=environment, start_new_session=True, **pipes) as program:
        assert program.stdout.readline() == "0\n"
        os.killpg(program.pid, signal.SIGINT)
        _, said = program.communicate(timeout=20)
    assert (program.returncode, said) == (130, "interrupted\n")
    with pytest.raises(ProcessLookupError):
        for _ in range(100):  # Those that have ended wait for the system to take them away.
            os.killpg(program.pid, 0)
            time.sleep(0.05)
