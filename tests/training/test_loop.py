"""The loop by itself: arithmetic takes the place of a network, so that every place to stop at can be tried."""

import io
import itertools
import json
import math
import os
import signal
import sys
import tempfile
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from crmn_legacy import archive, files
from crmn_legacy.archive import arrays, checkpoint, record
from crmn_legacy.archive import folder as folders
from crmn_legacy.archive.trace import Trace, read_trace
from crmn_legacy.errors import UserError
from crmn_legacy.training import RateSchedule, SpanSchedule
from crmn_legacy.training import progress as progress_module
from crmn_legacy.training.loop import Training, TrainingError
from crmn_legacy.training.progress import Stopwatch
from crmn_legacy.training.signals import Interrupted

STEPS, EPOCHS = 3, 4
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU)


class Arithmetic:
    """Stands for a compiled step: the state turns and every batch leaves its trace in it."""

    def __init__(self, losses=None, after=None):
        self.losses, self.after, self.calls = losses or {}, after, 0

    def put(self, state):
        return {name: value.copy() for name, value in state.items()}

    get = get_outputs = put

    def __call__(self, state, batch, rates=None):
        self.calls += 1
        if rates is None:
            scores = np.abs(state["w"].sum() - batch["x"])
            return state, {"losses": scores, "predicted": scores}
        number = int(batch["number"])
        w = np.roll(state["w"], 1) * 0.9 - rates["all"] * batch["x"]
        if self.after:
            self.after(number)
        return {"w": w}, {"loss": np.asarray(self.losses.get(number, np.abs(w).sum()))}


class Batches:
    """Batches that are a pure function of epoch and step, as the faces' are."""

    batch_size, steps_per_epoch = 2, STEPS

    def epochs(self, first, last, start=0):
        for number in range((first - 1) * STEPS + start + 1, last * STEPS + 1):
            yield {"x": np.random.default_rng(number).normal(size=2), "number": np.array(number)}

    def evaluation(self, jitter=False):
        assert jitter
        yield {"x": np.array([1.0, 2.0])}, 2
        yield {"x": np.array([3.0, 1e9])}, 1  # the second is filling


class Task:
    metric = "error"
    jitters_validation = True

    def score(self, predicted, batch):
        return 10 * predicted


def training(folder, step=None, epochs=EPOCHS, max_updates=None, **changes):
    parts = {
        "train": step or Arithmetic(),
        "evaluate": Arithmetic(),
        "task": Task(),
        "batches": Batches(),
        "validation": Batches(),
        "schedule": RateSchedule(0.5, (0.5, 0.1), minimum_epochs=1, patience=1, components=("all",)),
        "epochs": epochs,
        "max_updates": max_updates,
        "parameters": ["w"],
        "folder": folder,
    }
    return Training(**{**parts, **changes})


@pytest.fixture
def folder(tmp_path):
    made = archive.RunFolder(tmp_path / "run", new=True)
    begin(made)
    yield made
    made.close()


def beginning():
    state = {"w": np.array([1.0, -2.0])}
    return state, checkpoint.Progress(bits=archive.digest_tensors(state))


def begin(folder):
    folder.write_checkpoint(checkpoint.pack(*beginning()))


def stored(folder):
    arrays, _ = folder.read_checkpoint()
    return checkpoint.unpack(arrays)


def without_time(progress):
    return [replace(line, seconds=None, waited_seconds=None) for line in progress.curve]


@pytest.fixture(scope="module")
def uninterrupted():
    with tempfile.TemporaryDirectory() as place:
        folder = archive.RunFolder(Path(place) / "run", new=True)
        begin(folder)
        progress = training(folder).run(*beginning())
        weights = archive.read_arrays(folder.path / archive.WEIGHTS)
        folder.close()
    return progress, weights


def send(number, at):
    """Send this process a signal while it makes update `at`."""

    def after(update):
        if update == at:
            os.kill(os.getpid(), number)

    return after


def test_a_step_is_given_the_rates_of_what_is_trained(folder):
    given = []

    class Noting(Arithmetic):
        def __call__(self, state, batch, rates=None):
            if rates is not None:
                given.append(sorted(rates))
            return super().__call__(state, batch, rates)

    schedule = SpanSchedule(0.5, spans=(("all", EPOCHS), ("part", 2)))
    progress = training(folder, Noting(), schedule=schedule).run(*beginning())
    assert given == [["all", "part"]] * 2 * STEPS + [["all"]] * (EPOCHS - 2) * STEPS
    assert [line.rates["part"] for line in progress.curve] == [0.5, 0.5, 0, 0]


