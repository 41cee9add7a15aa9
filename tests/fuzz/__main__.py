"""Give every reader of the package spoiled files: ``python -m tests.fuzz --help``.

Each format is read by a process of its own, with a limit on its memory and on the seconds of a single file, so that a
crash of a library, a hang and a file that fills the memory are found, and do not end the search. The input at fault is
kept. Files come from Hypothesis; one seed gives one sequence of files.
"""

import argparse
import faulthandler
import json
import os
import resource
import shutil
import sys
import tempfile
import time
import traceback
import warnings
from itertools import count
from pathlib import Path

# A library's threads would be lost in the forks.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded

from crmn_legacy.errors import UserError
from tests.fuzz import seeds, targets

SECONDS_A_FILE = 30
# Beyond what the process takes at its start. A picture of 64 million pixels needs a third of it.
MEMORY = 2 * 2**30
# In reading what is a few kilobytes on the disk.
LARGEST_GROWTH = 2**30
_ROUND = 200
_MOST_FAILURES = 5


class FailureError(Exception):
    """A reader did other than read, or refuse in one line."""


class _Worker:
    """Reads spoiled files of one format until its time, or their number, is up."""

    def __init__(self, name, target, folder, options, log):
        self.name, self.target, self.folder, self.options = name, target, Path(folder), options
        self.executions, self.failures, self.log = 0, [], log
        self.started = time.monotonic()
        self.place = self.folder / "runs" / "run"

    def go(self, base):
        """Run, and keep the tally in the folder after every round."""
        if not self.place.exists():
            self.place.parent.mkdir(exist_ok=True)
            seeds.write_folder(self.place)
        for content in self.target.seeds:
            self.target.read(self.target.write(self.place, content))
        self._limit_memory()
        for number in count():
            if self.over() or len(self.failures) >= _MOST_FAILURES:
                break
            self._round(base + number)
            self._save()
        self._save()

    def over(self):
        if self.options.examples is not None:
            return self.executions >= self.options.examples
        return time.monotonic() - self.started >= self.options.seconds

    def _round(self, number):
        @seeded(number)
        @settings(
            max_examples=min(_ROUND, self.options.examples or _ROUND),
            database=None,
            deadline=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        )
        @given(content=self.target.strategy)
        def attempt(content):
            if not self.over():
                self._execute(content)

        self.said = None
        try:
            attempt()
        except Exception:
            if self.said is None:  # no reader's fault
                raise
            kept = self.folder / f"failure-{self.name}-{number}"
            shutil.copyfile(self.folder / "spoiled", kept)
            self.failures.append(f"{self.said}; input: {kept}")

    def _execute(self, content):
        self.executions += 1
        try:
            self._read(content)
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            self.said = f"{type(error).__name__}: {str(error)[:500]} ({last.filename}:{last.lineno})"
            # The last one is the smallest that Hypothesis found.
            (self.folder / "spoiled").write_bytes(content)
            raise

    def _read(self, content):
        path = self.target.write(self.place, content)
        # Its thread ends the process even from within a library's code.
        faulthandler.dump_traceback_later(SECONDS_A_FILE, exit=True, file=self.log)
        try:
            with warnings.catch_warnings(record=True) as warned:
                warnings.simplefilter("always")
                self.target.read(path)
        except UserError as error:
            if "expected" not in str(error) or len(str(error)) > 20_000:
                raise FailureError(f"a message that does not help: {str(error)[:200]}") from None
        finally:
            faulthandler.cancel_dump_traceback_later()
        if warned:
            raise FailureError(f"lines that no program of ours prints: {warned[0].message}")
        grown = _peak() - self.peak
        if grown > LARGEST_GROWTH:
            self.peak = _peak()
            raise FailureError(f"{len(content)} bytes took {grown} of memory")

    def _limit_memory(self):
        self.peak = _peak()
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        size = pages * resource.getpagesize() + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (size, size))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def _save(self):
        tally = {"executions": self.executions, "failures": self.failures}
        (self.folder / f"tally-{self.name}.json").write_text(json.dumps(tally))


def _peak():
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def run_format(name, target, folder, options):
    """Read spoiled files of one format in a process; returns executions, seconds and a list of what went wrong."""
    folder = Path(folder) / name
    folder.mkdir()
    started = time.monotonic()
    process = os.fork()
    if process == 0:
        status = 1
        with open(folder / "log", "w") as log:
            try:
                faulthandler.enable(file=log)
                _Worker(name, target, folder, options, log).go(options.seed)
                status = 0
            except BaseException:
                traceback.print_exc(file=log)
            finally:
                log.flush()
                os._exit(status)
    _, ended = os.waitpid(process, 0)
    tally = folder / f"tally-{name}.json"
    found = json.loads(tally.read_text()) if tally.exists() else {"executions": 0, "failures": []}
    if ended:
        kept = folder / f"crash-{name}"
        current = folder / "runs" / "run" / target.name
        if current.exists():
            shutil.copyfile(current, kept)
        reason = os.waitstatus_to_exitcode(ended)
        log = " | ".join((folder / "log").read_text(errors="replace").splitlines()[:12])
        found["failures"].append(f"the process ended with {reason}: {log}; input: {kept}")
    return found["executions"], time.monotonic() - started, found["failures"]


def main(arguments=None):
    """The command line; returns 0 if nothing but refusals came out of the readers, else 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.split("\n", 1)[0])
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--seconds", type=float, default=60.0, help="for all formats together (default: 60)")
    length.add_argument("--examples", type=int, help="files a format, in place of a time")
    parser.add_argument("--seed", type=int, help="default: drawn, and printed")
    parser.add_argument("--formats", help="names with commas between (default: all)")
    parser.add_argument("--keep", metavar="DIR", help="where inputs at fault are kept (default: a temporary folder)")
    options = parser.parse_args(arguments)
    options.seed = int.from_bytes(os.urandom(3), "little") if options.seed is None else options.seed
    folder = Path(options.keep or tempfile.mkdtemp(prefix="crmn_legacy-fuzz-"))
    folder.mkdir(parents=True, exist_ok=True)
    known = targets.make(folder)
    names = options.formats.split(",") if options.formats else list(known)
    options.seconds /= len(names)
    print(f"seed {options.seed}")
    print(f"{'format':<12}{'executions':>12}{'seconds':>9}{'crashes':>9}", flush=True)
    results = []
    for name in names:
        results.append(run_format(name, known[name], folder, options))
        executions, seconds, failures = results[-1]
        print(f"{name:<12}{executions:>12}{seconds:>9.1f}{len(failures):>9}", flush=True)
        for failure in failures:
            print(f"  {failure}", flush=True)
    crashes = sum(len(failures) for _, _, failures in results)
    executions, seconds = (sum(result[place] for result in results) for place in (0, 1))
    print(f"{'all':<12}{executions:>12}{seconds:>9.1f}{crashes:>9}")
    if not crashes and not options.keep:
        shutil.rmtree(folder)
    return min(crashes, 1)


if __name__ == "__main__":
    sys.exit(main())
