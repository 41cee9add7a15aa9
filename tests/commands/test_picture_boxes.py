"""Whose the boxes in a file are."""

import json
import os

import pytest

from crmn_legacy.commands.picture_boxes import boxes_of
from crmn_legacy.commands.picture_names import Picture
from crmn_legacy.errors import UserError


@pytest.fixture
def match(tmp_path, monkeypatch):
    """Boxes by the numbers that stand for them, of pictures given by path, or by path and name in a folder."""
    monkeypatch.chdir(tmp_path)

    def matched(pictures, names, file="boxes.json"):
        """`names` may repeat; the box of the first has x0 = 0, and so on."""
        entries = [{"picture": name, "box": [place, 0, 99, 99]} for place, name in enumerate(names)]
        os.makedirs(os.path.dirname(file) or ".", exist_ok=True)
        with open(file, "w") as written:
            json.dump(entries, written)
        given = [Picture(*one) if isinstance(one, tuple) else Picture(one, os.path.basename(one)) for one in pictures]
        return {path: [box.corners[0] for box in boxes] for path, boxes in boxes_of(given, file).items()}

    return matched


def test_a_name_is_first_the_path_that_was_given(match, tmp_path):
    assert match(["a.jpg", "q/a.jpg"], ["a.jpg", "q/./a.jpg", "./a.jpg"], "q/boxes.json") == {
        "a.jpg": [0, 2],
        "q/a.jpg": [1],
    }
    assert match([f"{tmp_path}/a.jpg"], ["a.jpg"]) == {f"{tmp_path}/a.jpg": [0]}


def test_then_one_from_the_folder_of_the_file(match, tmp_path):
    assert match(["q/a.jpg", "q/b/a.jpg"], ["b/a.jpg", "a.jpg"], "q/boxes.json") == {"q/a.jpg": [1], "q/b/a.jpg": [0]}
    assert match(["q/a.jpg", "r/a.jpg"], ["../r/a.jpg", f"{tmp_path}/q/a.jpg"], "s/boxes.json") == {
        "r/a.jpg": [0],
        "q/a.jpg": [1],
    }


def test_then_one_within_the_folder_that_was_given(match):
    pictures = [("p/q/a.jpg", "q/a.jpg"), ("p/r/a.jpg", "r/a.jpg")]
    assert match(pictures, ["r/a.jpg", "q/a.jpg"]) == {"p/r/a.jpg": [0], "p/q/a.jpg": [1]}


def test_then_its_last_part_if_no_other_has_it(match):
    assert match(["p/a.jpg", "p/b.jpg"], ["/old/a.jpg", "b.jpg"]) == {"p/a.jpg": [0], "p/b.jpg": [1]}
    with pytest.raises(UserError, match=r"'a\.jpg' in 'boxes\.json', which may be 'p/a\.jpg' or 'q/a\.jpg'; expected"):
        match(["p/a.jpg", "q/a.jpg"], ["a.jpg"])
    with pytest.raises(UserError, match=r"'/old/a\.jpg' in 'boxes\.json', which may be 'p/a\.jpg' or 'q/a\.jpg'"):
        match(["p/a.jpg", "q/a.jpg"], ["/old/a.jpg"])
    with pytest.raises(UserError, match=r"'x/a\.jpg' and 'y/a\.jpg' in .*, either of which may be 'p/a\.jpg'"):
        match(["p/a.jpg"], ["x/a.jpg", "y/a.jpg"])
    # That is another picture of the same name.
    with pytest.raises(UserError, match=r"got boxes of 'x/a\.jpg' in"):
        match(["p/a.jpg"], ["p/a.jpg", "x/a.jpg"])


def test_a_picture_that_is_given_twice_has_its_boxes_twice(match):
    assert match(["a.jpg", "./a.jpg", "a.jpg"], ["a.jpg"]) == {"a.jpg": [0], "./a.jpg": [0]}


def test_boxes_without_a_picture_and_pictures_without_a_box_are_refused(match):
    with pytest.raises(UserError, match=r"^got boxes of 'c\.jpg' and of 1 more in 'boxes\.json', expected boxes of"):
        match(["a.jpg"], ["a.jpg", "c.jpg", "d.jpg"])
    with pytest.raises(UserError, match=r"^got no box of 'b\.jpg' and of 1 more in 'boxes\.json', expected one of"):
        match(["a.jpg", "b.jpg", "c.jpg"], ["a.jpg"])
