"""What the scripts of this folder have in common."""

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
    """Yield from `items`, with a line of standard error that tells how far it is.

    Parameters
    ----------
    items : iterable
    total : int
        How many they are.
    what : str
        What is done with them, as the line says it.
    """
    # Nothing is shown where standard error is no terminal.
    yield from tqdm(items, total=total, desc=what, disable=None)
