"""What `--remat` saves and costs: memory and seconds of a DenseNet's train step, as its depth grows.

    python benchmarks/remat.py                           n = 4, 8, 16, growth rate 12, batch 16, float32
    python benchmarks/remat.py --n 32 --growth-rate 24 --batch-size 4

For each n both steps are compiled in this process and take turns. Measured are the megabytes that XLA sets aside for a
step beside its arguments and results, and median seconds. Progress goes to the standard error; the last line of the
standard output is the entry as one JSON object, which `--json` appends to a file.
"""

import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import entries
from crmn_legacy.backend.determinism import pin, pin_host
from crmn_legacy.errors import run
from crmn_legacy.parser import Parser


def parse(argv):
    parser = Parser(__doc__, parents=[entries.options()])
    parser.add_argument("--n", type=int, nargs="+", default=[4, 8, 16], help="convolutions per stage")
    parser.add_argument("--growth-rate", type=int, default=12)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--turns", type=int, default=5)
    return parser.parse_args(argv)


def compiled(n, options, batch, remat):
    """A function that makes a step, and the megabytes that the step needs."""
    import numpy as np

    from crmn_legacy import models, training
    from crmn_legacy.training import steps

    network = steps.build(
        lambda: models.densenet(
            models.picture_input((3, 32, 32)),
            n=n,
            growth_rate=options.growth_rate,
            num_outputs=10,
            nonlinearity=models.softmax,
        ),
        seed=1,
    )
    task = training.Classification(num_classes=10, preprocessing=None, augmentation=None)
    step = steps.train_step(network, task, training.TorchNesterov(0.9), ("network",), 1e-4, remat=remat)
    rates = {"network": np.float32(0.1)}
    state = step.initial_state()
    program = step.lower(state, batch, rates).compile()

    def once():
        nonlocal state
        began = time.perf_counter()
        state, outputs = program(state, step.put_batch(batch), rates)
        step.get_outputs(outputs)
        return time.perf_counter() - began

    return once, program.memory_analysis().temp_size_in_bytes / 1e6


def measure(n, options):
    """Both steps of one depth (dict)."""
    import numpy as np

    random = np.random.default_rng(1)
    batch = {
        "images": random.normal(size=(options.batch_size, 3, 32, 32)).astype("float32"),
        "labels": random.integers(0, 10, options.batch_size).astype("int32"),
    }
    made = {name: compiled(n, options, batch, name == "remat") for name in ("kept", "remat")}
    seconds = {name: [] for name in made}
    for turn in range(options.turns + 1):
        for name, (once, _) in made.items():
            spent = once()
            if turn:  # the first warms up
                seconds[name].append(spent)
    found = {
        name: {"megabytes": round(megabytes, 1), "seconds": round(statistics.median(seconds[name]), 4)}
        for name, (_, megabytes) in made.items()
    }
    print(f"n={n}: {found}", file=sys.stderr, flush=True)
    return {"n": n, **found}


def main(argv=None):
    options = parse(argv)
    settings = {name: getattr(options, name) for name in ("n", "growth_rate", "batch_size", "turns")}
    entry = entries.begin(options, __file__, argv, settings | {"bits": "portable"})
    pin_host()
    pin("portable")
    entries.finish(options, entry, {"depths": [measure(n, options) for n in options.n]})


if __name__ == "__main__":
    run(main)
