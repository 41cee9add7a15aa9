"""What the scripts of this folder have in common."""

import contextlib
import multiprocessing
import os
import signal
import sys
from collections import deque
from concurrent.futures import ProcessPoolExecutor

from tqdm import tqdm

from crmn_legacy.errors import UserError


def in_processes(function, items, workers, chunksize):
    """`function` of each of `items`, in order, in `workers` processes; in this one where no others can be had.

    The processes begin clean, because a copy of one that runs threads, as a fork is, may never end; and each by itself,
    because a server of them needs a socket, whose path in a deep TMPDIR is too long for the system.

    Parameters
    ----------
    function : callable
        Of a module; gives equal results wherever it runs.
    items : sequence
    workers, chunksize : int

    Yields
    ------
    result of `function`

    Raises
    ------
    UserError
        What `function` raises.
    """
    done = 0
    if workers > 1:
        try:
            for result in _of_pool(function, items, workers, chunksize):
                yield result
                done += 1
            return
        # A system has many ways to lack semaphores, processes or memory; what is wrong with an item shows anew.
        except (OSError, ImportError, NotImplementedError, RuntimeError, EOFError) as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            tqdm.write(f"note: no {workers} processes ({reason}): the rest is done in one", file=sys.stderr)
    yield from map(function, items[done:])


def _of_pool(function, items, workers, chunksize):
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))
    whole = False
    try:
        # Ctrl-C is this process's to tell: its children inherit that they do not hear it.
        heard = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            chunks = [items[start : start + chunksize] for start in range(0, len(items), chunksize)]
            waiting = deque(pool.submit(_each, function, chunk) for chunk in chunks)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, heard)
        # Not `pool.map`: what that cancels as it is left, the pool's thread, if its processes end first, calls broken,
        # which a cancelled one may not be (Python 3.11 prints a traceback).
        while waiting:
            yield from waiting.popleft().result()
        whole = True
    finally:
        pool.shutdown(wait=whole, cancel_futures=True)
        if not whole:
            # Those of a pool that did not start wholly would wait for work for ever, and the program for them.
            for child in set(multiprocessing.active_children()) - others:
                child.terminate()


def _each(function, items):
    return [function(item) for item in items]


def check_out(path):
    """Refuse, before any work is done, an output file that exists or could not be written.

    Raises
    ------
    UserError
    """
    if os.path.lexists(path):
        raise UserError(f"got --out '{path}', which exists; expected a new file: remove it or name another")
    folder = os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(folder):
        raise UserError(f"got --out '{path}' in a folder that does not exist; expected an existing one: make it")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UserError(f"got --out '{path}' in a folder that may not be written to; expected a writable one")


def show_progress(items, total, what):
    """A tqdm bar around `items`, on standard error if that is a terminal; an error after it has a line of its own.

    Parameters
    ----------
    items : iterable
    total : int
        How many they are.
    what : str
        What is done with them, as the bar says it.

    Returns
    -------
    tqdm.tqdm
        Iterates over `items`.
    """
    return tqdm(items, desc=what, total=total, disable=None, dynamic_ncols=True)


@contextlib.contextmanager
def show_stages(total):
    """As :func:`show_progress`, for `total` stages of different work; gives a function that is told each as it begins.

    Parameters
    ----------
    total : int
        How many stages there are.

    Yields
    ------
    callable
        Takes what the stage that begins does, str.
    """
    with tqdm(total=total, disable=None, dynamic_ncols=True, bar_format="stage {n} of {total}: {desc}") as bar:

        def begin(what):
            bar.n += 1
            bar.set_description_str(what)

        yield begin
