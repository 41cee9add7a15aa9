"""How a run is to go: its options, given or taken from the run that it resumes, and the plan that follows."""

import json
import math
import os
from pathlib import Path

import msgspec
from msgspec.structs import asdict, replace

from crmn_legacy import archive
from crmn_legacy.archive.record import Plan
from crmn_legacy.backend.processes import Place, require_shares
from crmn_legacy.errors import UserError
from crmn_legacy.options import DECLARED, Options, Trial

# More epochs than any number of updates needs.
_ENDLESS = 2**53


def read_former(recipe, script, resumed, out):
    """The record of the run to go on with.

    Parameters
    ----------
    recipe : crmn_legacy.recipe.Recipe
    script : Path
        The recipe's file.
    resumed : path
        The run's folder.
    out : path or None
        Of ``--out``, which has no place here.

    Returns
    -------
    RunRecord

    Raises
    ------
    UserError
        The folder holds no run, or one of another recipe.
    """
    if out:
        raise UserError("--resume got --out as well, expected one folder: the run goes on in the folder it began in")
    former = archive.read_record(resumed)
    if former.row != recipe.row:
        raise UserError(f"--resume got a run of {former.row!a}, expected one of {recipe.row!r}: take that row's recipe")
    kept = Path(resumed) / archive.RECIPE
    if not kept.is_file() or kept.read_bytes() != script.read_bytes():
        raise UserError(
            f"--resume got '{script}', which is not as it was when the run began; expected what is kept in '{kept}': "
            "restore it, or start a new run"
        )
    if not (Path(resumed) / archive.MANIFEST).is_file():
        # Killed before the manifest that proves it was written: what is left to do is to write it.
        former.status = "unfinished"
    return former


def merge_options(given, former):
    """Every option's value: as given, else as the former run had it, else its default.

    A resumed run may go on for more epochs than it was first told, and find its data elsewhere; all else stays.

    Parameters
    ----------
    given : dict
        By the options' names; None where one was not given.
    former : RunRecord or None
        Of the run that is resumed.

    Returns
    -------
    Options

    Raises
    ------
    UserError
        An option that would make it another run, or a run that is finished.
    """
    given = {name: value for name, value in given.items() if value is not None}
    if former is None:
        return _checked(given)
    options, plan = former.options, former.plan
    for name, value in given.items():
        had = getattr(options, name)
        if value != had and not _may_change(DECLARED[name].on_resume, value, had, plan):
            raise UserError(
                f"--resume got --{name} {value}, expected {'none' if had is None else had} as in the run that it "
                f"resumes: leave --{name} out, or start a new run"
            )
    options = replace(options, **given)
    if former.status == "finished" and (options.epochs is None or options.epochs <= plan.epochs):
        mend = "give more --epochs to go on" if plan.steps is None else "start a new run"
        raise UserError(
            f"--resume got a run that is finished (epoch {plan.epochs}), expected an unfinished one: {mend}"
        )
    return options


def _checked(given):
    try:
        return msgspec.convert(given, Options)
    except msgspec.ValidationError as error:
        raise UserError(f"got options that will not do ({error}): `--help` lists what is expected") from None


def _may_change(rule, value, had, plan):
    """Whether a resumed run may have this value of an option in place of the one it had."""
    if rule == "elsewhere":
        return had is not None
    if rule == "other":
        return True
    return rule == "longer" and plan.steps is None and value >= plan.epochs


def make_plan(recipe, options, former=None, among=Place()):  # noqa: B008 - of a single process, and frozen
    """How the run goes.

    Parameters
    ----------
    recipe : crmn_legacy.recipe.Recipe
        With the literals that ``--set`` gives.
    options : Options
    former : RunRecord or None
        Of the run that is resumed.
    among : crmn_legacy.backend.processes.Place
        Which of how many processes this is.

    Returns
    -------
    Plan
        Its epochs are more than `steps` needs until `end_with_steps` was called.

    Raises
    ------
    UserError
        Options that do not go together, or a plan unlike the former run's.
    """
    with_data = options.data is not None
    kind = "smoke" if options.smoke else "training" if with_data else "rehearsal"
    trial = recipe.smoke if options.smoke else recipe.rehearsal
    if with_data:
        trial = Trial(recipe.batch_size, recipe.epochs)
    require_shares(among, options.devices, trial.batch_size)
    if trial.batch_size % options.devices:
        raise UserError(f"--devices got {options.devices}, expected a divisor of the batch size {trial.batch_size}")
    if options.backend == "c" and (options.device, options.devices) != ("cpu", 1):
        raise UserError("--backend c got other than one CPU, expected --device cpu --devices 1")
    if options.programs is not None and (options.backend, options.devices) != ("xla", 1):
        raise UserError("--programs got --backend c or several devices, expected --backend xla --devices 1")
    # An explicit number of epochs lifts a trial's limit on steps, and the other way round.
    steps = options.steps if options.steps or options.epochs else trial.steps
    # On the sample an explicit number of steps may take as many epochs as it needs.
    epochs = options.epochs or (_ENDLESS if options.steps and not with_data else trial.epochs)
    arguments = recipe.network_arguments(options.smoke, options.network)
    plan = Plan(kind=kind, arguments=arguments, batch_size=trial.batch_size, epochs=epochs, steps=steps)
    if former is not None and _but_for_epochs(plan) != _but_for_epochs(former.plan):
        raise UserError(
            f"--resume got the plan {asdict(former.plan)}, expected {asdict(plan)}, this recipe's: start a new run"
        )
    return plan


def _but_for_epochs(plan):
    """A plan as it comes back from JSON, where tuples are lists, without its number of epochs."""
    return json.loads(json.dumps({**asdict(plan), "epochs": None}))


def end_with_steps(plan, steps_per_epoch):
    """A plan with no more epochs than its steps take."""
    if plan.steps is None:
        return plan
    return replace(plan, epochs=min(plan.epochs, math.ceil(plan.steps / steps_per_epoch)))


def require_same_data(path, data, former):
    """Refuse to go on with other data than the run began with."""
    if former.data_digest != data.digest:
        raise UserError(
            f"--resume got data with digest {data.digest[:12]} in '{path}', expected {former.data_digest[:12]}, "
            "the data that the run began with"
        )


def absolute(options):
    """`options` with paths made absolute, so that a run can be resumed from any folder."""
    given = {name: getattr(options, name) for name in ("data", "programs")}
    return replace(options, **{name: os.path.abspath(path) for name, path in given.items() if path is not None})
