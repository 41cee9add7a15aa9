"""Scans are counted up to the end of the first picture: neither what phones put behind it nor thumbnails count."""

import io

import numpy as np
import pytest
from PIL import Image

from crmn_legacy.data.files.jpeg_scans import count_scans
from crmn_legacy.data.files.photographs import open_picture
from crmn_legacy.errors import UserError

SCAN = b"\xff\xda\0\4ab"


def encoded(kind, **options):
    file = io.BytesIO()
    Image.fromarray(np.arange(4096, dtype=np.uint8).reshape(64, 64)).save(file, kind, **options)
    return file.getvalue()


JPEG, PROGRESSIVE, PNG = encoded("JPEG"), encoded("JPEG", progressive=True), encoded("PNG")
# As random bytes of a film's size hold them by chance.
FILM = b"\0\0\0\x18ftypmp42" + 500 * (b"film" + SCAN)
MOST = 100


def read(tmp_path, content):
    (tmp_path / "picture").write_bytes(content)
    return open_picture(tmp_path / "picture")


def segment(marker, content):
    return bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2, "big") + content


@pytest.mark.parametrize("trailer", [FILM, FILM + b"SEFHe\0\0\0SEFT", 150 * PROGRESSIVE, b"\xff\xd8" + MOST * 2 * SCAN])
@pytest.mark.parametrize("picture", [JPEG, PROGRESSIVE, PNG])
def test_what_stands_behind_a_picture_is_not_looked_at(tmp_path, picture, trailer):
    np.testing.assert_array_equal(read(tmp_path, picture + trailer), read(tmp_path, picture))


def test_several_pictures_in_one_file_are_read_as_the_first(tmp_path):
    gain_maps = [Image.new("L", (64, 64), shade) for shade in range(MOST + 50)]
    content = encoded("MPO", save_all=True, append_images=gain_maps)
    np.testing.assert_array_equal(read(tmp_path, content), read(tmp_path, JPEG))


def test_thumbnails_and_notes_in_segments_do_not_count(tmp_path):
    notes = segment(0xE1, b"Exif\0\0" + JPEG + 2 * MOST * SCAN) + segment(0xFE, 2 * MOST * SCAN)
    content = JPEG[:2] + notes + JPEG[2:]
    assert (count_scans(JPEG, "a"), count_scans(content, "a")) == (1, 1)
    np.testing.assert_array_equal(read(tmp_path, content), read(tmp_path, JPEG))


@pytest.mark.parametrize(
    "before",
    [b"", b"\xff\xff\xff", b"junk\xff\0", b"\xff\xe0\0\0", b"\xff\xd8", b"\xff\x01", b"\xff\xfe\0\2"],
)
def test_no_bytes_between_scans_hide_them(tmp_path, before):
    last = PROGRESSIVE[PROGRESSIVE.rindex(b"\xff\xda") : -2]
    with pytest.raises(UserError, match="a JPEG of 206 scans"):
        read(tmp_path, PROGRESSIVE[:-2] + 200 * (before + last) + PROGRESSIVE[-2:])


def test_more_segments_than_any_picture_has_are_refused():
    with pytest.raises(UserError, match="a JPEG of more than 100,000 segments"):
        count_scans(b"\xff\xd8" + 100_001 * b"\xff\xe0\0\2", "a.jpg")


def test_what_is_no_jpeg_or_has_no_end_is_counted_too():
    assert count_scans(PNG + JPEG, "a") == count_scans(b"", "a") == count_scans(b"\xff\xd8\xff", "a") == 0
    assert count_scans(JPEG[:-2], "a") == 1
