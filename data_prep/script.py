"""What the scripts of this folder have in common."""

import argparse
import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor

from crmn_legacy.errors import UserError


def processes(workers):
    """A pool of `workers` processes that begin clean: a copy of one that runs threads, as a fork is, may never end."""
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("forkserver"))


class Parser(argparse.ArgumentParser):
    """Options in full only; a wrong one is a `UserError`, one line like any other."""

    def __init__(self, description):
        super().__init__(description=description, allow_abbrev=False)

    def error(self, message):
        raise UserError(f"{message}; see --help")


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
    """Yield from `items`, keeping one line of standard error up to date if it is a terminal.

    Parameters
    ----------
    items : iterable
    total : int
        How many they are.
    what : str
        What is done with them, as the line says it.
    """
    shown = sys.stderr.isatty()
    try:
        for done, item in enumerate(items, 1):
            if shown:
                print(f"\r{what}: {done} of {total}", end="", file=sys.stderr, flush=True)
            yield item
    finally:
        # An error that follows begins on a line of its own.
        if shown:
            print(file=sys.stderr)
