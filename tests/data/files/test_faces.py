"""Faces files survive the way to disk and back; whatever else is given is refused in one line."""

import ctypes
import errno
import io
import os
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from crmn_legacy.data.files.faces import read_faces, write_faces
from crmn_legacy.data.files.photographs import open_picture, read_points
from crmn_legacy.errors import UserError
from tests.data.faces import plain_faces, points_text

NAMES = ("images", "keypoints", "visible", "box", "split", "source", "name")


@pytest.fixture
def faces_file(tmp_path):
    write_faces(tmp_path / "faces.h5", plain_faces())
    return tmp_path / "faces.h5"


def refused(function, *arguments):
    """The message with which `function` refuses; it must be one line with what was expected."""
    with pytest.raises(UserError) as caught:
        function(*arguments)
    message = str(caught.value)
    assert "\n" not in message
    assert "expected" in message
    return message


def replace_dataset(path, name, **options):
    with h5py.File(path, "r+") as file:
        del file[name]
        file.create_dataset(name, **options)


def test_faces_come_back_as_they_were_written(faces_file):
    written, read = plain_faces(), read_faces(faces_file)
    for name in NAMES:
        array = getattr(read, name)
        np.testing.assert_array_equal(array, getattr(written, name))
        assert array.dtype.kind == getattr(written, name).dtype.kind
    assert read.sources_digest == written.sources_digest
    assert read.digest == written.digest
    assert len(read) == 12


def test_equal_faces_give_equal_bytes(tmp_path, faces_file):
    write_faces(tmp_path / "again.h5", plain_faces())
    assert (tmp_path / "again.h5").read_bytes() == faces_file.read_bytes()


def test_file_is_gzip_chunked_by_picture_and_names_its_version(faces_file):
    with h5py.File(faces_file) as file:
        assert file.attrs["crmn_legacy_format"] == "faces/1"
        assert file["images"].chunks == (1, 160, 160)
        assert {file[name].compression for name in NAMES} == {"gzip"}


@pytest.mark.parametrize("name", NAMES)
def test_digest_sees_every_array(name):
    faces = plain_faces()
    changed = getattr(faces, name).copy()
    last = changed.reshape(-1)[-1:]
    last[:] = ~last if name == "visible" else last + 1 if name in ("images", "keypoints", "box") else "train"
    assert replace(faces, **{name: changed}).digest != faces.digest


def test_digest_does_not_depend_on_the_room_that_names_take(faces_file):
    faces = plain_faces()
    wide = replace(faces, name=faces.name.astype("U100"), split=faces.split.astype("U30"))
    assert wide.digest == faces.digest


def test_writing_replaces_whole_files_and_leaves_nothing_beside(tmp_path, faces_file):
    write_faces(faces_file, plain_faces(seed=1))
    assert read_faces(faces_file).digest == plain_faces(seed=1).digest
    assert os.listdir(tmp_path) == ["faces.h5"]


def test_full_disk_keeps_the_former_file(faces_file, monkeypatch):
    before = faces_file.read_bytes()

    def fail(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    assert "No space left" in refused(write_faces, faces_file, plain_faces(seed=1))
    assert faces_file.read_bytes() == before
    assert os.listdir(faces_file.parent) == ["faces.h5"]


def test_writing_into_a_missing_folder_is_refused(tmp_path):
    refused(write_faces, tmp_path / "none" / "faces.h5", plain_faces())


@pytest.mark.parametrize(
    "change",
    [
        {"images": np.zeros((12, 80, 80), np.uint8)},
        {"images": np.zeros((11, 160, 160), np.uint8)},
        {"keypoints": np.zeros((12, 68, 2))},
        {"split": np.full(12, "training")},
        {"box": np.zeros((12, 4), np.float32)},
    ],
)
def test_faces_that_are_none_are_not_written(tmp_path, change):
    with pytest.raises(ValueError, match="faces"):
        write_faces(tmp_path / "faces.h5", replace(plain_faces(), **change))
    assert not list(tmp_path.iterdir())


def test_missing_file_is_refused(tmp_path):
    assert "does not exist" in refused(read_faces, tmp_path / "none.h5")


def test_folder_is_refused(tmp_path):
    assert "folder" in refused(read_faces, tmp_path)


@pytest.mark.parametrize("content", [b"", b"not HDF5 at all", bytes(5000)])
def test_what_is_not_hdf5_is_refused(tmp_path, content):
    (tmp_path / "faces.h5").write_bytes(content)
    assert "no HDF5 file" in refused(read_faces, tmp_path / "faces.h5")


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(part=st.floats(0, 0.999))
def test_file_cut_off_anywhere_is_refused(faces_file, part):
    content = faces_file.read_bytes()
    cut = faces_file.with_name("cut.h5")
    cut.write_bytes(content[: int(part * len(content))])
    refused(read_faces, cut)


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_file_with_altered_bytes_is_read_or_refused_but_nothing_else(faces_file, data):
    content = bytearray(faces_file.read_bytes())
    # The structure lies in the first bytes and the last; in between is compressed data.
    places = st.one_of(st.integers(0, 8000), st.integers(len(content) - 12000, len(content) - 1))
    for place, value in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), min_size=1, max_size=3)):
        content[place] = value
    altered = faces_file.with_name("altered.h5")
    altered.write_bytes(content)
    try:
        assert len(read_faces(altered)) == 12
    except UserError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize("version", ["faces/2", "faces/0", "cifar/1", 1, 7.5, "x" * 5000, np.arange(3)])
