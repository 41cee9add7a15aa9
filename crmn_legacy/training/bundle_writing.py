"""A recipe's training, evaluation and prediction as a bundle of programs."""

import hashlib
import io
import json
import os
import shutil
import tempfile
from itertools import islice
from pathlib import Path

import numpy as np

from crmn_legacy import cost, samples
from crmn_legacy.backend import precision
from crmn_legacy.backend.lowerings import settings
from crmn_legacy.backend.mrg_streams import stream_states
from crmn_legacy.backend.programs import run_program
from crmn_legacy.backend.programs.draws import describe
from crmn_legacy.backend.programs.reading import DESCRIBED, FORMAT
from crmn_legacy.backend.programs.writing import PLATFORMS, artifact_of, step_artifact
from crmn_legacy.errors import UserError
from crmn_legacy.files import write_whole
from crmn_legacy.layers.random_numbers import MOST_STREAMS
from crmn_legacy.training import steps
from crmn_legacy.training.bundles import program_name
from crmn_legacy.training.prediction_programs import face_program, picture_program

_CHECKED_UPDATES = 3


def write_bundle(folder, subject, extras=None, told=None):
    """Write the programs of a recipe into a new folder.

    Parameters
    ----------
    folder : Path
        Missing or empty.
    subject : crmn_legacy.training.bundles.Subject
    extras : dict of str to bytes, optional
        Other files, such as trained weights.
    told : dict, optional
        What stands in `DESCRIBED` beside what programs need.

    Returns
    -------
    dict
        What stands there.
    """
    check = _check_batch(subject)
    contents, described = _programs(subject, _kinds(check))
    contents |= {
        "check.npz": _as_npz(check),
        "run_program.py": Path(run_program.__file__).read_bytes(),
        **(extras or {}),
    }
    described |= {
        "batch": {name: {"shape": list(array.shape), "dtype": str(array.dtype)} for name, array in check.items()},
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in sorted(contents.items())},
        **(told or {}),
    }
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Beside its place, so that a bundle is there as a whole or not at all.
    place = Path(tempfile.mkdtemp(prefix=".bundle-", dir=folder.parent))
    try:
        place.chmod(0o755)
        for name, content in contents.items():
            write_whole(place / name, content)
        _describe(place, described)
        _describe(place, described | {"check_losses": _losses(run_program.Bundle(place))})
        os.replace(place, folder)
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    return described


def _describe(place, described):
    write_whole(place / DESCRIBED, (json.dumps(described, indent=1, sort_keys=True) + "\n").encode())


def _programs(subject, kinds):
    """Contents of files by name, and the description of the network, its first state and its programs."""
    artifacts, contents, described = {}, {}, None
    for platform in PLATFORMS:
        try:
            numbers = precision.use(subject.options.precision, device=platform)
        except UserError:
            continue  # TF32 is a format of NVIDIA's alone
        with numbers, settings(platform=platform):
            draws = []
            network = steps.build(
                lambda: subject.recipe.network(**subject.plan.arguments), subject.options.seed, draws=draws
            )
            made = _steps(subject, network)
            if described is None:
                described, stored = _first_state(subject, network, made["train"], draws)
            found = {name: step_artifact(step, kinds, platform) for name, step in made.items()}
            predicting, statistics = _prediction(subject, network, platform)
            found |= predicting
            if any("streams" in how for how in described["state"].values()):
                found["streams"] = _streams(platform)
        artifacts |= {f"{name}.{platform}": artifact for name, artifact in found.items()}
    contents |= {f"{name}.stablehlo": artifact.content for name, artifact in artifacts.items()}
    contents |= {name: _as_npz(a) for name, a in (("initial.npz", stored), ("statistics.npz", statistics)) if a}
    return contents, described | {"programs": {name: artifact.described for name, artifact in artifacts.items()}}


def _prediction(subject, network, platform):
    """The program that predicts from raw pictures, by its name, and the statistics that it reads.

    Of a classifier there is none before it was trained on some data, whose statistics prepare the pictures.
    """
    task = subject.recipe.task
    step = steps.prediction_step(network, task)
    if task.predicts == "keypoints":
        return {"predict": face_program(step, task.augmentation, platform)}, {}
    if subject.data is None:
        return {}, {}
    artifact, statistics = picture_program(step, task, subject.data, platform)
    return {"predict": artifact}, statistics


def _steps(subject, network):
    """The compiled steps by the names of their programs."""
    recipe = subject.recipe
    components = recipe.schedule.components
    made = {
        program_name(trained, components): steps.train_step(
            *steps.parts_of(recipe, network), subject.options.remat, trained=trained
        )
        for trained in subject.trained()
    }
    made["evaluate"] = steps.evaluation_step(network, recipe.task)
    if recipe.task.samples:
        made["test"] = steps.evaluation_step(network, recipe.task, sampling=True)
    return made


def _first_state(subject, network, train, draws):
    """What is to be told of the network and its first state, and the arrays that no draw explains."""
    import lasagne

    recipe, seed = subject.recipe, subject.options.seed
    state = {name: np.asarray(value) for name, value in train.initial_values().items()}
    how = describe(state, draws, lambda draw: steps.drawn(seed, draw), stream_states)
    schedule = recipe.schedule
    rates = {name: schedule.rates(schedule.start())[name] for name in schedule.components}
    described = {
        "format": FORMAT,
        "row": recipe.row,
        "precision": subject.options.precision,
        "seed": seed,
        "plan": {"arguments": subject.plan.arguments, "batch_size": subject.plan.batch_size, "kind": subject.plan.kind},
        "baked": subject.baked(),
        "parameters": cost.parameters(network),
        "flops": cost.flops(network),
        "weights": [parameter.name for parameter in lasagne.layers.get_all_params(network)],
        "state": how,
        "initial_sha256": run_program.digest(state),
        "classes": None if subject.data is None else list(map(str, subject.data.classes)),
        "rates": rates,
        # Low, so that what two compilers round otherwise does not grow from update to update.
        "check_rates": {name: rate / 1000 for name, rate in rates.items()},
    }
    return described, {name: state[name] for name, made in how.items() if not made.keys() & {"fill", "draw"}}


def _streams(platform):
    """The program that makes the first states of layers' random numbers of one seed."""
    import jax
    import jax.numpy as jnp

    def streams(batch):
        return {}, {"states": stream_states(batch["seed"].astype(jnp.uint64), MOST_STREAMS, jnp)}

    # Its products have 62 bits.
    with jax.experimental.enable_x64():
        return artifact_of(streams, {"batch": {"seed": jax.ShapeDtypeStruct((), np.uint32)}}, platform)


def _check_batch(subject):
    """A batch of the embedded sample, by name."""
    task = subject.recipe.task
    sample = task.read(samples.path(task.sample))
    batches = task.batches(sample, "train", subject.plan.batch_size, seed=1)
    batch, _ = next(batches.evaluation())
    return batch


def _kinds(batch):
    import jax

    return {name: jax.ShapeDtypeStruct(array.shape, array.dtype) for name, array in batch.items()}


def _losses(bundle):
    """The losses of the first updates on the batch that travels along, where a processor can make them."""
    if "train.cpu" not in bundle.described["programs"]:
        return []
    program, batch = bundle.program("train", "cpu"), bundle.arrays("check.npz")

    def updates():
        state = program.put(bundle.initial_state())
        while True:
            found = program(state=state, batch=batch, rates=bundle.described["check_rates"])
            state = found["state"]
            yield float(found["outputs"]["loss"])

    return list(islice(updates(), _CHECKED_UPDATES))


def _as_npz(arrays):
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()
