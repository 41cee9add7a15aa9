"""Pictures by themselves and by their folders."""

import os

import pytest

from crmn_legacy.commands.picture_names import Picture, pictures_of, require_unlike_stems
from crmn_legacy.errors import UserError


@pytest.fixture
def folder(tmp_path):
    for name in (
        "b.JPG",
        "a.png",
        "a.pts",
        "c.txt",
        ".hidden.png",
        "sub/a.jpeg",
        "sub/deep/d.Jpe",
        "sub/e.pdf",
        "x.png/f.jpg",
    ):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    os.mkfifo(tmp_path / "photos" / "pipe.png")
    (tmp_path / "photos" / "lost.jfif").symlink_to("nowhere")
    (tmp_path / "photos" / "round").symlink_to(".")
    return tmp_path / "photos"


def test_a_folder_stands_for_its_pictures_in_order(folder, capsys):
    found = pictures_of([str(folder)])
    assert [picture.name for picture in found] == ["a.png", "b.JPG", "lost.jfif"]
    assert [str(picture) for picture in found] == [f"{folder}/{picture.name}" for picture in found]
    said = capsys.readouterr()
    # The points beside pictures are nothing that one would miss.
    assert said.err == (
        f"note: left out of '{folder}': 3 files not called as pictures are and 3 folders (--recursive looks through "
        "them)\n"
    )
    assert said.out == ""


def test_its_folders_are_looked_through_on_request(folder, capsys):
    names = [picture.name for picture in pictures_of([f"{folder}/"], recursive=True)]
    assert names == ["a.png", "b.JPG", "lost.jfif", "sub/a.jpeg", "sub/deep/d.Jpe", "x.png/f.jpg"]
    assert capsys.readouterr().err == f"note: left out of '{folder}/': 4 files not called as pictures are\n"


def test_what_is_no_folder_is_taken_as_it_is(folder, capsys):
    found = pictures_of(["absent.xyz", str(folder / "sub"), "../a.png"])
    assert [(picture.path, picture.name) for picture in found] == [
        ("absent.xyz", "absent.xyz"),
        (f"{folder}/sub/a.jpeg", "a.jpeg"),
        ("../a.png", "a.png"),
    ]
    assert "1 file not called as pictures are and 1 folder (" in capsys.readouterr().err


def test_a_folder_without_a_picture_is_refused(tmp_path, capsys):
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.txt").touch()
    with pytest.raises(UserError, match=r"whose names end in .*\.png: it holds 1 file .* and 1 folder \(--recursive"):
        pictures_of([str(tmp_path)])
    with pytest.raises(UserError, match=r"'.*sub' without a picture, expected files whose names end in .*\.png$"):
        pictures_of([str(tmp_path / "sub")], recursive=True)
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to root")
def test_a_folder_that_cannot_be_listed_is_refused(folder):
    (folder / "sub").chmod(0)
    with pytest.raises(UserError, match=r"sub', which cannot be listed \(Permission denied\)"):
        pictures_of([str(folder)], recursive=True)


def test_outputs_are_called_by_the_place_in_the_folder():
    stems = [Picture("x", name).stem for name in ("a.png", "sub/a.b.jpg", ".png")]
    assert stems == ["a", "sub/a.b", ".png"]
    require_unlike_stems([Picture("p/a.png", "a.png"), Picture("p/sub/a.png", "sub/a.png")])
    with pytest.raises(UserError, match=r"got pictures of one name, 'p/a\.png' and 'q/a\.jpg', expected unlike ones"):
        require_unlike_stems([Picture("p/a.png", "a.png"), Picture("p/b.png", "b.png"), Picture("q/a.jpg", "a.jpg")])
