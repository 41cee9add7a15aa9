import csv
import pickle
import zlib

import numpy as np
import pytest

from crmn_legacy.backend.python2 import standard_modules


@pytest.mark.parametrize("name", sorted(set(standard_modules._RENAMED) - {"Tkinter", "dbhash", "anydbm"}))
def test_a_module_is_found_by_its_old_name(name, run):
    found = run(f"import {name}")[name]
    assert found.__name__ == name and len(dir(found)) > 3
    with pytest.raises(AttributeError, match=name):
        _ = found.no_such_name


def test_names_that_have_moved(run):
    found = run(
        """
        from urllib import urlretrieve, urlencode, quote
        from urllib2 import urlopen, URLError
        from urlparse import urlparse
        from Queue import Queue, Empty
        from ConfigParser import ConfigParser
        from sets import Set
        import urllib, os.path, __builtin__
        x = urllib.urlencode({'a': 1}), urlparse('http://a/b').path, Set([1]), __builtin__.range(2), os.path.sep
        """
    )
    assert found["x"] == ("a=1", "/b", {1}, [0, 1], "/")


# What Python 2 wrote with cPickle.dump({'a': 'caf\xe9', 'w': numpy.arange(3, dtype='float32')}, f).
OF_PYTHON2 = (
    b"(dp1\nS'a'\nS'caf\\xe9'\np2\nsS'w'\ncnumpy.core.multiarray\n_reconstruct\np3\n(cnumpy\nndarray\np4\n(I0\ntS'b'\ntRp5\n"
    b"(I1\n(I3\ntcnumpy\ndtype\np6\n(S'f4'\nI0\nI1\ntRp7\n(I3\nS'<'\nNNNI-1\nI-1\nI0\ntbI00\n"
    b"S'\\x00\\x00\\x00\\x00\\x00\\x00\\x80?\\x00\\x00\\x00@'\ntbs."
)


@pytest.mark.parametrize("module", ["cPickle", "pickle"])
@pytest.mark.parametrize("mode", ["r", "rb"])
def test_a_pickle_of_python_2_is_read_whichever_mode_its_file_has(tmp_path, run, module, mode):
    place = tmp_path / "data.pkl"
    place.write_bytes(OF_PYTHON2)
    found = run(
        f"""
        import {module} as pkl
        a = pkl.load(open(place, {mode!r}))
        b = pkl.loads(open(place, {mode!r}).read())
        c = pkl.Unpickler(open(place, {mode!r})).load()
        """,
        place=str(place),
    )
    for name in "abc":
        assert found[name]["a"] == "café" and found[name]["w"].tolist() == [0, 1, 2]


@pytest.mark.parametrize("mode", ["w", "wb"])
def test_pickles_are_written_one_after_another(tmp_path, run, mode):
    place = tmp_path / "data.pkl"
    run(
        f"""
        import cPickle
        f = open(place, {mode!r})
        cPickle.dump([1, 'a'], f); cPickle.dump(weights, f, protocol=cPickle.HIGHEST_PROTOCOL); cPickle.dump(3, f, 0)
        cPickle.Pickler(f, -1).dump(4)
        f.close()
        """,
        place=str(place),
        weights=np.arange(3),
    )
    with open(place, "rb") as file:
        assert pickle.load(file) == [1, "a"]
        assert pickle.load(file).tolist() == [0, 1, 2]
        assert (pickle.load(file), pickle.load(file)) == (3, 4)


def test_files_in_memory_take_both_kinds(run):
    found = run(
        """
        from StringIO import StringIO
        import cStringIO
        f = StringIO()
        f.write('a'); f.write(data); print >>f, 3
        a = f.getvalue()
        b = cStringIO.StringIO('x\\ny\\n').next(), cStringIO.StringIO(data).read()
        """,
        data=b"b",
    )
    assert found["a"] == "ab3\n" and found["b"] == ("x\n", b"b")


def test_what_takes_bytes_takes_strings(tmp_path, run):
    place = tmp_path / "table.csv"
    place.write_bytes(b"a,b\n1,2\n")
    found = run(
        """
        import base64, csv, hashlib, struct, zlib
        a = hashlib.md5('x').hexdigest(), struct.unpack('>H', 'ab')[0], zlib.decompress(packed), zlib.crc32('x')
        b = base64.b64encode('ab'), base64.decodestring('YWI=\\n'), list(csv.reader(open(place, 'rb')))
        c = csv.DictReader(open(place, 'rb')).next()['b'], struct.calcsize('i')
        csv.writer(open(place, 'wb')).writerow([3, 'd'])
        """,
        packed=zlib.compress(b"x"),
        place=str(place),
    )
    assert found["a"] == ("9dd4e461268c8034f5c8564e155c67a6", 0x6162, b"x", zlib.crc32(b"x"))
    assert found["b"] == ("YWI=", "ab", [["a", "b"], ["1", "2"]]) and found["c"] == ("2", 4)
    assert list(csv.reader(place.read_text().splitlines())) == [["3", "d"]]


def test_numbers_are_read_out_of_strings(monkeypatch):
    for name in ("fromstring", "frombuffer"):
        monkeypatch.setattr(np, name, standard_modules._reading_text(getattr(np, name)))
    found = np.fromstring("1 2", sep=" "), np.frombuffer("ab", "uint8"), np.frombuffer(b"ab", "uint8")
    assert [value.tolist() for value in found] == [[1, 2], [97, 98], [97, 98]]
