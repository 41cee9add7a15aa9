"""One run of a recipe, from its options to its last line: choose, refuse, build, start or resume, train, finish."""

import contextlib
import dataclasses
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import msgspec
import numpy as np

from crmn_legacy import archive
from crmn_legacy.archive import checkpoint
from crmn_legacy.archive.golden import golden_bits
from crmn_legacy.archive.provenance import provenance, without_root
from crmn_legacy.archive.record import Result, RunRecord
from crmn_legacy.archive.replay import as_typed, pasteable
from crmn_legacy.archive.trace import Trace
from crmn_legacy.errors import UserError, printable
from crmn_legacy.files import write_whole
from crmn_legacy.training import evaluation, tensorboard
from crmn_legacy.training.loop import Training, TrainingError
from crmn_legacy.training.preparation import build, choose, platform_key, refuse
from crmn_legacy.training.signals import Signals

# Between the platform keys of a run that was resumed under another.
_THEN = " > "


def train(recipe, script, given):
    """Train, or go on training, and print the result.

    Parameters
    ----------
    recipe : crmn_legacy.recipe.Recipe
    script : Path
        The recipe's file.
    given : dict
        Of the command line: options, ``resume`` and ``out``; None where one was not given.

    Returns
    -------
    int
        Exit status: 0 done; 1 the loss is not finite, or a golden digest differs; 128 + the signal if interrupted.
    """
    choice = choose(recipe, script, dict(given))
    # All that can be refused is refused before the folder is made.
    with contextlib.ExitStack() as held:
        choice, tidy = _with_own_place(choice, held)
        switches, numbers, group = refuse(choice, tidy)
        held.enter_context(group)
        place = choice.place or archive.dated_place(recipe.row)
        folder = held.enter_context(archive.RunFolder(place, new=choice.former is None))
        held.enter_context(numbers)
        began = time.monotonic()
        unlike = _unlike_published(choice)
        _announce(choice, folder, unlike)
        built = build(choice, switches)
        record = _describe(choice, switches, built, unlike)
        run = held.enter_context(contextlib.closing(_Run(choice, built, folder, record, began)))
        return run.to_its_end(group)


def _with_own_place(choice, held):
    """The choice; of a process that is not the first, with a folder that nobody sees. And what removes that.

    Such a process takes the same decisions as the first, and so writes the same, but the user's folder has one writer.
    """
    if choice.among.is_first:
        return choice, lambda: None
    scratch = tempfile.TemporaryDirectory(prefix="crmn-legacy-", ignore_cleanup_errors=True)
    place = Path(held.enter_context(scratch))
    if choice.former is not None:
        for name in archive.WRITTEN:
            with contextlib.suppress(FileNotFoundError):
                shutil.copyfile(choice.place / name, place / name)
    # The first process prints the same.
    held.enter_context(contextlib.redirect_stdout(held.enter_context(open(os.devnull, "w"))))  # noqa: SIM115
    return dataclasses.replace(choice, place=place), scratch.cleanup


def _unlike_published(choice):
    """What of a training run is not as its row was published (list of str); None for a trial, or a row of one's own."""
    plan, options = choice.plan, choice.options
    if plan.kind != "training":
        return None
    found = choice.recipe.unlike_published(choice.script, plan, options, choice.batches.steps_per_epoch)
    return None if found is None else found + choice.recipe.task.unlike_release(choice.data)


def _announce(choice, folder, unlike):
    row, plan, place = choice.recipe.row, choice.plan, f"the run's folder: {printable(str(folder.path))}"
    other = [f"{name}={value!r}" for name, value in {**choice.options.network, **choice.options.set}.items()]
    changed = f" with {' '.join(other)}" if other else ""
    if plan.kind == "training":
        published = f", not as published: {'; '.join(unlike)}" if unlike else ", as published"
        line = f"training on '{choice.path}'{published if choice.recipe.is_printed else changed}; {place}"
    elif choice.options.data is not None:
        line = (
            f"smoke run, the network at its smallest{changed}, on '{choice.path}'; it says little about the paper; "
            f"{place}"
        )
    else:
        printed = choice.recipe.is_as_printed(choice.script, choice.options)
        full = "the full published network" if printed else "the full network"
        what = full if plan.kind == "rehearsal" else "the network at its smallest"
        batch = "published" if printed else "in training"
        line = (
            f"{plan.kind} of {what}{changed} on the embedded sample, {plan.batch_size} pictures a batch ({batch}: "
            f"{choice.recipe.batch_size}); its numbers say nothing about the paper; {place}"
        )
    print(f"{row}: {line}", flush=True)
    if folder.unlocked:
        print(
            f"note: the folder cannot be locked ({folder.unlocked}): see that no other process runs in it", flush=True
        )


