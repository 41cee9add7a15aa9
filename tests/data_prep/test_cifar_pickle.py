"""CIFAR's pickles are read as Python reads them; whatever else they ask for is refused in one line."""

import codecs
import io
import os
import pickle
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from crmn_legacy.errors import UserError
from data_prep import cifar_pickle
from data_prep.cifar_pickle import read_batch
from tests.fuzz.seeds import python_2_batch

DATA = np.random.default_rng(0).integers(0, 256, (3, 3072), dtype=np.uint8)
TEN = {"batch_label": "testing batch 1 of 1", "labels": [0, 9, 4], "data": DATA, "filenames": ["a.png", "b é.png", "c"]}
HUNDRED = {"fine_labels": [0, 99, 7], "coarse_labels": [0, 19, 7], "data": DATA}


def as_python_2(record):
    """`record` with the keys and the text that Python 3 makes of Python 2's."""

    def old(value):
        return value.encode() if isinstance(value, str) else [*map(old, value)] if isinstance(value, list) else value

    return {old(key): old(value) for key, value in record.items()}


def refused(content):
    """The line with which `content` is refused."""
    with pytest.raises(UserError) as caught:
        read_batch(content)
    message = str(caught.value)
    assert "\n" not in message and "expected a whole file of the CIFAR-10 or CIFAR-100 archive" in message
    return message


def changed(record=TEN, **changes):
    return pickle.dumps({**record, **changes}, 2)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("form", [dict, as_python_2])
@pytest.mark.parametrize("record", [TEN, HUNDRED])
def test_batches_come_back_as_they_were_pickled(record, form, protocol):
    found = read_batch(pickle.dumps(form(record), protocol))
    assert found.keys() == record.keys()
    np.testing.assert_array_equal(found["data"], DATA)
    assert found["data"].dtype == np.uint8 and not found["data"].flags.writeable
    for name in found.keys() - {"data"}:
        value = found[name]
        assert (value.tolist() if name.endswith("labels") else value) == record[name]
        assert not name.endswith("labels") or value.dtype == np.int64


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("dtype", ["u1", "i1", "<i2", ">i2", "<u4", ">i4", "<i8", ">u8"])
@pytest.mark.parametrize("form", ["array", "column", "list"])
def test_labels_as_numpy_has_them_are_read(protocol, dtype, form):
    def remade(labels):
        array = np.array(labels, dtype)
        return {"array": array, "column": array[:, None], "list": list(array)}[form]

    for record, keys in ((TEN, ["labels"]), (HUNDRED, ["fine_labels", "coarse_labels"])):
        found = read_batch(pickle.dumps({**record, **{key: remade(record[key]) for key in keys}}, protocol))
        for key in keys:
            assert found[key].tolist() == record[key] and found[key].dtype == np.int64


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_pictures_in_columns_are_read_as_those_in_rows(protocol):
    found = read_batch(pickle.dumps({**TEN, "data": np.asfortranarray(DATA)}, protocol))["data"]
    np.testing.assert_array_equal(found, DATA)
    assert found.flags.c_contiguous and not found.flags.writeable


def test_other_keys_are_left_out():
    more = {"more": [1, "x"], "num_vis": np.int64(3072), "mean": np.arange(3072)}
    assert read_batch(pickle.dumps({**TEN, **more}, 4)).keys() == TEN.keys()


def test_names_of_classes_come_back():
    ten = {"label_names": [f"class {k}" for k in range(10)], "num_vis": 3072, "num_cases_per_batch": 10000}
    hundred = {"fine_label_names": [str(k) for k in range(100)], "coarse_label_names": [str(k) for k in range(20)]}
    for record in (ten, hundred):
        assert read_batch(pickle.dumps(record, 2)) == read_batch(pickle.dumps(as_python_2(record), 2)) == record


def test_a_batch_in_python_2s_own_operations_is_read():
    content = python_2_batch(300)
    expected, found = pickle.loads(content, encoding="bytes"), read_batch(content)
    np.testing.assert_array_equal(found["data"], expected[b"data"])
    assert found["labels"].tolist() == expected[b"labels"]
    assert found["filenames"] == [name.decode() for name in expected[b"filenames"]]
    assert found["batch_label"] == "training batch 1 of 5"


