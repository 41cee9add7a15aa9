"""The pairs of a picture and its points in a folder of the 300-W release; what lies there besides is told or refused.

A pair is never lost or doubled without a word: where a name leads nowhere, or two files could be meant, that is
refused; what is left out although it is there gets a note.
"""

import os
from collections import defaultdict

from crmn_legacy.data.files.photographs import check_there, is_picture, is_points, plain_name
from crmn_legacy.errors import UserError, shown

_MOST_UNREAD = 6


def find_pairs(folder, label):
    """The pairs in `folder`, sorted by name; none if there is no such folder.

    Parameters
    ----------
    folder : pathlib.Path
    label : str
        What notes call it.

    Returns
    -------
    pairs : list of tuple of pathlib.Path
        (points, picture).
    notes : list of str
        A line for each kind of thing that was left out.

    Raises
    ------
    UserError
        If points have no picture beside them, or two, or two files of points are of one name; if what should be a file
        is none, or its name is no text.
    """
    if not _is_folder(folder):
        return [], []
    try:
        # Names that start with a dot are leavings of file managers, not data.
        paths = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
        folders = {path for path in paths if path.is_dir()}
    except OSError as error:
        raise UserError(
            f"got '{error.filename or folder}', which cannot be read ({error.strerror}); "
            "expected a folder that may be listed and entered"
        ) from None
    points = _by_stem(path for path in paths if is_points(path))
    pictures = _by_stem(path for path in paths if is_picture(path) and path not in folders)
    problems = [problem for stem in points for problem in _problems(stem, points[stem], pictures)]
    if problems:
        more = f" ({len(problems) - 1:,} more faults in this folder)" if problems[1:] else ""
        raise UserError(problems[0] + more)
    pairs = [(found, pictures[stem][0]) for stem, [found] in points.items()]
    return pairs, _notes(label, points, pictures, [path for path in folders if not is_points(path)])


def find_unread(root, labels):
    """What lies below `root` beside the sets: folders with points that are none, or are called in other case.

    Parameters
    ----------
    root : pathlib.Path
    labels : list of str
        The sets' folders.

    Returns
    -------
    list of str
        A line for each, but no more than a few.
    """
    found = []
    for folder, below, files in os.walk(root, followlinks=True):
        label = os.path.relpath(folder, root)
        # Links may lead round in circles; the sets themselves are two deep, and may lie a folder too deep.
        deep = label != "." and label.count(os.sep) >= 2
        below[:] = [] if deep else sorted(name for name in below if not name.startswith((".", "__MACOSX")))
        count = sum(is_points(name) for name in files if not name.startswith("."))
        if label in labels:
            below.clear()
        elif count:
            found.append(_unread(label, count, labels))
    return found[:_MOST_UNREAD] + (
        [f"{len(found) - _MOST_UNREAD:,} more folders are so"] if found[_MOST_UNREAD:] else []
    )


def _unread(label, count, labels):
    here = "DIR itself" if label == "." else f"{shown(label)}"
    same = [known for known in labels if plain_name(known) == plain_name(label)]
    within = [known for known in labels if plain_name(label).endswith("/" + plain_name(known))]
    parts = [known for known in labels if known.startswith(plain_name(label) + "/")]
    if same:
        expected = f"expected it as {same[0]}/: rename it"
    elif within:
        expected = f"expected {within[0]}/ in DIR: give {shown(label[: -len(within[0]) - 1])} of DIR as --root"
    elif parts:
        expected = f"expected them in {' and '.join(f'{known}/' for known in parts)}"
    else:
        expected = "it is none of the sets"
    return f"{here} holds {count:,} .pts file{'s' * (count > 1)} and is not read; {expected}"


def _is_folder(folder):
    """Whether there is such a folder; a link that leads nowhere, or a file in its place, is no missing set."""
    for path in (folder.parent, folder):
        try:
            if path.is_dir():
                continue
            if path.is_symlink() or path.exists():
                check_there(path, "a folder of pictures and points")
                raise UserError(f"got '{path}', which is a file; expected a folder of pictures and points")
        except OSError as error:
            raise UserError(f"got '{path}', which cannot be read ({error.strerror}); expected a folder") from None
        return False
    return True


def _by_stem(paths):
    found = defaultdict(list)
    for path in paths:
        found[path.stem].append(path)
    return found


def _problems(stem, points, pictures):
    """What is wrong with the files of one name: a line at most, but a list."""
    if not stem.isprintable():
        path = shown(str(points[0]))
        return [f"got {path}, a name with characters that do not print; expected text: rename it"]
    if len(points) > 1:
        return [f"got '{points[0]}' and '{points[1]}'; expected one file of points for a picture: remove the other"]
    found = pictures.get(stem, [])
    if len(found) > 1:
        return [f"got '{found[0]}' and '{found[1]}' for '{points[0]}'; expected one picture: remove the other"]
    try:
        check_there(points[0], "a .pts file")
        if not found:
            alike = [
                path.name for other in pictures if plain_name(other) == plain_name(stem) for path in pictures[other]
            ]
            hint = f"; '{alike[0]}' differs in case or Unicode form: rename one" if alike else ""
            return [f"got '{points[0]}' without its picture; expected {stem}.jpg, .jpeg or .png beside it{hint}"]
        check_there(found[0], "a picture")
    except UserError as error:
        return [str(error)]
    return []


def _notes(label, points, pictures, folders):
    notes = []
    if alone := [path.name for stem, found in pictures.items() if stem not in points for path in found]:
        notes.append(f"{label} holds {_counted(alone, 'picture')} without points: left out")
    if folders:
        notes.append(f"{label} holds {_counted(sorted(path.name for path in folders), 'folder')}: not looked into")
    alike = defaultdict(list)
    for stem in points:
        alike[plain_name(stem)].append(stem)
    if alike := [shown(stem) for stems in alike.values() if len(stems) > 1 for stem in stems]:
        notes.append(
            f"{label} holds {len(alike):,} pairs whose names differ in case or Unicode form only, "
            f"first {alike[0]} and {alike[1]}: all are read; remove copies"
        )
    return notes


def _counted(names, what):
    """``1 picture ('a.jpg')``, or ``7 pictures (first 'a.jpg')``."""
    return f"1 {what} ({shown(names[0])})" if len(names) == 1 else f"{len(names):,} {what}s (first {shown(names[0])})"
