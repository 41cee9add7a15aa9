"""What is read from a folder: digests by an independent reckoning, arrays that come back, damage that is refused."""

import hashlib
import io
import os
import struct
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from crmn_legacy import archive
from crmn_legacy.errors import UserError
from tests.fuzz import seeds

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


def test_a_long_name_in_an_archive_is_not_told_whole(tmp_path):
    with zipfile.ZipFile(tmp_path / "long.npz", "w") as file:
        file.writestr("x" * 60_000 + ".npy", b"no array")
    content = (tmp_path / "long.npz").read_bytes()
    (tmp_path / "long.npz").write_bytes(content.replace(b"xxx", b"yyy", 1))
    with pytest.raises(UserError, match="cut off or altered") as caught:
        archive.read_arrays(tmp_path / "long.npz")
    assert len(str(caught.value)) < 1000


# --- records


def stored(folder, name, text):
    """A folder with one file."""
    (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
    return folder


@pytest.mark.parametrize(
    "text", ["", "[]", "7", "NaN", "{", "[" * 100_000, "1" * 5000, b"\xff{}", '{"a": 1}' + " " * 2**22]
)
def test_a_record_that_is_no_object_of_reasonable_size_is_refused(tmp_path, text):
    with pytest.raises(UserError, match=r"run\.json', which (is no JSON|holds no JSON object)"):
        archive.read_json(stored(tmp_path, archive.RUN, text) / archive.RUN)


@pytest.mark.parametrize("text", ["[]\n", "7\n", '{"epoch": 1}\n[1]\n', "{}\n{\n", "[" * 100_000, b"\xff\n"])
def test_a_curve_of_other_than_objects_is_refused(tmp_path, text):
    with pytest.raises(UserError, match=r"curve\.jsonl', which (cannot be read|is altered in line)"):
        archive.read_curve(stored(tmp_path, archive.CURVE, text))


@pytest.mark.parametrize("part", ["seed", "plan.epochs", "plan.batch_size", "options.devices", "options.seed"])
def test_a_truth_value_is_no_number(tmp_path, part):
    record = seeds.record()
    archive.write_json(tmp_path / archive.RUN, record)
    found = archive.read_record(tmp_path).as_json()
    found["options"] = {name: found["options"][name] for name in record["options"]}
    assert found == record
    *folders, name = part.split(".")
    (record[folders[0]] if folders else record)[name] = True
    archive.write_json(tmp_path / archive.RUN, record)
    with pytest.raises(UserError, match=f"whose '{part.partition('.')[0]}' is missing or altered .*bool"):
        archive.read_record(tmp_path)
