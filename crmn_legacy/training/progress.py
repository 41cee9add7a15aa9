"""What a user sees while a run goes on: a bar on a terminal, plain lines elsewhere."""

import contextlib
import os
import shutil
import sys
import time
from collections import deque

# Seconds between two plain lines within an epoch.
_INTERVAL = 30.0
# Characters between the brackets of a bar.
_LEAST_BAR, _MOST_BAR = 10, 40


class Stopwatch:
    """How long an epoch takes, and how much of that time is spent in waiting for batches."""

    def __init__(self):
        self._began = time.monotonic()
        self._waited = 0.0

    def waiting(self, batches):
        """The same batches; what each is waited for counts."""
        batches = iter(batches)
        while True:
            began = time.monotonic()
            try:
                batch = next(batches)
            except StopIteration:
                return
            finally:
                self._waited += time.monotonic() - began
            yield batch

    def times(self):
        """What an `Epoch` says of them: ``seconds``, ``waited_seconds`` (dict of str to float)."""
        seconds = {"seconds": time.monotonic() - self._began, "waited_seconds": self._waited}
        return {name: round(value, 3) for name, value in seconds.items()}


class Pace:
    """How fast this process trains, and how long the run will take at that pace.

    Validations and checkpoints count, other processes' epochs don't, nor does the first update, which may compile.
    It is that of the last few epochs, so that a run that stood still for a night is forgotten by and by.

    Parameters
    ----------
    training : crmn_legacy.training.loop.Training
    """

    def __init__(self, training):
        self._training = training
        # When a process made its first update, and the first of each of the last epochs.
        self._marks = deque(maxlen=3)

    def count(self, progress):
        """To be called after each update."""
        if not self._marks or progress.step == 1:
            self._marks.append((time.monotonic(), progress.updates))

    def update(self, progress):
        """Seconds an update, or None while that is not known."""
        if not self._marks or progress.updates == self._marks[0][1]:
            return None
        began, first = self._marks[0]
        return (time.monotonic() - began) / (progress.updates - first)

    def left(self, progress):
        """Seconds until the run ends, or None while that is not known."""
        training, seconds = self._training, self.update(progress)
        if seconds is None:
            return None
        updates = (training.epochs + 1 - progress.epoch) * training.batches.steps_per_epoch - progress.step
        if training.max_updates is not None:
            updates = min(updates, training.max_updates - progress.updates)
        return updates * seconds


@contextlib.contextmanager
def report(training, progress, steps, pace):
    """Report an epoch under way; yields an object whose `step(progress)` is called after each update."""
    reporter = _Bar if sys.stderr.isatty() and os.environ.get("TERM") != "dumb" else _Lines
    reporting = reporter(training, progress, steps, pace)
    try:
        yield reporting
    finally:
        reporting.close()


def print_epoch(line, training, left=None):
    """Print an epoch (`Epoch`), a line of ``curve.jsonl``, and the seconds that are left of the run."""
    # `evaluate` scores the same pictures without jitter, and finds another number.
    jittered = " (jittered)" if training.task.jitters_validation else ""
    rates = " ".join(f"{name} {rate:g}" for name, rate in line.rates.items())
    best = "; best" if line.weights else ""
    rest = f"; left {duration(left)}" if left else ""
    print(
        f"epoch {line.epoch}/{training.epochs}: loss {line.train_loss:.5g}, validation loss "
        f"{line.validation_loss:.5g}, {training.task.metric} {100 * line.score:.2f}%{jittered}; rates: {rates}; "
        f"{line.seconds:.1f} s{best}{rest}",
        flush=True,
    )


def duration(seconds):
    """A time in words, of two units at most: ``45 s``, ``3 min``, ``2 h 5 min``, ``4 d 1 h``."""
    if round(seconds) < 60:
        return f"{round(seconds)} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 24 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    hours = round(minutes / 60)
    return f"{hours // 24} d {hours % 24} h"


