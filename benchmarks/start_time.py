"""Seconds until a run has made its first step, and how building the step grows with the network's depth.

    python benchmarks/start_time.py
    python benchmarks/start_time.py --only growth --n 1 3
    python benchmarks/start_time.py --only recipe --recipe recipes/table3_preact_resnet_1001.py --first-step-only

`recipe`: from the start of `python recipes/table1_crmn.py --steps 1` to the end of its first step, and to
its own end after validation and saving, if it is let go on; first with an empty compilation cache, then with
the one that the first run left. `growth`: for each n a process of its own builds the step of the CRMN with
fm = 1; seconds of the Aesara graph, of lowering it to XLA's input, and of XLA's compilation without a cache.
Progress goes to the standard error; the last line of the standard output is the entry as one JSON object, which
`--json` appends to a file.
"""

import itertools
import json
import os
import resource
import runpy
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import entries, machine, workloads
from crmn_legacy import errors
from crmn_legacy.backend import determinism
from crmn_legacy.parser import Parser

RECIPE = Path(__file__).resolve().parents[1] / "recipes" / "table1_crmn.py"

MARK = "first step done at "


def parse(argv):
    parser = Parser(__doc__, parents=[entries.options()])
    parser.add_argument("--only", choices=("recipe", "growth"), help="one of the two measurements")
    parser.add_argument("--recipe", type=Path, default=RECIPE)
    parser.add_argument("--first-step-only", action="store_true", help="end the recipe there: no validation, no saving")
    parser.add_argument("--n", type=int, nargs="+", default=[1, 3, 5, 9], help="depths of the growth")
    parser.add_argument("--batch-size", type=int, default=8, help="of the growth")
    parser.add_argument("--bits", choices=("fast", "portable"), default="fast")
    parser.add_argument("--threads", type=int, default=2, help="cores to run on")
    parser.add_argument("--build", type=int, metavar="N", help="only build one step here and tell its seconds")
    parser.add_argument("--run", type=Path, metavar="DIR", help="only run the recipe here into this folder")
    return parser.parse_args(argv)


def recipe_seconds(options):
    """Seconds of the recipe's run and its peak memory, with a cold and with a warm compilation cache."""
    result = {}
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"CRMN_LEGACY_CACHE": f"{folder}/cache"}
        for cache in ("cold", "warm"):
            command = [sys.executable, __file__, "--recipe", str(options.recipe), "--bits", options.bits]
            command += ["--run", f"{folder}/{cache}", "--threads", str(options.threads)]
            command += ["--first-step-only"] * options.first_step_only
            began = time.monotonic()
            finished = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True)
            whole = time.monotonic() - began
            print(finished.stdout, file=sys.stderr)
            if finished.returncode:
                sys.exit(f"{options.recipe} ended with status {finished.returncode}")
            mark = next(line for line in finished.stdout.splitlines() if line.startswith(MARK))
            moment, gigabytes = mark.removeprefix(MARK).split()
            result[cache] = {"first_step": float(moment) - began, "first_step_peak_gb": float(gigabytes)}
            if not options.first_step_only:
                result[cache]["whole"] = whole
    return result


def run_recipe(recipe, bits, folder, first_step_only):
    """Run the recipe as its own program would; print the moment when its first step is done, and the peak memory."""
    determinism.pin_host()
    from crmn_legacy.backend.compile import XlaStep

    call = XlaStep.__call__

    def timed(step, state, batch, rates=None):
        state, outputs = call(step, state, batch, rates)
        step.get(state)
        step.get_outputs(outputs)
        moment, gigabytes = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(f"{MARK}{moment} {gigabytes}", flush=True)
        if first_step_only:
            os._exit(0)
        XlaStep.__call__ = call
        return state, outputs

    XlaStep.__call__ = timed
    sys.argv = [str(recipe), "--steps", "1", "--bits", bits, "--out", str(folder)]
    runpy.run_path(str(recipe), run_name="__main__")


def growth(options):
    """Seconds of each stage of building the step: one record per depth, each from a process of its own."""
    records = []
    for n in options.n:
        command = [sys.executable, __file__, "--build", str(n), "--bits", options.bits]
        command += ["--batch-size", str(options.batch_size), "--threads", str(options.threads)]
        finished = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        if finished.returncode:
            sys.exit(f"building n = {n} ended with status {finished.returncode}")
        records.append(json.loads(finished.stdout.splitlines()[-1]))
        stages = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in records[-1]["seconds"].items())
        print(f"n = {n}: {stages}", file=sys.stderr)
    return records


def build(n, batch_size):
    """Seconds of each stage from importing the package to a compiled step of the CRMN n, fm = 1."""
    marks = [("", time.perf_counter())]
    import jax

    jax.config.update("jax_enable_compilation_cache", False)
    from benchmarks import ours

    workload = workloads.Workload("crmn", n, 1, 80, batch_size)
    batch, rates = workloads.make_batch(workload), ours.rates(workload)
    marks.append(("import", time.perf_counter()))
    step = ours.training_step(ours.build(workload), workload)
    marks.append(("graph", time.perf_counter()))
    lowered = step.lower(step.initial_state(), batch, rates)
    marks.append(("lower", time.perf_counter()))
    lowered.compile()
    marks.append(("xla", time.perf_counter()))
    return {"n": n, "seconds": {name: end - begin for (_, begin), (name, end) in itertools.pairwise(marks)}}


def main(argv=None):
    options = parse(argv)
    if options.run:
        machine.use_cores(options.threads)
        run_recipe(options.recipe, options.bits, options.run, options.first_step_only)
        return
    if options.build:
        machine.use_cores(options.threads)
        determinism.pin(options.bits)
        print(json.dumps(build(options.build, options.batch_size)))
        return
    names = ("only", "first_step_only", "n", "batch_size", "bits", "threads")
    settings = {name: getattr(options, name) for name in names} | {"recipe": options.recipe.stem}
    entry = entries.begin(options, __file__, argv, settings)
    machine.use_cores(options.threads)
    numbers = {}
    if options.only != "growth":
        numbers["recipe_seconds"] = recipe_seconds(options)
    if options.only != "recipe":
        numbers["growth"] = growth(options)
    entries.finish(options, entry, numbers)


if __name__ == "__main__":
    errors.run(main)