@settings(max_examples=30)
@given(st.lists(st.integers(1, STEPS * EPOCHS), min_size=1, max_size=4, unique=True))
def test_stopped_anywhere_any_number_of_times_it_ends_with_the_same_bits(uninterrupted, places):
    with tempfile.TemporaryDirectory() as place:
        folder = archive.RunFolder(Path(place) / "run", new=True)
        begin(folder)
        for at in sorted(places):
            state, progress = stored(folder)
            with pytest.raises(Interrupted):
                training(folder, Arithmetic(after=send(signal.SIGINT, at))).run(state, progress)
            # The step under way was finished and saved.
            assert stored(folder)[1].updates == at
        progress = training(folder).run(*stored(folder))
        assert progress.bits == uninterrupted[0].bits
        assert without_time(progress) == without_time(uninterrupted[0])
        weights = archive.read_arrays(folder.path / archive.WEIGHTS)
        np.testing.assert_array_equal(weights["w"], uninterrupted[1]["w"])
        folder.close()


class Killed(BaseException):
    """Stands for SIGKILL: nothing is saved on the way out."""


def kill(at):
    """Kill the run while it makes update `at`."""

    def after(update):
        if update == at:
            raise Killed

    return after


def traced_run(place, stops=()):
    """A traced run, stopped at updates by a signal or killed there; returns its last bits and its trace."""
    folder = archive.RunFolder(Path(place) / "run", new=True)
    tracing = Trace(folder.path)
    tracing.add(beginning()[0])
    begin(folder)
    for at, saved in [*stops, (None, True)]:
        state, progress = stored(folder)
        tracing.close()
        tracing = Trace(folder.path)
        tracing.cut(progress.updates, state)
        step = Arithmetic(after=send(signal.SIGINT, at) if saved else kill(at))
        try:
            progress = training(folder, step, trace=tracing).run(state, progress)
        except (Interrupted, Killed):
            assert at is not None
    tracing.close()
    folder.close()
    return progress.bits, (folder.path / archive.TRACE).read_bytes()


@settings(max_examples=20)
@given(st.lists(st.tuples(st.integers(1, STEPS * EPOCHS), st.booleans()), max_size=4, unique_by=lambda stop: stop[0]))
def test_a_trace_is_the_same_file_however_the_run_was_stopped_and_moves_no_bits(uninterrupted, stops):
    with tempfile.TemporaryDirectory() as place, tempfile.TemporaryDirectory() as other:
        bits, content = traced_run(place)
        assert bits == uninterrupted[0].bits
        assert traced_run(other, sorted(stops)) == (bits, content)
        lines = list(read_trace(Path(place) / "run"))
    assert [line.update for line in lines] == list(range(STEPS * EPOCHS + 1))
    assert [(line.epoch, line.step) for line in lines[1:]] == [
        (epoch, step) for epoch in range(1, EPOCHS + 1) for step in range(1, STEPS + 1)
    ]
    losses = [loss for line in uninterrupted[0].curve for loss in line.losses[:-1]]
    assert [line.loss for line in lines[1:]] == losses


def test_a_trace_that_cannot_be_written_is_told_and_the_checkpoint_stands(folder):
    tracing = Trace(folder.path)
    tracing.add(beginning()[0])
    tracing.close()
    full = pytest.raises(UserError, match=r"No space left on device.*a whole checkpoint is kept: mend it")
    with open("/dev/full", "wb", buffering=0) as tracing._file, full:
        training(folder, trace=tracing).run(*beginning())
    assert stored(folder)[1].updates == 0


@pytest.mark.parametrize("number", STOPPING)
def test_interruption_names_its_signal_and_gives_the_handlers_back(folder, number):
    before = signal.getsignal(number)
    with pytest.raises(Interrupted) as stop:
        training(folder, Arithmetic(after=send(number, 2))).run(*beginning())
    assert stop.value.number == number
    assert signal.getsignal(number) is before
    assert stored(folder)[1].updates == 2


@pytest.mark.parametrize("number", [number for number in STOPPING if number != signal.SIGINT])
def test_a_scheduler_may_send_its_signals_again_and_again(folder, number):
    def often(update):
        if update == 5:
            for each in (number, number, signal.SIGTERM, number):
                os.kill(os.getpid(), each)

    with pytest.raises(Interrupted) as stop:
        training(folder, Arithmetic(after=often)).run(*beginning())
    assert stop.value.number == number
    assert stored(folder)[1].updates == 5


