"""Seconds of one step: the package, and the same network by hand in JAX and in PyTorch.

    python benchmarks/step_time.py                       CRMN 5,4 on 80 x 80, batch 8, float32
    python benchmarks/step_time.py --network all         each network in a process of its own, one after another
    python benchmarks/step_time.py --n 1 --fm 1 --memory
    python benchmarks/step_time.py --network wrn-28-10 --evaluation

All contenders start from the same weights, on the same batch, in one process, and take turns: each turn times one
step of each, beginning with another every time. The losses of the first step must agree. The step trains, by the
parts of the row's recipe; with `--evaluation` it predicts and tells the loss, as after training. JAX by hand has the
CRMN and its ResNet only. With `--memory` each contender also runs alone in a process of its own, whose resident
memory is read. The entry tells what share of the processor time others used during the turns; too large a share is
refused. Progress goes to the standard error; the last line of the standard output is the entry as one JSON object,
which `--json` appends to a file.
"""

import dataclasses
import importlib.util
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import contenders, entries, machine, workloads
from crmn_legacy.backend.determinism import pin
from crmn_legacy.errors import UserError, run
from crmn_legacy.parser import Parser

CONTENDERS = {"ours": contenders.make_ours, "jax": contenders.make_jax, "torch": contenders.make_torch}
PAIRS = (("ours", "jax"), ("ours", "torch"), ("torch", "jax"))  # whose ratios are told
WARM_UP = 3  # steps: frameworks put off some of their work to the second
SIZES = ("n", "fm", "size", "batch_size")
SETTINGS = ("turns", "threads", "bits", "backend", "evaluation")
ALL = "all"


def parse(argv):
    parser = Parser(__doc__, parents=[entries.options()])
    parser.add_argument("--network", choices=(*workloads.WORKLOADS, ALL), default="crmn-5-4")
    parser.add_argument("--n", type=int, help="residual blocks per stage; default: the network's, as for the sizes")
    parser.add_argument("--fm", type=int, help="factor on the filters; of DenseNet the growth rate")
    parser.add_argument("--size", type=int, help="side of the pictures, of a CRMN a multiple of 16")
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--evaluation", action="store_true", help="a step that predicts, not one that trains")
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--threads", type=int, default=2, help="cores to run on")
    parser.add_argument("--bits", choices=("fast", "portable"), default="fast")
    parser.add_argument("--backend", choices=("xla", "c"), default="xla", help="of the package")
    parser.add_argument("--contenders", nargs="+", choices=CONTENDERS, help="default: all that there are")
    parser.add_argument("--memory", action="store_true", help="resident memory too, in one process per contender")
    return parser.parse_args(argv)


def chosen_workload(options):
    """The network that the options name, with the sizes that they give."""
    given = {name: getattr(options, name) for name in SIZES if getattr(options, name) is not None}
    workload = dataclasses.replace(workloads.WORKLOADS[options.network], **given)
    least = min(options.turns, *(getattr(workload, name) for name in SIZES))
    if least < 1:
        raise UserError(f"got a size or number of turns of {least}; expected at least 1")
    unit = 16 if workload.network == "crmn" else 4
    if workload.size % unit:
        raise UserError(f"got --size {workload.size}; expected a multiple of {unit} for {options.network}")
    return workload


def chosen_contenders(options, workload):
    """Names of the contenders that take part."""
    names = list(options.contenders or CONTENDERS)
    if not workload.of_faces and "jax" in names:
        if options.contenders:
            raise UserError(f"got --contenders jax; expected ours or torch: {options.network} is not written in JAX")
        names.remove("jax")
    if importlib.util.find_spec("torch") is None and "torch" in names:
        print("PyTorch is not installed, so it does not take part", file=sys.stderr)
        names.remove("torch")
    return names


