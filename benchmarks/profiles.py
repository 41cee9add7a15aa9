"""What the profiles of `--bits` cost: seconds of one train step under each.

    python benchmarks/profiles.py                        CRMN 5,4 on 80 x 80, batch 8, float32
    python benchmarks/profiles.py --n 1 --fm 1 --turns 21

The switches hold for a whole process, so each profile has a process of its own; all of them live at the same time and
take turns, one step each. Measured are medians, minima, and the medians' ratios to that of `fast`. Progress goes to the
standard error; the last line of the standard output is the entry as one JSON object, which `--json` appends to a file.
"""

import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import contenders, entries, machine, workloads
from benchmarks.step_time import WARM_UP
from crmn_legacy.backend.determinism import PROFILES, pin, pin_host
from crmn_legacy.errors import run
from crmn_legacy.parser import Parser

SIZES = ("n", "fm", "size", "batch_size", "threads")


def parse(argv):
    parser = Parser(__doc__, parents=[entries.options()])
    parser.add_argument("--n", type=int, default=5, help="residual blocks per stage")
    parser.add_argument("--fm", type=int, default=4, help="factor on the filters")
    parser.add_argument("--size", type=int, default=80, help="side of the pictures, a multiple of 16")
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--threads", type=int, default=2, help="cores to run on")
    parser.add_argument("--step", choices=PROFILES, help="only make steps here, one per line of the standard input")
    return parser.parse_args(argv)


def steps(options):
    """Make one step for each line that is read, and print its seconds."""
    pin_host()
    pin(options.step)
    workload = workloads.Workload("crmn", options.n, options.fm, options.size, options.batch_size)
    advance, _ = contenders.make_ours(workload, None, workloads.make_batch(workload))
    for _ in sys.stdin:
        began = time.perf_counter()
        advance()
        print(time.perf_counter() - began, flush=True)


def measure(options):
    """Seconds of each profile's steps, in turns that begin with another profile every time."""
    command = [sys.executable, __file__]
    command += [f"--{name.replace('_', '-')}={getattr(options, name)}" for name in SIZES]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    children = {profile: subprocess.Popen([*command, f"--step={profile}"], **pipes) for profile in PROFILES}

    def step(profile):
        child = children[profile]
        child.stdin.write("\n")
        child.stdin.flush()
        line = child.stdout.readline()
        if not line:
            sys.exit(f"the process of {profile} ended with status {child.wait()}")
        return float(line)

    seconds = {profile: [] for profile in PROFILES}
    try:
        for turn in range(WARM_UP + options.turns):
            for number in range(len(PROFILES)):
                profile = PROFILES[(turn + number) % len(PROFILES)]
                taken = step(profile)
                if turn >= WARM_UP:
                    seconds[profile].append(taken)
            print(f"turn {turn - WARM_UP + 1} of {options.turns}", file=sys.stderr)
    finally:
        for child in children.values():
            child.stdin.close()
            child.wait()
    return seconds


def summary(seconds):
    """Median, minimum and ratio to `fast` of each profile, beside its seconds (dict of dict)."""
    fast = statistics.median(seconds["fast"])
    return {
        profile: {
            "median": statistics.median(taken),
            "minimum": min(taken),
            "of_fast": statistics.median(taken) / fast,
            "seconds": taken,
        }
        for profile, taken in seconds.items()
    }


def main(argv=None):
    options = parse(argv)
    if options.step:
        machine.use_cores(options.threads)
        steps(options)
        return
    entry = entries.begin(options, __file__, argv, {name: getattr(options, name) for name in (*SIZES, "turns")})
    machine.use_cores(options.threads)
    entries.finish(options, entry, summary(measure(options)))


if __name__ == "__main__":
    run(main)
