"""One run of a recipe, from its options to its last line."""

import contextlib
import itertools
import math
import os
import shlex
import shutil
import sys
import time
from pathlib import Path

import numpy as np

from crmn_legacy import archive, samples
from crmn_legacy.backend import cache, determinism, precision
from crmn_legacy.errors import UserError
from crmn_legacy.formats import write_whole
from crmn_legacy.options import DEFAULTS
from crmn_legacy.trace import Trace
from crmn_legacy.training import checkpoints
from crmn_legacy.training.loop import Interrupted, Training, TrainingError
from crmn_legacy.training.plan import absolute, make_plan, merge_options, read_former, require_same_data
from crmn_legacy.training.provenance import boundary_epochs, milliseconds, mlperf, provenance, without_root


def train(recipe, script, given):
    """Train, or go on training, and print the result.

    Parameters
    ----------
    recipe : crmn_legacy.recipe.Recipe
    script : Path
        The recipe's file.
    given : dict
        Options of the command line; None where an option was not given.

    Returns
    -------
    int
        Exit status: 0 done; 1 the loss is not finite, or a golden digest differs; 128 + the signal if interrupted.
    """
    resumed = given.pop("resume")
    out = given.pop("out")
    former = read_former(recipe, script, resumed, out) if resumed else None
    options = merge_options(given, former)
    plan = make_plan(recipe, options, former)
    path = samples.path(recipe.task.sample) if options["data"] is None else Path(options["data"])
    data = recipe.task.read(path)
    if former is not None:
        require_same_data(path, data, former)
    options = absolute(options)
    batches, validation = _splits(recipe, data, plan, options)
    if plan["steps"] is not None:
        plan["epochs"] = min(plan["epochs"], math.ceil(plan["steps"] / batches.steps_per_epoch))
    # All that can be refused is refused before the folder is made.
    switches = determinism.pin(options["bits"], options["device"], options["devices"])
    _require_device(options)
    numbers = precision.use(options["precision"], options["backend"], options["device"])
    folder = archive.RunFolder(Path(resumed or out or _default_out(recipe)), new=not resumed)
    try:
        run = _Run(recipe, script, options, plan, data, path, batches, validation, switches, folder, former)
        with numbers, run:
            return run.go()
    finally:
        folder.close()


def _require_device(options):
    if options["backend"] == "c":
        return
    import jax

    try:
        found = len(jax.devices())
    except (RuntimeError, AssertionError) as error:  # without a plug-in for it JAX only asserts
        reason = next(iter(str(error).splitlines()), "JAX knows none")
        raise UserError(
            f"--device {options['device']} got no such device ({reason[:120]}), expected "
            "one and JAX's build for it: install `jax[cuda12]` of the pinned version, or take --device cpu"
        ) from None
    if found < options["devices"]:
        raise UserError(f"--devices got {options['devices']}, expected at most {found}, as many as there are")


def _splits(recipe, data, plan, options):
    batches, validation = (
        recipe.task.batches(data, split, plan["batch_size"], options["seed"]) for split in ("train", "valid")
    )
    if batches.steps_per_epoch == 0:
        raise UserError(
            f"got {len(batches.rows)} training pictures, expected at least a batch of {plan['batch_size']}: "
            "give more data"
        )
    return batches, validation


def _default_out(recipe):
    stamp = archive.now().replace("-", "").replace(":", "")
    first = Path("runs") / f"{recipe.row}-{stamp}"
    # Two runs may begin within a second, and a clock that is set back comes by the same second again.
    try:
        first.parent.mkdir(exist_ok=True)
        for number in itertools.count(1):
            path = first if number == 1 else first.with_name(f"{first.name}-{number}")
            with contextlib.suppress(FileExistsError):
                path.mkdir()
                return path
    except OSError:
        return first  # told where the folder is taken