def prepare(options, workload, names):
    """The contenders, compiled and some steps in: name to (advance, record)."""
    batch = workloads.make_batch(workload)
    arrays = None
    if len(names) > 1:
        from benchmarks import ours

        arrays = ours.first_weights(workload, batch if options.evaluation else None)
    prepared = {}
    for name in names:
        began = time.perf_counter()
        more = {"backend": options.backend} if name == "ours" else {}
        advance, program = CONTENDERS[name](workload, arrays, batch, options.evaluation, **more)
        loss, *_ = (advance() for _ in range(WARM_UP))
        record = {"ready_seconds": time.perf_counter() - began, "first_loss": loss, "program_bytes": program}
        print(f"{name}: ready in {record['ready_seconds']:.1f} s, first loss {loss:.6f}", file=sys.stderr)
        prepared[name] = advance, record
    losses = [record["first_loss"] for _, record in prepared.values()]
    if not all(abs(loss - losses[0]) <= 1e-4 * losses[0] for loss in losses[1:]):
        sys.exit(f"the first losses differ, so these are not the same network: {losses}")
    return prepared


def take_turns(prepared, turns):
    """Add to each record the seconds of its steps, one per turn; the share of the processor time that others used."""
    names = list(prepared)
    for _, record in prepared.values():
        record["seconds"] = []
    whole = machine.OtherWork()
    for turn in range(turns):
        others = machine.OtherWork()
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            advance, record = prepared[name]
            began = time.perf_counter()
            advance()
            record["seconds"].append(time.perf_counter() - began)
        latest = "  ".join(f"{name} {prepared[name][1]['seconds'][-1]:.3f} s" for name in names)
        print(f"turn {turn + 1}/{turns}: {latest}  other work {others.share():.0%}", file=sys.stderr)
    for _, record in prepared.values():
        record["median"] = statistics.median(record["seconds"])
        record["minimum"] = min(record["seconds"])
    return whole.share()


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


def alone(options, workload, name):
    """Resident bytes of a process in which this contender runs alone."""
    command = [sys.executable, __file__, "--network", options.network, "--contenders", name, "--turns", "3", "--anyway"]
    command += [f"--{size.replace('_', '-')}={getattr(workload, size)}" for size in SIZES]
    command += [f"--{option}={getattr(options, option)}" for option in ("threads", "bits", "backend")]
    command += ["--evaluation"] * options.evaluation
    finished = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if finished.returncode:
        sys.exit(f"{name} alone ended with status {finished.returncode}")
    return json.loads(finished.stdout.splitlines()[-1])["numbers"]["resident_bytes"]


def run_all(argv):
    """Measure each network in a process of its own; one that fails leaves the others."""
    network = Parser(add_help=False)
    network.add_argument("--network")
    _, words = network.parse_known_args(argv)
    failed = []
    for name in workloads.WORKLOADS:
        print(f"{name}:", file=sys.stderr, flush=True)
        if subprocess.run([sys.executable, __file__, "--network", name, *words]).returncode:
            failed.append(name)
    if failed:
        sys.exit(f"not measured: {', '.join(failed)}")


def main(argv=None):
    options = parse(argv)
    if options.network == ALL:
        run_all(argv)
        return
    workload = chosen_workload(options)
    settings = dataclasses.asdict(workload) | {name: getattr(options, name) for name in SETTINGS}
    entry = entries.begin(options, __file__, argv, settings)
    names = chosen_contenders(options, workload)
    machine.use_cores(options.threads)
    memory = {name: alone(options, workload, name) for name in names} if options.memory else {}
    pin(options.bits)
    prepared = prepare(options, workload, names)
    whole = machine.peak_bytes()
    machine.forget_peak()
    others = take_turns(prepared, options.turns)
    machine.require_few_others(others, options.anyway)
    records = {name: record for name, (_, record) in prepared.items()}
    for name, resident in memory.items():
        records[name]["resident_bytes"] = resident
    numbers = {
        "contenders": records,
        "ratios": ratios(records),
        "others": others,
        "resident_bytes": {"steps": machine.peak_bytes(), "whole": max(whole, machine.peak_bytes())},
    }
    entries.finish(options, entry, numbers)


if __name__ == "__main__":
    run(main)