def test_a_path_is_read_and_named(tmp_path):
    (tmp_path / "batch").write_bytes(pickle.dumps(TEN, 2))
    np.testing.assert_array_equal(read_batch(tmp_path / "batch")["data"], DATA)
    (tmp_path / "cut").write_bytes(pickle.dumps(TEN, 2)[:-20])
    with pytest.raises(UserError, match="cut', which"):
        read_batch(tmp_path / "cut")
    for missing in (tmp_path, tmp_path / "none"):
        with pytest.raises(UserError, match="no file"):
            read_batch(missing)


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (os.system, "posix.system"),
        (eval, "eval"),
        (io.open, "io.open"),
        (zipfile.ZipFile, "zipfile.ZipFile"),
        (codecs.decode, "_codecs.decode"),
        (np.load, "numpy.load"),
        (np.float64, "numpy.float64"),
    ],
)
@pytest.mark.parametrize("protocol", [2, 4])
def test_a_foreign_name_is_refused_by_its_name_and_never_looked_up(monkeypatch, function, name, protocol):
    class Calls:
        def __reduce__(self):
            return function, ("x",)

    content = pickle.dumps({**TEN, "labels": Calls()}, protocol)
    monkeypatch.setattr("builtins.__import__", None)
    with pytest.raises(UserError) as caught:
        read_batch(content)
    monkeypatch.undo()
    assert (
        f"names '{name}'" in str(caught.value)
        or f"names '__builtin__.{name}'" in str(caught.value)
        or (f"names 'builtins.{name}'" in str(caught.value))
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (changed(data=DATA.astype(np.int16)), "'data' as int16 (3, 3072), not (pictures, 3072)"),
        (changed(data=DATA.astype(np.float32)), "numpy.dtype"),
        (changed(data=DATA.astype(bool)), "numpy.dtype"),
        (pickle.dumps({**TEN, "data": DATA.reshape(3, 3, 32, 32)}, 4), "tuples, or longer ones"),
        (changed(data=np.uint8(3)), "'data' of no array"),
        (changed(data=np.array([None] * 3)), "numpy.dtype"),
        (changed(data=DATA[:2]), "list of 2 labels"),
        (changed(data=DATA[:, :3000].copy()), "not (pictures, 3072)"),
        (pickle.dumps({**HUNDRED, "data": DATA[:0]}, 4), "not (pictures, 3072)"),
        (changed(data=[1, 2]), "'data' of no array"),
        (changed(labels=[0, 1, 10]), "'labels' beyond 0 to 9"),
        (changed(labels=[0, 1, -1]), "'labels' beyond 0 to 9"),
        (changed(labels=[0, 1, True]), "'labels' beyond 0 to 9"),
        (changed(labels=[0, 1, "2"]), "'labels' beyond 0 to 9"),
        (changed(labels=(0, 1, 2)), "'labels' other than a list"),
        (changed(HUNDRED, fine_labels=[0, 1, 100]), "'fine_labels' beyond 0 to 99"),
        (changed(HUNDRED, coarse_labels=[0, 1, 20]), "'coarse_labels' beyond 0 to 19"),
        (changed(filenames=["a", "b", 3]), "'filenames' that is no text"),
        (changed(filenames=["a", "b"]), "'filenames' other than a list of 3"),
        (pickle.dumps({**TEN, "filenames": ["a", "b", "\ud800"]}, 4), "'filenames' that is no text"),
        (changed(batch_label=[]), "'batch_label' that is no text"),
        (changed(batch_label="x" * 301), "'batch_label' that is no text"),
        (changed(more=1.5), "BINFLOAT"),
        (changed(fine_labels=[0, 1, 2]), "both 'labels' and 'fine_labels'"),
        (pickle.dumps({**TEN, b"labels": [0, 1, 2]}, 4), "a key twice"),
        (changed(labels=np.array([0, 1, 10])), "'labels' beyond 0 to 9"),
        (changed(labels=np.array([0, 1, -1], np.int8)), "'labels' beyond 0 to 9"),
        (changed(labels=np.array([0, 1, 2**63], np.uint64)), "'labels' beyond 0 to 9"),
        (changed(labels=np.array([0, 1])), "'labels' other than a list of 3"),
        (changed(labels=np.array([[0, 1, 2]])), "'labels' other than a list of 3"),
        (changed(labels=np.array([0.0, 1, 2])), "numpy.dtype"),
        (changed(labels=[0, 1, np.float32(2)]), "numpy.dtype"),
        (changed(labels=[0, 1, np.True_]), "numpy.dtype"),
        (changed(labels=np.array([0, 1, None])), "numpy.dtype"),
        (changed(labels=np.ma.array([0, 1, 2])), "names"),
        (changed({"fine_labels": [1, 2, 3], "data": DATA}), "lacks 'coarse_labels'"),
        (pickle.dumps({"label_names": ["a"] * 9}, 2), "list of 10"),
        (pickle.dumps({"label_names": ["a"] * 10, "num_vis": "x"}, 2), "no number"),
        (pickle.dumps({"data": DATA}, 2), "neither labels nor names"),
        (pickle.dumps([TEN], 2), "holds no dict"),
        (pickle.dumps(TEN, 0), "protocol 2 to 5"),
        (pickle.dumps(TEN, 1), "protocol 2 to 5"),
        (pickle.dumps(TEN, 2) + b"more", "goes on after its end"),
        (changed(batch_label=1.5), "BINFLOAT"),
        (b"\x80\x02S'\\y'\n.", "STRING"),
        (changed(batch_label=2**40), "beyond all measure"),
        (changed(batch_label={1, 2}), "names '__builtin__.set'"),
        (b"", "cut off or no pickle"),
        (b"\x80\x02.", "cut off or no pickle"),
        (b"\x80\x02}", "cut off or no pickle"),
        (b"\x80\x02cnumpy\ndtype\nU\x02O8\x85R.", "makes with numpy.dtype"),
        (b"\x80\x02cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R}X\x01\x00\x00\x00aNsb.", "builds other than"),
        (b"\x80\x02c_codecs\nencode\n(NNNtb.", "builds other than"),
        (b"\x80\x02cnumpy\nndarray\nN}U\x04nameNs\x86b.", "builds other than"),
        (b"\x80\x02cnumpy\nndarray\n)\x81.", "NEWOBJ"),
        (b"\x80\x02Nq\x00Q.", "BINPERSID"),
        (b"\x80\x02\x82\x01.", "EXT1"),
        (b"\x80\x02}cnumpy\nndarray\nNs.", "cut off or no pickle"),
    ],
)
def test_what_is_no_batch_is_refused(content, said):
    assert said in refused(content)


