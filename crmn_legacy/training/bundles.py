"""A run's steps out of a bundle of programs, which must be of the very same network and training."""

import json
from dataclasses import dataclass
from functools import partial
from typing import Any

from crmn_legacy.backend.programs.reading import ProgramStep
from crmn_legacy.errors import UserError
from crmn_legacy.training.component_steps import ComponentSteps
from crmn_legacy.training.penalties import as_decay


@dataclass(frozen=True)
class Subject:
    """What a bundle is made of.

    Attributes
    ----------
    recipe : crmn_legacy.recipe.Recipe
        With the literals that the run has.
    options : crmn_legacy.options.Options
    plan : crmn_legacy.archive.record.Plan
    data : crmn_legacy.data.files.labelled_pictures.Pictures or None
        What a classifier was trained on, whose statistics prepare pictures.
    """

    recipe: Any
    options: Any
    plan: Any
    data: Any = None

    def baked(self):
        """What programs have in them beside the network, in plain words and numbers (a dict)."""
        recipe = self.recipe
        described = {
            "optimizer": recipe.optimizer.describe(),
            "weight_decay": as_decay(recipe.weight_decay).describe(),
            "constraints": [constraint.describe() for constraint in recipe.constraints],
            "components": list(recipe.schedule.components),
            "samples": recipe.task.samples,
        }
        return json.loads(json.dumps(described))

    def trained(self):
        """All components, and the sets of them that are trained together in some epoch (list of tuple of str)."""
        schedule, epochs = self.recipe.schedule, range(1, self.recipe.epochs + 1)
        return list(dict.fromkeys([tuple(schedule.components), *map(schedule.trained, epochs)]))


def program_name(trained, components):
    """The name of the training program of some components: of all of them ``train``."""
    return "train" if tuple(trained) == tuple(components) else f"train-{'-'.join(trained)}"


def steps_of(subject, bundle):
    """The training, evaluation and test steps of a run, out of a bundle.

    Parameters
    ----------
    subject : Subject
        The run's.
    bundle : crmn_legacy.backend.programs.run_program.Bundle

    Returns
    -------
    ComponentSteps
    ProgramStep, ProgramStep

    Raises
    ------
    UserError
        The bundle is of another row, network, optimiser, batch size or number format.
    """
    _require_alike(subject, bundle)
    recipe, options, described = subject.recipe, subject.options, bundle.described
    step = partial(ProgramStep, bundle, platform=options.device, seed=options.seed)
    components = recipe.schedule.components

    def train(trained=components):
        return step(program_name(trained, components))

    dtype = "float64" if options.precision == "float64" else "float32"
    evaluate = test = step("evaluate")
    if f"test.{options.device}" in described["programs"]:
        test = step("test")
    return ComponentSteps(train, components, dtype), evaluate, test


def _require_alike(subject, bundle):
    plan, described = subject.plan, bundle.described
    ours = {
        "row": subject.recipe.row,
        "network": json.loads(json.dumps(plan.arguments)),
        "batch_size": plan.batch_size,
        "precision": subject.options.precision,
        **subject.baked(),
    }
    theirs = {"row": described["row"], "precision": described["precision"], **described["baked"]}
    theirs |= {"network": described["plan"].get("arguments"), "batch_size": described["plan"].get("batch_size")}
    for name, value in ours.items():
        if theirs.get(name) != value:
            raise UserError(
                f"--programs got a bundle with {name} {json.dumps(theirs.get(name))[:200]}, expected "
                f"{json.dumps(value)[:200]}, this run's: `export` another, or give the options that it was made with"
            )
