"""What is said while a run goes on: a bar on a terminal, plain lines elsewhere."""

import io
import types

import pytest

from crmn_legacy.archive.checkpoint import Progress
from crmn_legacy.archive.record import Epoch
from crmn_legacy.training import progress as module

TRAINING = types.SimpleNamespace(batches=types.SimpleNamespace(batch_size=4), epochs=9)


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_on_a_terminal_a_bar_counts_pictures_and_shows_epoch_step_and_loss(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(module.sys, "stderr", terminal)
    with module.report(TRAINING, Progress(epoch=2), steps=5) as reporting:
        for step in range(1, 6):
            reporting.step(Progress(epoch=2, step=step, losses=[0.5] * (step - 1)))
            reporting._bar.refresh()
        assert reporting._bar.n == 20
    said = terminal.getvalue()
    assert "epoch 2/9" in said and "step 5, loss 0.5" in said and "pictures/s" in said and "20/20" in said


def test_elsewhere_a_line_now_and_then(monkeypatch, capsys):
    clock = iter([0.0, 10.0, 31.0, 40.0, 62.0])
    monkeypatch.setattr(module, "time", types.SimpleNamespace(monotonic=lambda: next(clock)))
    with module.report(TRAINING, Progress(epoch=2, step=3), steps=6) as reporting:
        for step in range(4, 8):
            reporting.step(Progress(epoch=2, step=step, losses=[0.25]))
    lines = capsys.readouterr().out.splitlines()
    # Two updates of four pictures in 31 s; then four in 62 s, two are left at 15.5 s each.
    assert lines == [
        "epoch 2/9, step 5: loss 0.25, 0.3 pictures a second, 62 s left in the epoch",
        "epoch 2/9, step 7: loss 0.25, 0.3 pictures a second, 31 s left in the epoch",
    ]


def test_before_the_first_loss_is_known_nothing_is_said(monkeypatch, capsys):
    monkeypatch.setattr(module, "_INTERVAL", 0.0)
    with module.report(TRAINING, Progress(), steps=6) as reporting:
        reporting.step(Progress(step=1))
    assert capsys.readouterr().out == ""


def test_an_epochs_line_has_its_losses_error_rates_and_time(capsys):
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
    )
    module.print_epoch(line, 9, "error")
    assert capsys.readouterr().out == (
        "epoch 3/9: loss 1.25, validation loss 2.5, error 12.30%; rates: resnet 0.01 lstm 0.1; 4.5 s\n"
    )


def test_a_bar_is_closed_when_the_epoch_breaks_off(monkeypatch):
    monkeypatch.setattr(module.sys, "stderr", Terminal())
    with pytest.raises(ZeroDivisionError), module.report(TRAINING, Progress(), steps=2) as reporting:
        raise ZeroDivisionError
    assert reporting._bar.disable
