"""`export DIR --out FILE`: the trained network as StableHLO, which JAX loads without this package."""

import hashlib
import json
import os
import re
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path

from crmn_legacy import archive
from crmn_legacy.commands.output_paths import require_outside
from crmn_legacy.commands.trained_network import load, warn_if_altered
from crmn_legacy.errors import UserError
from crmn_legacy.files import write_whole

# One file for all of them; which one is used is chosen where it is loaded.
PLATFORMS = ("cpu", "cuda", "rocm", "tpu")

_BITS = re.compile(r"sha256:[0-9a-f]{64}")


def export(arguments):
    """Write the network and, beside it, where it comes from; returns the exit status.

    What is written takes pictures as `evaluate --predictions` stores them: of faces uint8 (N, 1, height, width), gray,
    the face's box warped to the network's size; of a classifier float32 (N, 3, height, width), after its preprocessing.
    It returns what that file calls ``predicted``: for faces (N, 136), x0, y0, x1, y1, ... in [0, 1] of the picture; for
    a classifier (N, classes), by a deterministic pass. N is any number from 1 on. No picture's result depends on the
    others; how many there are moves the rounding of its last bits, as it does in `evaluate`.
    """
    out = Path(arguments.out)
    beside = Path(f"{out}.json")
    for path in (out, beside):
        if os.path.lexists(path):
            raise UserError(f"--out got '{out}', but '{path}' exists, expected new files: give another --out")
    require_outside(out, [arguments.run])
    run = load(arguments.run, arguments.recipe)
    problems = warn_if_altered(arguments.run)
    exported = _exported(run)
    content = exported.serialize()
    described = json.dumps(_described(run, exported, content, arguments.run, problems), indent=2, sort_keys=True) + "\n"
    write_whole(out, content)
    try:
        write_whole(beside, described.encode())
    except BaseException:
        # Without the file beside it nobody knows what it is.
        with suppress(OSError):
            out.unlink()
        raise
    shapes = f"{_shown(exported.in_avals[0])} -> {_shown(exported.out_avals[0])}"
    print(f"{run.record.row}: {shapes}; {len(content):,} bytes for {', '.join(PLATFORMS)}: {out} and {beside.name}")
    return 0


def _exported(run):
    """The deterministic forward pass, weights within, as `jax.export.Exported`."""
    import aesara
    import aesara.tensor as T
    import jax
    import lasagne
    import numpy as np
    from jax import export

    from crmn_legacy.backend.compile import compile_step

    images = run.recipe.task.inputs()["images"]
    pictures = T.cast(images, aesara.config.floatX)
    predicted = lasagne.layers.get_output(run.network, pictures, deterministic=True)
    step = compile_step({"images": images}, {"predicted": predicted}, donate=False)
    weights = {name: np.asarray(run.state[name]) for name in step.state_names}

    def network(pictures):
        # Behind the barrier nothing is computed from the weights when the file is compiled, which would take long and
        # round otherwise than the run did.
        held = jax.lax.optimization_barrier(weights)

        def one(picture):
            _, outputs = step.step(held, {"images": picture[None]}, {})
            return outputs["predicted"][0]

        # The lowering needs shapes as numbers; one picture's are, so that the count of pictures may stay open.
        return jax.vmap(one)(pictures)

    network.__name__ = run.record.row
    first = lasagne.layers.get_all_layers(run.network)[0]
    (count,) = export.symbolic_shape("N")
    expected = jax.ShapeDtypeStruct((count, *first.output_shape[1:]), images.dtype)
    with _without_paths():
        return export.export(jax.jit(network), platforms=PLATFORMS)(expected)


@contextmanager
def _without_paths():
    """Lower without the names of source files: they tell about this machine, and move the file's bytes."""
    import jax

    changes = {"jax_traceback_in_locations_limit": 0, "jax_hlo_source_file_canonicalization_regex": ".*"}
    before = {name: getattr(jax.config, name) for name in changes}
    for name, value in changes.items():
        jax.config.update(name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            jax.config.update(name, value)


def _shown(kind):
    return f"{kind.dtype} ({', '.join(str(size) for size in kind.shape)})"


def _described(run, exported, content, folder, problems):
    """What stands in the file beside: the contract, and where the network comes from."""
    record = run.record
    with open(Path(folder) / archive.WEIGHTS, "rb") as file:
        weights = hashlib.file_digest(file, "sha256").hexdigest()
    bits = record.bits
    return {
        "sha256": hashlib.sha256(content).hexdigest(),
        "load": "jax.export.deserialize(bytearray(content)).call(pictures)",
        "input": {
            "array": _shown(exported.in_avals[0]),
            "holds": run.recipe.task.pictures_hold,
        },
        "output": {
            "array": _shown(exported.out_avals[0]),
            "holds": run.recipe.task.predicted_hold,
        },
        "platforms": list(exported.platforms),
        "calling_convention": exported.calling_convention_version,
        "made_with": {name: version(name) for name in ("jax", "jaxlib")},
        "row": record.row,
        "kind": record.plan.kind,
        "network": record.plan.arguments,
        "precision": record.options.precision,
        "seed": record.seed,
        "status": record.status,
        "data_digest": record.data_digest,
        "bits": bits if bits and _BITS.fullmatch(bits) else None,
        "weights_sha256": weights,
        "whole": not problems,
    }
