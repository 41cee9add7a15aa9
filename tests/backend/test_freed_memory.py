"""Freed memory goes back to the system."""

import ctypes
import sys
from pathlib import Path

import pytest

from crmn_legacy.backend import freed_memory


def resident():
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="only glibc can")
def test_small_pieces_go_back_though_something_lies_above_them():
    pieces = [bytes(4000) for _ in range(50_000)]
    above = bytes(4000)
    del pieces
    before = resident()
    assert freed_memory.give_back()
    assert before - resident() > 100e6
    assert sys.getsizeof(above) > 4000


def test_where_the_library_cannot_nothing_happens(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    assert not freed_memory.give_back()
