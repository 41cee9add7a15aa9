"""What a run needs before its first update: options and data that are known to be good, and the compiled steps."""

import resource
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from crmn_legacy import samples
from crmn_legacy.archive.record import Plan, RunRecord
from crmn_legacy.archive.verification import file_digest
from crmn_legacy.backend import cache, compiler, determinism, precision, processes
from crmn_legacy.backend.programs.reading import open_bundle
from crmn_legacy.errors import UserError
from crmn_legacy.options import DECLARED, Options
from crmn_legacy.training.bundles import Subject, steps_of
from crmn_legacy.training.component_steps import ComponentSteps
from crmn_legacy.training.protocols import Batches, EvaluationStep
from crmn_legacy.training.run_plan import (
    absolute,
    end_with_steps,
    make_plan,
    merge_options,
    read_former,
    require_same_data,
)
from crmn_legacy.training.tensorboard import require_installed

_LEAST_MEMORY = 2 << 30


@dataclass(frozen=True)
class Choice:
    """What is run, by which of how many processes: options and data that are known to be good."""

    among: processes.Place
    recipe: Any
    script: Path
    options: Options
    plan: Plan
    former: RunRecord | None
    place: Path | None
    data: Any
    path: Path
    batches: Batches
    validation: Batches

    def subject(self, key):
        """What all processes of a run must agree on, in words and digests (a dict), beside the platform `key`."""
        options = {name: getattr(self.options, name) for name in DECLARED if name not in ("data", "programs")}
        return {
            "recipe": file_digest(self.script),
            "options": repr(options),
            "data": self.data.digest,
            "state of the run": repr(self.former and (self.former.bits, self.former.result)),
            # Under `fast` machines may be unlike; nobody was promised their bits.
            "platform key": "" if self.options.bits == "fast" else key,
        }


def choose(recipe, script, given):
    """Options, plan and data of the run, each held against the recipe and against the run that is resumed."""
    resumed, out = given.pop("resume"), given.pop("out")
    among = processes.place_of(*(given.pop(name, None) for name in ("coordinator", "processes", "process")))
    former = read_former(recipe, script, resumed, out) if resumed else None
    if among.processes > 1 and given.get("devices") is None and former is None:
        given["devices"] = among.processes
    # A run that is resumed where its writer is missing goes on without one.
    if given.get("tensorboard") and among.is_first:
        require_installed()
    options = merge_options(given, former)
    recipe = recipe.with_literals(options.set)
    plan = make_plan(recipe, options, former, among)
    path = samples.path(recipe.task.sample) if options.data is None else Path(options.data)
    data = recipe.task.read(path)
    if former is not None:
        require_same_data(path, data, former)
    batches, validation = (
        recipe.task.batches(data, split, plan.batch_size, options.seed) for split in ("train", "valid")
    )
    if batches.steps_per_epoch == 0:
        raise UserError(
            f"got {len(batches.rows)} training pictures, expected at least a batch of {plan.batch_size}: give more data"
        )
    if among.processes > 1:
        batches.part = among.part(plan.batch_size)
    return Choice(
        among=among,
        recipe=recipe,
        script=script,
        options=absolute(options),
        plan=end_with_steps(plan, batches.steps_per_epoch),
        former=former,
        place=Path(resumed or out) if resumed or out else None,
        data=data,
        path=path,
        batches=batches,
        validation=validation,
    )