def test_another_schema_version_is_refused(faces_file, version):
    with h5py.File(faces_file, "r+") as file:
        del file.attrs["crmn_legacy_format"]
        file.attrs["crmn_legacy_format"] = version
    assert "expected 'faces/1'" in refused(read_faces, faces_file)


def test_file_without_a_format_is_refused(tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["images"] = np.zeros((3, 160, 160), np.uint8)
    assert "expected 'faces/1'" in refused(read_faces, tmp_path / "other.h5")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("images", {"data": np.zeros((12, 80, 80), np.uint8)}),
        ("images", {"data": np.zeros((12, 160, 160), np.float32)}),
        ("images", {"data": np.zeros((12, 160, 160, 3), np.uint8)}),
        ("images", {"data": np.zeros((11, 160, 160), np.uint8)}),
        ("images", {"data": np.zeros((0, 160, 160), np.uint8)}),
        ("images", {"data": np.uint8(3)}),
        ("images", {"data": h5py.Empty("u1")}),
        ("keypoints", {"data": np.zeros((12, 68, 2))}),
        ("keypoints", {"data": np.zeros((12, 5, 2), np.float32)}),
        ("keypoints", {"data": np.zeros((12, 68), np.float32)}),
        ("visible", {"data": np.zeros((12, 68), np.uint8)}),
        ("box", {"data": np.zeros((12, 2), np.float32)}),
        ("split", {"data": np.zeros(12, np.int64)}),
        ("name", {"data": ["variable length"] * 12, "dtype": h5py.string_dtype()}),
        ("name", {"data": np.array([b"n" * 5000] * 12)}),
    ],
)
def test_wrong_shapes_and_dtypes_are_refused(faces_file, name, options):
    replace_dataset(faces_file, name, **options)
    refused(read_faces, faces_file)


@pytest.mark.parametrize("name", NAMES)
def test_missing_dataset_is_refused(faces_file, name):
    with h5py.File(faces_file, "r+") as file:
        del file[name]
    assert f"no dataset '{name}'" in refused(read_faces, faces_file)


@pytest.mark.parametrize("value", [np.nan, np.inf, 5.0, -3.0, 1e30])
def test_keypoints_that_cannot_be_are_refused(faces_file, value):
    with h5py.File(faces_file, "r+") as file:
        file["keypoints"][4, 7, 1] = value
    assert "keypoints" in refused(read_faces, faces_file)


@pytest.mark.parametrize("box", [[0, 0, np.nan, 5], [10, 10, 10, 20], [5, 5, 2, 9]])
def test_boxes_that_cannot_be_are_refused(faces_file, box):
    with h5py.File(faces_file, "r+") as file:
        file["box"][2] = box
    assert "box" in refused(read_faces, faces_file)


