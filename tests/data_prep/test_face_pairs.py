"""Pairs in a folder: none is lost or doubled without a word."""

import unicodedata
from pathlib import Path

import pytest

from crmn_legacy.errors import UserError
from data_prep.face_pairs import find_pairs, find_unread


@pytest.fixture
def folder(tmp_path):
    """Two pairs, by name alone."""
    return filled(tmp_path / "afw", "a.jpg", "a.pts", "b.PNG", "b.Pts")


def filled(folder, *names):
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).touch()
    return folder


def refused(folder):
    with pytest.raises(UserError, match="expected") as caught:
        find_pairs(folder, "afw")
    return str(caught.value)


def test_pairs_are_found_by_name_in_order(folder):
    pairs, notes = find_pairs(filled(folder, "0.JPEG", "0.PTS", "readme.txt", ".c.pts", "._a.jpg"), "afw")
    assert [(points.name, picture.name) for points, picture in pairs] == [
        ("0.PTS", "0.JPEG"),
        ("a.pts", "a.jpg"),
        ("b.Pts", "b.PNG"),
    ]
    assert notes == []
    assert find_pairs(folder / "none", "none") == ([], [])


@pytest.mark.parametrize("name", ["b.Pts", "a.jpg"])
def test_links_that_lead_nowhere_are_refused(folder, name):
    (folder / name).unlink()
    (folder / name).symlink_to("/nowhere/annex")
    message = refused(folder)
    assert f"got '{folder / name}', a link to '/nowhere/annex', which is not there" in message
    assert "git annex get" in message


def test_the_number_of_like_faults_is_told_with_the_first(folder):
    for number in range(30):
        (folder / f"a{number:02d}.pts").symlink_to("/nowhere/annex")
        (folder / f"a{number:02d}.jpg").symlink_to("/nowhere/annex")
    message = refused(folder)
    assert "a00.pts" in message and message.endswith("(29 more faults in this folder)")


@pytest.mark.parametrize(("more", "mend"), [("a.png", "one picture"), ("a.jpeg", "one picture"), ("a.PTS", "one file")])
def test_two_files_that_could_be_meant_are_refused(folder, more, mend):
    message = refused(filled(folder, more))
    assert more in message and mend in message and "remove the other" in message


def test_folders_in_the_place_of_files_are_refused(folder):
    (folder / "c.pts").mkdir()
    assert f"'{folder}/c.pts'" in refused(filled(folder, "c.jpg"))
    (folder / "c.pts").rmdir()
    (folder / "c.jpg").unlink()
    (folder / "c.jpg").mkdir()
    assert "without its picture" in refused(filled(folder, "c.pts"))


def test_points_whose_picture_differs_in_case_or_form_are_refused_with_a_hint(folder):
    assert "'a.jpg' differs in case" in refused(filled(folder, "A.pts"))
    (folder / "A.pts").unlink()
    composed, decomposed = (unicodedata.normalize(form, "é") for form in ("NFC", "NFD"))
    assert "differs in case or Unicode form" in refused(filled(folder, f"{composed}.pts", f"{decomposed}.png"))


def test_what_is_left_out_is_told_with_a_count_and_a_name(folder):
    filled(folder, "x.jpg", *(f"y{number}.png" for number in range(1000)))
    filled(folder / "01_Indoor")
    pairs, notes = find_pairs(folder, "afw")
    assert len(pairs) == 2
    assert notes == [
        "afw holds 1,001 pictures (first 'x.jpg') without points: left out",
        "afw holds 1 folder ('01_Indoor'): not looked into",
    ]


def test_names_that_differ_in_case_only_are_read_and_told(folder):
    pairs, [note] = find_pairs(filled(folder, "B.jpg", "B.pts"), "afw")
    assert len(pairs) == 3
    assert "2 pairs whose names differ in case or Unicode form only, first 'B' and 'b'" in note


def test_a_set_that_is_a_file_or_a_link_to_nowhere_is_not_a_missing_one(tmp_path):
    (tmp_path / "afw").touch()
    assert "expected a folder" in refused(tmp_path / "afw")
    (tmp_path / "helen").symlink_to("/nowhere")
    assert "'/nowhere', which is not there" in refused(tmp_path / "helen")
    assert "expected a folder" in refused(tmp_path / "afw" / "trainset")


def test_a_folder_that_may_not_be_listed_is_refused(folder, monkeypatch):
    def locked(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", locked)
    assert f"'{folder}', which cannot be read (Permission denied)" in refused(folder)


SETS = ["afw", "helen/trainset", "helen/testset", "ibug"]


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("IBUG", "'IBUG' holds 2 .pts files and is not read; expected it as ibug/: rename it"),
        (
            "Helen/trainset",
            "'Helen/trainset' holds 2 .pts files and is not read; expected it as helen/trainset/: rename it",
        ),
        ("helen", "'helen' holds 2 .pts files and is not read; expected them in helen/trainset/ and helen/testset/"),
        (
            "300w/afw",
            "'300w/afw' holds 2 .pts files and is not read; expected afw/ in DIR: give '300w' of DIR as --root",
        ),
        ("01_Indoor", "'01_Indoor' holds 2 .pts files and is not read; it is none of the sets"),
        (".", "DIR itself holds 2 .pts files and is not read; it is none of the sets"),
    ],
)
def test_a_folder_with_points_that_is_not_read_is_told(tmp_path, place, line):
    (tmp_path / place).mkdir(parents=True, exist_ok=True)
    filled(tmp_path / place, "a.pts", "a.jpg", "b.PTS", "._b.pts")
    filled(tmp_path / "afw", "a.pts")
    assert find_unread(tmp_path, SETS) == [line]


def test_folders_of_file_managers_and_circles_of_links_are_passed_over(tmp_path):
    for name in (".trash", "__MACOSX"):
        filled(tmp_path / name, "a.pts")
    (tmp_path / "circle").symlink_to(tmp_path)
    assert find_unread(tmp_path, SETS) == []


def test_many_folders_are_a_few_lines(tmp_path):
    for number in range(30):
        filled(tmp_path / str(number), "a.pts")
    lines = find_unread(tmp_path, SETS)
    assert len(lines) == 7 and lines[-1] == "24 more folders are so"
