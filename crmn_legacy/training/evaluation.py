"""Stored weights on data: predictions for a whole split, averaged over random passes where inference is random."""

import numpy as np

# What is averaged over the random passes; all else is the same in each.
_AVERAGED = ("predicted", "losses")


def predict(step, state, task, batches):
    """Predictions for a whole split, in the file's order, without jitter.

    Parameters
    ----------
    step : crmn_legacy.backend.compile.Step
        As `training.steps.evaluation_step` compiles it.
    state : dict of str to array
        Weights, of the host; where the step draws, also its first random state.
    task : crmn_legacy.training.protocols.Task
        Scores predictions; its `samples` says how many random passes are averaged.
    batches : crmn_legacy.training.protocols.Batches
        The split.

    Returns
    -------
    dict of str to array
        ``predicted``, ``target``, ``pictures``, ``scores``; whatever else the step puts out. First axis: pictures.
    """
    stored = step.put(state)
    columns = {}
    for batch, count in batches.evaluation():
        stored, found = mean_of_passes(step, stored, batch, max(task.samples, 1))
        found |= {"pictures": batch["images"], "target": task.target(batch)}
        found["scores"] = task.score(found["predicted"], batch, all_points=True)
        for name, value in found.items():
            columns.setdefault(name, []).append(value[:count])
    return {name: np.concatenate(parts) for name, parts in columns.items()}


def mean_of_passes(step, stored, batch, number):
    """The outputs for a batch, averaged over passes that draw at random.

    Parameters
    ----------
    step : crmn_legacy.training.protocols.EvaluationStep
    stored : State
        Where the step computes.
    batch : dict of str to array
    number : int
        Of passes.

    Returns
    -------
    State
        After the passes.
    dict of str to array
        Outputs; predictions and losses are means in double precision, rounded once.
    """
    stored, outputs = step(stored, batch)
    found = step.get_outputs(outputs)
    if number == 1:
        return stored, found
    sums = {name: found[name].astype(np.float64) for name in _AVERAGED}
    for _ in range(number - 1):
        stored, outputs = step(stored, batch)
        outputs = step.get_outputs(outputs)
        for name in _AVERAGED:
            sums[name] += outputs[name]
    return stored, found | {name: (total / number).astype(found[name].dtype) for name, total in sums.items()}


def memory(step, state, batches, chosen):
    """What a memory over the depth holds, over a whole split.

    Parameters
    ----------
    step : crmn_legacy.backend.compile.Step
        As `training.steps.memory_step` compiles it.
    state : dict of str to array
        Weights, of the host.
    batches : crmn_legacy.training.protocols.Batches
        The split.
    chosen : int array
        Pictures, by their places in the split, whose states are kept one by one.

    Returns
    -------
    dict of str to array
        For each state ``NAME``: ``NAME.mean`` and ``NAME.deviation`` over the pictures, float32 (depth, units), and
        ``NAME.single``, (chosen, depth, units). ``from_memory`` and ``from_pool``, (pictures, outputs).
    """
    stored = step.put(state)
    sums, squares, single, heads = {}, {}, {}, {"from_memory": [], "from_pool": []}
    first = 0
    for batch, count in batches.evaluation():
        _, outputs = step(stored, {"images": batch["images"]})
        for name, value in step.get_outputs(outputs).items():
            value = value[:count]
            if name in heads:
                heads[name].append(value)
                continue
            wide = value.astype(np.float64)
            sums[name] = sums.get(name, 0) + wide.sum(axis=0)
            squares[name] = squares.get(name, 0) + (wide**2).sum(axis=0)
            kept = single.setdefault(name, np.zeros((len(chosen), *value.shape[1:]), value.dtype))
            for place, picture in enumerate(chosen):
                if first <= picture < first + count:
                    kept[place] = value[picture - first]
        first += count
    found = {name: np.concatenate(parts) for name, parts in heads.items()}
    for name, total in sums.items():
        mean = total / first
        # A difference of equal squares may be a rounding below 0.
        deviation = np.sqrt(np.maximum(squares[name] / first - mean**2, 0))
        found |= {f"{name}.mean": mean.astype(np.float32), f"{name}.deviation": deviation.astype(np.float32)}
        found[f"{name}.single"] = single[name]
    return found


def random_state(state):
    """The part of a state that is layers' random numbers, which no weights file has (a dict)."""
    return {name: value for name, value in state.items() if name.endswith(".rng")}