@pytest.mark.parametrize("eyes", [[0.5] * 4, [0.3, 0.7, 0.6, 0.4], [0.5, 0.5, 0.5, 0.5005]])
def test_faces_whose_eyes_coincide_are_refused_by_name(faces_file, eyes):
    keypoints = plain_faces().keypoints
    keypoints[4, [36, 39, 42, 45]] = np.array([eyes, [0.5] * 4]).T
    replace_dataset(faces_file, "keypoints", data=keypoints, chunks=(1, 68, 2), compression="gzip")
    assert "a picture whose eyes coincide, 'picture 4" in refused(read_faces, faces_file)


@pytest.mark.parametrize("name", ["split", "source"])
def test_unknown_split_and_source_are_refused(faces_file, name):
    with h5py.File(faces_file, "r+") as file:
        file[name][1] = b"other"
    assert "'other'" in refused(read_faces, faces_file)


def test_names_that_are_not_utf8_are_refused(faces_file):
    with h5py.File(faces_file, "r+") as file:
        file["name"][1] = b"\xff\xfe"
    refused(read_faces, faces_file)


def test_dataset_kept_in_another_file_is_refused_unread(faces_file, tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(12 * 160 * 160))
    with h5py.File(faces_file, "r+") as file:
        del file["images"]
        file.create_dataset("images", (12, 160, 160), "u1", external=[(str(secret), 0, h5py.h5f.UNLIMITED)])
    assert "another file" in refused(read_faces, faces_file)


def test_virtual_dataset_is_refused(faces_file, tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["images"] = np.zeros((12, 160, 160), np.uint8)
    layout = h5py.VirtualLayout((12, 160, 160), "u1")
    layout[:] = h5py.VirtualSource(tmp_path / "other.h5", "images", (12, 160, 160))
    with h5py.File(faces_file, "r+") as file:
        del file["images"]
        file.create_virtual_dataset("images", layout)
    assert "another file" in refused(read_faces, faces_file)


@pytest.mark.parametrize("link", [h5py.SoftLink("/box"), h5py.ExternalLink("other.h5", "/images")])
def test_links_are_refused(faces_file, link):
    with h5py.File(faces_file, "r+") as file:
        del file["images"]
        file["images"] = link
    assert "dataset of its own" in refused(read_faces, faces_file)


def test_group_in_place_of_a_dataset_is_refused(faces_file):
    with h5py.File(faces_file, "r+") as file:
        del file["images"]
        file.create_group("images")
    assert "dataset of its own" in refused(read_faces, faces_file)


@pytest.mark.parametrize("options", [{"compression": "lzf"}, {"shuffle": True}, {"fletcher32": True}])
def test_filters_but_gzip_are_refused(faces_file, options):
    replace_dataset(faces_file, "images", data=np.zeros((12, 160, 160), np.uint8), **options)
    assert "gzip" in refused(read_faces, faces_file)


def test_dataset_that_declares_more_than_it_stores_is_refused_unread(faces_file):
    replace_dataset(
        faces_file, "images", shape=(190_000, 160, 160), dtype="u1", chunks=(1, 160, 160), compression="gzip"
    )
    assert "stores 0" in refused(read_faces, faces_file)


def test_more_pictures_than_any_set_has_are_refused_unread(faces_file):
    replace_dataset(faces_file, "images", shape=(10**9, 160, 160), dtype="u1", chunks=(1, 160, 160))
    assert "at most" in refused(read_faces, faces_file)


def test_huge_chunk_is_refused_unread(faces_file):
    replace_dataset(
        faces_file,
        "images",
        data=np.zeros((12, 160, 160), np.uint8),
        chunks=(4000, 160, 160),
        maxshape=(None, 160, 160),
        compression="gzip",
    )
    assert "declares" in refused(read_faces, faces_file)


def test_huge_dataset_that_compresses_well_is_refused_unread(faces_file):
    def declare(file, rows):
        del file["images"]
        file.create_dataset("images", (rows, 160, 160), "u1", chunks=(2000, 160, 160), compression="gzip")
        for start in range(0, rows, 2000):
            file["images"].id.write_direct_chunk((start, 0, 0), chunk)

    chunk = zlib.compress(bytes(2000 * 160 * 160))
    with h5py.File(faces_file, "r+") as file:
        declare(file, 44_000)
    assert f"at most {2**30}" in refused(read_faces, faces_file)


@pytest.mark.parametrize("value", [np.float64(1), h5py.Empty("S7"), np.array([b"faces/1"]), np.void(b"faces/1")])
def test_attribute_of_another_kind_is_refused(faces_file, value):
    with h5py.File(faces_file, "r+") as file:
        file.attrs["crmn_legacy_format"] = value
    assert "something else than a short text" in refused(read_faces, faces_file)


@pytest.mark.parametrize("size", [2**64 - 16, 2**64 - 1, 2**63, 4096, 0xFFF0])
@pytest.mark.parametrize("part", [0, 1, 2])
def test_heap_whose_parts_would_never_end_is_refused_unread(faces_file, size, part):
    content = bytearray(faces_file.read_bytes())
    place = content.index(b"GCOL") + 16
    for _ in range(part):
        (length,) = struct.unpack("<Q", content[place + 8 : place + 16])
        place += 16 + -(-length // 8) * 8
    content[place + 8 : place + 16] = struct.pack("<Q", size)
    faces_file.write_bytes(content)
    assert "heap" in refused(read_faces, faces_file)


def test_more_heaps_than_any_writer_makes_are_refused(faces_file):
    content = faces_file.read_bytes()
    place = content.index(b"GCOL")
    faces_file.write_bytes(content + content[place : place + 4096])
    assert len(read_faces(faces_file)) == 12
    faces_file.write_bytes(content + 16 * content[place : place + 4096])
    assert "heap" in refused(read_faces, faces_file)


def test_what_is_no_regular_file_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "faces.h5")
    assert "no regular file" in refused(read_faces, tmp_path / "faces.h5")


def test_library_loads_no_code_for_filters():
    libraries = {line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "libhdf5" in line}
    (library,) = (name for name in libraries if "_hl" not in name)
    mask = ctypes.c_uint(99)
    assert ctypes.CDLL(library).H5PLget_loading_state(ctypes.byref(mask)) == 0
    assert mask.value == 0


# --- .pts -----------------------------------------------------------------------------------------------------


@settings(max_examples=30)
@given(points=st.lists(st.tuples(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4)), min_size=68, max_size=68))
def test_points_come_back_exactly(tmp_path_factory, points):
    path = tmp_path_factory.mktemp("points") / "face.pts"
    path.write_text(points_text(points))
    np.testing.assert_array_equal(read_points(path), np.array(points))


