"""`evaluate DIR --data FILE`: the stored weights on data, beside the printed numbers."""

import json
from pathlib import Path

from crmn_legacy import archive, paper
from crmn_legacy.commands.trained_network import load
from crmn_legacy.errors import UserError
from crmn_legacy.training import evaluation
from crmn_legacy.training.tasks.keypoints import TEST_SETS

SPLITS = ("train", "valid", "test")

# Which printed number a test set is held against.
PRINTED = {"common": "common", "ibug": "ibug", "all": "accuracy"}


def evaluate(arguments):
    """Print the score of each test set, or of the split as a whole."""
    if arguments.split not in SPLITS:
        raise UserError(f"--split got {arguments.split!r}, expected one of {', '.join(SPLITS)}")
    predictions = arguments.predictions
    if predictions is not None and (Path(predictions).exists() or not predictions.endswith(".npz")):
        raise UserError(f"--predictions got '{predictions}', expected a new file that ends in .npz")
    run = load(arguments.run, arguments.recipe)
    data = run.recipe.task.read(arguments.data)
    batches = run.recipe.task.batches(data, arguments.split, run.record.plan.batch_size, run.record.seed)
    found = evaluation.predict(run.step, run.state, run.recipe.task, batches)
    if predictions is not None:
        columns = {name: found[name] for name in ("pictures", "stem_input", "predicted", "target")}
        archive.write_arrays(predictions, columns)
    # The paper's sets are made of test pictures; of another split only the whole says something.
    results = run.recipe.task.by_test_set(found["scores"], data, batches.rows) if arguments.split == "test" else {}
    if not results:
        results = {"all": {"mean": float(found["scores"].mean()), "pictures": len(found["scores"]), "complete": True}}
    printed = paper.row_of(run.record.row).printed
    for name, scored in results.items():
        scored["percent"] = 100 * scored.pop("mean")
        scored["printed"] = printed.get(PRINTED.get(name)) if arguments.split == "test" else None
    if arguments.json:
        metric = run.recipe.task.metric
        report = {"row": run.record.row, "split": arguments.split, "metric": metric, "results": results}
        print(json.dumps(report))
    else:
        _print(run, arguments.split, results)
    return 0


def _print(run, split, results):
    metric = run.recipe.task.metric
    print(f"{run.record.row} ({run.record.plan.kind}), {split}: {metric} in percent")
    print(f"{'set':<10} {'pictures':>8} {'ours':>8} {'printed':>8}")
    for name, scored in results.items():
        printed = "-" if scored["printed"] is None else f"{scored['printed']:.2f}"
        note = "" if scored["complete"] else "  (a part of the set is missing)"
        print(f"{name:<10} {scored['pictures']:>8} {scored['percent']:>8.2f} {printed:>8}{note}")
    if split == "test" and metric == "error":
        for name in TEST_SETS:
            if name not in results and name != "rendered" and "rendered" not in results:
                print(f"{name:<10} no data")