def _describe(choice, switches, built, unlike):
    """The record of the run before its first update."""
    return RunRecord(
        row=choice.recipe.row,
        status="running",
        options=choice.options,
        plan=choice.plan,
        seed=choice.options.seed,
        programs=built.programs,
        **built.size,
        data_path=without_root(str(choice.path)),
        data_digest=choice.data.digest,
        unlike=unlike,
        platform_key=platform_key(switches, choice.options),
        environment=switches.environment,
        kernel_caches=switches.caches,
        initial_bits=archive.digest_tensors(built.state),
        initial_weights=archive.digest_tensors(built.weights),
        started=archive.now(),
        seconds_before=0.0,
        **provenance(choice.script),
    )


class _Run:
    """A run under way: what it is, its folder, and the record that is kept of it."""

    def __init__(self, choice, built, folder, record, began):
        self.choice, self.built, self.folder, self.record = choice, built, folder, record
        self.began, self.trace, self._events = began, None, None
        # Before the loop empties the first state.
        self.random_state = evaluation.random_state(built.state)

    def close(self):
        """Close the trace, and what is written for those who watch."""
        for opened in (self.trace, self._events):
            if opened is not None:
                opened.close()

    def to_its_end(self, group):
        """Start or resume, train, finish; returns the exit status.

        Parameters
        ----------
        group : crmn_legacy.backend.processes.Group
        """
        # From here on there is something to save, or to finish.
        with Signals(group.agreed_stop if self.choice.among.processes > 1 else None) as signals:
            try:
                state, progress = self._begin(signals)
                progress = self._train(state, progress, signals)
                return self._finish(progress, signals)
            except KeyboardInterrupt as stop:
                if signals.caught is None:
                    group.abandon()
                with signals.held():
                    return self._interrupted(stop)
            except TrainingError as error:
                self._write_record("failed", error=str(error))
                print(f"error: {printable(str(error))}", file=sys.stderr)
                return 1

    def _begin(self, signals):
        """The state and the progress that the run goes on from."""
        resumed = self.choice.former is not None
        with signals.held():
            if resumed and self.folder.has_begun():
                return self._resume()
            if resumed:
                print("resumed at the beginning: nothing had been saved yet", flush=True)
            return self._start()

    def _start(self):
        """Write what the run begins with; its first state and progress."""
        state, progress = self.built.state, checkpoint.Progress(bits=self.record.initial_bits)
        # What has a record can be resumed, so the recipe, which that needs, comes before it.
        write_whole(self.folder.path / archive.RECIPE, self.choice.script.read_bytes())
        self.folder.write_record(self.record)
        archive.write_arrays(self.folder.path / archive.INITIAL_WEIGHTS, self.built.weights)
        if self.choice.options.trace:
            (self.folder.path / archive.TRACE).unlink(missing_ok=True)
            self.trace = Trace(self.folder.path)
            self.trace.add(state)
            self.trace.keep()
        self.folder.write_checkpoint(checkpoint.pack(state, progress))
        return state, progress

    def _resume(self):
        """Read the newest whole checkpoint; its state and progress."""
        former, record = self.choice.former, self.record
        arrays, name = self.folder.read_checkpoint()
        if name != archive.CHECKPOINT:
            print(f"note: {archive.CHECKPOINT} is missing or altered; going on from {name}, the one before")
        state, progress = checkpoint.unpack(arrays)
        checkpoint.require_like(state, self.built.state)
        state = {tensor: state[tensor] for tensor in self.built.state}
        # The first one is of no more use, and would fill memory.
        self.built.state.clear()
        if self.choice.options.trace:
            self.trace = Trace(self.folder.path)
            self.trace.cut(progress.updates, state)
        record.platform_key = _keys(former.platform_key, record.platform_key)
        for what, was, now in (
            ("packages", former.packages, record.packages),
            ("platform_key", former.platform_key, record.platform_key),
        ):
            if was != now:
                print(f"note: {what} differ from those the run began with; its bits may move")
        record.started = former.started
        # A run that was killed has noted no more than what it had begun with.
        record.seconds_before = former.seconds or former.seconds_before or 0.0
        print(f"resumed at epoch {progress.epoch}, step {progress.step} ({progress.updates} updates made)", flush=True)
        self.folder.write_record(record)
        # A kill between the two left the curve an epoch behind the checkpoint.
        self.folder.write_curve(progress.curve)
        return state, progress

    def _train(self, state, progress, signals):
        training = Training(
            observers=self._observers(progress),
            train=self.built.train,
            evaluate=self.built.evaluate,
            task=self.choice.recipe.task,
            batches=self.choice.batches,
            validation=self.choice.validation,
            schedule=self.choice.recipe.schedule,
            epochs=self.choice.plan.epochs,
            max_updates=self.choice.plan.steps,
            parameters=self.built.parameters,
            folder=self.folder,
            trace=self.trace,
        )
        # `built` holds the first state; the loop empties what it is given, so that it fills no memory.
        return training.run(state, progress, signals)

    def _observers(self, progress):
        """Who watches the loop (list); closed with the run."""
        choice = self.choice
        if not (choice.options.tensorboard and choice.among.is_first):
            return []
        if not tensorboard.is_installed():
            print("note: tensorboardX is not installed here (`make tensorboard`): nothing is written for TensorBoard")
            return []
        self._events = tensorboard.EventFiles(self.folder.path, progress, choice.recipe.task.predicts == "keypoints")
        return [self._events]

    def _finish(self, progress, signals):
        """Score the best weights, write the last record and the manifest, print the last lines."""
        best = progress.curve[progress.schedule.best_epoch - 1]
        test = None
        with signals.at_once():
            weights = self._best_weights(best)
            if self.choice.plan.kind != "rehearsal" and np.any(self.choice.data.split == "test"):
                test = self._test(weights, signals)
        self.record.result = Result(
            best_epoch=best.epoch,
            epochs=len(progress.curve),
            updates=progress.updates,
            validation_loss=best.validation_loss,
            validation_error=best.validation_error,
            validation_accuracy=best.validation_accuracy,
            test=test,
        )
        self.record.bits = progress.bits
        self._write_record("finished")
        self.folder.finish(self.record)
        with signals.output():
            return print_last_lines(self.record)
        # Nobody heard it: a reader that left is told by the status, of a terminal that is gone the status is as ever.
        return 128 + signals.caught if signals.caught else print_last_lines(self.record)

    def _best_weights(self, best):
        """Read what the folder is to vouch for: it may have been damaged while the run was stopped."""
        path = self.folder.path / archive.WEIGHTS
        weights = archive.read_arrays(path)
        if archive.digest_tensors(weights) != best.weights:
            raise UserError(
                f"got '{path}', which does not hold the weights of epoch {best.epoch}, the best; expected them as "
                "the run wrote them: restore the file, then --resume, or start the run anew"
            )
        return weights

    def _test(self, weights, signals):
        """Scores of the test sets (dict of str to Score), printed."""
        from crmn_legacy.archive.record import Score

        task, plan, options = self.choice.recipe.task, self.choice.plan, self.choice.options
        batches = task.batches(self.choice.data, "test", plan.batch_size, options.seed)
        found = evaluation.predict(self.built.test, {**weights, **self.random_state}, task, batches)
        results = task.by_test_set(found["scores"], self.choice.data, batches.rows)
        results = {name: msgspec.convert(scored, Score) for name, scored in results.items()}
        for name, scored in results.items():
            with signals.output():
                print(f"test {name}: {task.metric} {100 * scored.mean:.2f}% {task.measure}; {scored.extent()} pictures")
        return results

    def _interrupted(self, stop):
        self._write_record("interrupted")
        if self.choice.among.is_first:
            self._tell_how_to_go_on()
        return 128 + getattr(stop, "number", 2)

    def _tell_how_to_go_on(self):
        # A name that begins with a dash is no option.
        folder = str(self.folder.path)
        words = [*as_typed(self.choice.script), "--resume", f"./{folder}" if folder.startswith("-") else folder]
        with contextlib.suppress(OSError):  # of a terminal that is gone
            print(f"interrupted; go on with: {pasteable(words)}", file=sys.stderr)

    def _write_record(self, status, error=None):
        self.record.status, self.record.stopped, self.record.error = status, archive.now(), error
        self.record.seconds = round(self.record.seconds_before + time.monotonic() - self.began, 3)
        self.folder.write_record(self.record)


def _keys(former, now):
    """The platform keys that a run went through, in order: no golden digest is held under more than one."""
    keys = (former or "").split(_THEN)
    return former if keys[-1] == now else _THEN.join([*filter(None, keys), now])


def print_last_lines(record):
    """Hold the digest against the golden one, print both lines, and return the exit status.

    Parameters
    ----------
    record : RunRecord
        Of a finished run.
    """
    golden = golden_bits(record)
    if golden is None:
        print(f"golden: none for {record.platform_key}")
    else:
        print(f"golden: {'match' if golden == record.bits else 'differs'}")
    print(f"bits: {record.bits}", flush=True)
    return int(golden is not None and golden != record.bits)