def test_a_second_ctrl_c_while_the_checkpoint_is_written_waits_for_it(folder, monkeypatch):
    write = folder.write_checkpoint

    def impatient(arrays):
        os.kill(os.getpid(), signal.SIGINT)
        write(arrays)

    monkeypatch.setattr(folder, "write_checkpoint", impatient)
    with pytest.raises(Interrupted):
        training(folder, Arithmetic(after=send(signal.SIGINT, 2))).run(*beginning())
    assert stored(folder)[1].updates == 2


def test_each_epochs_line_says_whether_it_is_the_best_and_what_is_left(folder, capsys):
    progress = training(folder).run(*beginning())
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == EPOCHS
    for said, line in zip(lines, progress.curve, strict=True):
        assert ("; best" in said) == (line.weights is not None)
        assert ("; left " in said) == (line.epoch < EPOCHS)


def test_in_another_thread_than_the_main_one_the_loop_takes_no_signals(folder, uninterrupted):
    ended = []
    thread = threading.Thread(target=lambda: ended.append(training(folder).run(*beginning())))
    thread.start()
    thread.join()
    assert ended[0].bits == uninterrupted[0].bits


def test_a_reader_that_has_left_stops_the_run_with_its_epoch_saved(folder, monkeypatch):
    monkeypatch.setattr(sys, "stdout", open_closed_pipe())
    with pytest.raises(Interrupted) as stop:
        training(folder).run(*beginning())
    assert stop.value.number == signal.SIGPIPE
    assert stored(folder)[1].updates == STEPS


def open_closed_pipe():
    reading, writing = os.pipe()
    os.close(reading)

    class Pipe(io.FileIO):
        def write(self, text):
            return super().write(text.encode())

    return Pipe(writing, "w")


def test_second_signal_stops_at_once_and_the_former_checkpoint_stands(folder):
    step = Arithmetic()

    def twice(update):
        if update == 5:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

    step.after = twice
    with pytest.raises(KeyboardInterrupt):
        training(folder, step).run(*beginning())
    assert stored(folder)[1].updates == STEPS


def test_signal_while_the_validation_goes_on_waits_for_the_epochs_end(folder):
    class Signalling(Arithmetic):
        def __call__(self, *arguments):
            if not self.calls:
                os.kill(os.getpid(), signal.SIGTERM)
            return super().__call__(*arguments)

    with pytest.raises(Interrupted):
        training(folder, evaluate=Signalling()).run(*beginning())
    _, progress = stored(folder)
    assert (progress.epoch, progress.step, len(progress.curve)) == (2, 0, 1)


@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(("number", "epoch", "step"), [(1, 1, 1), (5, 2, 2), (6, 2, 3), (12, 4, 3)])
def test_loss_that_is_not_finite_stops_the_run_and_keeps_the_last_good_checkpoint(folder, loss, number, epoch, step):
    with pytest.raises(TrainingError) as error:
        training(folder, Arithmetic(losses={number: loss})).run(*beginning())
    message = str(error.value)
    assert f"the loss is {loss} at epoch {epoch}, step {step}" in message
    assert f"end of epoch {epoch - 1}" in message and str(folder.path) in message
    state, progress = stored(folder)
    assert progress.updates == (epoch - 1) * STEPS
    assert np.isfinite(state["w"]).all()


def test_signal_at_the_very_step_whose_loss_is_nan_saves_nothing(folder):
    step = Arithmetic(losses={5: math.nan}, after=send(signal.SIGINT, 5))
    with pytest.raises(TrainingError, match="epoch 2, step 2"):
        training(folder, step).run(*beginning())
    assert stored(folder)[1].updates == STEPS


def test_validation_loss_that_is_not_finite_stops_the_run(folder):
    class Broken(Arithmetic):
        def __call__(self, state, batch, rates=None):
            return state, {"losses": np.array([math.nan, 1.0]), "predicted": np.zeros(2)}

    with pytest.raises(TrainingError, match=r"at epoch 1, validation; .*: try more updates before it"):
        training(folder, evaluate=Broken()).run(*beginning())
    assert not (folder.path / archive.WEIGHTS).exists()


@pytest.mark.parametrize("updates", [1, 3, 4, 7])
def test_a_number_of_updates_ends_the_run_whatever_the_epoch(folder, updates):
    step = Arithmetic()
    progress = training(folder, step, max_updates=updates).run(*beginning())
    assert progress.updates == step.calls == updates
    assert [line.updates for line in progress.curve] == [*range(STEPS, updates, STEPS), updates]


