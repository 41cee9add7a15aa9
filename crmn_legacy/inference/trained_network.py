"""A run of a recipe, taken up again: its recipe, its network, its weights."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from crmn_legacy import archive, paper, samples
from crmn_legacy.archive.record import RunRecord
from crmn_legacy.backend import determinism
from crmn_legacy.errors import UserError, printable
from crmn_legacy.installation import RECIPES, load_recipe
from crmn_legacy.training.protocols import EvaluationStep

# No run's batch is larger; a record that says otherwise would fill the memory.
_LARGEST_BATCH = 4096


def recipe_of(row, script=None):
    """The `Recipe` of a row.

    Parameters
    ----------
    row : str
    script : path, optional
        The recipe of a row of one's own. It is run.

    Raises
    ------
    UserError
        No such row, or the recipe is another row's.
    """
    if script is not None:
        recipe = load_recipe(script)
        if recipe.row != row:
            raise UserError(f"--recipe got '{script}', a recipe of {recipe.row!a}, expected one of {row!a}")
        return recipe
    if row not in paper.ROWS or not (RECIPES / f"{row}.py").is_file():
        raise UserError(
            f"got the row {row!a}, expected one of the paper's tables (`tables` lists them), or the recipe of a row of "
            "your own: add --recipe FILE.py"
        )
    return load_recipe(RECIPES / f"{row}.py")


@dataclass
class TrainedNetwork:
    """A run's network, which can be put to use.

    Attributes
    ----------
    record : RunRecord
    recipe : Recipe
        Of this version of the package, by the run's row; with the literals that the run had.
    network : Layer
        With the arguments that the run had.
    step : EvaluationStep
        Outputs ``predicted``, ``losses``, ``stem_input``.
    state : dict of str to array
        The weights of the best validation.
    memory : EvaluationStep or None
        What `crmn_legacy.training.steps.memory_step` gives, if `load` was asked for it.
    """

    record: RunRecord
    recipe: Any
    network: Any
    step: EvaluationStep
    state: dict[str, np.ndarray]
    memory: EvaluationStep | None = None


def load(folder, script=None, with_memory=False, pin=determinism.pin):
    """Take up a run.

    Parameters
    ----------
    folder : path
        Of the run; it may still be unfinished, if an epoch has ended.
    script : path, optional
        The recipe of a row of one's own.
    with_memory : bool
        Whether what the network's memory holds, if it has one, is to be looked at.
    pin : callable
        Sets the switches of the run's profile: `determinism.pin`, or `determinism.pin_within` in somebody's program.

    Returns
    -------
    TrainedNetwork

    Raises
    ------
    UserError
        The folder holds no run, no weights, or those of another network.
    """
    record = archive.read_record(folder)
    options = record.options
    recipe = recipe_of(record.row, script).with_literals(options.set)
    weights = archive.read_arrays(Path(folder) / archive.WEIGHTS)
    arguments = _arguments(recipe, record)
    switches = pin(options.bits, device=None)

    from crmn_legacy.backend import cache, precision
    from crmn_legacy.training import evaluation, steps

    # The weights themselves are whole numbers of their format: TF32 and bfloat16 name how products were made.
    with precision.use("float64" if options.precision == "float64" else "float32"):
        cache.use(determinism.platform_key(switches, options.backend, "cpu", 1, options.precision))
        network = steps.build(lambda: recipe.network(**arguments), seed=record.seed)
        step = steps.evaluation_step(network, recipe.task, with_stem_input=True, sampling=recipe.task.samples > 0)
        memory = steps.memory_step(network, recipe.task) if with_memory else None
    initial = step.get(step.initial_state())
    # Random inference begins as it did when the run was tested: with the seed's first random state.
    weights |= evaluation.random_state(initial)
    for name, value in initial.items():
        expected = f"{value.dtype} {value.shape}"
        found = f"{weights[name].dtype} {weights[name].shape}" if name in weights else "none"
        if found != expected:
            raise UserError(f"got weights in '{folder}' with {name} {found}, expected {expected}: another network's?")
    return TrainedNetwork(record, recipe, network, step, weights, memory)


def training_data(record, task):
    """The data that a run was trained on, whose statistics prepare pictures; `UserError` if they are not there."""
    path = record.options.data
    path = samples.path(task.sample) if path is None else Path(path)
    data = task.read(path)
    if data.digest != record.data_digest:
        raise UserError(
            f"got data with digest {data.digest[:12]} in '{path}', expected {record.data_digest[:12]}, the data "
            "that the run was trained on: their statistics prepare the pictures"
        )
    return data


def warn_if_altered(folder):
    """Say on standard error if a finished run's folder is not as its run left it; returns what `verify` found."""
    try:
        problems = archive.verify(folder)
    except OSError as error:
        problems = [f"a file that cannot be read ({error.strerror})"]
    if problems:
        told = f"note: the run's folder is not whole ({problems[0]}); `verify` says more"
        print(printable(told), file=sys.stderr)
    return problems


def _arguments(recipe, record):
    """The arguments of the run's network, which must be those that its options give."""
    plan, options = record.plan, record.options
    arguments = recipe.network_arguments(options.smoke, options.network)
    as_stored = json.loads(json.dumps(arguments))
    if as_stored != plan.arguments or not 1 <= plan.batch_size <= _LARGEST_BATCH:
        raise UserError(
            f"got a run of the network {plan.arguments}, {plan.batch_size} pictures a batch, expected the arguments "
            f"{as_stored} and at most {_LARGEST_BATCH}: an altered run.json, or another version's"
        )
    return arguments
