"""What the scripts share."""

import io
import sys

import pytest

from crmn_legacy.errors import UserError
from data_prep.script import check_out, show_progress, show_stages


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
