"""What it costs to share a batch among devices, and what a card's link allows.

    python benchmarks/scaling.py                        CRMN 5,1; 1, 2, 4, 8 devices; bounds for 8, 64, 512 cards
    python benchmarks/scaling.py --n 2 --devices 1 2 --cards 8

Measured, over devices that are made from the processor's threads: pictures a second of a training step, the number of
pictures fixed (strong scaling) and fixed for each device (weak). All devices share this machine's cores, which one
device uses as well, so that nothing gets faster: 1.0 of one device's speed is the most there is, and what is missing is
what sharing costs.

Counted, in the programs of the published CRMN at its published batch on each card: bytes that a card receives in a
step. From those, the network's operations and the card's published figures: the share of its time in which a card
computes, if it never waits but for the link and overlaps nothing. That is a bound, never a measurement.

Progress goes to the standard error; the last line of the standard output is the entry as one JSON object, which
`--json` appends to a file.
"""

import math
import re
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import entries
from benchmarks.workloads import Workload, make_batch
from crmn_legacy.backend.cards import CARDS, card
from crmn_legacy.backend.determinism import pin, pin_host
from crmn_legacy.errors import run
from crmn_legacy.installation import load_recipe, recipe_script
from crmn_legacy.parser import Parser

ROW, SIZE = "table1_crmn", 80

# Cards in one machine, and bytes a second, one way, to a card in another: NVIDIA's DGX systems since 2022 have a port
# of 400 Gbit/s for each.
IN_ONE_MACHINE = 8
BETWEEN_MACHINES = 50e9

# Each gives a device something of every other one, and something that it had.
EXCHANGE = re.compile(r'"stablehlo\.(all_gather|all_to_all)".*-> tensor<([\dx]+)xf32>$', re.MULTILINE)


def parse(argv):
    parser = Parser(__doc__, parents=[entries.options()])
    parser.add_argument("--n", type=int, default=5, help="blocks a stage of the network that is measured")
    parser.add_argument("--fm", type=int, default=1, help="its width")
    parser.add_argument("--batch-size", type=int, default=64, help="pictures, shared by all devices (strong scaling)")
    parser.add_argument("--share", type=int, default=16, help="pictures of each device (weak scaling)")
    parser.add_argument("--devices", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--card", choices=sorted(CARDS), default="h100")
    parser.add_argument("--cards", type=int, nargs="+", default=[8, 64, 512])
    parser.add_argument("--turns", type=int, default=5)
    return parser.parse_args(argv)


def training_step(recipe, arguments, devices):
    """A recipe's training step for so many devices, and its floating operations a picture."""
    from crmn_legacy import cost
    from crmn_legacy.training import steps

    network = steps.build(lambda: recipe.network(**arguments), seed=1)
    return steps.train_step(*steps.parts_of(recipe, network), devices=devices), 3 * cost.flops(network)


def steps_in_turn(recipe, options, pictures_of):
    """Devices -> median seconds of a step; steps of all numbers of devices take turns.

    Parameters
    ----------
    pictures_of : callable
        Devices -> pictures in a batch.
    """
    import numpy as np

    rates = {name: np.float32(0.01) for name in recipe.schedule.components}
    arguments = recipe.network_arguments(given={"n": options.n, "fm": options.fm})
    made, seconds = {}, {devices: [] for devices in options.devices}
    for devices in options.devices:
        step, _ = training_step(recipe, arguments, devices)
        batch = make_batch(Workload("crmn", options.n, options.fm, SIZE, pictures_of(devices)))
        made[devices] = [step, step.initial_state(), batch]
    for turn in range(options.turns + 1):
        for devices, parts in made.items():
            step, state, batch = parts
            began = time.perf_counter()
            parts[1], outputs = step(state, batch, rates)
            step.get_outputs(outputs)
            if turn:  # the first compiles
                seconds[devices].append(time.perf_counter() - began)
    return {devices: statistics.median(found) for devices, found in seconds.items()}


def scaling(recipe, options, pictures_of):
    """A row a number of devices: seconds, and speed over that of the first number."""
    seconds = steps_in_turn(recipe, options, pictures_of)
    speeds = {devices: pictures_of(devices) / found for devices, found in seconds.items()}
    first = speeds[options.devices[0]]
    rows = []
    for devices in options.devices:
        rows.append({"devices": devices, "pictures": pictures_of(devices), "seconds": round(seconds[devices], 4)})
        rows[-1]["of_first"] = round(speeds[devices] / first, 3)
        print(rows[-1], file=sys.stderr, flush=True)
    return rows


def bound(recipe, options, cards):
    """What a card receives in a step, counted, and how much of its time that leaves it, bounded."""
    import jax

    step, operations = training_step(recipe, recipe.network_arguments(), cards)
    one = make_batch(Workload("crmn", options.n, options.fm, SIZE, 1))
    pictures = recipe.batch_size * cards
    batch = {name: jax.ShapeDtypeStruct((pictures, *value.shape[1:]), value.dtype) for name, value in one.items()}
    lowered = step.lower_ahead(batch)
    exchanges = [4 * math.prod(map(int, shape.split("x"))) for _, shape in EXCHANGE.findall(lowered.as_text())]
    if cards == min(options.cards):
        _require_no_others(lowered, len(exchanges))
    received = sum(exchanges) * (cards - 1) / cards
    described = card(options.card)
    link = described.link if cards <= IN_ONE_MACHINE else BETWEEN_MACHINES
    computing, waiting = operations * recipe.batch_size / described.rates["float32"], received / link
    found = {
        "cards": cards,
        "exchanges": len(exchanges),
        "received": round(received),
        "computing": round(computing, 6),
        "waiting": round(waiting, 6),
        "efficiency": round(computing / (computing + waiting), 3),
    }
    print(found, file=sys.stderr, flush=True)
    return found


def _require_no_others(lowered, number):
    """Refuse to go on where XLA's partitioner adds exchanges to those that are in the program already."""
    from crmn_legacy.backend.cards.audit import collectives

    found = collectives(lowered.compile().as_text())
    if set(found) != {"all-gather", "all-to-all"} or sum(count for count, _ in found.values()) != number:
        raise RuntimeError(f"the compiled program exchanges {found}, the lowered one has {number} exchanges")


def main(argv=None):
    options = parse(argv)
    names = ("n", "fm", "batch_size", "share", "devices", "card", "cards", "turns")
    settings = {name: getattr(options, name) for name in names}
    entry = entries.begin(options, __file__, argv, settings | {"bits": "portable"})
    pin_host()
    pin("portable", devices=max(*options.devices, *options.cards))
    recipe = load_recipe(recipe_script(ROW))
    numbers = {
        "strong": scaling(recipe, options, lambda devices: options.batch_size),
        "weak": scaling(recipe, options, lambda devices: options.share * devices),
        "bounds": [bound(recipe, options, cards) for cards in options.cards],
    }
    entries.finish(options, entry, numbers)


if __name__ == "__main__":
    run(main)
