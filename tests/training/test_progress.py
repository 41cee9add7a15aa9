"""What is said while a run goes on: a bar on a terminal, plain lines elsewhere."""

import fcntl
import io
import itertools
import os
import pty
import re
import struct
import termios
import types

import pytest

from crmn_legacy.archive.checkpoint import Progress
from crmn_legacy.archive.record import Epoch
from crmn_legacy.training import progress as module


class Clock:
    """A monotonic clock that a test sets."""

    now = 100.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def a_run(epochs=9, max_updates=None):
    """What the reports read of a `Training`: epochs of ten updates of four pictures."""
    batches = types.SimpleNamespace(batch_size=4, steps_per_epoch=10)
    return types.SimpleNamespace(batches=batches, epochs=epochs, max_updates=max_updates)


def at(epoch, step, **changes):
    """The progress after so many updates of an epoch."""
    return Progress(epoch=epoch, step=step, updates=(epoch - 1) * 10 + step, **changes)


# --- how much is left


def test_the_time_left_is_of_the_whole_run_at_the_pace_of_its_updates_and_validations(clock):
    pace = module.Pace(a_run(epochs=3))
    assert pace.left(at(1, 0)) is None
    clock.now += 1000  # compiles
    pace.count(at(1, 1))
    assert pace.left(at(1, 1)) is None
    for step in range(2, 11):
        clock.now += 2
        pace.count(at(1, step))
    assert pace.update(at(1, 10)) == 2
    assert pace.left(at(1, 10)) == 2 * 20
    clock.now += 18  # validates
    assert pace.left(at(2, 0, curve=[])) == (9 * 2 + 18) / 9 * 20


@pytest.mark.parametrize(("max_updates", "updates_left"), [(None, 25), (12, 7), (15, 10)])
def test_the_time_left_ends_with_the_steps_that_were_asked_for(clock, max_updates, updates_left):
    pace = module.Pace(a_run(epochs=3, max_updates=max_updates))
    pace.count(at(1, 4))
    clock.now += 3
    pace.count(at(1, 5))
    assert pace.left(at(1, 5)) == 3 * updates_left


def test_a_stopwatch_counts_what_batches_are_waited_for_and_not_what_is_done_with_them(clock):
    def slow():
        for batch in "ab":
            clock.now += 3
            yield batch

    watch = module.Stopwatch()
    for batch in watch.waiting(slow()):
        clock.now += 0.5
        assert (
            watch.times()
            == {"a": {"seconds": 3.5, "waited_seconds": 3}, "b": {"seconds": 7, "waited_seconds": 6}}[batch]
        )
    assert watch.times() == {"seconds": 7, "waited_seconds": 6}


def test_a_batch_that_cannot_be_made_is_waited_for_too(clock):
    def failing():
        clock.now += 2
        raise OSError("gone")
        yield

    watch = module.Stopwatch()
    with pytest.raises(OSError, match="gone"):
        list(watch.waiting(failing()))
    assert watch.times()["waited_seconds"] == 2


def test_a_resumed_run_goes_by_its_own_pace_and_a_night_that_it_stood_still_is_forgotten(clock):
    pace = module.Pace(a_run(epochs=100))
    place = at(40, 7)
    for epoch, step in [(40, 8), (40, 9), (40, 10), *itertools.product(range(41, 46), range(1, 11))]:
        place = at(epoch, step)
        pace.count(place)
        if (epoch, step) == (40, 10):
            assert pace.update(place) == 5
            clock.now += 30_000
        clock.now += 5
    assert pace.update(place) == pytest.approx(5, rel=0.1)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        *[(0, "0 s"), (59.4, "59 s"), (59.6, "1 min"), (3569, "59 min"), (3590, "1 h 0 min")],
        *[(7500, "2 h 5 min"), (86390, "1 d 0 h"), (349200, "4 d 1 h")],
    ],
)
def test_a_time_in_words(seconds, words):
    assert module.duration(seconds) == words


# --- the bar


class Terminal(io.StringIO):
    def isatty(self):
        return True


SHORT = {"epoch": (12, 100), "steps": (30, 45), "loss": 0.012345, "speeds": ("1.2 s/epoch", "44.1 pictures/s")}
LONG = {"epoch": (9999, 10000), "steps": (1200, 3148), "loss": 1.23456e-05, "speeds": ("21 min/epoch", "44 pictures/s")}


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (200, f"epoch 12/100  [{'#' * 26}{'-' * 14}]  30/45  loss 0.012345  1.2 s/epoch  44.1 pictures/s  left 2 min"),
        (80, "epoch 12/100  [###########------]  30/45  loss 0.012345  1.2 s/epoch  left 2 min"),
        (60, "epoch 12/100  [######----]  30/45  loss 0.012345  left 2 min"),
        (40, "epoch 12/100  loss 0.012345  left 2 min"),
        (20, "loss 0.012345"),
    ],
)
def test_a_bar_in_each_width(width, line):
    assert module.bar_line(width, **SHORT, left=130) == line


@pytest.mark.parametrize("width", range(5, 210))
@pytest.mark.parametrize("run", [SHORT, LONG])
def test_no_line_is_too_long_and_what_is_cut_is_the_loss_last(width, run):
    for left in (None, 3.0, 123_456.0):
        line = module.bar_line(width, **run, left=left)
        assert len(line) <= width
        assert f"loss {run['loss']:.5g}" in line or width < 16
        bar = re.search(r"\[(#*-*)\]", line)
        assert (bar is not None and len(bar[1]) >= 10) or width < 80


def test_a_bar_is_empty_at_first_and_full_in_the_end():
    assert "[----------]  0/3" in module.bar_line(28, (1, 9), (0, 3))
    assert "[##########]  3/3" in module.bar_line(28, (1, 9), (3, 3))


