"""`kernels ROW --card NAME`: a row's GPU kernels, compiled without a card, and what is in them."""

import json
from importlib.metadata import version
from pathlib import Path

from crmn_legacy import samples
from crmn_legacy.archive.golden import golden_kernels
from crmn_legacy.backend import determinism, precision
from crmn_legacy.backend.cards import card
from crmn_legacy.backend.cards.compilation import Cluster, compile_ahead, dumped, require_wheels
from crmn_legacy.errors import UserError
from crmn_legacy.installation import load_recipe, recipe_script

# A step's operations, over those of a forward pass: every product has two gradients.
_OF_A_STEP = {"train": 3, "evaluate": 1}


def kernels(arguments):
    """Print what the training and the evaluation step of a row become on a card; 0, or 1 where they break a promise."""
    cluster = Cluster(card(arguments.card), arguments.devices, arguments.hosts)
    if arguments.precision not in cluster.card.rates:
        raise UserError(
            f"--precision got {arguments.precision!r} for {cluster.card.title}, expected one of "
            f"{', '.join(cluster.card.rates)}"
        )
    require_wheels()
    out = None if arguments.out is None else Path(arguments.out)
    if out is not None and out.exists():
        raise UserError(f"--out got '{out}', which exists, expected a new folder")
    recipe = load_recipe(recipe_script(arguments.recipe))
    if recipe.batch_size % cluster.devices:
        raise UserError(
            f"--devices got {cluster.devices} for batches of {recipe.batch_size} pictures, expected a divisor of it"
        )
    determinism.pin("portable", "cuda")
    with dumped() as dump:
        found = _compiled(
            recipe, recipe.network_arguments(given=arguments.network), cluster, arguments.precision, dump, out
        )
    described = {"row": recipe.row, "card": cluster.card.title, "devices": cluster.devices, "hosts": cluster.hosts}
    described |= {"precision": arguments.precision, "batch_size": recipe.batch_size, "deterministic": True, **found}
    described["key"] = f"{arguments.card}/{arguments.precision}/jaxlib{version('jaxlib')}"
    described["golden"] = _held_against_golden(described, recipe.is_printed and not arguments.network)
    if out is not None:
        (out / "kernels.json").write_text(json.dumps(described, indent=2) + "\n")
    print(json.dumps(described) if arguments.json else _told(described))
    broken = any(_broken(described[name]) for name in _OF_A_STEP)
    return 1 if broken or described["golden"] == "differs" else 0


def _held_against_golden(described, is_published):
    """`match`, `differs`, or `none` where no digest was committed of this very program."""
    if not is_published or described["devices"] != 1:
        return "none"
    golden = golden_kernels(described["key"]).get(described["row"])
    if golden is None:
        return "none"
    return "match" if all(described[name]["ptx_digest"] == digest for name, digest in golden.items()) else "differs"


def _compiled(recipe, network_arguments, cluster, numbers, dump, out):
    """Step -> what `kernels` tells of it."""
    from crmn_legacy import cost
    from crmn_legacy.backend.lowerings import settings
    from crmn_legacy.training import steps

    found = {}
    with precision.use(numbers, device="cuda"), settings(platform="cuda"):
        network = steps.build(lambda: recipe.network(**network_arguments), seed=1)
        flops = cost.flops(network) * recipe.batch_size
        made = {
            "train": lambda: steps.train_step(*steps.parts_of(recipe, network)),
            "evaluate": lambda: steps.evaluation_step(network, recipe.task),
        }
        batch = _batch(recipe)
        for name, step in made.items():
            lowered = step().lower_ahead(batch, *cluster.shardings())
            compiled = compile_ahead(lowered, dump, None if out is None else out / name)
            operations = _OF_A_STEP[name] * flops
            found[name] = compiled.as_json() | _bounds(compiled, operations, recipe.batch_size, cluster, numbers)
    return found


def _batch(recipe):
    """The shapes of a published batch, by name."""
    import jax

    data = recipe.task.read(samples.path(recipe.task.sample))
    batch, _ = next(recipe.task.batches(data, "train", recipe.rehearsal.batch_size, seed=1).evaluation())
    shapes = {name: (recipe.batch_size, *value.shape[1:]) for name, value in batch.items()}
    return {name: jax.ShapeDtypeStruct(shapes[name], value.dtype) for name, value in batch.items()}


def _bounds(compiled, operations, batch_size, cluster, numbers):
    """What the card's published rates allow, and the batch at which its memory is full, by proportion."""
    least_bytes = compiled.arguments + compiled.outputs
    computing = operations / cluster.devices / cluster.card.rates[numbers]
    moving = least_bytes / cluster.card.bandwidth
    free = cluster.card.memory - compiled.arguments - compiled.outputs + compiled.donated
    return {
        "operations": operations,
        "least_bytes": least_bytes,
        "bound_seconds": max(computing, moving),
        "full_at_batch": int(free / max(1, compiled.temporaries) * batch_size),
    }


def _broken(step):
    """What a program has that none should (list of str)."""
    unwanted = {"float64": "arrays of float64", "host_calls": "calls of the host"}
    return [f"{step[name]} {what}" for name, what in unwanted.items() if step[name]]


def _told(described):
    """Lines for people."""
    lines = [
        f"{described['row']} for {described['devices']} x {described['card']}, {described['precision']}, "
        f"{described['batch_size']} pictures a batch, deterministic"
    ]
    for name in _OF_A_STEP:
        step = described[name]
        told = ", ".join(f"{count} {kind} of {size:,} bytes" for kind, (count, size) in step["collectives"].items())
        lines += [
            f"{name}: compiled in {step['seconds']:.1f} s",
            f"  bytes: {step['arguments']:,} of arguments ({step['donated']:,} donated), {step['temporaries']:,} of "
            f"temporaries; memory is full at about {step['full_at_batch']:,} pictures (by proportion)",
            f"  launches: {step['launches']}; own kernels: {step['own']}, in {step['ptx_bytes']:,} bytes of PTX; "
            f"calls: {step['cudnn']} cuDNN, {step['cublas']} cuBLAS",
            f"  registers: {step['registers']} at most, {step['spilled']} kernels spill some",
            f"  {step['transposes']} transposes, {step['copies']} copies, {step['reversals']} reversals; "
            f"{step['float64']} float64, {step['host_calls']} host calls",
            f"  between cards: {told or 'nothing'}",
            f"  bound, never a measurement: {1e3 * step['bound_seconds']:.2f} ms, of {step['operations']:,} operations "
            f"and {step['least_bytes']:,} bytes at the card's published rates",
            f"  program sha256:{step['program_digest']}",
            f"  PTX sha256:{step['ptx_digest']} (instructions, sorted, without registers' numbers)",
            f"  assembled sha256:{step['code_digest']}",
        ]
        lines += [f"  broken: {what}" for what in _broken(step)]
    unknown = f" for {described['key']}" if described["golden"] == "none" else ""
    lines.append(f"golden: {described['golden']}{unknown}")
    return "\n".join(lines)