def test_a_limited_run_that_was_stopped_ends_with_the_same_bits(folder, tmp_path):
    other = archive.RunFolder(tmp_path / "other", new=True)
    expected = training(other, max_updates=5).run(*beginning())
    with pytest.raises(Interrupted):
        training(folder, Arithmetic(after=send(signal.SIGINT, 4)), max_updates=5).run(*beginning())
    progress = training(folder, max_updates=5).run(*stored(folder))
    assert progress.bits == expected.bits
    other.close()


def test_best_weights_are_those_of_the_least_validation_loss(folder):
    seen = []

    class Noting(Arithmetic):
        def __call__(self, state, batch, rates=None):
            losses = [3.0, 1.0, 2.0, 1.0][len(seen) // 2]
            seen.append(state["w"].copy())
            return state, {"losses": np.full(2, losses), "predicted": np.zeros(2)}

    progress = training(folder, evaluate=Noting()).run(*beginning())
    assert progress.schedule.best_epoch == 2
    np.testing.assert_array_equal(archive.read_arrays(folder.path / archive.WEIGHTS)["w"], seen[2])


def test_validation_leaves_out_what_fills_the_last_batch(folder):
    loss, score = training(folder).validate({"w": np.zeros(2)}, Stopwatch())
    assert loss == pytest.approx(2.0)
    assert score == pytest.approx(20.0)


def test_an_epoch_tells_how_long_it_waited_for_batches(folder, monkeypatch):
    moments = itertools.count()
    monkeypatch.setattr(progress_module.time, "monotonic", lambda: next(moments))  # a second between two looks
    first, *_ = training(folder).run(*beginning()).curve
    # Of each training batch; of the validation's two, and of its end.
    assert first.waited_seconds == STEPS + 3
    assert first.seconds > first.waited_seconds
    assert archive.read_curve(folder.path)[0] == first


def test_batches_of_no_epoch_but_the_run_s_are_drawn(folder):
    drawn = []

    class Noting(Batches):
        def epochs(self, first, last, start=0):
            for batch in super().epochs(first, last, start):
                drawn.append(int(batch["number"]))
                yield batch

    training(folder, batches=Noting(), max_updates=STEPS + 1).run(*beginning())
    assert drawn == [1, 2, 3, 4]


def test_curve_has_a_line_an_epoch_with_rates_losses_and_a_chain_of_bits(folder):
    progress = training(folder).run(*beginning())
    lines = archive.read_curve(folder.path)
    assert lines == progress.curve
    assert [line.epoch for line in lines] == [1, 2, 3, 4]
    assert all(len(line.losses) == STEPS + 1 for line in lines)
    shifts = [0, *(line.shifts for line in lines)]
    for line, made in zip(lines, shifts, strict=False):
        assert line.rates == {"all": pytest.approx(0.5 * [1, 0.5, 0.05][made])}
        assert line.train_loss == pytest.approx(np.mean(line.losses[:-1]))
        assert line.validation_loss == line.losses[-1]
    before = archive.digest_tensors(beginning()[0])
    state, _ = stored(folder)
    assert lines[-1].bits == archive.digest_tensors(state, lines[-1].losses, lines[-2].bits)
    assert before not in {line.bits for line in lines}


@pytest.mark.parametrize("name", [archive.WEIGHTS, archive.CHECKPOINT, archive.CURVE])
def test_full_disk_at_any_file_keeps_a_whole_checkpoint(folder, monkeypatch, uninterrupted, name):
    write_whole, seen = files.write_whole, []

    def full(path, content):
        seen.append(Path(path).name)
        if Path(path).name == name and seen.count(name) == 2:
            raise UserError(f"got '{path}', which cannot be written (No space left on device)")
        write_whole(path, content)

    for module in (arrays, folders, record):
        monkeypatch.setattr(module, "write_whole", full)
    schedule = RateSchedule(0.5, (0.5, 0.1), minimum_epochs=1, patience=1, components=("all",))
    with pytest.raises(UserError, match="a whole checkpoint is kept: mend it, then --resume"):
        training(folder, schedule=schedule).run(*beginning())
    monkeypatch.undo()
    progress = training(folder).run(*stored(folder))
    assert progress.bits == uninterrupted[0].bits


def test_no_hard_links_and_the_former_checkpoint_is_kept_all_the_same(folder, monkeypatch):
    def refuse(*arguments, **keywords):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    training(folder).run(*beginning())
    former = archive.read_arrays(folder.path / archive.FORMER_CHECKPOINT)
    assert json.loads(str(former["progress"]))["epoch"] == EPOCHS
    assert stored(folder)[1].epoch == EPOCHS + 1
