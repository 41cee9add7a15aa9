"""Why two runs may differ: what their folders say they were made by and on."""

import difflib
import os
from dataclasses import dataclass

from msgspec.structs import asdict

from crmn_legacy.archive.layout import RECIPE
from crmn_legacy.archive.record import bounded_text
from crmn_legacy.options import DECLARED

MOVE_NO_BITS = tuple(name for name, declared in DECLARED.items() if not declared.moves_bits)
"""Options that two runs to one result may differ in."""

_LARGEST_RECIPE = 2**20
_LONGEST_DIFFERENCE = 12
_WIDEST = 110
_MOST_NAMES = 6
_NO_BITS = ("CRMN_LEGACY_", "LANG", "LC_", "TZ")


@dataclass(frozen=True)
class Difference:
    """What differs of one part of two records.

    Attributes
    ----------
    what : str
        The part: ``options``, ``packages``, ``row``, ``recipe.py`` and so on.
    unlike : dict of str to (object, object)
        What of it differs, with both values; of a part that is a single value under the name None.
    """

    what: str
    unlike: dict

    def lines(self):
        """The difference in words (list of str): some of it, if it is long."""
        if None in self.unlike:
            return [f"{self.what}: {_pair(self.unlike[None])}"]
        named = [f"{shown(name)} {_pair(values)}" for name, values in list(self.unlike.items())[:_MOST_NAMES]]
        more = f"; and {len(self.unlike) - _MOST_NAMES} more" if len(self.unlike) > _MOST_NAMES else ""
        return [f"{self.what}: {'; '.join(named)}{more}"]

    def described(self):
        """The whole difference as plain values, a dict for each that differs (list)."""
        return [
            {"what": self.what, "name": name, "a": ours, "b": theirs} for name, (ours, theirs) in self.unlike.items()
        ]


@dataclass(frozen=True)
class RecipeDifference:
    """What differs of two recipes.

    Attributes
    ----------
    changes : list of str
        Lines of the first that the second lacks, after a ``-``, and the other way round, after a ``+``.
    fault : str or None
        Why one of them cannot be read.
    """

    changes: list
    fault: str | None = None
    what = RECIPE

    def lines(self):
        """As `Difference.lines`."""
        if self.fault:
            return [f"{self.what}: cannot be read ({self.fault})"]
        lines = [f"{self.what}: {len(self.changes)} lines differ"]
        for line in self.changes[:_LONGEST_DIFFERENCE]:
            text = shown(line[1:].strip())
            lines.append(f"  {line[0]} {text if len(text) <= _WIDEST else text[:_WIDEST] + '...'}")
        if len(self.changes) > _LONGEST_DIFFERENCE:
            lines.append(f"  and {len(self.changes) - _LONGEST_DIFFERENCE} more")
        return lines

    def described(self):
        """As `Difference.described`."""
        return [{"what": self.what, "lines": self.changes, "fault": self.fault}]


def differences(ours, theirs):
    """Why two runs may differ: what their folders say they were made by and on.

    Parameters
    ----------
    ours, theirs : crmn_legacy.archive.compare.RunOnDisk
        Or whatever has their `folder` and `record`.

    Returns
    -------
    list of Difference or RecipeDifference
    """
    return [*made_by(ours, theirs), *_made_on(ours.record, theirs.record)]


def made_by(ours, theirs):
    """What of two runs' recipes, options, data, packages and sources differs; as `differences`, without the machine."""
    a, b = ours.record, theirs.record
    found = [
        _recipe(ours.folder / RECIPE, theirs.folder / RECIPE),
        # The data's digest tells more than their path.
        entries("options", asdict(a.options), asdict(b.options), ignored=("data", *MOVE_NO_BITS)),
        _single("row", a.row, b.row),
        _single("data", a.data_digest, b.data_digest),
        _single("Python", a.python, b.python),
        entries("packages", a.packages, b.packages),
        entries("source", a.source, b.source, ignored=("recipe", "recipe_of_tree")),
    ]
    return list(filter(None, found))


def _made_on(a, b):
    """What of the machines of two runs, and of all that is installed there, differs."""
    found = [
        _single("platform key", a.platform_key, b.platform_key),
        entries("distributions", a.distributions, b.distributions, ignored=a.packages or {}),
        entries("environment", a.environment, b.environment),
        entries("variables", _moving(a), _moving(b)),
        entries("hardware", a.hardware, b.hardware, ignored=("cores", "cores_usable", "memory_bytes")),
    ]
    return list(filter(None, found))


def _moving(record):
    """The environment variables of a run that may move bits and are told nowhere else, name -> value (a dict)."""
    found = {
        name: value
        for name, value in (record.variables or {}).items()
        if not name.startswith(_NO_BITS) and name not in (record.environment or {})
    }
    # A rerun adds the place of its own source.
    places = [place for place in found.pop("PYTHONPATH", "").split(os.pathsep) if place not in ("", "<source>")]
    return {**found, "PYTHONPATH": os.pathsep.join(places)} if places else found


def _recipe(ours, theirs):
    """How two recipes differ, None if in blank lines at most."""
    try:
        texts = [bounded_text(path, _LARGEST_RECIPE, errors="replace").splitlines() for path in (ours, theirs)]
    except OSError as error:
        return RecipeDifference([], error.strerror)
    except ValueError as error:
        return RecipeDifference([], str(error))
    changes = [line for line in difflib.unified_diff(*texts, n=0, lineterm="") if line[:3] not in ("---", "+++")]
    changes = [line for line in changes if not line.startswith("@@") and line[1:].strip()]
    return RecipeDifference(changes) if changes else None


def _single(what, ours, theirs):
    """How two values differ (a `Difference`), None if they are equal."""
    return None if ours == theirs else Difference(what, {None: (ours, theirs)})


def entries(what, ours, theirs, ignored=()):
    """How two dicts differ (a `Difference`), None if they are equal but for what is ignored."""
    ours, theirs = ours or {}, theirs or {}
    unlike = {
        name: (ours.get(name), theirs.get(name))
        for name in sorted(ours.keys() | theirs.keys())
        if ours.get(name) != theirs.get(name) and name not in ignored
    }
    return Difference(what, unlike) if unlike else None


def _pair(values):
    return " | ".join(map(shown, values))


def shown(value):
    """A value out of a file, safe to print on one line."""
    text = value if isinstance(value, str) else repr(value)
    if len(text) == 64 and all(digit in "0123456789abcdef" for digit in text):
        return text[:12]
    return text if text.isprintable() else ascii(text)
