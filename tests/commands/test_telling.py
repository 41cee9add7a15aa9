"""What a command says: lines as they come, or one object."""

import json

import pytest

from crmn_legacy.commands.telling import Telling


@pytest.mark.parametrize("as_json", [False, True])
def test_lines_are_printed_as_they_come_or_an_object_at_the_end(capsys, as_json):
    telling = Telling(as_json, first=None, second=None)
    telling.tell("one", first=1)
    telling.tell(second=(float("nan"), {"x": float("-inf")}))
    told = capsys.readouterr().out
    assert told == ("" if as_json else "one\n")
    telling.end()
    rest = capsys.readouterr().out
    if as_json:
        assert json.loads(rest) == {"first": 1, "second": ["nan", {"x": "-inf"}]} and rest.count("\n") == 1
    else:
        assert rest == ""
