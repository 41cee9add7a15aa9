"""A benchmark says on what it measured, and measures nothing beside other work."""

import os

import pytest

from benchmarks import machine
from crmn_legacy.errors import UserError


@pytest.fixture
def loads(monkeypatch):
    """Let the load average be these numbers in turn, then stay at the last; pauses take no time and are counted."""
    pauses = []

    def become(*numbers):
        left = list(numbers)
        monkeypatch.setattr(os, "getloadavg", lambda: ((left.pop(0) if left[1:] else left[0]), 0.0, 0.0))
        monkeypatch.setattr(machine.time, "sleep", pauses.append)
        return pauses

    return become


def test_a_busy_machine_is_refused_in_one_line(loads):
    loads(0.51)
    with pytest.raises(
        UserError, match=r"got a load average of 0\.51 .*; expected at most 0\.5, .*--wait .*--anyway"
    ) as told:
        machine.require_quiet()
    assert "\n" not in str(told.value)


def test_a_quiet_machine_and_anyway_are_not_refused(loads):
    pauses = loads(0.5)
    machine.require_quiet()
    assert pauses == []
    pauses = loads(7.0)
    machine.require_quiet(anyway=True)
    assert pauses == []


def test_waiting_ends_when_the_machine_is_quiet(loads):
    pauses = loads(3.0, 1.0, 0.2)
    machine.require_quiet(wait=60)
    assert pauses == [machine.PAUSE] * 2


def test_waiting_ends_when_its_time_is_over(loads, monkeypatch):
    pauses = loads(3.0)
    monkeypatch.setattr(machine.time, "monotonic", lambda: float(100 * len(pauses)))
    with pytest.raises(UserError, match="load average of 3"):
        machine.require_quiet(wait=5)
    assert len(pauses) == 3  # 5 minutes are over after 300 seconds


def test_label_is_made_of_maker_family_model_and_cores(monkeypatch):
    fields = {"vendor_id": "AuthenticAMD", "cpu family": "25", "model": "17"}
    monkeypatch.setattr(machine.processor, "fields", lambda: fields)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1})
    assert machine.label() == "AMD 25/17, 2 cores"
    fields["vendor_id"] = "Other"
    del fields["model"]
    assert machine.label() == "Other 25/?, 2 cores"


def test_sizes_of_caches_are_numbers_or_not_told(monkeypatch):
    monkeypatch.setattr(machine.processor, "data_caches", lambda: {"l1d": "32K", "l2": "1024K"})
    row = machine.row()
    assert (row["l2_kib"], row["l3_kib"]) == (1024, None)


@pytest.mark.parametrize("count", [0, 100_000])
def test_cores_that_are_not_there_are_refused(count):
    with pytest.raises(UserError, match=f"got --threads {count}; expected 1 to "):
        machine.use_cores(count)
