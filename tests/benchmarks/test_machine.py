"""A benchmark says on what it measured, and measures nothing beside other work."""

import os
import subprocess
import sys
import time

import pytest

from benchmarks import machine
from crmn_legacy.errors import UserError

CORES = 2


@pytest.fixture
def others(monkeypatch):
    """Let others use these shares of two cores in one look after another, then the last of them; looks are counted."""
    looks, clock = [], {"whole": 0.0, "busy": 0.0}

    def become(*shares):
        left = list(shares)

        def sleep(seconds):
            looks.append(seconds)
            clock["whole"] += CORES * seconds
            clock["busy"] += CORES * seconds * (left.pop(0) if left[1:] else left[0])

        monkeypatch.setattr(machine.time, "sleep", sleep)
        monkeypatch.setattr(machine, "_spent", lambda: (clock["whole"], clock["busy"], 0.0))
        return looks

    return become


def test_a_busy_machine_is_refused_in_one_line(others):
    others(0.12)
    with pytest.raises(UserError, match=r"got other work on 12% .*; expected at most 3%, .*--wait .*--anyway") as told:
        machine.require_quiet()
    assert "\n" not in str(told.value)


def test_a_quiet_machine_is_looked_at_and_with_anyway_nobody_looks(others):
    looks = others(0.03)
    assert machine.require_quiet() == pytest.approx(0.03)
    assert looks == [machine.LOOK]
    others(0.9)
    assert machine.require_quiet(anyway=True) is None
    assert looks == [machine.LOOK]


def test_waiting_ends_when_the_machine_is_quiet(others):
    looks = others(0.8, 0.3, 0.01)
    assert machine.require_quiet(wait=60) == pytest.approx(0.01)
    assert looks == [machine.LOOK] * 3


def test_waiting_ends_when_its_time_is_over(others, monkeypatch):
    looks = others(0.5)
    monkeypatch.setattr(machine.time, "monotonic", lambda: float(100 * len(looks)))
    with pytest.raises(UserError, match="other work on 50%"):
        machine.require_quiet(wait=5)
    assert len(looks) == 3  # 5 minutes are over after 300 seconds


def test_own_work_is_no_other_work_and_stolen_time_is(monkeypatch, tmp_path):
    stat = tmp_path / "stat"
    monkeypatch.setattr(machine, "STAT", stat)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {1})
    monkeypatch.setattr(os, "sysconf", {"SC_CLK_TCK": 100}.get)
    own = iter([5.0, 5.5])
    monkeypatch.setattr(machine.time, "process_time", lambda: next(own))
    # User, nice, system, idle, waiting for a disk, interrupts twice, stolen; as guest, which user has already.
    stat.write_text("cpu 9 9 9 9 9 9 9 9 9 9\ncpu0 9 9 9 9 9 9 9 9 9 9\ncpu1 100 0 50 400 10 0 5 20 70 0\nintr 7\n")
    others = machine.OtherWork()
    stat.write_text("cpu 9 9 9 9 9 9 9 9 9 9\ncpu0 99 9 9 9 9 9 9 9 9 9\ncpu1 140 0 60 430 20 0 5 30 90 0\n")
    # Of 1 second 0.4 were idle and 0.5 its own.
    assert others.share() == pytest.approx(0.1)


def test_what_another_process_does_is_seen():
    loop = "print(flush=True)\nwhile True: pass"
    with subprocess.Popen([sys.executable, "-c", loop], stdout=subprocess.PIPE) as child:
        child.stdout.readline()
        others = machine.OtherWork()
        time.sleep(0.5)
        share = others.share()
        child.kill()
    assert share * len(os.sched_getaffinity(0)) > 0.5


def test_numbers_measured_beside_other_work_are_refused_unless_they_are_wanted():
    machine.require_few_others(0.03)
    machine.require_few_others(0.2, anyway=True)
    with pytest.raises(UserError, match=r"got other work on 20% .*; expected at most 3%: .*--anyway") as told:
        machine.require_few_others(0.2)
    assert "\n" not in str(told.value)


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
