"""How a program ends: its status, and one line at most."""

import errno
import os
import subprocess
import sys

import pytest

from crmn_legacy import errors
from crmn_legacy.errors import UserError


def ended(main, capsys):
    with pytest.raises(SystemExit) as stop:
        errors.run(main)
    return stop.value.code, capsys.readouterr()


def raising(error):
    def main():
        raise error

    return main


@pytest.mark.parametrize("status", [None, 0, 1, 143])
def test_status_is_what_main_returns(capsys, status):
    code, said = ended(lambda: status, capsys)
    assert code == status and said.err == ""


def test_a_users_mistake_is_one_line_and_status_2(capsys):
    code, said = ended(raising(UserError("got 'a\nb',\n  expected c")), capsys)
    assert code == 2 and said.err == "error: got 'a b', expected c\n" and said.out == ""


def test_ctrl_c_is_status_130(capsys):
    code, said = ended(raising(KeyboardInterrupt()), capsys)
    assert code == 130 and said.err == "interrupted\n"


@pytest.mark.parametrize("error", [ValueError("wrong\nhere"), MemoryError(), RecursionError("deep"), OSError(5, "I/O")])
def test_a_fault_of_ours_is_one_line_without_traceback_and_status_1(capsys, monkeypatch, error):
    monkeypatch.delenv(errors.TRACEBACK_VARIABLE, raising=False)
    code, said = ended(raising(error), capsys)
    assert code == 1
    assert said.err.startswith(f"internal error: {type(error).__name__}: ") and len(said.err.splitlines()) == 1
    assert f"{errors.TRACEBACK_VARIABLE}=1" in said.err


def test_the_traceback_is_there_for_who_asks(capsys, monkeypatch):
    monkeypatch.setenv(errors.TRACEBACK_VARIABLE, "1")
    code, said = ended(raising(ValueError("here")), capsys)
    assert code == 1 and "Traceback" in said.err and "raise error" in said.err


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        ("UserError('got a, expected b')", 2, "error: got a, expected b\n"),
        ("KeyboardInterrupt()", 130, "interrupted\n"),
        ("ValueError('mine')", 1, "ValueError: mine\n"),
    ],
)
def test_what_a_scripts_imports_raise_ends_it_as_its_run_would(error, status, said):
    code = f"from crmn_legacy import Recipe\nfrom crmn_legacy.errors import UserError\nraise {error}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == status
    assert done.stderr.endswith(said) and ("Traceback" in done.stderr) == (status == 1)


def test_names_that_are_no_text_can_be_told():
    code = "from crmn_legacy.errors import run\nrun(lambda: print('a\\udcffb'))"
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8:strict"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "a\\udcffb\n"


def test_exits_of_argparse_pass():
    with pytest.raises(SystemExit) as stop:
        errors.run(raising(SystemExit(0)))
    assert stop.value.code == 0


def child(body, redirection):
    """A program whose main is `body`, its streams as the shell is told."""
    code = f"from crmn_legacy.errors import UserError, run\ndef main():\n    {body}\nrun(main)"
    command = ["sh", "-c", f'exec "$0" -c "$1" {redirection}', sys.executable, code]
    environment = {**os.environ, "PYTHONUNBUFFERED": ""}
    return subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)


PARSER = "import argparse; p = argparse.ArgumentParser(); p.print_help(); p.exit()"


@pytest.mark.parametrize("body", ["print('x')", "[print('x' * 100) for _ in range(10000)]", PARSER])
def test_output_for_which_there_is_no_room_is_the_users_to_mend(body):
    done = child(body, ">/dev/full")
    assert done.returncode == 2
    assert done.stderr.startswith("error: cannot write the output (No space left on device); expected room for it: ")
    assert len(done.stderr.splitlines()) == 1


def test_a_file_for_which_there_is_no_room_is_named(capsys):
    code, said = ended(raising(OSError(errno.ENOSPC, "No space left on device", "a.png")), capsys)
    assert code == 2 and said.err.startswith("error: cannot write 'a.png' (No space left on device)")


@pytest.mark.parametrize("redirection", [">&-", "2>&-", ">&- 2>&-", "2>/dev/full", ">/dev/full 2>/dev/full"])
def test_streams_that_are_closed_or_full_do_not_hide_the_status(redirection):
    done = child("print('x'); raise UserError('got a, expected b')", redirection)
    assert done.returncode == 2
    assert done.stderr == ("" if "2>" in redirection else "error: got a, expected b\n")


def test_what_a_terminal_would_obey_is_written_as_its_escape(capsys):
    code, said = ended(raising(UserError("got '\x1b[2J\u202e\ud800é'")), capsys)
    assert code == 2 and said.err == "error: got '\\x1b[2J\\u202e\\ud800é'\n"
    assert errors.printable("a b\x07") == "a b\\x07"


def test_a_files_own_words_are_told_short():
    assert errors.shown("\x1b" + "é" * 100) == ascii("\x1b" + "é" * 100)[:40]


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ("[print('x' * 100) for _ in range(10000)]", 141, ""),
        ("print('x'); raise UserError('got a, expected b')", 2, "error: got a, expected b\n"),
    ],
)
def test_a_reader_that_has_gone_is_no_fault(body, status, said):
    code = f"from crmn_legacy.errors import UserError, run\ndef main():\n    {body}\nrun(main)"
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stdout:
        done = subprocess.run(
            [sys.executable, "-c", code],
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            env={**os.environ, "PYTHONUNBUFFERED": ""},
        )
    assert done.returncode == status, done.stderr
    assert done.stderr == said
