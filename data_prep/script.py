"""What the scripts of this folder have in common."""

import contextlib
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor

from tqdm import tqdm

from crmn_legacy.errors import UserError


def processes(workers):
    """A pool of `workers` processes that begin clean: a copy of one that runs threads, as a fork is, may never end."""
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("forkserver"))


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
