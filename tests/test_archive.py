"""A run's folder: its digest by an independent reckoning, and no damage that goes unseen."""

import hashlib
import io
import os
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from crmn_legacy import archive
from crmn_legacy.errors import UserError
from crmn_legacy.options import DEFAULTS

dtypes = st.sampled_from(["f4", "f8", ">f8", "i8", "u1", "bool", "c8"])
names = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",), exclude_characters="/\\\0:"), min_size=1)
tensors = st.dictionaries(
    names.filter(lambda name: name.strip(". ")),
    dtypes.flatmap(lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3))),
    max_size=4,
)


def reckoned(arrays, losses, before):
    """The digest as its definition reads, put together byte by byte."""
    text = before.encode()
    for name, array in sorted(arrays.items()):
        text += f"{name} {array.dtype.name} {array.shape}\n".encode()
        text += b"".join(
            array[place].astype(array.dtype.newbyteorder("<")).tobytes() for place in np.ndindex(array.shape)
        )
    text += b"".join(struct.pack("<d", loss) for loss in losses)
    return "sha256:" + hashlib.sha256(text).hexdigest()


@given(tensors, st.lists(st.floats(), max_size=4), st.sampled_from(["", "sha256:" + "0" * 64]))
def test_digest_is_what_its_definition_says(arrays, losses, before):
    assert archive.digest_tensors(arrays, losses, before) == reckoned(arrays, losses, before)


def test_digest_knows_neither_order_nor_memory_layout():
    a, b = np.arange(12.0).reshape(3, 4), np.float32(2)
    expected = archive.digest_tensors({"a": a, "b": b})
    assert archive.digest_tensors({"b": b, "a": np.asfortranarray(a)}) == expected
    assert archive.digest_tensors({"a": np.repeat(a, 2, axis=0)[::2], "b": b}) == expected
    assert archive.digest_tensors({"a": a.astype(">f8"), "b": b}) == expected


@pytest.mark.parametrize(
    "other",
    [
        ({"a": np.zeros(4)}, [1.0], ""),
        ({"b": np.zeros((2, 2))}, [1.0], ""),
        ({"a": np.zeros((2, 2), "f4")}, [1.0], ""),
        ({"a": -np.zeros((2, 2))}, [1.0], ""),
        ({"a": np.zeros((2, 2))}, [1.0 + 2**-52], ""),
        ({"a": np.zeros((2, 2))}, [1.0], "sha256:00"),
    ],
)
def test_digest_moves_with_shape_name_dtype_sign_loss_and_what_came_before(other):
    assert archive.digest_tensors(*other) != archive.digest_tensors({"a": np.zeros((2, 2))}, [1.0])


# --- arrays in files


@settings(max_examples=40)
@given(tensors)
def test_arrays_come_back_as_they_were(tmp_path_factory, arrays):
    path = tmp_path_factory.mktemp("arrays") / "a.npz"
    archive.write_arrays(path, arrays)
    found = archive.read_arrays(path)
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype and found[name].shape == array.shape
        assert found[name].tobytes() == array.tobytes()


def test_equal_arrays_give_equal_files_and_a_column_major_one_keeps_its_values(tmp_path):
    arrays = {
        "a": np.arange(6.0).reshape(2, 3),
        "b": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "c": np.array("x"),
    }
    for name in ("one.npz", "two.npz"):
        archive.write_arrays(tmp_path / name, arrays)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    np.testing.assert_array_equal(archive.read_arrays(tmp_path / "one.npz")["b"], arrays["b"])
    # Any other reader of .npz finds the same.
    with np.load(tmp_path / "one.npz", allow_pickle=False) as stored:
        np.testing.assert_array_equal(stored["b"], arrays["b"])


def test_every_single_flipped_bit_is_harmless_or_refused(tmp_path):
    """Of a file of two arrays each byte is altered: what is read is right, or is refused as the user's."""
    path = tmp_path / "a.npz"
    arrays = {"w": np.arange(5.0), "progress": np.array('{"epoch": 1}')}
    archive.write_arrays(path, arrays)
    whole, refused = path.read_bytes(), 0
    for place in range(len(whole)):
        for bit in (0, 3, 7):
            spoilt = bytearray(whole)
            spoilt[place] ^= 1 << bit
            path.write_bytes(spoilt)
            try:
                found = archive.read_arrays(path)
            except UserError as error:
                refused += 1
                assert "cut off or altered" in str(error)
            else:
                assert found.keys() == arrays.keys()
                assert all(found[name].tobytes() == arrays[name].tobytes() for name in arrays)
    assert refused > len(whole)


def test_every_cut_is_refused(tmp_path):
    path = tmp_path / "a.npz"
    archive.write_arrays(path, {"w": np.arange(3.0)})
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(UserError, match="cut off or altered"):
            archive.read_arrays(path)


