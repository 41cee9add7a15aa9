"""The loop: epochs of updates, a validation after each, the best weights kept, a checkpoint that resumes exactly."""

import math
from collections.abc import Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass

import numpy as np

from crmn_legacy import archive
from crmn_legacy.archive import checkpoint
from crmn_legacy.archive.record import Epoch
from crmn_legacy.archive.trace import Trace
from crmn_legacy.errors import UserError
from crmn_legacy.training.progress import Pace, Stopwatch, print_epoch, report
from crmn_legacy.training.protocols import Batches, EvaluationStep, Observer, Schedule, Task, TrainingStep
from crmn_legacy.training.signals import Interrupted, Signals


class TrainingError(Exception):
    """The run cannot go on, through no mistake of its command line; told in one line."""


@dataclass
class Training:
    """What the loop needs.

    Attributes
    ----------
    train : TrainingStep
        Of whatever is trained in an epoch.
    evaluate : EvaluationStep
    task : Task
        Scores predictions.
    batches, validation : Batches
        The training and the validation part.
    schedule : Schedule
        Of the learning rates.
    epochs : int
        The last epoch's number.
    max_updates : int or None
        Updates after which the run ends, whatever the epoch.
    parameters : list of str
        Names of what weights files hold.
    folder : crmn_legacy.archive.RunFolder
        Where all is written.
    trace : crmn_legacy.archive.trace.Trace or None
        Takes a digest of every tensor after every update.
    observers : sequence of Observer
        Who else is told how it goes.
    """

    train: TrainingStep
    evaluate: EvaluationStep
    task: Task
    batches: Batches
    validation: Batches
    schedule: Schedule
    epochs: int
    max_updates: int | None
    parameters: list[str]
    folder: archive.RunFolder
    trace: Trace | None = None
    observers: Sequence[Observer] = ()

    def run(self, state, progress, signals=None):
        """Train until the end, from a state and a progress between two updates.

        Parameters
        ----------
        state : dict of str to array
            Of the host; the training step's. Emptied, so that it does not fill memory beside the device's copy.
        progress : Progress
            Where it stands.
        signals : Signals, optional
            Where the caller remembers signals already.

        Returns
        -------
        Progress

        Raises
        ------
        TrainingError
            A loss is NaN or infinite.
        UserError
            Something cannot be written; the former checkpoint is kept.
        Interrupted
            By ctrl-C, another signal that ends a process, or the end of who reads the output (``| head``), once the
            step is done and the checkpoint written.
        """
        host, state = state, self.train.put(state)
        host.clear()
        pace = Pace(self)
        # Of all epochs, so that the first batches of the next are prepared while this one is validated.
        batches = self.batches.epochs(progress.epoch, self.epochs, start=progress.step)
        with nullcontext(signals) if signals else Signals() as signals, closing(batches):
            while progress.epoch <= self.epochs and not self._enough(progress):
                state = self._epoch(state, progress, signals, pace, batches)
        return progress

    def _enough(self, progress):
        return self.max_updates is not None and progress.updates >= self.max_updates

    def _epoch(self, state, progress, signals, pace, batches):
        watch = Stopwatch()
        pending, rates = None, None
        trained = self.schedule.trained(progress.epoch)
        steps_left = self._steps_of_epoch(progress) - progress.step
        with report(self, progress, steps_left, pace) as reporting:
            # The number first: no batch is drawn of the next epoch.
            for _, batch in zip(range(steps_left), watch.waiting(batches), strict=False):
                rates = self.schedule.rates(progress.schedule, progress.epoch, progress.updates + 1)
                state, outputs = self.train(state, batch, {name: rates[name] for name in trained})
                progress.step += 1
                progress.updates += 1
                # The loss of the step before: waiting for this one's would leave the device idle.
                self._count(pending, progress)
                pending = outputs
                self._trace_update(state, outputs, progress)
                self._tell("updated", progress)
                pace.count(progress)
                with signals.output():
                    reporting.step(progress)
                if signals.stop_after(progress.updates):
                    break
            self._count(pending, progress)
            self._tell("updated", progress)
        if signals.caught:
            with signals.held():
                self._write(self.train.get(state), progress)
            raise Interrupted(signals.caught)
        if rates is None:  # interrupted after the last update of the epoch
            rates = self.schedule.rates(progress.schedule, progress.epoch, progress.updates)
        line, host, weights = self._end_epoch(state, progress, rates, watch)
        self._tell("ended", line)
        with signals.held():
            self._write(host, progress, weights)
        with signals.output():
            print_epoch(line, self, pace.left(progress))
        if signals.caught:
            raise Interrupted(signals.caught)
        return state

    def _steps_of_epoch(self, progress):
        """Where this epoch ends: at its last full batch, or at the last update that was asked for."""
        steps = self.batches.steps_per_epoch
        if self.max_updates is not None:
            steps = min(steps, progress.step + self.max_updates - progress.updates)
        return steps

    def _count(self, outputs, progress):
        """Add a step's loss to the progress, once it is known."""
        if outputs is None:
            return
        loss = float(np.asarray(outputs["loss"]))
        progress.losses.append(loss)
        self._require_finite(loss, progress, f"step {len(progress.losses)}")
        watched = {name: float(np.asarray(value)) for name, value in outputs.items() if name != "loss"}
        update = progress.updates - progress.step + len(progress.losses)
        progress.schedule = self.schedule.after_update(progress.schedule, update, watched)

    def _require_finite(self, loss, progress, where, mend="try a lower rate"):
        if math.isfinite(loss):
            return
        done = progress.curve[-1].epoch if progress.curve else 0
        raise TrainingError(
            f"the loss is {loss} at epoch {progress.epoch}, {where}; the last good checkpoint, of the end of epoch "
            f"{done}, is in '{self.folder.path}': {mend}"
        )

    def _trace_update(self, state, outputs, progress):
        """Add an update to the trace."""
        if self.trace is None:
            return
        loss = float(np.asarray(outputs["loss"]))
        with _kept():
            self.trace.add(self.train.get(state), progress.epoch, progress.step, progress.updates, loss)

    def _end_epoch(self, state, progress, rates, watch):
        host = self.train.get(state)
        loss, metric = self.validate(host, watch)
        # A thousand layers overflow where batch norm predicts with averages that have seen a single update.
        mend = "try more updates before it, which batch norm's averages need, or a lower rate"
        self._require_finite(loss, progress, "validation", mend)
        progress.schedule = self.schedule.after_epoch(progress.schedule, progress.epoch, loss)
        losses = [*progress.losses, loss]
        progress.bits = archive.digest_tensors(host, losses, progress.bits)
        best = progress.schedule.best_epoch == progress.epoch
        weights = {name: host[name] for name in self.parameters} if best else None
        line = Epoch(
            epoch=progress.epoch,
            updates=progress.updates,
            rates=rates,
            losses=losses,
            train_loss=math.fsum(progress.losses) / len(progress.losses),
            validation_loss=loss,
            shifts=progress.schedule.shifts,
            bits=progress.bits,
            weights=archive.digest_tensors(weights) if best else None,
            **{f"validation_{self.task.metric}": metric},
            **watch.times(),
        )
        progress.curve.append(line)
        progress.epoch, progress.step, progress.losses = progress.epoch + 1, 0, []
        return line, host, weights

    def validate(self, state, watch):
        """Mean loss and mean score of the validation part, under a state of the host; a `Stopwatch` counts waits."""
        stored = self.evaluate.put(state)
        losses, scores = [], []
        for batch, count in watch.waiting(self.validation.evaluation(jitter=self.task.jitters_validation)):
            _, outputs = self.evaluate(stored, batch)
            outputs = self.evaluate.get_outputs(outputs)
            self._tell("validated", batch, outputs["predicted"], count)
            losses.extend(outputs["losses"][:count].astype(np.float64))
            scores.extend(self.task.score(outputs["predicted"], batch)[:count])
        # A picture whose points are all hidden has no score.
        scores = [score for score in scores if not math.isnan(score)]
        return math.fsum(losses) / len(losses), math.fsum(scores) / max(len(scores), 1)

    def _tell(self, what, *arguments):
        """Tell the observers."""
        for observer in self.observers:
            getattr(observer, what)(*arguments)

    def _write(self, host, progress, weights=None):
        """Write the checkpoint, after the trace up to it and the weights if they are the best, before the curve."""
        self._tell("flush")
        with _kept():
            self.folder.require_own()
            if self.trace is not None:
                self.trace.keep()
            if weights is not None:
                archive.write_arrays(self.folder.path / archive.WEIGHTS, weights)
            self.folder.write_checkpoint(checkpoint.pack(host, progress))
            self.folder.write_curve(progress.curve)


@contextmanager
def _kept():
    """What cannot be written is told with what to do: the former checkpoint stands."""
    try:
        yield
    except UserError as error:
        raise UserError(f"{error}; a whole checkpoint is kept: mend it, then --resume") from None