def shown(monkeypatch, clock, terminal, columns="80"):
    """What a terminal gets of an epoch that was resumed at its fifth update."""
    monkeypatch.setattr(module.sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", columns)
    training = a_run()
    pace = module.Pace(training)
    with module.report(training, at(2, 4), 6, pace) as reporting:
        for step in range(5, 11):
            clock.now += 60
            pace.count(at(2, step))
            reporting.step(at(2, step, losses=[0.5] * (step - 1)))
            with reporting._shown():
                reporting._bar.refresh()
    assert reporting._bar.disable


def test_on_a_terminal_a_bar_shows_epoch_steps_loss_speed_and_time_left(monkeypatch, clock):
    terminal = Terminal()
    shown(monkeypatch, clock, terminal)
    lines = terminal.getvalue().split("\r")
    assert any(re.match(r"epoch 2/9  \[#{6,}-{6,}\]  4/10", line) for line in lines)
    assert any(re.match(r"epoch 2/9  \[#+\]  10/10  loss 0.5  10 min/epoch  left 1 h 10 min", line) for line in lines)
    assert "/s" not in terminal.getvalue()
    assert lines[-1].strip() == "" or lines[-2].strip() == ""  # it is wiped away


@pytest.mark.parametrize(
    ("columns", "told", "has_bar"),
    [(0, "", True), (40, "", False), (80, "", True), (0, "40", False), (80, "40", False)],
)
def test_the_bar_is_as_wide_as_the_terminal_or_80_where_that_is_not_known(monkeypatch, clock, columns, told, has_bar):
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 24, columns, 0, 0))
    with os.fdopen(theirs, "w") as terminal:
        shown(monkeypatch, clock, terminal, told)
        terminal.flush()
        said = b""
        while not said.endswith(b"\r"):
            said += os.read(ours, 4096)
    os.close(ours)
    last = [line for line in said.decode().split("\r") if line.strip()][-1]
    assert "loss 0.5" in last and "left 1 h 10 min" in last
    assert len(last) <= int(told or columns or 80)
    assert ("[####" in last) == has_bar


def test_a_terminal_that_is_gone_costs_the_bar_alone(monkeypatch, clock):
    class Gone(Terminal):
        tried = 0

        def write(self, text):
            self.tried += 1
            raise OSError(5, "Input/output error")

    terminal = Gone()
    shown(monkeypatch, clock, terminal)
    assert terminal.tried and terminal.getvalue() == ""


def test_a_terminal_that_goes_costs_the_bar_alone(monkeypatch, clock):
    class Going(Terminal):
        def write(self, text):
            if clock.now > 300:
                raise OSError(5, "Input/output error")
            return super().write(text)

    terminal = Going()
    shown(monkeypatch, clock, terminal)
    assert "6/10" in terminal.getvalue() and "10/10" not in terminal.getvalue()


def test_a_terminal_that_cannot_go_back_in_a_line_has_plain_lines(monkeypatch):
    monkeypatch.setattr(module.sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "dumb")
    with module.report(a_run(), at(1, 0), 10, module.Pace(a_run())) as reporting:
        assert isinstance(reporting, module._Lines)


def test_a_bar_is_closed_when_the_epoch_breaks_off(monkeypatch):
    monkeypatch.setattr(module.sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    report = module.report(a_run(), Progress(), 2, module.Pace(a_run()))
    with pytest.raises(ZeroDivisionError), report as reporting:
        raise ZeroDivisionError
    assert reporting._bar.disable


# --- plain lines


def test_elsewhere_a_line_now_and_then(clock, capsys):
    training = a_run()
    pace = module.Pace(training)
    with module.report(training, at(2, 3), 7, pace) as reporting:
        for step, now in ((4, 110.0), (5, 131.0), (6, 140.0), (7, 162.0)):
            clock.now = now
            place = at(2, step, losses=[0.25])
            pace.count(place)
            reporting.step(place)
    # Two updates of four pictures in 31 s, five are left; then four in 62 s, three are left. Of the run 75 and 73.
    assert capsys.readouterr().out.splitlines() == [
        "epoch 2/9, step 5: loss 0.25, 0.3 pictures a second, 1 min left in the epoch, 26 min in the run",
        "epoch 2/9, step 7: loss 0.25, 0.3 pictures a second, 46 s left in the epoch, 21 min in the run",
    ]


def test_before_the_first_loss_is_known_nothing_is_said(monkeypatch, capsys):
    monkeypatch.setattr(module, "_INTERVAL", 0.0)
    with module.report(a_run(), Progress(), 6, module.Pace(a_run())) as reporting:
        reporting.step(Progress(step=1))
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("jitters", [True, False])
@pytest.mark.parametrize(
    ("weights", "left", "end"),
    [(None, None, ""), (None, 0.0, ""), (None, 125.0, "; left 2 min"), ("sha256:", 125.0, "; best; left 2 min")],
)
def test_an_epochs_line_has_losses_score_rates_and_time_and_whether_it_is_the_best(capsys, weights, left, end, jitters):
    line = Epoch(
        epoch=3,
        updates=6,
        losses=[1.25, 2.5],
        bits="",
        train_loss=1.25,
        validation_loss=2.5,
        validation_error=0.123,
        rates={"resnet": 0.01, "lstm": 0.1},
        seconds=4.5,
        weights=weights,
    )
    task = types.SimpleNamespace(metric="error", jitters_validation=jitters)
    module.print_epoch(line, types.SimpleNamespace(epochs=9, task=task), left)
    told = " (jittered)" if jitters else ""
    assert capsys.readouterr().out == (
        f"epoch 3/9: loss 1.25, validation loss 2.5, error 12.30%{told}; rates: resnet 0.01 lstm 0.1; 4.5 s{end}\n"
    )
