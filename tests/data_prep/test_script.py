"""What the scripts share."""

import io
import sys

import pytest

from crmn_legacy.errors import UserError
from data_prep.script import check_out, show_progress


class Terminal(io.StringIO):
    """Text that says it goes to a terminal."""

    def isatty(self):
        return True


def test_progress_is_one_line_of_a_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert list(show_progress(iter("abc"), 3, "read")) == ["a", "b", "c"]
    said = sys.stderr.getvalue()
    assert "read: 100%" in said and "3/3" in said and said.count("\n") == 1 and said.endswith("\n")


def test_error_after_progress_begins_on_its_own_line(monkeypatch):
    def fail():
        yield "a"
        raise UserError("bad picture")

    monkeypatch.setattr(sys, "stderr", Terminal())
    with pytest.raises(UserError, match="bad picture"):
        list(show_progress(fail(), 3, "read"))
    assert sys.stderr.getvalue().endswith("\n")


def test_progress_is_silent_without_a_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert list(show_progress([1, 2], 2, "read")) == [1, 2]
    assert sys.stderr.getvalue() == ""


def test_new_file_in_a_writable_folder_will_do(tmp_path):
    check_out(tmp_path / "faces.h5")
    assert not list(tmp_path.iterdir())


def test_folder_broken_link_and_missing_folder_are_refused(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "none" / "target")
    for out in (tmp_path, tmp_path / "link", tmp_path / "none" / "faces.h5"):
        with pytest.raises(UserError, match="expected"):
            check_out(out)