def packed(path, members, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def npy(array=None, header=None):
    """An array's file, or one whose header lies."""
    buffer = io.BytesIO()
    if header is None:
        np.save(buffer, array)
    else:
        np.lib.format.write_array_header_1_0(buffer, header)
        buffer.write(bytes(64))
    return buffer.getvalue()


def test_a_bomb_is_refused_before_it_unpacks(tmp_path):
    path = packed(tmp_path / "bomb.npz", {"w.npy": npy(np.zeros(10**7))}, zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 10**6
    with pytest.raises(UserError, match="claims more than it stores"):
        archive.read_arrays(path)


@pytest.mark.parametrize("shape", [(2**40,), (2**62, 2**62), (10**30,), (9,), (-8,)])
def test_a_header_that_claims_another_size_is_refused(tmp_path, shape):
    lie = {"descr": "<f8", "fortran_order": False, "shape": shape}
    path = packed(tmp_path / "lie.npz", {"w.npy": npy(header=lie)})
    with pytest.raises(UserError, match="altered"):
        archive.read_arrays(path)


class _Evil:
    def __reduce__(self):
        return os.mkdir, ("pickle was run",)


def test_pickles_are_refused_and_never_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    buffer = io.BytesIO()
    np.save(buffer, np.array([_Evil()], dtype=object), allow_pickle=True)
    with pytest.raises(UserError, match="pickled objects"):
        archive.read_arrays(packed(tmp_path / "evil.npz", {"w.npy": buffer.getvalue()}))
    assert not (tmp_path / "pickle was run").exists()


def test_what_is_no_archive_is_refused(tmp_path):
    with pytest.raises(UserError, match="no file"):
        archive.read_arrays(tmp_path / "absent.npz")
    with pytest.raises(UserError, match="no file"):
        archive.read_arrays(tmp_path)
    (tmp_path / "text.npz").write_text("not a zip")
    with pytest.raises(UserError, match="cut off or altered"):
        archive.read_arrays(tmp_path / "text.npz")


# --- a finished folder


RECORD = {"row": "table1_crmn", "initial_bits": "sha256:aa"}


@pytest.fixture
def finished(tmp_path):
    """A small folder as a run writes it, of one epoch."""
    folder = archive.RunFolder(tmp_path / "run", new=True)
    state = {"w": np.arange(4.0)}
    bits = archive.digest_tensors(state, [0.5, 0.25], "sha256:aa")
    (folder.path / archive.RECIPE).write_text("RECIPE = 1\n")
    archive.write_arrays(folder.path / archive.INITIAL_WEIGHTS, {"w": np.zeros(4)})
    archive.write_arrays(folder.path / archive.WEIGHTS, state)
    folder.write_checkpoint({**state, "progress": np.array("{}")})
    folder.write_checkpoint({**state, "progress": np.array("{}")})
    folder.write_curve([{"epoch": 1, "losses": [0.5, 0.25], "bits": bits}])
    folder.finish({**RECORD, "bits": bits})
    folder.close()
    return folder.path


def test_a_whole_folder_has_no_problems(finished):
    assert archive.verify(finished) == []
    assert archive.verify(str(finished)) == []


def test_the_manifest_is_one_that_sha256sum_reads(finished):
    lines = (finished / archive.MANIFEST).read_text().splitlines()
    assert sorted(line[66:] for line in lines) == sorted({p.name for p in finished.iterdir()} - {archive.MANIFEST})
    for line in lines:
        assert line[:64] == hashlib.sha256((finished / line[66:]).read_bytes()).hexdigest()
        assert line[64:66] == "  "


def test_every_flipped_bit_is_found_and_its_file_named(finished):
    for path in sorted(finished.iterdir()):
        whole = path.read_bytes()
        step = 1 if path.name == archive.MANIFEST else max(1, len(whole) // 60)
        for place in range(0, len(whole), step):
            for bit in range(8) if path.name == archive.MANIFEST else (place % 8,):
                spoilt = bytearray(whole)
                spoilt[place] ^= 1 << bit
                path.write_bytes(spoilt)
                problems = archive.verify(finished)
                assert problems, (path.name, place, bit)
                if path.name != archive.MANIFEST:
                    assert problems == [f"{path.name}: altered"]
        path.write_bytes(whole)
    assert archive.verify(finished) == []


def test_a_missing_an_added_and_an_exchanged_file_are_named(finished):
    (finished / archive.WEIGHTS).unlink()
    (finished / "extra.txt").write_text("x")
    (finished / "folder").mkdir()
    (finished / archive.RECIPE).unlink()
    (finished / archive.RECIPE).mkdir()
    assert set(archive.verify(finished)) == {
        "weights.npz: missing",
        "extra.txt: added",
        "folder: added",
        "recipe.py: altered",
    }


def test_a_file_taken_out_of_folder_and_manifest_is_missed_all_the_same(finished):
    for name in (archive.RUN, archive.CHECKPOINT):
        (finished / name).unlink()
    manifest = finished / archive.MANIFEST
    kept = [line for line in manifest.read_text().splitlines(keepends=True) if (finished / line[66:].strip()).exists()]
    manifest.write_text("".join(kept))
    assert set(archive.verify(finished)) == {"run.json: missing", "checkpoint.npz: missing"}


def test_an_unfinished_folder_says_so(finished):
    (finished / archive.MANIFEST).unlink()
    assert archive.verify(finished) == ["MANIFEST.sha256: missing; the run is not finished"]


def test_no_folder_is_the_users_mistake(tmp_path):
    for path in (tmp_path / "absent", tmp_path / "file"):
        (tmp_path / "file").touch()
        with pytest.raises(UserError, match="which is no folder"):
            archive.verify(path)


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "sub/file", "", "..", "a\0b"])
def test_names_in_the_manifest_never_become_paths(finished, monkeypatch, name):
    with open(finished / archive.MANIFEST, "a") as manifest:
        manifest.write(f"{'0' * 64}  {name}\n")
    opened, digest = [], archive._file_digest
    monkeypatch.setattr(archive, "_file_digest", lambda path: opened.append(path) or digest(path))
    problems = archive.verify(finished)
    assert problems
    assert {Path(path).resolve().parent for path in opened} <= {finished.resolve()}
    assert all("\0" not in problem and "\n" not in problem for problem in problems)


def rewrite(folder, name, content):
    """Alter a file and the manifest with it, as somebody would who wants not to be found out."""
    (folder / name).write_bytes(content)
    lines = [line for line in (folder / archive.MANIFEST).read_text().splitlines() if line[66:] != name]
    lines.append(f"{hashlib.sha256(content).hexdigest()}  {name}")
    (folder / archive.MANIFEST).write_text("\n".join(lines) + "\n")


def test_bits_that_do_not_follow_from_the_checkpoint_are_found_under_a_manifest_that_holds(finished):
    buffer = io.BytesIO()
    np.savez(buffer, w=np.arange(4.0) + 1, progress=np.array("{}"))
    rewrite(finished, archive.CHECKPOINT, buffer.getvalue())
    (problem,) = archive.verify(finished)
    assert "do not follow from checkpoint.npz" in problem


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (archive.CURVE, b""),
        (archive.CURVE, b"{}\n"),
        (archive.CURVE, b"[]\n"),
        (archive.CURVE, b'{"losses": ["x"], "bits": "y"}\n'),
        (archive.CURVE, b'{"losses": 3, "bits": "y"}\n'),
        (archive.CURVE, b"\xff\n"),
        (archive.RUN, b"[]"),
        (archive.RUN, b"{}"),
        (archive.RUN, b"{"),
        (archive.CHECKPOINT, b"no zip"),
    ],
)
def test_a_chain_that_cannot_be_followed_is_a_problem_and_no_crash(finished, name, content):
    rewrite(finished, name, content)
    assert len(archive.verify(finished)) == 1


