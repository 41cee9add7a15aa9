"""Pictures and points as they lie in folders: names, links, EXIF rotations."""

import os

import numpy as np
import pytest
from PIL import Image, ImageOps

from crmn_legacy.data.files.photographs import is_picture, open_picture, points_beside
from crmn_legacy.errors import UserError
from tests.data.faces import points_text

GRAY = np.arange(0, 240, 10, dtype=np.uint8).reshape(4, 6)


def exif(orientation):
    data = Image.Exif()
    data[0x0112] = orientation
    return data


def saved(path, pixels=GRAY, **options):
    Image.fromarray(pixels).save(path, **options)
    return path


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("colour", [False, True])
def test_a_picture_is_turned_upright_as_its_exif_says(tmp_path, orientation, colour):
    path = saved(tmp_path / "a.png", exif=exif(orientation))
    with Image.open(path) as picture:
        expected = np.asarray(ImageOps.exif_transpose(picture))
    read = open_picture(path, colour, upright=True)
    np.testing.assert_array_equal(read[..., 0] if colour else read, expected)
    np.testing.assert_array_equal(open_picture(path), GRAY)


def test_a_jpeg_and_16_bit_gray_are_turned_too(tmp_path):
    jpeg = saved(tmp_path / "a.jpg", np.zeros((20, 40), np.uint8), exif=exif(6))
    assert open_picture(jpeg, upright=True).shape == (40, 20)
    deep = saved(tmp_path / "b.png", GRAY.astype(np.uint16) << 8, exif=exif(8))
    np.testing.assert_array_equal(open_picture(deep, upright=True), np.rot90(GRAY))


@pytest.mark.parametrize("data", [b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0" + bytes(90)])
def test_broken_exif_turns_nothing(tmp_path, data):
    path = saved(tmp_path / "a.jpg", np.zeros((20, 40), np.uint8), exif=data)
    assert open_picture(path, upright=True).shape == (20, 40)


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_orientation_that_means_nothing_turns_nothing(tmp_path, value):
    path = saved(tmp_path / "a.png", exif=exif(value))
    np.testing.assert_array_equal(open_picture(path, upright=True), GRAY)


@pytest.mark.parametrize("name", ["a.jpg", "A.JPEG", "b.Jpe", "c.JFIF", "d.png", ".hidden.PNG"])
def test_picture_names(name):
    assert is_picture(name)
    assert not is_picture(name + ".txt")


@pytest.mark.parametrize("name", ["a.pts", "a.PTS", "a.Pts"])
def test_points_are_found_whatever_the_case_of_their_suffix(tmp_path, name):
    for other in ("b.pts", "A.pts", "a.txt", "a.b.pts"):
        (tmp_path / other).touch()
    (tmp_path / name).write_text(points_text([(1, 2)] * 68))
    assert points_beside(tmp_path / "a.jpeg") == tmp_path / name
    assert points_beside(str(tmp_path / "a.b.JPG")) == tmp_path / "a.b.pts"


def refused(picture, expected):
    with pytest.raises(UserError, match=expected) as caught:
        points_beside(picture)
    return str(caught.value)


def test_missing_doubled_and_dangling_points_are_refused_by_name(tmp_path):
    picture = tmp_path / "a.jpg"
    assert f"expected '{tmp_path}/a.pts' beside it" in refused(picture, "without its points")
    (tmp_path / "A.pts").touch()
    refused(picture, "'A.pts' differs in case or Unicode form")
    (tmp_path / "a.pts").symlink_to("/nowhere/a.pts")
    assert "'/nowhere/a.pts', which is not there" in refused(picture, "git annex get")
    (tmp_path / "a.PTS").touch()
    assert "a.PTS" in refused(picture, "remove the other")
    (tmp_path / "a.pts").unlink()
    assert points_beside(picture) == tmp_path / "a.PTS"
    (tmp_path / "b.pts").mkdir()
    refused(tmp_path / "b.jpg", "a folder")
    os.mkfifo(tmp_path / "c.pts")
    refused(tmp_path / "c.jpg", "no regular file")
    refused(tmp_path / "none" / "d.jpg", "without its points")
