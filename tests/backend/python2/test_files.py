import io

import numpy as np
import pytest

from crmn_legacy.backend.python2 import files


def test_text_is_read_and_written_byte_for_byte(tmp_path, run):
    place = tmp_path / "text"
    place.write_bytes("é\r\n".encode() + b"\xff\n")
    found = run(f"lines = open({str(place)!r}).readlines()\nopen({str(place)!r}, 'w').writelines(lines)")
    assert found["lines"][0] == "é\r\n"
    assert place.read_bytes() == "é\r\n".encode() + b"\xff\n"
    assert run(f"x = open({str(place)!r}, 'rU').next()")["x"] == "é\n"


def test_either_kind_is_written_with_either(tmp_path, run):
    place = tmp_path / "file"
    for mode in ("w", "wb", "a", "ab"):
        run(
            f"f = open({str(place)!r}, {mode!r})\nf.write('a'); f.write(data); f.write(u'\\xe9'); f.close()", data=b"\0"
        )
    assert place.read_bytes() == ("a\0é".encode()) * 3


def test_in_binary_mode_text_is_a_string_and_the_rest_is_bytes(tmp_path, run):
    place = tmp_path / "file"
    place.write_bytes(b"2 3\nw\xc3\xa9 " + np.arange(2, dtype="f4").tobytes())
    found = run(
        """
        f = open(place, 'rb')
        counts = map(int, f.readline().split())
        word = []
        while True:
            c = f.read(1)
            if c == ' ':
                break
            word.append(c)
        word, numbers = ''.join(word), numpy.fromstring(f.read(8), 'float32')
        end = f.read()
        """,
        place=str(place),
        numpy=np,
    )
    assert (found["counts"], found["numbers"].tolist(), found["end"]) == ([2, 3], [0, 1], "")
    assert found["word"].encode("utf-8", "surrogateescape") == "wé".encode()


def test_lines_of_a_binary_file_are_strings_through_the_builtins_too(tmp_path, run):
    place = tmp_path / "file"
    place.write_bytes(b"a b\nc d\n")
    found = run(
        """
        x = map(lambda line: line.strip().split(' '), open(place, 'rb'))
        y = [line for line in file(place, 'rb')] + list(open(place, 'rb').xreadlines())
        with open(place, 'rb') as f:
            z = f.next(), f.readlines(), f.closed
        """,
        place=str(place),
    )
    assert found["x"] == [["a", "b"], ["c", "d"]] and found["y"] == ["a b\n", "c d\n"] * 2
    assert found["z"] == ("a b\n", ["c d\n"], False)


def test_to_other_code_a_binary_file_is_one_of_bytes(tmp_path):
    place = tmp_path / "file.npy"
    np.save(place, np.arange(3))
    file = files.open(str(place), "rb")
    assert np.load(file).tolist() == [0, 1, 2]
    file.seek(0)
    assert isinstance(file.read(), bytes) and isinstance(file, io.IOBase) and file.mode == "rb"
    with pytest.raises(FileNotFoundError):
        files.open(str(tmp_path / "missing"))
    assert np.fromfile(files.open(str(place), "rb"), "u1")[0] == 0x93
