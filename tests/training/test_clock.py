"""The clock on the wall may say what it likes: bits, order and durations don't hang on it."""

import signal

import pytest

from crmn_legacy import archive
from tests.training.runs import assert_same_run, bits_of, run_tiny

# The child's wall clock; `shown` gets the true seconds since 1970 and how often the clock was looked at.
CLOCK = """
import datetime, itertools, time
true, looks = time.time, itertools.count()
shown = {shown}
def now():
    return shown(true(), next(looks))
time.time, time.time_ns = now, lambda: int(now() * 1e9)
class Clock(datetime.datetime):
    @classmethod
    def now(cls, zone=None):
        return cls.fromtimestamp(now(), zone)
datetime.datetime = Clock
"""
KILL = """
from crmn_legacy.training import progress as reports
def step(self, progress):
    if progress.updates == {update}:
        os.kill(os.getpid(), signal.{signal})
reports._Lines.step = step
"""
BACK = "lambda seconds, look: seconds - 3600 * look"
FORWARD = "lambda seconds, look: seconds + 86400 * look"
IN_1970 = "lambda seconds, look: 0.0"
IN_2040 = "lambda seconds, look: 2.2e9"


def assert_sane(folder):
    """Durations are those of a run of seconds, whatever the clock said."""
    record = archive.read_record(folder)
    seconds = [record.seconds_before, record.seconds, *(line.seconds for line in archive.read_curve(folder))]
    assert all(0 <= each < 3600 for each in seconds), seconds
    assert record.seconds >= record.seconds_before


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param(BACK, id="an hour back at every look", marks=pytest.mark.slow),
        pytest.param(FORWARD, id="a day forward at every look", marks=pytest.mark.slow),
        pytest.param(IN_1970, id="1970", marks=pytest.mark.slow),
    ],
)
def test_a_clock_that_jumps_moves_neither_bits_nor_durations(tmp_path, data, finished, shown):
    folder = tmp_path / "run"
    assert bits_of(run_tiny("--data", data, "--out", folder, before=CLOCK.format(shown=shown))) == finished[1]
    assert_same_run(folder, finished[0])
    assert_sane(folder)
    years = {IN_1970: "1970"}.get(shown)
    if years:
        assert archive.read_record(folder).started.startswith(years)


@pytest.mark.parametrize(
    ("number", "first", "second"),
    [
        pytest.param("SIGKILL", IN_2040, IN_1970, id="set back by seventy years"),
        pytest.param("SIGTERM", IN_1970, FORWARD, id="set forward", marks=pytest.mark.slow),
    ],
)
def test_a_clock_that_is_set_between_a_run_and_its_resumption_moves_nothing(
    tmp_path, data, finished, number, first, second
):
    folder = tmp_path / "run"
    before = CLOCK.format(shown=first) + KILL.format(update=4, signal=number)
    stopped = run_tiny("--data", data, "--out", folder, before=before)
    assert stopped.returncode in (-signal.SIGKILL, 128 + signal.SIGTERM)
    began = archive.read_record(folder).started
    resumed = run_tiny("--resume", folder, before=CLOCK.format(shown=second))
    assert bits_of(resumed) == finished[1]
    assert archive.read_record(folder).started == began
    assert_same_run(folder, finished[0])
    assert_sane(folder)


@pytest.mark.slow
def test_seconds_of_a_run_that_was_stopped_and_then_killed_are_not_forgotten(tmp_path, data, finished):
    folder = tmp_path / "run"
    run_tiny("--data", data, "--out", folder, before=KILL.format(update=2, signal="SIGTERM"))
    stopped = archive.read_record(folder).seconds
    run_tiny("--resume", folder, before=KILL.format(update=5, signal="SIGKILL"))
    bits_of(run_tiny("--resume", folder))
    record = archive.read_record(folder)
    assert record.seconds > record.seconds_before >= stopped > 0
