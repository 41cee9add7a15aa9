"""A study's runs in order, each in a process of its own; begun again, the queue goes on where it was."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

from crmn_legacy.errors import UserError
from crmn_legacy.study.keeping import BEGUN, FINISHED, KEPT, keep

# A recipe's status is 128 and the signal by which it was stopped; it has then saved what it had.
_STOPPED = 128

# Seconds.
_BETWEEN_LOOKS = 0.2

# glibc gives a step's large arrays back to the system, which clears them anew at the next step: a sixth of the time of
# a small network on one core. A study's networks are small enough to keep them.
_KEEP_MEMORY = "glibc.malloc.arena_max=1:glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=17179869184"


def train(runs, data, places, jobs=1):
    """Train what is not finished, in order, and keep what pages are made from.

    Parameters
    ----------
    runs : list of StudyRun
    data : path
        Of the data file.
    places : crmn_legacy.study.keeping.Places
    jobs : int
        Runs at a time, each on its share of the cores. Their bits are the same.

    Returns
    -------
    int
        0; 128 and the signal if the queue was stopped by one.

    Raises
    ------
    UserError
        A run failed, a folder holds another run, or there are fewer cores than jobs.
    """
    shares = _shares(jobs)
    # All folders first: what is amiss with the last is told before hours have passed.
    states = {run.name: places.state(run) for run in runs}
    for run in runs:
        if states[run.name] == FINISHED:
            keep(run, places, data)
            states[run.name] = KEPT
    waiting = [run for run in runs if states[run.name] != KEPT]
    print(f"{len(runs) - len(waiting)} of {len(runs)} runs finished", flush=True)
    at_work = _AtWork(data, places, shares)
    with _told_to(at_work):
        for place, run in enumerate(waiting, 1):
            at_work.wait_for_room()
            if at_work.status:
                break
            begun = states[run.name] == BEGUN
            print(f"run {place} of {len(waiting)}: {run.name}, {'goes on' if begun else 'begins'}", flush=True)
            at_work.start(run, begun)
        at_work.wait_for_all()
    return at_work.status


def _shares(jobs):
    """The cores of each job (list of set); None for a single one, which may use them all."""
    if jobs == 1:
        return [None]
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_setaffinity") else []
    if not 1 <= jobs <= len(cores):
        raise UserError(f"--jobs got {jobs}; expected 1 to {max(len(cores), 1)}, no more than there are cores")
    return [set(cores[place::jobs]) for place in range(jobs)]


class _AtWork:
    """The runs that are being trained.

    Attributes
    ----------
    status : int
        0; 128 and the signal once one has ended by that.
    """

    def __init__(self, data, places, shares):
        self.data, self.places, self.free, self.status = data, places, list(shares), 0
        self._running, self._told = [], False

    def start(self, run, begun):
        """Start a run on the next free share of the cores."""
        folder, share = self.places.run(run), self.free.pop(0)
        where = ["--resume" if begun else "--out", str(folder)]
        command = [sys.executable, str(run.script()), *run.options(self.data).as_words(), *where]
        with _bound_to(share):
            process = subprocess.Popen(command, env={"GLIBC_TUNABLES": _KEEP_MEMORY, **os.environ})
        self._running.append((process, run, share))

    def wait_for_room(self):
        """Wait until there is a free share, or a run was stopped."""
        while not self.free and not self.status:
            self._look()

    def wait_for_all(self):
        """Wait until all have ended."""
        while self._running:
            self._look()

    def stop(self, number):
        """Hand a signal on: each run saves what it has, and ends by itself."""
        # A second one would have a run end at once. What a terminal interrupts it interrupts in the runs as well.
        if not self._told and number != signal.SIGINT:
            for process, _, _ in self._running:
                process.send_signal(number)
        self._told = True

    def _look(self):
        """Take notice of runs that have ended."""
        time.sleep(_BETWEEN_LOOKS)
        for process, run, share in [each for each in self._running if each[0].poll() is not None]:
            self._running.remove((process, run, share))
            self.free.append(share)
            self._ended(run, process.returncode)

    def _ended(self, run, status):
        if status:
            self.stop(signal.SIGTERM)
        if status < 0 or status > _STOPPED:
            self.status = _STOPPED - status if status < 0 else status
        elif status:
            self.wait_for_all()
            raise UserError(
                f"got status {status} of the run '{run.name}'; expected 0: mend what it told above, and begin again; "
                "nothing that is finished is trained twice"
            )
        else:
            keep(run, self.places, self.data)


@contextmanager
def _bound_to(cores):
    """What is started meanwhile may use these cores alone (a set, or None for all)."""
    if cores is None:
        yield
        return
    former = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, former)


@contextmanager
def _told_to(at_work):
    """Signals that are to stop the queue reach its runs."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    former = {number: signal.signal(number, lambda number, _: at_work.stop(number)) for number in numbers}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
