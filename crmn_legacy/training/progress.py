"""What a user sees while a run goes on: a bar on a terminal, plain lines elsewhere."""

import sys
import time
from contextlib import contextmanager

# Seconds between two plain lines within an epoch.
_INTERVAL = 30.0


@contextmanager
def report(training, progress, steps):
    """Report an epoch under way; yields an object whose `step(progress)` is called after each update."""
    reporter = _Bar if sys.stderr.isatty() else _Lines
    reporting = reporter(training, progress, steps)
    try:
        yield reporting
    finally:
        reporting.close()


def print_epoch(line, epochs, metric):
    """Print an epoch (`Epoch`), a line of ``curve.jsonl``."""
    rates = " ".join(f"{name} {rate:g}" for name, rate in line.rates.items())
    print(
        f"epoch {line.epoch}/{epochs}: loss {line.train_loss:.5g}, validation loss "
        f"{line.validation_loss:.5g}, {metric} {100 * line.score:.2f}%; rates: {rates}; "
        f"{line.seconds:.1f} s",
        flush=True,
    )


class _Bar:
    """tqdm: epoch, step, loss, pictures a second, time left."""

    def __init__(self, training, progress, steps):
        from tqdm import tqdm

        self._pictures = training.batches.batch_size
        self._bar = tqdm(
            total=steps * self._pictures,
            unit=" pictures",
            desc=f"epoch {progress.epoch}/{training.epochs}",
            leave=False,
            dynamic_ncols=True,
        )

    def step(self, progress):
        self._bar.update(self._pictures)
        if progress.losses:
            self._bar.set_postfix_str(f"step {progress.step}, loss {progress.losses[-1]:.5g}", refresh=False)

    def close(self):
        self._bar.close()


class _Lines:
    """A line now and then."""

    def __init__(self, training, progress, steps):
        self._training, self._steps = training, steps
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
        print(
            f"epoch {progress.epoch}/{self._training.epochs}, step {progress.step}: loss {progress.losses[-1]:.5g}, "
            f"{speed:.1f} pictures a second, {left:.0f} s left in the epoch",
            flush=True,
        )

    def close(self):
        pass
