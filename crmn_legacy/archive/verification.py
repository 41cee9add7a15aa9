"""Does a finished run's folder hold what the run wrote?"""

import hashlib
from pathlib import Path

from crmn_legacy.archive import chain
from crmn_legacy.archive.layout import (
    ARRAYS,
    CHECKPOINT,
    CURVE,
    INITIAL_WEIGHTS,
    MANIFEST,
    RECIPE,
    RUN,
    WEIGHTS,
)
from crmn_legacy.archive.record import bounded_text, read_record
from crmn_legacy.errors import UserError, printable

# Bytes; it has a line of some eighty for each of a dozen files.
_LARGEST_MANIFEST = 1 << 20

# What no finished run is without.
_WHOLE = {RUN, RECIPE, CURVE, WEIGHTS, INITIAL_WEIGHTS, CHECKPOINT}


def verify(path):
    """What is wrong with a finished run's folder.

    Parameters
    ----------
    path : path
        Of the folder.

    Returns
    -------
    list of str
        A line for each file that is missing, altered or added, and for what does not follow from the rest (see
        `crmn_legacy.archive.chain`); empty if the folder is whole. Of a light folder, which says so in its record, the
        arrays are not missed.
    """
    path = Path(path)
    if not path.is_dir():
        raise UserError(f"got '{path}', which is no folder; expected the folder of a run")
    try:
        text = bounded_text(path / MANIFEST, _LARGEST_MANIFEST)
    except FileNotFoundError:
        return [f"{MANIFEST}: missing; the run is not finished"]
    except (OSError, ValueError) as error:
        return [f"{MANIFEST}: cannot be read ({error})"]
    listed, problems = {}, []
    if not text.endswith("\n"):
        problems.append(f"{MANIFEST}: cut off")
    # Not splitlines, which takes other characters for ends of lines too.
    for line in text.removesuffix("\n").split("\n"):
        digest, gap, name = line.partition("  ")
        if not gap or len(digest) != 64 or Path(name).name != name or not name.isprintable():
            problems.append(f"{MANIFEST}: altered: {ascii(line)[:80]}")
        elif name in listed:
            problems.append(f"{MANIFEST}: altered: {name} stands in it twice")
        else:
            listed[name] = digest
    present = {p.name for p in path.iterdir()} - {MANIFEST}
    digests = {name: file_digest(path / name) for name in sorted(present & listed.keys())}
    # Only a record that the manifest vouches for can excuse what is not there.
    record_holds = RUN in listed and digests.get(RUN) == listed[RUN]
    excused = left_out(path).keys() if record_holds else set()
    problems += [f"{name}: missing" for name in sorted((listed.keys() | _WHOLE) - present - excused)]
    problems += [f"{printable(name)}: added" for name in sorted(present - listed.keys())]
    problems += [f"{name}: altered" for name, digest in digests.items() if digest != listed[name]]
    return problems or chain.problems(path, excused)


def left_out(folder):
    """Arrays that a light folder is without, dict of their files' names to SHA-256; empty for any other folder."""
    try:
        named = read_record(folder, required=()).left_out or {}
    except UserError:
        return {}
    return {name: named[name] for name in ARRAYS if name in named}


def file_digest(path):
    """SHA-256 of a file in hexadecimal digits, or words that are none where there is no file."""
    if not path.is_file():
        return "not a file"
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
