"""What the release of 300-W does not hold: more pairs than it has, mirrored copies, one face in two splits.

Copies of the release on the net have each picture mirrored beside it, in the test sets too. Errors over them are no
errors over 300-W, and a face whose twin was trained on says nothing of faces unseen. This is told, not mended.
"""

from collections import defaultdict

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


def find_twins(faces, sets, pictures=()):
    """Notes on what the release does not hold.

    Parameters
    ----------
    faces : crmn_legacy.data.files.faces.Faces
    sets : iterable of (str, str, int)
        Folder, use, and how many pairs the release has there.
    pictures : sequence of str
        A digest of the file of each face's picture.

    Returns
    -------
    list of str
        A line each.
    """
    pairs = sorted({*_equal(faces), *_of_one_picture(faces.box, pictures), *_alike(faces)})
    within = [pair for pair in pairs if len(set(faces.split[list(pair)])) == 1]
    across = [pair for pair in pairs if len(set(faces.split[list(pair)])) == 2]
    return [
        *_too_many(faces.name.tolist(), sets),
        *_note(faces, within, "another in the same split", "remove them"),
        *_note(faces, across, "one in another split", "they are not unseen there"),
    ]


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


def _equal(faces):
    """Pairs of crops of one split that are equal to the byte."""
    seen, crops = {}, zip(faces.split.tolist(), faces.images, strict=True)
    firsts = [seen.setdefault((split, image.tobytes()), place) for place, (split, image) in enumerate(crops)]
    return [(first, place) for place, first in enumerate(firsts) if first != place]


def _of_one_picture(boxes, pictures):
    """Pairs of boxes about one another's middle in pictures equal to the byte: of one face, not of two."""
    seen, pairs = defaultdict(list), []
    for place, picture in enumerate(pictures):
        near = [first for first in seen[picture] if _about_one_middle(boxes[first], boxes[place])]
        pairs += [(first, place) for first in near[:1]]
        seen[picture].append(place)
    return pairs


def _about_one_middle(one, other):
    apart = np.abs((one[:2] + one[2:]) - (other[:2] + other[2:])) / 2
    return (apart < 0.25 * (one[2:] - one[:2])).all()


def _alike(faces):
    """Pairs that look alike although encoded or cropped anew: mirrored ones, and within unlike splits any.

    The release itself has a few faces twice, from one photograph; those in one split are not told.
    """
    looks, mirrored = _looks(faces.images), _looks(faces.images[:, :, ::-1])
    pairs = []
    for first in range(0, len(looks), _ROWS):
        rows = slice(first, first + _ROWS)
        across = faces.split[rows, None] != faces.split[None]
        alike = (mirrored[rows] @ looks.T > _ALIKE) | (across & (looks[rows] @ looks.T > _ALIKE))
        pairs += [(first + row, place) for row, place in np.argwhere(alike).tolist() if first + row < place]
    return pairs


def _looks(images):
    """Each picture shrunk, less its mean, of length 1; 0 if it is of one colour."""
    cell = images.shape[1] // _SIDE
    shrunk = images.reshape(len(images), _SIDE, cell, _SIDE, cell).mean(axis=(2, 4), dtype=np.float32)
    shrunk = shrunk.reshape(len(images), -1)
    shrunk -= shrunk.mean(axis=1, keepdims=True)
    return shrunk / np.linalg.norm(shrunk, axis=1, keepdims=True).clip(1e-3)


def _note(faces, pairs, what, so):
    """A line, but a list, of faces that are copies; none of no pairs. Of a face with many copies the first counts."""
    pairs = [(first, place) for place, first in {place: first for first, place in reversed(pairs)}.items()]
    if not pairs:
        return []
    count = f"{len(pairs):,} faces are copies" if len(pairs) > 1 else "1 face is a copy"
    examples = "; ".join(" and ".join(_told(faces, place) for place in pair) for pair in sorted(pairs)[:_NAMED])
    more = ", ..." if len(pairs) > _NAMED else ""
    return [f"{count}, mirrored or not, of {what}: {examples}{more}: {so}"]


def _told(faces, place):
    return f"{shown(faces.name[place])} ({faces.split[place]})"
