"""What a recipe is, and `main`: its flags, its run, its last line."""

import argparse
import inspect
import json
from dataclasses import dataclass
from pathlib import Path

from crmn_legacy import paper
from crmn_legacy.backend import determinism
from crmn_legacy.errors import UserError, run
from crmn_legacy.options import DEFAULTS, Trial

__all__ = ["OneLineParser", "Recipe", "Trial", "main", "parser"]

# A recipe imports this module first, so host libraries are fixed before NumPy comes in.
determinism.pin_host()


@dataclass(frozen=True)
class Recipe:
    """One printed row: its network and its training, in literals.

    Attributes
    ----------
    row : str
        Name of the row in `crmn_legacy.paper.ROWS` and of the recipe's file.
    network : callable
        Builds the network and returns its output Layer; its arguments' defaults are the row's.
    smallest : dict
        Arguments of `network` for ``--smoke``.
    task, optimizer, schedule
        Of `crmn_legacy.training`.
    weight_decay : float or crmn_legacy.training.WeightDecay
        A number is the weight of half the sum of squares of all weights.
    batch_size, epochs : int
        Of the published run.
    rehearsal, smoke : Trial
        Runs on the embedded sample: the full network for a few steps; the smallest for seconds.
    sources : tuple of str
        Where the literals come from.
    deviations : tuple of int
        Numbers in DEVIATIONS.md that touch this row.
    constraints : tuple of crmn_legacy.training.MaxNorm
        Hold after each update.
    """

    row: str
    network: object
    smallest: dict
    task: object
    optimizer: object
    schedule: object
    weight_decay: float
    batch_size: int
    epochs: int
    rehearsal: Trial
    smoke: Trial
    sources: tuple
    deviations: tuple
    constraints: tuple = ()

    def describe(self):
        """The row in numbers (a dict), as ``--describe`` prints it: no data, no compiling."""
        import lasagne

        from crmn_legacy import cost
        from crmn_legacy.training.penalties import as_decay
        from crmn_legacy.training.steps import build, stem_input

        printed = paper.ROWS[self.row]
        network = build(self.network, seed=0)
        return {
            "row": self.row,
            "table": printed.table,
            "method": printed.method,
            "paper": printed.printed,
            "parameters": cost.parameters(network),
            "flops": cost.flops(network),
            "input_shape": list(stem_input(network).output_shape[1:]),
            "outputs": network.output_shape[1],
            "layers": cost.weight_layers(network),
            "network": {name: p.default for name, p in inspect.signature(self.network).parameters.items()},
            "lasagne_layers": len(lasagne.layers.get_all_layers(network)),
            "optimizer": self.optimizer.describe(),
            "weight_decay": as_decay(self.weight_decay).describe(),
            "constraints": [constraint.describe() for constraint in self.constraints],
            "schedule": self.schedule.describe(),
            "epochs": self.epochs,
            "batch_size": self.batch_size,
            "augmentation": self.task.describe(),
            "sources": list(self.sources),
            "deviations": list(self.deviations),
        }


class OneLineParser(argparse.ArgumentParser):
    """Tells a wrong command line in one line, and takes no abbreviated option."""

    def __init__(self, *arguments, **keywords):
        super().__init__(*arguments, allow_abbrev=False, **keywords)

    def error(self, message):
        raise UserError(f"{message}; `{self.prog} --help` lists what is expected")


def positive(text):
    """A whole number of at least 1, for argparse."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a whole number of at least 1")
    return number


def seed(text):
    """A whole number of 64 bits, for argparse."""
    try:
        number = int(text)
    except ValueError:
        number = -1
    if not 0 <= number < 2**64:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a whole number from 0 to 2**64 - 1")
    return number


def parser(recipe):
    """The command line of a recipe (an `argparse.ArgumentParser`)."""
    row = paper.ROWS[recipe.row]
    flags = OneLineParser(
        description=f"Table {row.table}, {row.method}: train it with --data, or rehearse it on the embedded sample."
    )
    flags.add_argument("--describe", action="store_true", help="print the row as one JSON object and exit")
    flags.add_argument("--data", metavar="FILE", help="HDF5 file of data_prep; without it, a rehearsal")
    flags.add_argument("--out", metavar="DIR", help="the run's folder, new or empty (default: runs/<row>-<UTC time>)")
    flags.add_argument("--epochs", type=positive, metavar="N", help=f"default: {recipe.epochs}, the published run's")
    flags.add_argument("--steps", type=positive, metavar="N", help="end after N updates, whatever the epoch")
    flags.add_argument("--seed", type=seed, metavar="S", help=f"default: {DEFAULTS['seed']}")
    flags.add_argument("--backend", choices=("xla", "c"), help="who compiles (default: xla)")
    flags.add_argument("--device", choices=("cpu", "cuda"), help="default: cpu")
    flags.add_argument("--devices", type=positive, metavar="N", help="devices that share each batch (default: 1)")
    flags.add_argument("--precision", choices=("float32", "tf32", "bfloat16", "float64"), help="default: float32")
    flags.add_argument(
        "--bits",
        choices=determinism.PROFILES,
        help="strict: the same bits on unlike AVX2 processors, or refused; portable: on any number of cores, and on "
        "unlike processors as far as this jaxlib lets it; fast: on this machine only (default: portable)",
    )
    flags.add_argument("--resume", metavar="DIR", help="go on with the run in this folder, to the same bits")
    flags.add_argument("--smoke", action="store_true", default=None, help="the row's network at its smallest")
    flags.add_argument(
        "--remat",
        action="store_true",
        default=None,
        help="compute again what gradients need, where the network can (see CHANGES.md)",
    )
    flags.add_argument(
        "--trace", action="store_true", default=None, help="keep a digest of every tensor after every update"
    )
    return flags


def main(recipe):
    """Run a recipe as a program: read the command line, do what it says, exit with its status.

    Parameters
    ----------
    recipe : Recipe
    """

    def program():
        given = vars(parser(recipe).parse_args())
        if given.pop("describe"):
            print(json.dumps(recipe.describe()))
            return 0
        from crmn_legacy.training.run import train

        script = Path(inspect.getfile(recipe.network)).resolve()
        return train(recipe, script, given)

    run(program)
