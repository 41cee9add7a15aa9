"""The pictures that a command line names, each by itself or by the folder that it lies in."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from crmn_legacy.data.files.photographs import PICTURE_SUFFIXES, is_picture, is_points
from crmn_legacy.errors import UserError, printable


@dataclass(frozen=True)
class Picture:
    """A picture that is to be read.

    Attributes
    ----------
    path : str
        As messages and ``--json`` name it.
    name : str
        Its path within the folder that was named; of a picture that was named itself, the file's name.
    """

    path: str
    name: str

    def __str__(self):
        return self.path

    @property
    def stem(self):
        """Its name without the suffix, by which its outputs are called."""
        return os.path.join(os.path.dirname(self.name), Path(self.name).stem)


def pictures_of(words, recursive=False):
    """The pictures that a command line names; what else a folder holds is counted on standard error.

    Parameters
    ----------
    words : list of str
        Paths of pictures, which are not looked at, and of folders, whose pictures are taken by their names, sorted;
        hidden ones are not.
    recursive : bool
        Whether the folders in a folder are looked through too; links to folders are not followed.

    Returns
    -------
    list of Picture

    Raises
    ------
    UserError
        A folder holds no picture, or cannot be listed.
    """
    found = []
    for word in words:
        found += _in_folder(word, recursive) if os.path.isdir(word) else [Picture(word, Path(word).name)]
    return found


def _in_folder(folder, recursive):
    pictures, others, closed = [], 0, 0
    for place, folders, names in os.walk(folder, onerror=_refuse):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(place, name)
            # A link that leads nowhere is told when the picture is read.
            if is_picture(name) and not name.startswith(".") and (os.path.isfile(path) or os.path.islink(path)):
                pictures.append(Picture(path, os.path.relpath(path, folder)))
            else:
                others += not is_points(name)
        if not recursive:
            closed = len(folders)
            break
    left_out = [f"{_many(others, 'file')} not called as pictures are"] if others else []
    left_out += [f"{_many(closed, 'folder')} (--recursive looks through them)"] if closed else []
    if not pictures:
        raise UserError(
            f"got the folder '{folder}' without a picture, expected files whose names end in "
            f"{', '.join(PICTURE_SUFFIXES)}" + (f": it holds {' and '.join(left_out)}" if left_out else "")
        )
    if left_out:
        print(printable(f"note: left out of '{folder}': {' and '.join(left_out)}"), file=sys.stderr)
    return pictures


def _refuse(error):
    raise UserError(
        f"got the folder '{error.filename}', which cannot be listed ({error.strerror}); expected one that can"
    ) from None


def _many(count, what):
    return f"{count} {what}{'s' * (count != 1)}"


def require_unlike_stems(pictures):
    """Refuse pictures whose outputs would be called alike.

    Raises
    ------
    UserError
    """
    first = {}
    for picture in pictures:
        other = first.setdefault(picture.stem, picture)
        if other is not picture:
            raise UserError(
                f"got pictures of one name, '{other}' and '{picture}', expected unlike ones with --out, which names "
                "its files by them"
            )
