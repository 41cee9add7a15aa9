"""A run of a recipe, taken up again: its recipe, its network, its weights."""

import runpy
from dataclasses import dataclass
from pathlib import Path

from crmn_legacy import archive, paper
from crmn_legacy.backend import determinism
from crmn_legacy.errors import UserError

RECIPES = Path(__file__).parents[2] / "recipes"

# No run's batch is larger; a record that says otherwise would fill the memory.
_LARGEST_BATCH = 4096


def recipe_of(row):
    """The `Recipe` of a row of the tables, or None if nobody has written it.

    Raises
    ------
    UserError
        No such row.
    """
    if not isinstance(row, str) or row not in paper.ROWS:
        raise UserError(f"got the row {row!a}, expected one of the paper's tables: `tables` lists them")
    script = RECIPES / f"{row}.py"
    return runpy.run_path(str(script))["RECIPE"] if script.is_file() else None


@dataclass
class StoredRun:
    """A run whose weights can be put to use.

    Attributes
    ----------
    record : dict
        Its ``run.json``.
    recipe : Recipe
        Of this version of the package, by the run's row.
    network : Layer
        With the arguments that the run had.
    step : crmn_legacy.backend.compile.Step
        Outputs ``predicted``, ``losses``, ``stem_input``.
    state : dict of str to array
        The weights of the best validation.
    """

    record: dict
    recipe: object
    network: object
    step: object
    state: dict


def load(folder):
    """Take up a run.

    Parameters
    ----------
    folder : path
        Of the run; it may still be unfinished, if an epoch has ended.

    Returns
    -------
    StoredRun

    Raises
    ------
    UserError
        The folder holds no run, no weights, or those of another network.
    """
    record = archive.read_record(folder)
    recipe = recipe_of(record["row"])
    if recipe is None:
        raise UserError(f"got a run of {record['row']!r}, whose recipe is not there, expected it in '{RECIPES}'")
    weights = archive.read_arrays(Path(folder) / archive.WEIGHTS)
    plan, options = record["plan"], record["options"]
    precision_name = options["precision"]
    arguments = next((own for own in ({}, recipe.smallest) if archive.as_stored(own) == plan["arguments"]), None)
    if arguments is None or not 1 <= plan["batch_size"] <= _LARGEST_BATCH:
        raise UserError(
            f"got a run of the network {plan['arguments']}, {plan['batch_size']} pictures a batch, expected the "
            f"arguments {{}} or {recipe.smallest} and at most {_LARGEST_BATCH}: an altered run.json, or another "
            "version's"
        )
    switches = determinism.pin(options["bits"], device=None)
    key_words = (options["backend"], "cpu", 1, precision_name)

    from crmn_legacy.backend import cache, precision
    from crmn_legacy.training import steps

    # The weights themselves are whole numbers of their format: TF32 and bfloat16 name how products were made.
    with precision.use("float64" if precision_name == "float64" else "float32"):
        cache.use(determinism.platform_key(switches, *key_words))
        network = steps.build(lambda: recipe.network(**arguments), seed=record["seed"])
        step = steps.evaluation_step(network, recipe.task, with_stem_input=True, sampling=recipe.task.samples > 0)
    initial = step.get(step.initial_state())
    # Random inference begins as it did when the run was tested: with the seed's first random state.
    weights |= steps.random_state(initial)
    for name, value in initial.items():
        expected = f"{value.dtype} {value.shape}"
        found = f"{weights[name].dtype} {weights[name].shape}" if name in weights else "none"
        if found != expected:
            raise UserError(f"got weights in '{folder}' with {name} {found}, expected {expected}: another network's?")
    return StoredRun(record, recipe, network, step, weights)
