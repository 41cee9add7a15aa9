"""Whose the boxes in a file are: the names in the file, and the pictures that a command line names."""

import os
from collections import defaultdict

from crmn_legacy.data.files.face_boxes import read_boxes
from crmn_legacy.errors import UserError


def boxes_of(pictures, file):
    """The boxes of each picture, out of a file.

    A name in the file is that of the picture that was given by the same path; else of the one to which it leads from
    the file's folder; else of the one that lies so within the folder that was given; else, by its last part, of the
    only one that is called so.

    Parameters
    ----------
    pictures : list of crmn_legacy.commands.picture_names.Picture
    file : path
        `crmn_legacy.data.files.face_boxes.read_boxes` reads it.

    Returns
    -------
    dict of str to list of PlacedBox
        By the pictures' paths; an empty list where the file says that there is no face.

    Raises
    ------
    UserError
        A picture is without a box, a box without a picture, or a name may be that of several.
    """
    named = read_boxes(file)
    meant = _by_path(named, pictures, file)
    sure = {path for paths in meant.values() for path in paths}
    meant |= _by_last_part([name for name in named if not meant[name]], pictures, sure, file)
    found = {}
    for name, boxes in named.items():
        for path in meant[name]:
            found.setdefault(path, []).extend(boxes)
    strangers = [name for name in named if not meant[name]]
    bare = [picture.path for picture in pictures if picture.path not in found]
    if strangers:
        raise UserError(
            f"got boxes of '{strangers[0]}'{_more(strangers)} in '{file}', expected boxes of the pictures given alone: "
            "give that picture too, or take its boxes out"
        )
    if bare:
        raise UserError(
            f"got no box of '{bare[0]}'{_more(bare)} in '{file}', expected one of each picture: add it, or leave the "
            "picture out"
        )
    return found


def _by_path(names, pictures, file):
    """Name -> paths of the pictures that are called so with all of their path."""
    beside = os.path.dirname(os.path.abspath(file))
    given = _indexed(pictures, lambda picture: os.path.normpath(picture.path))
    place = _indexed(pictures, lambda picture: os.path.abspath(picture.path))
    within = _indexed(pictures, lambda picture: os.path.normpath(picture.name))
    meant = {}
    for name in names:
        plain = os.path.normpath(name)
        meant[name] = (
            given.get(plain) or place.get(os.path.normpath(os.path.join(beside, name))) or within.get(plain, [])
        )
        _require_one(name, meant[name], file)
    return meant


def _by_last_part(names, pictures, sure, file):
    """The same by the last part of the path, for names that are left; not of pictures which another name is sure of."""
    last = _indexed(pictures, lambda picture: os.path.basename(picture.path))
    meant, claimed = {}, {}
    for name in names:
        part = os.path.basename(name)
        _require_one(name, last.get(part, []), file)
        meant[name] = [path for path in last.get(part, []) if path not in sure]
        if meant[name] and (other := claimed.setdefault(part, name)) != name:
            raise UserError(
                f"got '{other}' and '{name}' in '{file}', either of which may be '{meant[name][0]}'; expected the "
                "pictures' paths as they are given"
            )
    return meant


def _indexed(pictures, key):
    index = defaultdict(dict)
    for picture in pictures:
        index[key(picture)][picture.path] = None
    return {name: list(paths) for name, paths in index.items()}


def _require_one(name, paths, file):
    places = {os.path.abspath(path): path for path in paths}
    if len(places) > 1:
        first, second, *_ = places.values()
        raise UserError(
            f"got '{name}' in '{file}', which may be '{first}' or '{second}'; expected the pictures' paths as they are "
            "given"
        )


def _more(names):
    return f" and of {len(names) - 1} more" if len(names) > 1 else ""
