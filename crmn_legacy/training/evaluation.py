"""Stored weights on data: predictions, and the score of each test set beside the printed one."""

import numpy as np

# The paper's test sets: which of a file's sources make each, in the order of its Table 1.
TEST_SETS = {
    "helen": ("helen",),
    "lfpw": ("lfpw",),
    "common": ("helen", "lfpw"),
    "ibug": ("ibug",),
    "rendered": ("rendered",),
}


def predict(step, state, task, batches):
    """Predictions for a whole split, in the file's order, without jitter.

    Parameters
    ----------
    step : crmn_legacy.backend.compile.Step
        As `training.steps.evaluation_step` compiles it.
    state : dict of str to array
        Weights, of the host.
    task : Keypoints or alike
        Scores predictions.
    batches : FaceBatches or alike
        The split.

    Returns
    -------
    dict of str to array
        ``predicted``, ``target``, ``pictures``, ``scores``; whatever else the step puts out. First axis: pictures.
    """
    stored = step.put(state)
    columns = {}
    for batch, count in batches.evaluation():
        _, outputs = step(stored, batch)
        found = step.get_outputs(outputs)
        found |= {"pictures": batch["images"], "target": batch["keypoints"]}
        found["scores"] = task.score(found["predicted"], batch, all_points=True)
        for name, value in found.items():
            columns.setdefault(name, []).append(value[:count])
    return {name: np.concatenate(parts) for name, parts in columns.items()}


def by_test_set(scores, sources):
    """Mean score of each of the paper's test sets, pooled over pictures.

    Parameters
    ----------
    scores : array (pictures,)
        Fractions.
    sources : str array (pictures,)
        Where each picture comes from.

    Returns
    -------
    dict of str to dict
        For each set with pictures: ``mean``, ``pictures`` and ``complete``, which is false for ``common`` where one
        of its two sources is missing.
    """
    results = {}
    for name, members in TEST_SETS.items():
        chosen = np.isin(sources, members)
        if chosen.any():
            complete = all((sources == member).any() for member in members)
            results[name] = {
                "mean": float(np.mean(scores[chosen])),
                "pictures": int(chosen.sum()),
                "complete": complete,
            }
    return results
