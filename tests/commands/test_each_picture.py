"""Many pictures, one after another."""

import sys

import pytest

from crmn_legacy.commands.each_picture import for_each_picture
from crmn_legacy.errors import UserError


def work(path):
    if path.startswith("bad"):
        raise UserError(f"got {path}, which will not do")
    return {"picture": path}, [f"{path}: \x1b[31m", "1 2", "3 4"]


def test_what_is_said_of_a_picture_is_written_at_once(monkeypatch):
    """`head -1` may close the pipe after its first line; what comes later would be an error."""
    written = []
    monkeypatch.setattr(sys.stdout, "write", written.append)
    assert for_each_picture(["a", "b"], work, as_json=False) == 0
    assert written == ["a: \\x1b[31m\n1 2\n3 4\n", "b: \\x1b[31m\n1 2\n3 4\n"]


@pytest.mark.parametrize(("pictures", "status"), [(["a"], 0), (["a", "bad"], 1), (["bad", "bad2"], 2)])
def test_the_status_says_how_many_failed(capsys, pictures, status):
    assert for_each_picture(pictures, work, as_json=True) == status
    said = capsys.readouterr()
    assert said.out.count('"error"') == len([path for path in pictures if path.startswith("bad")])


def test_the_only_picture_fails_as_any_mistake_does():
    with pytest.raises(UserError, match="got bad, which will not do"):
        for_each_picture(["bad"], work, as_json=False)