def test_points_file_with_windows_lines_and_trailing_blanks_is_read(tmp_path):
    text = points_text([(1.5, 2)] * 68).replace("\n", "  \r\n") + "\r\n"
    (tmp_path / "face.pts").write_bytes(text.encode())
    np.testing.assert_array_equal(read_points(tmp_path / "face.pts"), [[1.5, 2]] * 68)


GOOD = [(float(number), number + 0.5) for number in range(68)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (points_text(GOOD[:5]), "'5' points"),
        (points_text(GOOD[:67], count=68), "67 lines"),
        (points_text(GOOD, count=5), "'5' points"),
        (points_text(GOOD).replace("{", "").replace("}", ""), "no .pts file"),
        (points_text(GOOD).replace("}", ""), "no .pts file"),
        (points_text(GOOD).replace("{", "{{"), "no .pts file"),
        (points_text(GOOD).replace("3.0 3.5\n", "3.0 nose\n"), "not two numbers"),
        (points_text(GOOD).replace("3.0 3.5\n", "3.0 3.5 4\n"), "not two numbers"),
        (points_text(GOOD).replace("3.0 3.5\n", "3.0 nan\n"), "not finite"),
        (points_text(GOOD).replace("3.0 3.5\n", "3.0 1e999\n"), "not finite"),
        (points_text(GOOD, version="2"), "version '2'"),
        ("a letter, not points", "no .pts file"),
        ("", "no .pts file"),
        ("\x00" * 300, "no .pts file"),
        (points_text(GOOD) + " " * 2**20, "bytes"),
    ],
)
def test_bad_points_files_are_refused(tmp_path, text, reason):
    (tmp_path / "face.pts").write_text(text)
    assert reason in refused(read_points, tmp_path / "face.pts")


def test_missing_points_file_is_refused(tmp_path):
    refused(read_points, tmp_path / "none.pts")
    refused(read_points, tmp_path)


# --- pictures -------------------------------------------------------------------------------------------------