class _Run:
    """A run whose options and data are known to be good."""

    def __init__(self, recipe, script, options, plan, data, path, batches, validation, switches, folder, former):
        self.recipe, self.script, self.options, self.plan = recipe, script, options, plan
        self.data, self.path, self.batches, self.validation = data, path, batches, validation
        self.switches, self.folder, self.former = switches, folder, former
        self.trace = self.random_state = None

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if self.trace is not None:
            self.trace.close()

    def go(self):
        key = determinism.platform_key(
            self.switches, *(self.options[name] for name in ("backend", "device", "devices", "precision"))
        )
        if self.options["backend"] == "xla":
            cache.use(key)
        return self._go(key)

    def _go(self, key):
        import lasagne

        from crmn_legacy import cost
        from crmn_legacy.training import steps

        began, init = time.monotonic(), milliseconds()
        self._announce()
        network = steps.build(lambda: self.recipe.network(**self.plan["arguments"]), self.options["seed"])
        components = self.recipe.schedule.components
        compilation = {"backend": self.options["backend"], "c_flags": self.switches.c_flags}
        if self.options["backend"] == "xla":
            compilation["devices"] = self.options["devices"]
        train = steps.TrainingSteps(
            network,
            self.recipe.task,
            self.recipe.optimizer,
            components,
            self.recipe.weight_decay,
            self.recipe.constraints,
            self.options["remat"],
            **compilation,
        )
        evaluate = steps.evaluation_step(network, self.recipe.task, **compilation)
        test = evaluate
        if self.recipe.task.samples:
            test = steps.evaluation_step(network, self.recipe.task, sampling=True, **compilation)
        parameters = [p.name for p in lasagne.layers.get_all_params(network)]
        state = train.get(train.initial_state())
        train.release()
        progress = checkpoints.Progress(bits=archive.digest_tensors(state))
        weights = {name: state[name] for name in parameters}
        self.random_state = steps.random_state(state)
        record = {
            "row": self.recipe.row,
            "status": "running",
            "options": self.options,
            "plan": self.plan,
            "seed": self.options["seed"],
            "parameters": cost.parameters(network),
            "flops": cost.flops(network),
            "data_path": without_root(str(self.path)),
            "data_digest": self.data.digest,
            "platform_key": key,
            "environment": self.switches.environment,
            "kernel_caches": self.switches.caches,
            "initial_bits": progress.bits,
            "initial_weights": archive.digest_tensors(weights),
            "started": archive.now(),
            "seconds_before": 0.0,
            "mlperf": mlperf(self.recipe, self.plan, self.options, self.batches, self.validation),
            **provenance(self.script),
        }
        record["mlperf"].update(init_start=init, init_stop=milliseconds(), run_start=milliseconds())
        if self.former is None or not self.folder.has_begun():
            self._start(record, state, progress, weights)
        else:
            state, progress = self._resume(record, state)
        training = Training(
            train=train,
            evaluate=evaluate,
            task=self.recipe.task,
            batches=self.batches,
            validation=self.validation,
            schedule=self.recipe.schedule,
            epochs=self.plan["epochs"],
            max_updates=self.plan["steps"],
            parameters=parameters,
            folder=self.folder,
            trace=self.trace,
        )
        try:
            progress = training.run(state, progress)
            return self._finish(record, test, progress, began)
        except (Interrupted, KeyboardInterrupt) as stop:
            return self._interrupted(record, stop, began)
        except TrainingError as error:
            self._record(record, "failed", began, error=str(error))
            print(f"error: {error}", file=sys.stderr)
            return 1

    def _announce(self):
        kind = self.plan["kind"]
        if kind == "training":
            print(f"{self.recipe.row}: training on '{self.path}', as published; the run's folder: {self.folder.path}")
        elif self.options["data"] is not None:
            print(
                f"{self.recipe.row}: smoke run, the network at its smallest, on '{self.path}'; it says little about "
                f"the paper; the run's folder: {self.folder.path}"
            )
        else:
            what = "the full published network" if kind == "rehearsal" else "the network at its smallest"
            print(
                f"{self.recipe.row}: {kind} of {what} on the embedded sample, {self.plan['batch_size']} pictures a "
                f"batch (published: {self.recipe.batch_size}); its numbers say nothing about the paper; the run's "
                f"folder: {self.folder.path}"
            )
        sys.stdout.flush()

    def _start(self, record, state, progress, weights):
        if self.former is not None:
            print("resumed at the beginning: nothing had been saved yet", flush=True)
        # What has a record can be resumed, so the recipe, which that needs, comes before it.
        write_whole(self.folder.path / archive.RECIPE, self.script.read_bytes())
        self.folder.write_record(record)
        archive.write_arrays(self.folder.path / archive.INITIAL_WEIGHTS, weights)
        if self.options["trace"]:
            (self.folder.path / archive.TRACE).unlink(missing_ok=True)
            self.trace = Trace(self.folder.path)
            self.trace.add(state)
            self.trace.keep()
        self.folder.write_checkpoint(checkpoints.pack(state, progress))

    def _resume(self, record, state):
        arrays, name = self.folder.read_checkpoint()
        if name != archive.CHECKPOINT:
            print(f"note: {archive.CHECKPOINT} is missing or altered; going on from {name}, the one before")
        state, progress = checkpoints.unpack(arrays, state)
        if self.options["trace"]:
            self.trace = Trace(self.folder.path)
            self.trace.cut(progress.updates, state)
        for what in ("packages", "platform_key"):
            if self.former.get(what) != record[what]:
                print(f"note: {what} differ from those the run began with; its bits may move")
        record["started"] = self.former["started"]
        # A run that was killed has noted no more than what it had begun with.
        record["seconds_before"] = self.former.get("seconds", self.former.get("seconds_before", 0.0))
        former = self.former.get("mlperf")
        if isinstance(former, dict):
            # The run began then; what this process needed to get ready is its own.
            record["mlperf"]["run_start"] = former.get("run_start", record["mlperf"]["run_start"])
        print(f"resumed at epoch {progress.epoch}, step {progress.step} ({progress.updates} updates made)", flush=True)
        self.folder.write_record(record)
        # A kill between the two left the curve an epoch behind the checkpoint.
        self.folder.write_curve(progress.curve)
        return state, progress

    def _record(self, record, status, began, **more):
        seconds = round(record["seconds_before"] + time.monotonic() - began, 3)
        record.update(status=status, stopped=archive.now(), seconds=seconds, **more)
        record["mlperf"].update(run_stop=milliseconds(), status="success" if status == "finished" else "aborted")
        self.folder.write_record(record)

    def _interrupted(self, record, stop, began):
        number = getattr(stop, "number", 2)
        self._record(record, "interrupted", began)
        # `make` runs its own Python, which a plain `python` in the user's shell may not be.
        python = "python" if shutil.which("python") == sys.executable else sys.executable
        resume = shlex.join([python, os.path.relpath(self.script), "--resume", str(self.folder.path)])
        print(f"interrupted; go on with: {resume}", file=sys.stderr)
        return 128 + number

    def _finish(self, record, test, progress, began):
        best = progress.curve[progress.schedule.best_epoch - 1]
        metric = self.recipe.task.metric
        weights = self._best_weights(best)
        result = {
            "best_epoch": best["epoch"],
            "epochs": len(progress.curve),
            "updates": progress.updates,
            "validation_loss": best["validation_loss"],
            f"validation_{metric}": best[f"validation_{metric}"],
        }
        if self.plan["kind"] != "rehearsal" and np.any(self.data.split == "test"):
            result["test"] = self._test(test, weights)
        record["mlperf"].update(
            epoch_count=len(progress.curve), opt_learning_rate_decay_boundary_epochs=boundary_epochs(progress.curve)
        )
        if metric == "accuracy":
            record["mlperf"]["eval_accuracy"] = best["validation_accuracy"]
        self._record(record, "finished", began, result=result, bits=progress.bits)
        self.folder.finish(record)
        return _last_lines(record, self.options)

    def _best_weights(self, best):
        """Read what the folder is to vouch for: it may have been damaged while the run was stopped."""
        path = self.folder.path / archive.WEIGHTS
        weights = archive.read_arrays(path)
        if archive.digest_tensors(weights) != best["weights"]:
            raise UserError(
                f"got '{path}', which does not hold the weights of epoch {best['epoch']}, the best; expected them as "
                "the run wrote them: restore the file, then --resume, or start the run anew"
            )
        return weights

    def _test(self, test, weights):
        from crmn_legacy.training import evaluation

        batches = self.recipe.task.batches(self.data, "test", self.plan["batch_size"], self.options["seed"])
        found = evaluation.predict(test, {**weights, **self.random_state}, self.recipe.task, batches)
        results = self.recipe.task.by_test_set(found["scores"], self.data, batches.rows)
        for name, scored in results.items():
            print(f"test {name}: {self.recipe.task.metric} {100 * scored['mean']:.2f}% ({scored['pictures']} pictures)")
        return results


def _last_lines(record, options):
    """Hold the digest against the golden one, print both lines, and return the exit status."""
    status = 0
    golden = _golden(record, options)
    if golden is None:
        print(f"golden: none for {record['platform_key']}")
    elif golden == record["bits"]:
        print("golden: match")
    else:
        print("golden: differs")
        status = 1
    print(f"bits: {record['bits']}", flush=True)
    return status


def _golden(record, options):
    """The committed digest of this very run under this platform key, or None."""
    if any(options[name] != DEFAULTS[name] for name in ("data", "epochs", "steps", "seed")):
        return None
    path = Path(__file__).parents[2] / "tests" / "golden" / f"{record['row']}.json"
    if not path.is_file():
        return None
    for run in archive.read_json(path).get("runs", ()):
        if (run["kind"], run["platform_key"]) == (record["plan"]["kind"], record["platform_key"]):
            return run["bits"]
    return None
