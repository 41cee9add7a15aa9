"""What a recipe is, and `main`: its flags, its run, its last line."""

import inspect
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crmn_legacy import literals, paper, published
from crmn_legacy.cli import EPILOG, add_options, seeds
from crmn_legacy.errors import UserError, run
from crmn_legacy.options import Trial
from crmn_legacy.parser import Parser

__all__ = ["Recipe", "Trial", "main", "parser"]


@dataclass(frozen=True)
class Recipe:
    """One printed row: its network and its training, in literals.

    Attributes
    ----------
    row : str
        Name of the row, and of the recipe's file; one that is not in `crmn_legacy.paper.ROWS` is a row of one's own.
    network : callable
        Builds the network and returns its output Layer; its arguments' defaults are the row's.
    smallest : dict
        Arguments of `network` for ``--smoke``.
    task : crmn_legacy.training.protocols.Task
    optimizer : crmn_legacy.training.protocols.Optimizer
    schedule : crmn_legacy.training.protocols.Schedule
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
    network: Callable[..., Any]
    smallest: dict
    task: Any
    optimizer: Any
    schedule: Any
    weight_decay: float
    batch_size: int
    epochs: int
    rehearsal: Trial
    smoke: Trial
    sources: tuple[str, ...]
    deviations: tuple[int, ...]
    constraints: tuple = ()

    def describe(self):
        """The row in numbers (a dict), as ``--describe`` prints it: no data, no compiling."""
        import lasagne

        from crmn_legacy import cost
        from crmn_legacy.training.penalties import as_decay
        from crmn_legacy.training.steps import build, stem_input

        printed = paper.row_of(self.row)
        network = build(self.network, seed=0)
        return {
            "row": self.row,
            "table": printed.table or None,
            "method": printed.method,
            "paper": printed.printed,
            "parameters": cost.parameters(network),
            "flops": cost.flops(network),
            "input_shape": list(stem_input(network).output_shape[1:]),
            "outputs": network.output_shape[1],
            "layers": cost.weight_layers(network),
            "network": self.network_defaults(),
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

    def summary(self, smallest=False, given=None):
        """The network layer by layer, for people (list of str).

        Parameters
        ----------
        smallest, given
            As for `network_arguments`.
        """
        from crmn_legacy import cost
        from crmn_legacy.training.steps import build

        network = build(lambda: self.network(**self.network_arguments(smallest, given)), seed=0)
        layers = cost.by_layer(network)
        rows = [("layer", "kind", "output", "parameters", "FLOPs")]
        for layer in layers:
            shape = " x ".join(map(str, layer.output_shape[1:]))
            rows.append((layer.name, layer.kind, shape, f"{layer.parameters:,}", f"{layer.flops:,}"))
        totals = (sum(layer.parameters for layer in layers), sum(layer.flops for layer in layers))
        rows.append((f"{len(layers)} layers", "", "", *(f"{total:,}" for total in totals)))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        forms = ("<", "<", "<", ">", ">")
        return [
            "  ".join(f"{cell:{form}{width}}" for cell, form, width in zip(row, forms, widths, strict=True)).rstrip()
            for row in rows
        ]

    @property
    def is_printed(self):
        """Whether the paper prints the row; any other is a row of one's own."""
        return self.row in paper.ROWS

    def is_as_printed(self, script, options):
        """Whether a run is of the row's own recipe, with its own network and literals."""
        changed = options.network or options.set
        return self.is_printed and not changed and published.is_own_recipe(self.row, script)

    def network_defaults(self):
        """The arguments of the network and the row's values of them (a dict)."""
        return {name: p.default for name, p in inspect.signature(self.network).parameters.items()}

    def network_arguments(self, smallest=False, given=None):
        """Arguments for `network`, other than the row's own.

        Parameters
        ----------
        smallest : bool
            Whether those of the smallest network come first.
        given : dict, optional
            Of ``--network``.

        Returns
        -------
        dict

        Raises
        ------
        UserError
            The network has no such argument, or takes another kind of value.
        """
        defaults = self.network_defaults()
        found = dict(self.smallest) if smallest else {}
        for name, value in (given or {}).items():
            if name not in defaults:
                raise UserError(f"--network got {name!a}, expected one of {', '.join(defaults)}")
            found[name] = literals.like(defaults[name], value, f"--network {name}")
        return found

    def unlike_published(self, script, plan, options, steps_per_epoch):
        """What of a training run is not as the row was published; see `crmn_legacy.published.unlike_published`.

        None for a row that the paper does not print.
        """
        if not self.is_printed:
            return None
        return published.unlike_published(self, script, plan, options, steps_per_epoch)

    def with_literals(self, given):
        """The recipe with other literals, of ``--set``: ``batch_size``, ``schedule.rate``, or ``rate`` alone.

        Parameters
        ----------
        given : dict
            Name or path -> value.

        Returns
        -------
        Recipe

        Raises
        ------
        UserError
            There is no such literal, more than one of that name, or it is of another kind.
        """
        recipe = self
        for name, value in given.items():
            recipe = literals.replaced(recipe, name, value)
        return recipe


