"""The arithmetic operations of the rows' train steps, each as a small program of its own, for `tools/unlike.py`.

    python tools/kernels.py --out DIR [--batch-size N] [--smallest] ROW...

It writes each distinct operation, by its kind, parameters and shapes, as a serialised `jax.export` program, and
`kernels.json`, which names them. Running them needs JAX alone: under an emulated processor every import counts.
"""

import json
from pathlib import Path

from crmn_legacy.backend import determinism

determinism.pin_host()
determinism.pin("strict")

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
from jax import export  # noqa: E402

from crmn_legacy import samples  # noqa: E402
from crmn_legacy.backend import precision  # noqa: E402
from crmn_legacy.errors import UserError, run  # noqa: E402
from crmn_legacy.inference.trained_network import recipe_of  # noqa: E402
from crmn_legacy.parser import Parser  # noqa: E402
from crmn_legacy.training import steps  # noqa: E402

# What only moves numbers, or compares them, rounds nothing.
_EXACT = {
    "broadcast_in_dim",
    "concatenate",
    "convert_element_type",
    "copy",
    "device_put",
    "dynamic_slice",
    "dynamic_update_slice",
    "gather",
    "max",
    "min",
    "neg",
    "optimization_barrier",
    "pad",
    "reduce_max",
    "reduce_min",
    "reshape",
    "rev",
    "select_n",
    "slice",
    "split",
    "squeeze",
    "stop_gradient",
    "transpose",
}

# One shape stands for all where each number is computed by itself; of such kinds the largest is kept.
_BY_ELEMENT = {
    "abs",
    "add",
    "add_any",
    "cos",
    "div",
    "erf",
    "exp",
    "expm1",
    "integer_pow",
    "log",
    "log1p",
    "logistic",
    "mul",
    "pow",
    "rsqrt",
    "sign",
    "sin",
    "sqrt",
    "square",
    "sub",
    "tanh",
}


def equations(jaxpr):
    """Every equation of a jaxpr and of those within it, but not those that call them."""
    for equation in jaxpr.eqns:
        inner = [value for value in equation.params.values() if hasattr(value, "eqns") or hasattr(value, "jaxpr")]
        for value in inner:
            yield from equations(getattr(value, "jaxpr", value))
        if not inner:
            yield equation


def rounds(equation):
    """Whether an equation computes floating-point numbers, out of such numbers alone."""
    values = [*equation.invars, *equation.outvars]
    floating = all(jnp.issubdtype(value.aval.dtype, jnp.floating) for value in values)
    return floating and bool(equation.invars) and equation.primitive.name not in _EXACT


def named(equation):
    """What tells an equation from others: its kind, its operands' shapes, its parameters."""
    kind = equation.primitive.name
    shapes = ", ".join(f"{value.aval.dtype}{list(value.aval.shape)}" for value in equation.invars)
    shown = {name: value for name, value in equation.params.items() if value is not None}
    return f"{kind}({shapes}) {shown}"


def distinct(jaxpr):
    """Equations worth a program of their own, by name."""
    found, largest = {}, {}
    for equation in equations(jaxpr):
        if not rounds(equation):
            continue
        kind = equation.primitive.name
        if kind in _BY_ELEMENT:
            size = sum(value.aval.size for value in equation.invars)
            key = (kind, str(equation.params))
            if size > largest.get(key, (0, None))[0]:
                largest[key] = size, equation
        else:
            found.setdefault(named(equation), equation)
    return found | {named(equation): equation for _, equation in largest.values()}


def train_jaxpr(row, batch_size, smallest):
    """The jaxpr of a row's train step over batches of so many rendered pictures."""
    recipe = recipe_of(row)
    if recipe is None:
        raise UserError(f"got the row {row!r}, which has no recipe yet, expected one that has: `tables` lists them")
    arguments = recipe.smallest if smallest else {}
    with precision.use("float32"):
        network = steps.build(lambda: recipe.network(**arguments), seed=1)
        components = recipe.schedule.components
        train = steps.train_step(*steps.parts_of(recipe, network))
        batch = next(
            recipe.task.batches(recipe.task.read(samples.path(recipe.task.sample)), "train", batch_size, 1).epoch(1)
        )
        return train.step.trace(train.initial_state(), train.put_batch(batch), dict.fromkeys(components, 0.1)).jaxpr


def write(folder, rows, batch_size, smallest):
    """Write the programs of `rows` and return how many there are."""
    folder.mkdir(parents=True, exist_ok=True)
    found, users = {}, {}
    for row in rows:
        for name, equation in distinct(train_jaxpr(row, batch_size, smallest).jaxpr).items():
            found.setdefault(name, equation)
            users.setdefault(name, []).append(row)
    listed = []
    for number, name in enumerate(sorted(found)):
        equation = found[name]
        shapes = [jax.ShapeDtypeStruct(value.aval.shape, value.aval.dtype) for value in equation.invars]
        function = jax.jit(lambda *operands, bound=equation: bound.primitive.bind(*operands, **bound.params))
        (folder / f"{number}.kernel").write_bytes(export.export(function, platforms=["cpu"])(*shapes).serialize())
        listed.append({"file": f"{number}.kernel", "name": name, "rows": users[name]})
    (folder / "kernels.json").write_text(json.dumps(listed, indent=1))
    return len(listed)


def main():
    flags = Parser(__doc__)
    flags.add_argument("rows", metavar="ROW", nargs="+")
    flags.add_argument("--out", metavar="DIR", type=Path, required=True)
    flags.add_argument("--batch-size", type=int, default=2, metavar="N")
    flags.add_argument("--smallest", action="store_true", help="the networks of --smoke")
    given = flags.parse_args()
    print(write(given.out, given.rows, given.batch_size, given.smallest), "kernels")
    return 0


if __name__ == "__main__":
    run(main)
