"""How a run is to go: its options, given or taken from the run that it resumes, and the plan that follows."""

import math
import os
from pathlib import Path

from crmn_legacy import archive
from crmn_legacy.backend import determinism, precision
from crmn_legacy.errors import UserError, shown
from crmn_legacy.options import DEFAULTS, Trial

BACKENDS = ("xla", "c")

# What an option out of a record may be; the command line lets nothing else in.
_CHOICES = {
    "backend": BACKENDS,
    "device": ("cpu", "cuda"),
    "precision": precision.PRECISIONS,
    "bits": determinism.PROFILES,
}
_COUNTS = {"devices": 1, "epochs": 1, "steps": 1, "seed": 0}
_LARGEST_COUNT = 2**64 - 1


def read_former(recipe, script, resumed, out):
    """``run.json`` of the run to go on with.

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
    dict

    Raises
    ------
    UserError
        The folder holds no run, or one of another recipe.
    """
    if out:
        raise UserError("--resume got --out as well, expected one folder: the run goes on in the folder it began in")
    former = archive.read_record(resumed)
    if former["row"] != recipe.row:
        raise UserError(
            f"--resume got a run of {former['row']!a}, expected one of {recipe.row!r}: take that row's recipe"
        )
    kept = Path(resumed) / archive.RECIPE
    if not kept.is_file() or kept.read_bytes() != script.read_bytes():
        raise UserError(
            f"--resume got '{script}', which is not as it was when the run began; expected what is kept in '{kept}': "
            "restore it, or start a new run"
        )
    if not (Path(resumed) / archive.MANIFEST).is_file():
        # Killed before the manifest that proves it was written: what is left to do is to write it.
        former["status"] = "unfinished"
    return former


def merge_options(given, former):
    """Every option's value: as given, else as the former run had it, else its default.

    A resumed run may go on for more epochs than it was first told, and find its data elsewhere; all else stays.

    Parameters
    ----------
    given : dict
        By the names of `DEFAULTS`; None where an option was not given.
    former : dict or None
        ``run.json`` of the run that is resumed.

    Returns
    -------
    dict

    Raises
    ------
    UserError
        An option that would make it another run, or a run that is finished.
    """
    if former is None:
        return {name: DEFAULTS[name] if given[name] is None else given[name] for name in DEFAULTS}
    options, plan = dict(former["options"]), former["plan"]
    for name, value in given.items():
        if value is None or value == options[name]:
            continue
        moved = name == "data" and options["data"] is not None
        longer = name == "epochs" and plan["steps"] is None and value >= plan["epochs"]
        if not moved and not longer:
            had = "none" if options[name] is None else options[name]
            raise UserError(
                f"--resume got --{name} {value}, expected {had} as in the run that it resumes: "
                f"leave --{name} out, or start a new run"
            )
        options[name] = value
    if former["status"] == "finished" and (options["epochs"] is None or options["epochs"] <= plan["epochs"]):
        mend = "give more --epochs to go on" if plan["steps"] is None else "start a new run"
        raise UserError(
            f"--resume got a run that is finished (epoch {plan['epochs']}), expected an unfinished one: {mend}"
        )
    return options


def make_plan(recipe, options, former):
    """How the run goes.

    Parameters
    ----------
    recipe : crmn_legacy.recipe.Recipe
    options : dict
        As `merge_options` gives them.
    former : dict or None
        ``run.json`` of the run that is resumed.

    Returns
    -------
    dict
        ``kind``, ``arguments`` of the network, ``batch_size``, ``epochs``, ``steps``.

    Raises
    ------
    UserError
        Options that do not go together, or a plan unlike the former run's.
    """
    _check_options(options)
    with_data = options["data"] is not None
    if options["smoke"]:
        kind, arguments = "smoke", recipe.smallest
        trial = Trial(recipe.batch_size, recipe.epochs) if with_data else recipe.smoke
    elif with_data:
        kind, arguments, trial = "training", {}, Trial(recipe.batch_size, recipe.epochs)
    else:
        kind, arguments, trial = "rehearsal", {}, recipe.rehearsal
    if trial.batch_size % options["devices"]:
        raise UserError(f"--devices got {options['devices']}, expected a divisor of the batch size {trial.batch_size}")
    if options["backend"] == "c" and (options["device"], options["devices"]) != ("cpu", 1):
        raise UserError("--backend c got other than one CPU, expected --device cpu --devices 1")
    # An explicit number of epochs lifts a trial's limit on steps, and the other way round.
    steps = options["steps"] if options["steps"] or options["epochs"] else trial.steps
    # On the sample an explicit number of steps may take as many epochs as it needs.
    epochs = options["epochs"] or (math.inf if options["steps"] and not with_data else trial.epochs)
    plan = {
        "kind": kind,
        "arguments": arguments,
        "batch_size": trial.batch_size,
        "epochs": epochs,
        "steps": steps,
    }
    if former is not None and archive.as_stored({**plan, "epochs": 0}) != {**former["plan"], "epochs": 0}:
        raise UserError(f"--resume got the plan {former['plan']}, expected {plan}, this recipe's: start a new run")
    return plan


def _check_options(options):
    for name, choices in _CHOICES.items():
        if options[name] not in choices:
            raise UserError(
                f"got {name} {shown(options[name])}, expected one of {', '.join(choices)}: the run's record is altered"
            )
    for name, least in _COUNTS.items():
        if options[name] is not None and not least <= options[name] <= _LARGEST_COUNT:
            raise UserError(
                f"got {name} {shown(options[name])}, expected at least {least} and at most {_LARGEST_COUNT}: the "
                "run's record is altered"
            )


def require_same_data(path, data, former):
    """Refuse to go on with other data than the run began with."""
    if former["data_digest"] != data.digest:
        raise UserError(
            f"--resume got data with digest {data.digest[:12]} in '{path}', expected {former['data_digest'][:12]}, "
            "the data that the run began with"
        )


def absolute(options):
    """`options` with the data's path made absolute, so that a run can be resumed from any folder."""
    return options if options["data"] is None else {**options, "data": os.path.abspath(options["data"])}
