"""Learned numbers and operations of the rows' networks, which take a minute to count: counted once, then kept."""

import hashlib
import json
import sys
from functools import cache
from pathlib import Path

from tqdm import tqdm

from crmn_legacy.archive.provenance import source_digest
from crmn_legacy.backend.cache import folder as cache_folder
from crmn_legacy.errors import UserError
from crmn_legacy.files import write_whole
from crmn_legacy.installation import load_recipe

_COUNTED = ("parameters", "flops")


def counts_of_rows(rows, recipes):
    """Row -> its ``parameters`` and ``flops`` (a dict of str to dict), or to None where it has no recipe.

    They are a pure function of a recipe and the package, and kept under the digest of both, beside XLA's programs.

    Parameters
    ----------
    rows : list of str
    recipes : path
        Folder of their recipes.
    """
    scripts = {row: Path(recipes) / f"{row}.py" for row in rows}
    found = {row: _kept(script) for row, script in scripts.items() if script.is_file()}
    missing = [row for row, counts in found.items() if counts is None]
    if missing and not sys.stderr.isatty():
        print(f"counting the networks of {len(missing)} rows; kept for the next time", file=sys.stderr, flush=True)
    for row in tqdm(missing, desc="networks counted", disable=None, leave=False, dynamic_ncols=True):
        described = load_recipe(scripts[row]).describe()
        found[row] = {name: described[name] for name in _COUNTED}
        _keep(scripts[row], found[row])
    return {row: found.get(row) for row in rows}


def _place(script):
    """Where the counts of a recipe are kept; None where nothing is."""
    place = cache_folder()
    if place is None:
        return None
    digest = hashlib.sha256(script.read_bytes() + _package().encode()).hexdigest()
    return place / "counts" / f"{digest}.json"


@cache
def _package():
    return source_digest()


def _kept(script):
    """The counts that are kept of a recipe; None if none are, or something else is there."""
    place = _place(script)
    try:
        found = json.loads(place.read_bytes()) if place else None
        counts = {name: found[name] for name in _COUNTED} if found else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return counts if counts and all(type(count) is int and count > 0 for count in counts.values()) else None


def _keep(script, counts):
    place = _place(script)
    if place is None:
        return
    try:
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_whole(place, json.dumps(counts).encode())
    except (OSError, UserError):
        return  # counted anew the next time
