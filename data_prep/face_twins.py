"""What the release of 300-W does not hold: more pairs than it has, mirrored copies, one face in two splits.

Copies of the release on the net have each picture mirrored beside it, in the test sets too. Errors over them are no
errors over 300-W, and a face whose twin was trained on says nothing of faces unseen. This is told, not mended.
"""

import numpy as np

from crmn_legacy.errors import shown

# What tools append to the name of a picture that they mirror.
_MIRROR_ENDINGS = ("_mirror", "_mirrored", "_flip", "_flipped")
_SIDE = 16
# Correlation of crops shrunk to 16 x 16. Of 1,457 real faces, those of one photograph reach 0.986 and more, mirrored
# and encoded anew with their points a pixel off 0.989 and more, and others at most 0.969.
_ALIKE = 0.98
_ROWS = 1024
_NAMED = 3


def find_twins(faces, sets):
    """Notes on what the release does not hold.

    Parameters
    ----------
    faces : crmn_legacy.data.files.faces.Faces
    sets : iterable of (str, str, int)
        Folder, use, and how many pairs the release has there.

    Returns
    -------
    list of str
        A line each.
    """
    names = faces.name.tolist()
    return [*_too_many(names, sets), *_copies_in_one_split(faces), *_twins_across_splits(faces)]


def _too_many(names, sets):
    notes, known = [], {name.lower() for name in names}
    for folder, _, released in sets:
        found = [name for name in names if name.startswith(folder + "/")]
        mirrored = [name for name in found if _without_ending(name.lower()) in known]
        called = ""
        if mirrored:
            ending = mirrored[0][len(_without_ending(mirrored[0].lower())) :]
            called = f"{len(mirrored):,} of them are called NAME{ending}, mirrored copies; remove them"
        if len(found) > released:
            notes.append(f"{folder} holds {len(found):,} pairs, more than the release's {released:,}: ")
            notes[-1] += called or "is another data set among them, or are there copies?"
        elif mirrored:
            notes.append(f"{folder} holds {len(found):,} pairs: {called}")
    return notes


def _without_ending(name):
    """`name` less what tells a mirrored copy; empty if it has nothing of that kind."""
    return next((name.removesuffix(ending) for ending in _MIRROR_ENDINGS if name.endswith(ending)), "")


def _copies_in_one_split(faces):
    """Crops of one split that are equal to the byte, mirrored or not."""
    seen, copies = {}, []
    for place, (image, split) in enumerate(zip(faces.images, faces.split.tolist(), strict=True)):
        first = seen.get((split, image.tobytes()), seen.get((split, image[:, ::-1].tobytes())))
        if first is None:
            seen[split, image.tobytes()] = place
        else:
            copies.append((first, place))
    if not copies:
        return []
    return [_note(faces, copies, "another in the same split", "remove them")]


def _twins_across_splits(faces):
    """Faces that look like one of another split, mirrored or not, although they were encoded or cropped anew."""
    looks, mirrored = _looks(faces.images), _looks(faces.images[:, :, ::-1])
    twins = []
    for first in range(0, len(looks), _ROWS):
        rows = slice(first, first + _ROWS)
        alike = np.maximum(looks[rows] @ looks.T, mirrored[rows] @ looks.T) > _ALIKE
        alike &= faces.split[rows, None] != faces.split[None]
        twins += [(first + row, column) for row, column in np.argwhere(alike).tolist() if first + row < column]
    # Of one face with many twins, a pair is enough.
    pairs = list({column: (row, column) for row, column in reversed(twins)}.values())[::-1]
    return [_note(faces, pairs, "one in another split", "they are not unseen there")] if pairs else []


def _looks(images):
    """Each picture shrunk, less its mean, of length 1; 0 if it is of one colour."""
    cell = images.shape[1] // _SIDE
    shrunk = images.reshape(len(images), _SIDE, cell, _SIDE, cell).mean(axis=(2, 4), dtype=np.float32)
    shrunk = shrunk.reshape(len(images), -1)
    shrunk -= shrunk.mean(axis=1, keepdims=True)
    return shrunk / np.linalg.norm(shrunk, axis=1, keepdims=True).clip(1e-3)


def _note(faces, pairs, what, so):
    count = f"{len(pairs):,} faces are copies" if len(pairs) > 1 else "1 face is a copy"
    examples = "; ".join(" and ".join(_told(faces, place) for place in pair) for pair in pairs[:_NAMED])
    more = ", ..." if len(pairs) > _NAMED else ""
    return f"{count}, mirrored or not, of {what}: {examples}{more}: {so}"


def _told(faces, place):
    return f"{shown(faces.name[place])} ({faces.split[place]})"