def refuse(choice, tidy=lambda: None):
    """Fix what moves bits, meet the other processes, and refuse what this machine cannot do.

    Parameters
    ----------
    choice : Choice
    tidy : callable
        As `crmn_legacy.backend.processes.Group` takes it.

    Returns
    -------
    Switches
    context manager
        The number format.
    crmn_legacy.backend.processes.Group
    """
    options, among = choice.options, choice.among
    switches = determinism.pin(options.bits, options.device, options.devices // among.processes)
    group = processes.Group(among, lambda: choice.subject(platform_key(switches, options)), tidy)
    if options.backend == "xla":
        _require_memory()
        _require_devices(options, among)
    numbers = precision.use(options.precision, _compiler(options), options.device)
    if options.backend == "c":
        _require_compiler(switches)
    return switches, numbers, group


def _require_compiler(switches):
    if reason := compiler.fault(switches.c_flags):
        raise UserError(
            f"--backend c got no C++ compiler that works ({reason}), expected g++ and Python's headers: install them "
            "(of Debian: `apt install g++ python3-dev`), mend AESARA_FLAGS if it names another, or take --backend xla"
        )
    print("note: Aesara compiles C before the first step: minutes, unless it has done so before", file=sys.stderr)


def _require_memory():
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY and limit < _LEAST_MEMORY:
        raise UserError(
            f"got a limit of {limit >> 20} MB on this process's memory (ulimit -v), expected at least "
            f"{_LEAST_MEMORY >> 20}, below which XLA waits for ever: raise it, or `ulimit -v unlimited`"
        )


def _require_devices(options, among):
    import jax

    try:
        found = len(jax.local_devices())
    except (RuntimeError, AssertionError) as error:  # without a plug-in for it JAX only asserts
        reason = next(iter(str(error).splitlines()), "JAX knows none")
        raise UserError(
            f"--device {options.device} got no such device ({reason[:120]}), expected "
            "one and JAX's build for it: install `jax[cuda12]` of the pinned version, or take --device cpu"
        ) from None
    if found < options.devices // among.processes:
        most = found * among.processes
        raise UserError(f"--devices got {options.devices}, expected at most {most}, as many as there are")


def platform_key(switches, options):
    """What a golden digest of the run is held under (a str)."""
    return determinism.platform_key(switches, options.backend, options.device, options.devices, options.precision)


def _compiler(options):
    """Who makes the steps: a backend, or a program that one has made."""
    return options.backend if options.programs is None else "program"


@dataclass(frozen=True)
class Built:
    """The network as the steps that train and evaluate it, its size, and its first state.

    Attributes
    ----------
    train : ComponentSteps
    evaluate, test : EvaluationStep
    size : dict of str to int
        ``parameters`` and ``flops``.
    parameters : list of str
        Names of what weights files hold.
    state : dict of str to array
    programs : str or None
        SHA-256 of the description of the bundle that the steps are out of.
    """

    train: ComponentSteps
    evaluate: EvaluationStep
    test: EvaluationStep
    size: dict[str, int]
    parameters: list[str]
    state: dict[str, np.ndarray]
    programs: str | None = None

    @property
    def weights(self):
        """What a weights file holds of the first state."""
        return {name: self.state[name] for name in self.parameters}


def build(choice, switches):
    """Build the network and compile its steps, or take them out of a bundle of programs."""
    options = choice.options
    if options.backend == "xla":
        cache.use(platform_key(switches, options))
    return _built(choice, switches) if options.programs is None else _out_of_bundle(choice)


def _built(choice, switches):
    import lasagne

    from crmn_legacy import cost
    from crmn_legacy.training import steps

    recipe, options = choice.recipe, choice.options
    compilation = {"backend": options.backend, "c_flags": switches.c_flags}
    if options.backend == "xla":
        compilation["devices"] = options.devices
    network = steps.build(lambda: recipe.network(**choice.plan.arguments), options.seed)
    train = steps.TrainingSteps(*steps.parts_of(recipe, network), options.remat, **compilation)
    evaluate = test = steps.evaluation_step(network, recipe.task, **compilation)
    if recipe.task.samples:
        test = steps.evaluation_step(network, recipe.task, sampling=True, **compilation)
    state = train.get(train.initial_state())
    train.release()
    evaluate, test = (_OfWholeBatches(step, choice.among) for step in (evaluate, test))
    parameters = [parameter.name for parameter in lasagne.layers.get_all_params(network)]
    size = {"parameters": cost.parameters(network), "flops": cost.flops(network)}
    return Built(train, evaluate, test, size, parameters, state)


class _OfWholeBatches:
    """An evaluation step that is given whole batches in each of several processes, which computes its own part."""

    def __init__(self, step, among):
        self._step, self._among = step, among
        self.put, self.get_outputs = step.put, step.get_outputs

    def __call__(self, state, batch):
        return self._step(state, self._among.own(batch))


def _out_of_bundle(choice):
    options = choice.options
    bundle = open_bundle(options.programs)
    train, evaluate, test = steps_of(Subject(choice.recipe, options, choice.plan), bundle)
    described = bundle.described
    size = {name: described[name] for name in ("parameters", "flops")}
    state = train.get(train.initial_state())
    return Built(train, evaluate, test, size, described["weights"], state, bundle.digest)
