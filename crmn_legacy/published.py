"""What of a run's settings is not as its row was published."""

import dataclasses

from crmn_legacy.installation import RECIPES, load_recipe
from crmn_legacy.literals import literals_of
from crmn_legacy.options import DEFAULTS

# These say nothing of the published run, or are told otherwise.
_ASIDE = {"row", "network", "smallest", "rehearsal", "smoke", "sources", "deviations", "epochs"}


def is_own_recipe(row, script):
    """Whether a script is the recipe of a printed row, byte for byte, and no changed copy (a bool)."""
    return script.read_bytes() == (RECIPES / f"{row}.py").read_bytes()


def unlike_published(recipe, script, plan, options, steps_per_epoch):
    """What of a training run's recipe, network, length and number format is not as its row was published.

    The seed, the backend and the device are nobody's publication.

    Parameters
    ----------
    recipe : crmn_legacy.recipe.Recipe
        With the literals that the run has.
    script : path
        Its file.
    plan : crmn_legacy.archive.record.Plan
    options : crmn_legacy.options.Options
    steps_per_epoch : int

    Returns
    -------
    list of str
        A few words each, with the row's own value in brackets; empty for a run as published.
    """
    row = load_recipe(RECIPES / f"{recipe.row}.py")
    found = [] if is_own_recipe(recipe.row, script) else ["a recipe of its own"]
    found += _changes(row.network_defaults(), {**recipe.network_defaults(), **plan.arguments})
    found += _settings_unlike(row, recipe)
    found += _changes({"epochs": row.epochs}, {"epochs": options.epochs or recipe.epochs})
    updates = row.epochs * steps_per_epoch
    if plan.steps is not None and plan.steps < updates:
        found.append(f"updates {plan.steps:,} (the row's {updates:,})")
    return found + _changes({"precision": DEFAULTS.precision}, {"precision": options.precision})


def _settings_unlike(row, recipe):
    """The settings of two recipes that differ: literals by their path; of parts of unlike kinds only these."""
    found = []
    for name in (field.name for field in dataclasses.fields(row) if field.name not in _ASIDE):
        published, ours = getattr(row, name), getattr(recipe, name)
        if dataclasses.is_dataclass(published) and type(published) is type(ours):
            found += _changes(dict(literals_of(published, f"{name}.")), dict(literals_of(ours, f"{name}.")))
        else:
            found += _changes({name: _kind_or_value(published)}, {name: _kind_or_value(ours)})
    return found


def _kind_or_value(part):
    return type(part).__name__ if dataclasses.is_dataclass(part) else part


def _changes(published, ours):
    return [
        f"{name} {_shown(ours.get(name))} (the row's {_shown(published.get(name))})"
        for name in dict.fromkeys([*published, *ours])
        if ours.get(name) != published.get(name)
    ]


def _shown(value):
    return "none" if value is None else value if isinstance(value, str) else repr(value)
