"""Eigen's cache sizes: what is written is obeyed, and only where it is certain what it is."""

import hashlib
import struct
from pathlib import Path

import jax
import numpy as np
import pytest
from jax import lax

from crmn_legacy.backend import matmul_blocking

# The data caches of a server of 2022 and of one that an emulator makes up: the last two pixels of this convolution
# fall into a block of their own on one of them.
UNLIKE = ((32, 1024, 32768), (32, 4096, 16384))


@pytest.fixture
def restored():
    yield
    assert matmul_blocking.pin()


@pytest.fixture(scope="module")
def convolution():
    """Digest of a convolution of 64 maps by 64 filters at 80 x 80, two pictures, computed anew at each call."""
    generator = np.random.Generator(np.random.Philox(5))
    pictures = generator.standard_normal((2, 64, 80, 80), np.float32)
    filters = generator.standard_normal((64, 64, 3, 3), np.float32)
    compiled = jax.jit(lambda x, w: lax.conv_general_dilated(x, w, (1, 1), ((1, 1), (1, 1))))
    return lambda: hashlib.sha256(np.asarray(compiled(pictures, filters)).tobytes()).hexdigest()


def test_kernels_obey_the_sizes_that_were_written(restored, convolution):
    digests = []
    for sizes in (*UNLIKE, *UNLIKE):
        assert matmul_blocking.pin(sizes)
        digests.append(convolution())
    assert digests[:2] == digests[2:]
    assert digests[0] != digests[1], "the sizes have no effect: is Eigen's array still the one that is read?"


def test_default_sizes_are_within_what_processors_with_avx2_have():
    first, second, third = matmul_blocking.SIZES
    assert 32 <= first <= 48 and 256 <= second <= 2048 and third > second
    assert matmul_blocking.words() == f"l1d{first}K-l2{second}K-l3{third}K"


def test_nothing_is_written_where_the_library_is_not_the_one_expected(monkeypatch):
    monkeypatch.setattr(matmul_blocking, "_find", lambda: None)
    assert not matmul_blocking.pin()


@pytest.mark.parametrize("present", [(0, 0, 0), (32768, -1, 1 << 20), (32768, 1 << 40, 1 << 20)])
def test_what_is_in_use_and_no_cache_size_is_left_alone(monkeypatch, present):
    array, guard = list(present), [1, 0]
    monkeypatch.setattr(matmul_blocking, "_find", lambda: (array, guard))
    assert not matmul_blocking.pin()
    assert array == list(present)
    guard[0] = 0
    assert matmul_blocking.pin((1, 2, 3))
    assert array == [1024, 2048, 3072] and guard[0] == 1


def test_symbols_are_found_by_their_whole_name_alone():
    path, start = matmul_blocking._loaded()
    assert path.endswith(matmul_blocking._LIBRARY) and start > 0
    assert matmul_blocking._symbols(path, (matmul_blocking._ARRAY + b"x",)) is None
    assert matmul_blocking._symbols(path, (matmul_blocking._ARRAY[1:],)) is None
    ((offset, size),) = matmul_blocking._symbols(path, (matmul_blocking._ARRAY,))
    assert size == 24 and offset > 0


def test_the_library_is_found_without_proc_too(tmp_path):
    path, start = matmul_blocking._loaded()
    assert matmul_blocking._linked(Path(path).parent) == (path, start)
    assert matmul_blocking._linked(tmp_path) == (None, 0)


@pytest.mark.parametrize("content", [b"\x7fELF\x01\x01", b"\x7fELF\x02\x01", b"no library at all" * 10])
def test_a_file_that_is_no_library_has_no_symbols(tmp_path, content):
    path = tmp_path / "file"
    path.write_bytes(content.ljust(64, b"\0"))
    assert matmul_blocking._symbols(path, (b"name",)) is None


def test_a_name_without_a_symbol_or_with_two_is_not_taken(tmp_path):
    def library(symbols):
        """A file of 64 bits with one symbol table, whose names are `a` and `b`."""
        names = b"\0a\0b\0"
        table = b"".join(struct.pack("<IBBHQQ", name, 0, 0, 0, 100 * name, 24) for name in symbols)
        header = (b"\x7fELF\x02\x01".ljust(40, b"\0") + struct.pack("<Q10xHH", 64, 64, 2)).ljust(64, b"\0")
        begin = 64 + 2 * 64
        sections = struct.pack("<4xI16xQQI20x", 2, begin, len(table), 1)
        sections += struct.pack("<4xI16xQQI20x", 3, begin + len(table), len(names), 0)
        path = tmp_path / "library"
        path.write_bytes(header + sections + table + names)
        return path

    assert matmul_blocking._symbols(library([1, 3]), (b"a", b"b")) == [(100, 24), (300, 24)]
    assert matmul_blocking._symbols(library([1]), (b"a", b"b")) is None
    assert matmul_blocking._symbols(library([1, 1]), (b"a",)) is None
