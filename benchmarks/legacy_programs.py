"""Seconds that programs of 2015 to 2018 take from their start to their end, by who compiles their functions.

    python benchmarks/legacy_programs.py [PROGRAM...]

Each program (those of `tests/backend/legacy_programs` by default) runs four times, each in a process of its own:
through XLA with nothing kept from before (cold) and with its programs kept (warm), through Aesara's C compiler with
nothing kept, and in Aesara's Python, which is what a machine without a compiler had. What is told is a Markdown table.
Run it on a machine that does nothing else.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
PROGRAMS = REPOSITORY / "tests" / "backend" / "legacy_programs"


def seconds(program, backend, cache, flags):
    """Run a program through the door; return its seconds, or None if it failed."""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "CRMN_LEGACY_CACHE": cache, "AESARA_FLAGS": flags}
    began = time.perf_counter()
    ran = subprocess.run(
        [sys.executable, "-m", "crmn_legacy.backend", "--backend", backend, str(program)],
        env=environment,
        capture_output=True,
        check=False,
    )
    return time.perf_counter() - began if ran.returncode == 0 else None


def measured(program):
    """The four times of a program."""
    with tempfile.TemporaryDirectory() as folder:
        cache, compiled = f"{folder}/xla", f"{folder}/c"
        return [
            seconds(program, "xla", cache, "cxx="),
            seconds(program, "xla", cache, "cxx="),
            seconds(program, "c", cache, f"base_compiledir={compiled}"),
            seconds(program, "c", cache, "cxx="),
        ]


def main():
    """Run the command line."""
    programs = [Path(name) for name in sys.argv[1:]] or sorted(PROGRAMS.glob("*.py"))
    print("| program | XLA, cold | XLA, warm | C, cold | Python |")
    print("| --- | --- | --- | --- | --- |")
    for program in programs:
        times = ["failed" if one is None else f"{one:.1f}" for one in measured(program)]
        print("|", " | ".join([f"`{program.name}`", *times]), "|", flush=True)


if __name__ == "__main__":
    main()