def test_gray_png_is_read_as_it_is(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "gray.png")
    np.testing.assert_array_equal(open_picture(tmp_path / "gray.png"), pixels)


def test_colour_is_weighted_by_luma(tmp_path):
    colours = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    Image.fromarray(colours).save(tmp_path / "colour.png")
    gray = open_picture(tmp_path / "colour.png")
    assert gray.dtype == np.uint8
    assert np.abs(gray - colours @ [0.299, 0.587, 0.114]).max() <= 0.51


def test_16_bit_gray_keeps_its_high_byte(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 2**16, (20, 30), dtype=np.uint16)
    Image.fromarray(pixels).save(tmp_path / "deep.png")
    np.testing.assert_array_equal(open_picture(tmp_path / "deep.png"), pixels >> 8)


def test_rotation_in_exif_is_not_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.zeros((20, 30), np.uint8)).save(tmp_path / "turned.jpg", exif=exif)
    assert open_picture(tmp_path / "turned.jpg").shape == (20, 30)


def png_claiming(width, height):
    """A PNG file whose header declares a size that its data does not have."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(bytes(1000))), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize("size", [(9000, 9000), (12_000, 12_000), (50_000, 50_000), (2**31 - 1, 2**31 - 1)])
def test_decompression_bomb_is_refused(tmp_path, size):
    (tmp_path / "bomb.png").write_bytes(png_claiming(*size))
    assert "pixels" in refused(open_picture, tmp_path / "bomb.png")


@pytest.mark.parametrize("content", [b"", b"text", b"\xff\xd8\xff\xe0" + bytes(50), png_claiming(100, 100)])
def test_unreadable_picture_is_refused(tmp_path, content):
    (tmp_path / "bad.jpg").write_bytes(content)
    assert "cannot be read" in refused(open_picture, tmp_path / "bad.jpg")


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_picture_cut_off_is_refused(tmp_path, suffix):
    whole, cut = tmp_path / f"whole.{suffix}", tmp_path / f"cut.{suffix}"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)).save(whole)
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    refused(open_picture, cut)


def test_damaged_text_beside_a_picture_is_passed_over_in_silence(tmp_path, recwarn):
    Image.fromarray(np.zeros((4, 6), np.uint8)).save(tmp_path / "odd.jpg", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x02\x01")
    Image.open(tmp_path / "odd.jpg").getexif()
    said = len(recwarn)
    assert said
    assert open_picture(tmp_path / "odd.jpg").shape == (4, 6)
    assert len(recwarn) == said


def test_jpeg_whose_scans_would_take_for_ever_is_refused_undecoded(tmp_path):
    memory = io.BytesIO()
    Image.fromarray(np.zeros((64, 64), np.uint8)).save(memory, "JPEG", progressive=True)
    content = memory.getvalue()
    last = content[content.rindex(b"\xff\xda") : -2]
    (tmp_path / "slow.jpg").write_bytes(content[:-2] + 200 * last + content[-2:])
    assert "JPEG of 206 scans" in refused(open_picture, tmp_path / "slow.jpg")
    (tmp_path / "plain.jpg").write_bytes(content)
    assert open_picture(tmp_path / "plain.jpg").shape == (64, 64)


def test_picture_file_larger_than_any_is_refused(tmp_path):
    with open(tmp_path / "large.png", "wb") as file:
        file.truncate(2**28 + 1)
    assert "bytes" in refused(open_picture, tmp_path / "large.png")


def test_text_in_a_picture_does_not_unpack_to_more_than_it_may(tmp_path):
    info = PngImagePlugin.PngInfo()
    info.add_text("key", "a" * 2**24, zip=True)
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "bomb.png", pnginfo=info)
    assert (tmp_path / "bomb.png").stat().st_size < 2**16
    assert "damaged" in refused(open_picture, tmp_path / "bomb.png")


def test_picture_of_another_format_is_refused(tmp_path):
    Image.fromarray(np.zeros((20, 30), np.uint8)).save(tmp_path / "picture.gif")
    refused(open_picture, tmp_path / "picture.gif")


def test_missing_picture_and_folder_are_refused(tmp_path):
    refused(open_picture, tmp_path / "none.jpg")
    refused(open_picture, tmp_path)