def add_flags(flags):
    """Add to a parser what every recipe takes."""
    flags.add_argument("--describe", action="store_true", help="print the row as one JSON object and exit")
    flags.add_argument(
        "--summary",
        action="store_true",
        help="print the network layer by layer, with shapes, parameters and FLOPs of one picture, and exit",
    )
    flags.add_argument("--out", metavar="DIR", help="the run's folder, new or empty (default: runs/<row>-<UTC time>)")
    flags.add_argument(
        "--seeds",
        metavar="S,S,...",
        type=seeds,
        help="a run for each of these seeds, in --out's seed<S>; given again, it goes on where it was stopped",
    )
    flags.add_argument("--resume", metavar="DIR", help="go on with the run in this folder, to the same bits")
    flags.add_argument(
        "--coordinator",
        metavar="HOST:PORT",
        help="one of several processes that share each batch: where process 0 listens; auto: as SLURM or MPI says",
    )
    flags.add_argument("--processes", metavar="P", type=int, help="how many there are (default: as SLURM or MPI says)")
    flags.add_argument("--process", metavar="I", type=int, help="which of them this is, from 0 (default: likewise)")
    add_options(flags)


def parser(recipe, prog=None):
    """The command line of a recipe (a `crmn_legacy.cli.Parser`)."""
    row = paper.row_of(recipe.row)
    title = f"Table {row.table}, {row.method}" if row.table else f"{row.row}, a row of your own"
    flags = Parser(
        prog=prog,
        description=f"{title}: train it with --data, or rehearse it on the embedded sample. "
        f"Published: {recipe.epochs} epochs, {recipe.batch_size} pictures a batch.",
        epilog=EPILOG,
    )
    add_flags(flags)
    return flags


def run_recipe(recipe, script, words=None, prog=None):
    """Do what a recipe's command line says.

    Parameters
    ----------
    recipe : Recipe
    script : Path
        Its file, which the run keeps.
    words : list of str, optional
        The command line's by default.
    prog : str, optional
        What the program is called there.

    Returns
    -------
    int
        Exit status.
    """
    given = vars(parser(recipe, prog).parse_args(words))
    if given.pop("describe"):
        print(json.dumps(recipe.describe()))
        return 0
    if given.pop("summary"):
        print("\n".join(recipe.summary(given["smoke"], given["network"])))
        return 0
    if given["seeds"] is not None:
        from crmn_legacy.study.seeds import train_each

        return train_each(recipe, script, given, sys.argv[1:] if words is None else words)
    del given["seeds"]
    from crmn_legacy.training.run import train

    return train(recipe, script, given)


def main(recipe):
    """Run a recipe as a program: read the command line, do what it says, exit with its status.

    Parameters
    ----------
    recipe : Recipe
        Of the script that Python was started with, or of the one that calls this.
    """
    script = Path(inspect.currentframe().f_back.f_globals["__file__"]).resolve()
    run(lambda: run_recipe(recipe, script))
