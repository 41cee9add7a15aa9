"""Seconds of one train step: the package, and the same network by hand in JAX and in PyTorch.

    python benchmarks/step_time.py                       CRMN 5,4 on 80 x 80, batch 8, float32
    python benchmarks/step_time.py --n 1 --fm 1 --memory

All contenders start from the same weights, on the same batch, in one process, and take turns: each turn
times one step of each, beginning with another every time. The losses of the first step must agree. With
`--memory` each contender also runs alone in a process of its own, whose resident memory is read. Progress
goes to the standard error; the last line of the standard output is the entry as one JSON object, which `--json`
appends to a file.
"""

import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import entries, machine
from crmn_legacy.backend.determinism import pin
from crmn_legacy.errors import run
from crmn_legacy.parser import Parser

CONTENDERS = ("ours", "jax", "torch")
PAIRS = (("ours", "jax"), ("ours", "torch"), ("torch", "jax"))  # whose ratios are told
WARM_UP = 3  # steps: frameworks put off some of their work to the second
SIZES = ("n", "fm", "size", "batch_size", "threads", "bits", "backend")
RATES = {"resnet": 0.01, "lstm": 0.01, "output": 0.01}


def parse(argv):
    parser = Parser(__doc__, parents=[entries.options()])
    parser.add_argument("--n", type=int, default=5, help="residual blocks per stage")
    parser.add_argument("--fm", type=int, default=4, help="factor on the filters")
    parser.add_argument("--size", type=int, default=80, help="side of the pictures, a multiple of 16")
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--threads", type=int, default=2, help="cores to run on")
    parser.add_argument("--bits", choices=("fast", "portable"), default="fast")
    parser.add_argument("--backend", choices=("xla", "c"), default="xla", help="of the package")
    parser.add_argument("--contenders", nargs="+", choices=CONTENDERS, default=list(CONTENDERS))
    parser.add_argument("--memory", action="store_true", help="resident memory too, in one process per contender")
    return parser.parse_args(argv)


def make_batch(network, batch_size):
    """Pictures of noise, targets in [0, 1] and a mask that hides nothing."""
    import numpy as np

    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (batch_size, *network.input_shape), "uint8")
    targets = generator.uniform(0, 1, (batch_size, network.outputs)).astype("float32")
    return images, targets, np.ones_like(targets)


def our_step(network, arrays, batch, backend):
    """`advance() -> loss` of the package, and the bytes of its program (of `xla`)."""
    import jax

    from benchmarks import ours

    step = ours.make_step(network, tuple(RATES), arrays, backend)
    batch = dict(zip(("images", "keypoints", "mask"), batch, strict=True))
    state = step.initial_state()
    step.release()
    program = step.lower(state, batch, RATES).compile() if backend == "xla" else None

    def advance():
        nonlocal state
        state, outputs = step(state, batch, RATES)
        return float(jax.block_until_ready((outputs["loss"], state))[0])

    return advance, program and program_bytes(program)


def jax_step(network, arrays, batch):
    """`advance() -> loss` of the hand-written JAX, and the bytes of its program."""
    import jax

    from benchmarks import hand_written_jax

    state = hand_written_jax.start(arrays)
    batch = tuple(jax.device_put(array) for array in batch)
    program = hand_written_jax.make_step(network).lower(state, batch, RATES).compile()

    def advance():
        nonlocal state
        state, loss = program(state, batch, RATES)
        return float(jax.block_until_ready((loss, state))[0])

    return advance, program_bytes(program)


def torch_step(network, arrays, batch):
    """`advance() -> loss` of the hand-written PyTorch."""
    import torch

    from benchmarks import hand_written_torch

    torch.set_num_threads(len(os.sched_getaffinity(0)))
    net = hand_written_torch.load(hand_written_torch.Net(network), arrays, network.flip_filters)
    step = hand_written_torch.make_step(net, RATES)
    batch = [torch.from_numpy(array) for array in batch]
    return lambda: step(batch).item(), None


def program_bytes(program):
    """Bytes of a compiled XLA program: arguments, outputs, those of both that share a buffer, and scratch."""
    analysis = program.memory_analysis()
    sizes = {
        "arguments": analysis.argument_size_in_bytes,
        "outputs": analysis.output_size_in_bytes,
        "shared": analysis.alias_size_in_bytes,
        "scratch": analysis.temp_size_in_bytes,
    }
    return sizes | {"total": sizes["arguments"] + sizes["outputs"] - sizes["shared"] + sizes["scratch"]}


