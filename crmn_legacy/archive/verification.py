"""Does a finished run's folder hold what the run wrote?"""

import hashlib
import os
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
    TENSORBOARD,
    WEIGHTS,
    WRITTEN,
)
from crmn_legacy.archive.record import bounded_text, read_record
from crmn_legacy.errors import UserError, printable

# Bytes; it has a line of some eighty for each of a dozen files.
_LARGEST_MANIFEST = 1 << 20

_UNREADABLE = "cannot be read"

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
        A line for each file of the run that is missing, altered or added, and for what does not follow from the rest
        (see `crmn_legacy.archive.chain`); empty if the folder is whole. Of a light folder, which says so in its
        record, the arrays are not missed. What is not the run's is no problem, see `foreign`.
    """
    path = Path(path)
    present = _names(path) & set(WRITTEN)
    try:
        text = bounded_text(path / MANIFEST, _LARGEST_MANIFEST)
    except FileNotFoundError:
        begun = "the run is not finished" if RUN in present else "no run has saved anything here"
        return [f"{MANIFEST}: missing; {begun}"]
    except (OSError, ValueError) as error:
        return [f"{MANIFEST}: cannot be read ({error})"]
    listed, problems = {}, []
    if not text.endswith("\n"):
        problems.append(f"{MANIFEST}: cut off")
    # Not splitlines, which takes other characters for ends of lines too.
    for line in text.removesuffix("\n").split("\n"):
        digest, gap, name = line.partition("  ")
        if not gap or len(digest) != 64 or not _is_name(name):
            problems.append(f"{MANIFEST}: altered: {ascii(line)[:80]}")
        elif name in listed:
            problems.append(f"{MANIFEST}: altered: {name} stands in it twice")
        elif name in WRITTEN:
            # Manifests were once of all that lay in the folder, a log and an editor's files among it.
            listed[name] = digest
    digests = {name: file_digest(path / name) for name in sorted(present & listed.keys())}
    # Only a record that the manifest vouches for can excuse what is not there.
    record_holds = RUN in listed and digests.get(RUN) == listed[RUN]
    excused = left_out(path).keys() if record_holds else set()
    problems += [f"{name}: missing" for name in sorted((listed.keys() | _WHOLE) - present - excused)]
    problems += [f"{name}: added" for name in sorted(present - listed.keys())]
    problems += [f"{name}: {_change(digest)}" for name, digest in digests.items() if digest != listed[name]]
    return problems or chain.problems(path, excused)


def foreign(path):
    """Names of what lies in a run's folder and is not the run's: a log, an editor's file, a folder.

    Parameters
    ----------
    path : path
        Of the folder.

    Returns
    -------
    list of str
        Sorted, as the system gives them: not all may be printable.
    """
    return sorted(_names(Path(path)) - {*WRITTEN, MANIFEST, TENSORBOARD})


def shown_names(names, most=5):
    """Names of files for a line, printable: the first few of them, and how many more there are."""
    shown = ", ".join(printable(name) for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def _is_name(text):
    return text not in ("", "..") and Path(text).name == text and text.isprintable()


def _names(folder):
    if not folder.is_dir():
        raise UserError(f"got '{folder}', which is no folder; expected the folder of a run")
    try:
        return set(os.listdir(folder))
    except OSError as error:
        raise UserError(
            f"got '{folder}', which cannot be read ({error.strerror}); expected the folder of a run, readable"
        ) from None


def _change(digest):
    return digest if digest.startswith(_UNREADABLE) else "altered"


def left_out(folder):
    """Arrays that a light folder is without.

    Parameters
    ----------
    folder : path
        Of a run.

    Returns
    -------
    dict of str to str
        Their files' names -> SHA-256; empty for any other folder.
    """
    try:
        named = read_record(folder, required=()).left_out or {}
    except UserError:
        return {}
    return {name: named[name] for name in ARRAYS if name in named}


def file_digest(path):
    """SHA-256 of a file in hexadecimal digits, or words that are none where no file can be read."""
    if not path.is_file():
        return "not a file"
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return f"{_UNREADABLE} ({error.strerror})"
