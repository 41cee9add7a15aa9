"""`evaluate DIR --data FILE`: the stored weights on data, beside the printed numbers."""

import json
from pathlib import Path

import msgspec
import numpy as np

from crmn_legacy import archive, paper
from crmn_legacy.archive.record import Score
from crmn_legacy.errors import UserError, printable
from crmn_legacy.inference.trained_network import load, warn_if_altered
from crmn_legacy.metrics import INTEROCULAR, NORMALISERS, typical
from crmn_legacy.training import evaluation
from crmn_legacy.training.tasks.keypoints import TEST_SETS

SPLITS = ("train", "valid", "test")

# Which printed number a test set is held against.
PRINTED = {"common": "common", "ibug": "ibug", "all": "accuracy"}


def evaluate(arguments):
    """Print the score of each test set, or of the split as a whole."""
    if arguments.split not in SPLITS:
        raise UserError(f"--split got {arguments.split!r}, expected one of {', '.join(SPLITS)}")
    if arguments.normalise not in NORMALISERS:
        raise UserError(f"--normalise got {arguments.normalise!r}, expected one of {', '.join(NORMALISERS)}")
    predictions = arguments.predictions
    if predictions is not None and (Path(predictions).exists() or not predictions.endswith(".npz")):
        raise UserError(f"--predictions got '{predictions}', expected a new file that ends in .npz")
    run = load(arguments.run, arguments.recipe, with_memory=predictions is not None)
    task = run.recipe.task
    normaliser = _normaliser(arguments.normalise, run)
    data = task.read(arguments.data)
    batches = task.batches(data, arguments.split, run.record.plan.batch_size, run.record.seed)
    found = evaluation.predict(run.step, run.state, task, batches)
    scores = found["scores"]
    if normaliser is not INTEROCULAR:
        scores = scores * INTEROCULAR.distance(found["target"]) / normaliser.distance(found["target"])
    _require_finite(scores, data.name[batches.rows], arguments.run)
    if predictions is not None:
        archive.write_arrays(predictions, _columns(run, found, data, batches))
    results = _results(scores, data, batches.rows, arguments.split, task)
    # The printed numbers are of released test sets, in the paper's own measure.
    printed = paper.row_of(run.record.row).printed if normaliser is INTEROCULAR else {}
    beside = {name: printed.get(PRINTED.get(name)) if scored.released else None for name, scored in results.items()}
    if arguments.json:
        print(json.dumps(_described(run, arguments, results, beside), allow_nan=False))
    else:
        _print(run, arguments.split, normaliser, results, beside)
    warn_if_altered(arguments.run)
    return 0


def _columns(run, found, data, batches):
    """What ``--predictions`` writes: what the network read and gave, whose pictures they are, what its memory held."""
    columns = {name: found[name] for name in ("pictures", "stem_input", "predicted", "target")}
    sources = np.broadcast_to(data.source, len(data))[batches.rows]
    columns |= {"names": data.name[batches.rows], "sources": sources}
    is_classifier = run.recipe.task.predicts == "classes"
    if is_classifier:
        # What a person sees; `pictures` are prepared for the network.
        columns |= {"classes": data.classes, "raw": data.images[batches.rows]}
    if run.memory is not None:
        quality = -found["scores"]
        if is_classifier:
            quality = found["predicted"][np.arange(len(sources)), found["target"]]
        chosen = np.concatenate(list(typical(quality).values()))
        kept = evaluation.memory(run.memory, run.state, batches, chosen)
        columns |= {"memory.chosen": chosen, **{f"memory.{name}": value for name, value in kept.items()}}
    return columns


def _normaliser(name, run):
    if name != "eye-centres" and run.recipe.task.metric != "error":
        raise UserError(
            f"--normalise got a run of {run.record.row!r}, a classifier, expected one on faces: leave it out"
        )
    return NORMALISERS[name]


def _require_finite(scores, names, folder):
    bad = np.flatnonzero(~np.isfinite(scores))
    if len(bad):
        first = printable(str(names[bad[0]]))
        raise UserError(
            f"got predictions of {len(bad)} of {len(scores)} pictures that are not finite, first of {first!r}; "
            f"expected numbers: the weights in '{folder}' are of no use, train anew"
        )


def _results(scores, data, rows, split, task):
    """Test set -> `Score`; of a split that is not for tests the whole alone."""
    results = task.by_test_set(scores, data, rows) if split == "test" else {}
    if not results:
        complete = split != "test" and (np.all(data.source == "rendered") or not task.unlike_release(data))
        results = {"all": {"mean": float(scores.mean()), "pictures": len(scores), "complete": bool(complete)}}
    return {name: msgspec.convert(scored, Score) for name, scored in results.items()}


def _described(run, arguments, results, beside):
    """What ``--json`` prints (a dict)."""
    described = {"row": run.record.row, "split": arguments.split, "metric": run.recipe.task.metric}
    if described["metric"] == "error":
        described["normalise"] = arguments.normalise
    described["unlike"] = _unlike(run)
    described["results"] = {}
    for name, scored in results.items():
        parts = msgspec.to_builtins(scored)
        described["results"][name] = {"percent": 100 * parts.pop("mean"), **parts, "printed": beside[name]}
    return described


def _unlike(run):
    """What of the run is not as its row was published (list of str)."""
    record = run.record
    if record.row not in paper.ROWS:
        return []
    return record.not_as_published() if record.plan.kind == "training" else [f"a {record.plan.kind} run"]


def _told_part(scored):
    if scored.released is None:
        return "the training pictures are not those of the release"
    if scored.pictures < scored.released:
        return f"a part of the set is missing: {scored.extent()}"
    return f"not the release's set: {scored.extent()}"


def _print(run, split, normaliser, results, beside):
    metric = run.recipe.task.metric
    measure = f"error in percent of the {normaliser.title}" if metric == "error" else f"{metric} in percent"
    print(f"{run.record.row} ({run.record.plan.kind}), {split}: {measure}")
    print(f"{'set':<10} {'pictures':>8} {'ours':>8} {'printed':>8}")
    for name, scored in results.items():
        printed = "-" if beside[name] is None else f"{beside[name]:.2f}"
        part = "" if scored.complete else f"  ({_told_part(scored)})"
        print(f"{name:<10} {scored.pictures:>8} {100 * scored.mean:>8.2f} {printed:>8}{part}")
    if split == "test" and metric == "error":
        for name in TEST_SETS:
            if name not in results and name != "rendered" and "rendered" not in results:
                print(f"{name:<10} no data")
    unlike = _unlike(run)
    if unlike:
        print(f"the run is not as published: {printable('; '.join(unlike))}")
    if split == "valid" and run.recipe.task.jitters_validation:
        print("without jitter; the run's own validation, which chose the weights, is of jittered pictures")
