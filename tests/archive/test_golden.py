"""Golden digests of kernels: kept under their card and key, found again, damaged ones told."""

import pytest

from crmn_legacy.archive import golden
from crmn_legacy.errors import UserError

KEY = "h100/float32/jaxlib0.7.1"


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setattr(golden, "GOLDEN", tmp_path)
    return tmp_path / "kernels" / "h100.json"


def described(row, digest, key=KEY):
    return {"row": row, "key": key, "train": {"ptx_digest": digest}, "devices": 1}


def test_digests_are_kept_by_row_and_key(place):
    golden.keep_golden_kernels(described("table1_crmn", "a"))
    golden.keep_golden_kernels(described("table1_rcn", "b"))
    golden.keep_golden_kernels(described("table1_crmn", "c", key="h100/tf32/jaxlib0.7.1"))
    golden.keep_golden_kernels(described("table1_rcn", "d"))
    assert golden.golden_kernels(KEY) == {"table1_crmn": {"train": "a"}, "table1_rcn": {"train": "d"}}
    assert golden.golden_kernels("h100/tf32/jaxlib0.7.1") == {"table1_crmn": {"train": "c"}}
    assert golden.golden_kernels("a100/float32/jaxlib0.7.1") == {}


def test_damaged_digests_are_told(place):
    place.parent.mkdir()
    place.write_text(f'{{"{KEY}": {{"table1_crmn": 3}}}}')
    with pytest.raises(UserError, match=r"digests of h100/float32/jaxlib0\.7\.1 that are altered"):
        golden.golden_kernels(KEY)