def bar_line(width, epoch, steps, loss=None, speeds=(), left=None):
    """An epoch under way in one line of at most `width` characters.

    Parameters
    ----------
    width : int
    epoch, steps : tuple of int
        The one at hand, and how many there are.
    loss, left : float, optional
        Of the last update; seconds until the run ends.
    speeds : sequence of str
        The more important first.

    Returns
    -------
    str
        Where there is little room the speeds give way first, then the bar, the steps and the time that is left, and
        the loss last.
    """
    name, counted = f"epoch {epoch[0]}/{epoch[1]}", f"{steps[0]}/{steps[1]}"
    tail = [] if left is None else [f"left {duration(left)}"]
    known = [] if loss is None else [f"loss {loss:.5g}"]
    for shown in range(len(speeds), -1, -1):
        words = [counted, *known, *speeds[:shown], *tail]
        room = min(_MOST_BAR, width - len("  ".join([name, "[]", *words])))
        if room >= _LEAST_BAR:
            done = room * steps[0] // steps[1]
            return "  ".join([name, f"[{'#' * done}{'-' * (room - done)}]", *words])
    for words in ([name, counted, *known, *tail], [name, *known, *tail], [name, *known], [name[6:], *known]):
        line = "  ".join(words)
        if len(line) <= width:
            return line
    return "  ".join(known or [counted])[:width]


class _Bar:
    """The line of `bar_line`, rewritten in its place; one that cannot be shown is done without."""

    def __init__(self, training, progress, steps, pace):
        self._training, self._pace, self._steps = training, pace, progress.step + steps
        from tqdm import tqdm

        # tqdm says when a line is due, and how wide the terminal is at that moment. The delay lets no line be written
        # before there is a bar to do without.
        self._bar = tqdm(
            total=self._steps,
            initial=progress.step,
            bar_format="{desc}",
            leave=False,
            dynamic_ncols=True,
            delay=1e-9,
        )
        # Some terminals, such as a container's, say that they have no columns; a user may say how many.
        if os.environ.get("COLUMNS") or (self._bar.format_dict["ncols"] or 0) < 1:
            self._bar.dynamic_ncols, self._bar.ncols = None, shutil.get_terminal_size().columns
        with self._shown():
            self._bar.set_description_str(self._line(progress))

    def step(self, progress):
        with self._shown():
            self._bar.set_description_str(self._line(progress), refresh=False)
            self._bar.update()

    def _line(self, progress):
        width = self._bar.format_dict["ncols"]
        seconds, speeds = self._pace.update(progress), []
        if seconds:
            epoch = seconds * self._training.batches.steps_per_epoch
            speeds.append(f"{f'{epoch:.1f} s' if epoch < 100 else duration(epoch)}/epoch")
            speeds.append(f"{self._training.batches.batch_size / seconds:.1f} pictures/s")
        return bar_line(
            width,
            (progress.epoch, self._training.epochs),
            (progress.step, self._steps),
            progress.losses[-1] if progress.losses else None,
            speeds,
            self._pace.left(progress),
        )

    @contextlib.contextmanager
    def _shown(self):
        try:
            yield
        except OSError:  # the terminal is gone
            self._bar.disable = True

    def close(self):
        with self._shown():
            self._bar.close()


class _Lines:
    """A line now and then."""

    def __init__(self, training, progress, steps, pace):
        self._training, self._steps, self._pace = training, steps, pace
        self._first = progress.step
        self._started = self._last = time.monotonic()

    def step(self, progress):
        now = time.monotonic()
        if now - self._last < _INTERVAL or not progress.losses:
            return
        self._last = now
        done = progress.step - self._first
        speed = done * self._training.batches.batch_size / (now - self._started)
        left = (self._steps - done) * (now - self._started) / done
        run = self._pace.left(progress)
        whole = "" if run is None else f", {duration(run)} in the run"
        print(
            f"epoch {progress.epoch}/{self._training.epochs}, step {progress.step}: loss {progress.losses[-1]:.5g}, "
            f"{speed:.1f} pictures a second, {duration(left)} left in the epoch{whole}",
            flush=True,
        )

    def close(self):
        pass