def prepare(options):
    """The contenders, compiled and a step in: name to (advance, record)."""
    from benchmarks import hand_written_jax

    size = (1, options.size, options.size)
    network = hand_written_jax.Network(n=options.n, fm=options.fm, input_shape=size, contrast=True, flip_filters=True)
    arrays = hand_written_jax.initialise(network)
    batch = make_batch(network, options.batch_size)
    prepared = {}
    for name in options.contenders:
        began = time.perf_counter()
        if name == "ours":
            advance, program = our_step(network, arrays, batch, options.backend)
        else:
            advance, program = {"jax": jax_step, "torch": torch_step}[name](network, arrays, batch)
        loss, *_ = (advance() for _ in range(WARM_UP))
        record = {"ready_seconds": time.perf_counter() - began, "first_loss": loss, "program_bytes": program}
        print(f"{name}: ready in {record['ready_seconds']:.1f} s, first loss {loss:.6f}", file=sys.stderr)
        prepared[name] = advance, record
    losses = [record["first_loss"] for _, record in prepared.values()]
    if max(losses) - min(losses) > 1e-4 * max(losses):
        sys.exit(f"the first losses differ, so these are not the same network: {losses}")
    return prepared


def take_turns(prepared, turns):
    """Add to each record the seconds of its steps, one per turn."""
    names = list(prepared)
    for _, record in prepared.values():
        record["seconds"] = []
    for turn in range(turns):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            advance, record = prepared[name]
            began = time.perf_counter()
            advance()
            record["seconds"].append(time.perf_counter() - began)
        latest = "  ".join(f"{name} {prepared[name][1]['seconds'][-1]:.3f} s" for name in names)
        print(f"turn {turn + 1}/{turns}: {latest}", file=sys.stderr)
    for _, record in prepared.values():
        record["median"] = statistics.median(record["seconds"])
        record["minimum"] = min(record["seconds"])


def ratios(records):
    """One contender over another: time by medians, by minima and by the median of the turns' ratios; memory."""
    result = {}
    for one, other in PAIRS:
        if not {one, other} <= records.keys():
            continue
        mine, theirs = records[one], records[other]
        by_turn = [a / b for a, b in zip(mine["seconds"], theirs["seconds"], strict=True)]
        ratio = {
            "medians": mine["median"] / theirs["median"],
            "minima": mine["minimum"] / theirs["minimum"],
            "median_of_turns": statistics.median(by_turn),
        }
        for measure, quantity in (("program_bytes", "total"), ("resident_bytes", "steps")):
            if mine.get(measure) and theirs.get(measure):
                ratio[measure] = mine[measure][quantity] / theirs[measure][quantity]
        result[f"{one}/{other}"] = ratio
    return result


def alone(options, name):
    """Resident bytes of a process in which this contender runs alone."""
    command = [sys.executable, __file__, "--contenders", name, "--turns", "3", "--anyway"]
    command += [f"--{option.replace('_', '-')}={getattr(options, option)}" for option in SIZES]
    finished = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if finished.returncode:
        sys.exit(f"{name} alone ended with status {finished.returncode}")
    return json.loads(finished.stdout.splitlines()[-1])["numbers"]["resident_bytes"]


def main(argv=None):
    options = parse(argv)
    settings = {name: getattr(options, name) for name in (*SIZES, "turns")}
    entry = entries.begin(options, __file__, argv, settings)
    machine.use_cores(options.threads)
    if importlib.util.find_spec("torch") is None and "torch" in options.contenders:
        print("PyTorch is not installed, so it does not take part", file=sys.stderr)
        options.contenders.remove("torch")
    memory = {name: alone(options, name) for name in options.contenders} if options.memory else {}
    pin(options.bits)
    prepared = prepare(options)
    whole = machine.peak_bytes()
    machine.forget_peak()
    take_turns(prepared, options.turns)
    records = {name: record for name, (_, record) in prepared.items()}
    for name, resident in memory.items():
        records[name]["resident_bytes"] = resident
    numbers = {
        "contenders": records,
        "ratios": ratios(records),
        "resident_bytes": {"steps": machine.peak_bytes(), "whole": max(whole, machine.peak_bytes())},
    }
    entries.finish(options, entry, numbers)


if __name__ == "__main__":
    run(main)
