"""What the profiles of `--bits` cost: seconds of one train step under each.

    python benchmarks/profiles.py                        CRMN 5,4 on 80 x 80, batch 8, float32
    python benchmarks/profiles.py --n 1 --fm 1 --turns 21

The switches hold for a whole process, so each profile has a process of its own; all of them live at the same time and
take turns, one step each. Progress goes to the standard error; the last line of the standard output is one JSON object,
with medians and their ratios to that of `fast`.
"""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import machine
from benchmarks.step_time import WARM_UP, make_batch, our_step
from crmn_legacy.backend.determinism import PROFILES, pin, pin_host
from crmn_legacy.cli import Parser
from crmn_legacy.errors import run


def parse(argv):
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=5, help="residual blocks a stage")
    parser.add_argument("--fm", type=int, default=4, help="factor on the filters")
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--threads", type=int, default=2, help="cores to run on")
    parser.add_argument("--step", choices=PROFILES, help="make steps here, one a line of the standard input, no more")
    return parser.parse_args(argv)


def steps(options):
    """Make one step for each line that is read, and print its seconds."""
    pin_host()
    pin(options.step)
    from benchmarks import hand_written_jax

    network = hand_written_jax.Network(n=options.n, fm=options.fm)
    advance, _ = our_step(network, None, make_batch(network, options.batch_size), "xla")
    for _ in sys.stdin:
        began = time.perf_counter()
        advance()
        print(time.perf_counter() - began, flush=True)


def measure(options):
    """Seconds of each profile's steps, in turns that begin with another profile every time."""
    command = [sys.executable, __file__, "--n", str(options.n), "--fm", str(options.fm)]
    command += ["--batch-size", str(options.batch_size), "--threads", str(options.threads), "--step"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    children = {profile: subprocess.Popen([*command, profile], **pipes) for profile in PROFILES}

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


def main(argv=None):
    options = parse(argv)
    machine.use_cores(options.threads)
    if options.step:
        steps(options)
        return
    before = machine.describe()
    seconds = measure(options)
    medians = {profile: statistics.median(taken) for profile, taken in seconds.items()}
    result = {
        "benchmark": "profiles",
        "n": options.n,
        "fm": options.fm,
        "batch_size": options.batch_size,
        "machine": before,
        "seconds": seconds,
        "median": medians,
        "of_fast": {profile: median / medians["fast"] for profile, median in medians.items()},
    }
    print(json.dumps(result))


if __name__ == "__main__":
    run(main)