@pytest.mark.parametrize("end", range(0, 9500, 500))
def test_a_batch_cut_off_is_refused(end):
    content = pickle.dumps(TEN, 4)
    assert end < len(content)
    refused(content[:end])


_ENCODE = b"c_codecs\nencode\nq\x01X\x00\x00\x10\x00" + bytes(2**20) + b"X\x06\x00\x00\x00latin1\x86q\x02R"
_DTYPE = b"cnumpy\ndtype\nq\x01X\x02\x00\x00\x00u1"

# Each asks Python's own unpickler for gigabytes, or for hours, or for more of the stack than there is.
BOMBS = {
    "memo": (b"\x80\x02Nr\xff\xff\xff\xff0}.", "beyond all measure"),
    "string": (b"\x80\x02B\xff\xff\xff\x7f", "cut off"),
    "long string": (b"\x80\x04\x8e" + b"\xff" * 7 + b"\x7f", "cut off"),
    "frame": (b"\x80\x04\x95" + b"\xff" * 7 + b"\x7f", "cut off"),
    "longest frame": (b"\x80\x04\x95" + b"\xff" * 8 + b"N.", "cut off"),
    "number": (b"\x80\x02\x8b\xff\xff\xff\x7f", "cut off"),
    "array": (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nJ\xff\xff\xff\x7f\x85C\x01b\x87R.",
        "makes with numpy.core.multiarray._reconstruct",
    ),
    "scalar": (
        b"\x80\x02cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\nU\x02i8K\x00K\x01\x87RB\xff\xff\xff\x7f\x86R.",
        "cut off",
    ),
    "shape": (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R"
        b"(K\x01J\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x86cnumpy\ndtype\nU\x02i8K\x00K\x01\x87R\x89C\x01atb.",
        "does not fit",
    ),
    "hash of copies": (b"\x80\x02})2" + b"\x862" * 60 + b"0K\x01s.", "operation DUP"),
    "hash of kept": (b"\x80\x02})q\x01" + b"h\x01\x86q\x01" * 60 + b"K\x01s.", "more tuples"),
    "hash of depth": (b"\x80\x02})" + b"\x85" * 150_000 + b"K\x01s.", "more tuples"),
    "hash of long": (b"\x80\x02})q\x01(" + b"h\x01" * 9 + b"tK\x01s.", "or longer ones"),
    "hash of arguments": (b"\x80\x02})q\x01c_codecs\nencode\nh\x01\x85q\x01R.", "makes with _codecs"),
    "hash of a dtype's": (b"\x80\x02})q\x02" + _DTYPE + b"h\x02\x86q\x02R.", "makes with numpy.dtype"),
    "hash of a state": (b"\x80\x02})q\x02" + _DTYPE + b"K\x00K\x01\x87Rh\x02\x85q\x02b.", "builds other than"),
    "depth": (b"\x80\x02" + b"]" * 90_000 + b"a" * 89_999 + b".", "holds no dict"),
    "tuples": (b"\x80\x02)" + b"\x85" * 500_000 + b".", "more tuples"),
    "encoding": (b"\x80\x02]" + _ENCODE + b"a" + b"h\x01h\x02Ra" * 20_000 + b".", "holds no dict"),
    "operations": (b"\x80\x02]" + b"Na" * 150_000 + b".", "more than 200000 operations"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_before_it_goes_off(name, monkeypatch):
    monkeypatch.setattr(cifar_pickle, "_MOST_OPERATIONS", 200_000)
    monkeypatch.setattr(cifar_pickle, "_LARGEST_FILE", 2**25)
    content, said = BOMBS[name]
    tracemalloc.start()
    try:
        assert said in refused(content)
        assert tracemalloc.get_traced_memory()[1] < 2**26
    finally:
        tracemalloc.stop()


def test_a_stand_in_keeps_what_it_is():
    """Whatever a pickle does with a name of NumPy, the next pickle is read as before."""
    for spoiled in (b"N}X\x05\x00\x00\x00valueNs\x86b.", b"}X\x05\x00\x00\x00valueNsb."):
        refused(b"\x80\x02c_codecs\nencode\n" + spoiled)
    assert read_batch(pickle.dumps(TEN, 2))["labels"].tolist() == TEN["labels"]


def test_a_file_larger_than_any_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(cifar_pickle, "_LARGEST_FILE", 1000)
    (tmp_path / "batch").write_bytes(pickle.dumps(TEN, 2))
    with pytest.raises(UserError, match="more than 1000 bytes"):
        read_batch(tmp_path / "batch")


def test_the_real_archives_are_read_as_python_reads_them(real_data):
    files = [path for path in sorted(real_data.glob("cifar-10*/*")) if path.suffix in ("", ".meta")]
    if not files:
        pytest.skip("no CIFAR archive, unpacked, in the folder that CRMN_LEGACY_DATA names")
    for path in files:
        expected, found = pickle.loads(Path(path).read_bytes(), encoding="bytes"), read_batch(path)
        assert {key.decode() for key in expected} == found.keys()
        for key, value in found.items():
            if isinstance(value, np.ndarray):
                np.testing.assert_array_equal(value, expected[key.encode()])
