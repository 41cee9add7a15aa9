"""A reader with every fault that the search is after: `python -m tests.fuzz.faulty CONTENT DIR` searches it.

The search forks, which a process that runs JAX's threads must not; so this is a program of its own.
"""

import json
import os
import re
import sys
from pathlib import Path
from types import SimpleNamespace

from hypothesis import strategies as st

from crmn_legacy.errors import UserError
from tests.fuzz import __main__ as fuzz
from tests.fuzz.targets import Target


def hang(path):
    """As a library would that ends no loop."""
    re.fullmatch("(a+)+b", path.read_text())


def read(path):
    """Do what the file says."""
    text = path.read_text()
    if text == "die":
        os.abort()
    if text == "hang":
        path.write_text("a" * 40)
        hang(path)
    if text == "fill":
        bytearray(b"x" * 2**20) * 300
    if text == "mute":
        raise UserError("no")
    if text == "raise":
        raise ValueError("not ours")
    if text == "refuse":
        raise UserError("got refuse, expected ok")


def main(content, folder):
    """Search files of this content alone; prints executions and failures as JSON."""
    if content == "hang":
        fuzz.SECONDS_A_FILE = 1
    fuzz.LARGEST_GROWTH = 2**27
    fuzz._MOST_FAILURES = 1
    target = Target([b"ok"], st.just(content.encode()), read)
    options = SimpleNamespace(examples=2, seconds=None, seed=0)
    executions, _, failures = fuzz.run_format("one", target, Path(folder), options)
    print(json.dumps({"executions": executions, "failures": failures}))


if __name__ == "__main__":
    main(*sys.argv[1:])
