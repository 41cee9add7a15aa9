"""`export DIR|ROW --out FOLDER`: training, evaluation and prediction as programs that outlive this package."""

import os
import re
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from crmn_legacy import archive
from crmn_legacy.archive.provenance import source
from crmn_legacy.backend import determinism
from crmn_legacy.commands.output_paths import require_outside
from crmn_legacy.errors import UserError
from crmn_legacy.inference.trained_network import load, training_data, warn_if_altered
from crmn_legacy.installation import load_recipe, recipe_script
from crmn_legacy.options import OF_A_BUNDLE, Options
from crmn_legacy.training.bundles import Subject
from crmn_legacy.training.run_plan import make_plan

_BITS = re.compile(r"sha256:[0-9a-f]{64}")


def export(arguments):
    """Write the bundle; returns the exit status."""
    out = Path(arguments.out)
    if os.path.lexists(out) and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"--out got '{out}', which exists, expected a new or empty folder: give another --out")
    require_outside(out, [arguments.run])
    given = {name: getattr(arguments, name) for name in OF_A_BUNDLE if getattr(arguments, name) is not None}
    of_run = Path(arguments.run).is_dir()
    subject, extras, told = _of_run(arguments, given) if of_run else _of_row(arguments, given)
    from crmn_legacy.training.bundle_writing import write_bundle

    described = write_bundle(out, subject, extras, told)
    size = sum(path.stat().st_size for path in out.iterdir())
    print(f"{subject.recipe.row}: {', '.join(described['programs'])}; {size:,} bytes in {out}")
    return 0


def _of_run(arguments, given):
    """What a bundle of a run is made of, the run's weights, and where they come from."""
    if given:
        raise UserError(f"--{next(iter(given))} got a run's folder, expected a row: of a run all is as it was trained")
    run = load(arguments.run, arguments.recipe)
    problems = warn_if_altered(arguments.run)
    record = run.record
    bits = record.bits
    told = {
        "status": record.status,
        "data_digest": record.data_digest,
        "bits": bits if bits and _BITS.fullmatch(bits) else None,
        "whole": not problems,
    }
    subject = Subject(run.recipe, record.options, record.plan)
    if run.recipe.task.predicts == "classes":
        subject = replace(subject, data=training_data(record, run.recipe.task))
    weights = (Path(arguments.run) / archive.WEIGHTS).read_bytes()
    return subject, {archive.WEIGHTS: weights}, _made_with() | {"run": told}


def _of_row(arguments, given):
    """What a bundle of a row is made of: its first state, and the published batch unless ``--smoke`` is given."""
    options = Options(**given)
    determinism.pin(options.bits, device=None)
    recipe = load_recipe(recipe_script(arguments.recipe or arguments.run)).with_literals(options.set)
    # Without data a run rehearses; a bundle is for training.
    plan = make_plan(recipe, options if options.smoke else Options(**given, data="as published"))
    return Subject(recipe, options, plan), {}, _made_with()


def _made_with():
    return {"made_with": {name: version(name) for name in ("jax", "jaxlib", "numpy")}, "source": source()["digest"]}