# --- a folder in use


def test_a_folder_belongs_to_one_at_a_time(tmp_path):
    first = archive.RunFolder(tmp_path / "run", new=True)
    with pytest.raises(UserError, match="another process is running"):
        archive.RunFolder(tmp_path / "run", new=True)
    first.close()
    first.close()
    archive.RunFolder(tmp_path / "run", new=True).close()


def test_what_a_killed_writer_left_is_swept_away_and_nothing_else(finished):
    before = {path.name for path in finished.iterdir()}
    for name in ("checkpoint.npz.0a1b2c3d.part", "checkpoint.previous.spare"):
        (finished / name).write_bytes(b"half")
    archive.RunFolder(finished, new=False).close()
    assert {path.name for path in finished.iterdir()} == before


def test_a_new_folder_must_be_empty_and_a_former_one_hold_a_run(finished, tmp_path):
    with pytest.raises(UserError, match="not empty"):
        archive.RunFolder(finished, new=True)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"no run\.json"):
        archive.RunFolder(tmp_path / "empty", new=False)


def test_writing_a_record_takes_the_manifest_away(finished):
    folder = archive.RunFolder(finished, new=False)
    folder.write_record(RECORD)
    folder.close()
    assert archive.verify(finished) == ["MANIFEST.sha256: missing; the run is not finished"]


def test_a_checkpoint_keeps_the_one_before(finished):
    folder = archive.RunFolder(finished, new=False)
    for number in range(3):
        folder.write_checkpoint({"w": np.array(number)})
        assert folder.read_checkpoint()[0]["w"] == number
    assert archive.read_arrays(finished / archive.FORMER_CHECKPOINT)["w"] == 1
    folder.close()


def test_a_damaged_checkpoint_never_takes_the_place_of_the_good_one(finished):
    (finished / archive.CHECKPOINT).write_bytes(b"PK")
    folder = archive.RunFolder(finished, new=False)
    good = (finished / archive.FORMER_CHECKPOINT).read_bytes()
    assert folder.read_checkpoint()[1] == archive.FORMER_CHECKPOINT
    folder.write_checkpoint({"w": np.array(7)})
    assert (finished / archive.FORMER_CHECKPOINT).read_bytes() == good
    assert folder.read_checkpoint()[0]["w"] == 7
    folder.write_checkpoint({"w": np.array(8)})
    assert archive.read_arrays(finished / archive.FORMER_CHECKPOINT)["w"] == 7
    folder.close()


# --- records


def test_a_record_answers_for_every_option_there_is():
    assert archive._OPTIONS.keys() == DEFAULTS.keys()
