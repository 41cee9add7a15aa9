"""What Linux tells of the processor, from files of the tests' own."""

import pytest

from crmn_legacy.backend import processor

TOLD = """\
processor\t: 0
vendor_id\t: AuthenticAMD
cpu family\t: 25
model\t\t: 17
model name\t: AMD EPYC: 9B14
stepping\t: 1
flags\t\t: fpu sse2 avx avx2 fma
vmx flags\t: vnmi

processor\t: 1
model name\t: another
flags\t\t: fpu
"""


@pytest.fixture
def cpuinfo(monkeypatch, tmp_path):
    path = tmp_path / "cpuinfo"
    path.write_text(TOLD)
    monkeypatch.setattr(processor, "CPUINFO", path)
    return path


@pytest.fixture
def caches(monkeypatch, tmp_path):
    folder = tmp_path / "cache"
    told = (("1", "Data", "32K"), ("1", "Instruction", "64K"), ("2", "Unified", "1024K"), ("3", "Unified", "32768K"))
    for number, words in enumerate(told):
        index = folder / f"index{number}"
        index.mkdir(parents=True)
        for name, word in zip(("level", "type", "size"), words, strict=True):
            (index / name).write_text(f"{word}\n")
    monkeypatch.setattr(processor, "CACHES", folder)
    return folder


def test_the_first_processor_is_described(cpuinfo):
    assert processor.model_name() == "AMD EPYC: 9B14"
    assert processor.family_model_stepping() == "25-17-1"
    assert processor.flags() == {"fpu", "sse2", "avx", "avx2", "fma"}
    assert processor.fields()["vendor_id"] == "AuthenticAMD"


@pytest.mark.parametrize(("flags", "newest"), [("sse2", None), ("avx", "avx"), ("avx avx512f avx2", "avx512f")])
def test_the_newest_vectors_are_named(cpuinfo, flags, newest):
    cpuinfo.write_text(f"flags : {flags}\n")
    assert processor.newest_avx() == newest


def test_numbers_are_told_together_or_not_at_all(cpuinfo):
    cpuinfo.write_text(TOLD.replace("stepping", "step"))
    assert processor.family_model_stepping() is None


def test_a_system_that_tells_nothing_is_no_error(cpuinfo, monkeypatch, tmp_path):
    cpuinfo.unlink()
    monkeypatch.setattr(processor, "CACHES", tmp_path / "none")
    monkeypatch.setattr(processor, "_flags_by_numpy", set)
    assert processor.fields() == {} and processor.flags() == set()
    assert processor.newest_avx() is processor.model_name() is processor.family_model_stepping() is None
    assert processor.cache_sizes() == "unknown"


def test_where_the_system_hides_it_numpy_asks_the_processor_itself(cpuinfo, monkeypatch):
    told = processor._flags_by_numpy()
    assert told and all(name == name.lower() for name in told)
    monkeypatch.undo()
    named = {"avx", "avx2", "fma", "f16c"}
    if processor.fields().get("flags"):
        assert told & named == processor.flags() & named
    monkeypatch.setattr(processor, "CPUINFO", cpuinfo.with_name("none"))
    assert processor.flags() == told


def test_caches_of_instructions_are_left_out(caches):
    assert processor.data_caches() == {"l1d": "32K", "l2": "1024K", "l3": "32768K"}
    assert processor.cache_sizes() == "l1d32K-l21024K-l332768K"


def test_a_cache_that_is_half_told_is_left_out(caches):
    (caches / "index2" / "size").unlink()
    assert processor.cache_sizes() == "l1d32K-l332768K"


def test_this_processor_is_described():
    assert "sse2" in processor.flags() and processor.model_name()
    assert all(size.endswith("K") for size in processor.data_caches().values())
