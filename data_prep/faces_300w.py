"""Turn the 300-W release (AFW, Helen, LFPW, iBUG) into a faces file, as Honari et al. (2016) prepared it.

    python data_prep/faces_300w.py --root DIR --out FILE

DIR holds the sets as released: afw/, helen/{trainset,testset}/, lfpw/{trainset,testset}/, ibug/, each with
pairs of a picture (.jpg, .jpeg or .png) and its 68 points (.pts). A set that is missing is reported and left
out. The training pictures are AFW and the two training sets; a tenth of them, drawn with a fixed seed, is for
validation. Pictures are read as they lie: a rotation in their EXIF data is not applied, because the points of
300-W were set on the pixels as stored.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import hashlib

import numpy as np

from crmn_legacy.cores import usable_cores
from crmn_legacy.data.boxes import crop_face
from crmn_legacy.data.files.faces import RELEASED, Faces, write_faces
from crmn_legacy.data.files.photographs import open_picture, read_points
from crmn_legacy.data.randomness import Purpose, generator
from crmn_legacy.errors import UserError, printable, run
from crmn_legacy.metrics import require_eyes_apart
from crmn_legacy.parser import Parser
from data_prep.face_pairs import find_pairs, find_unread
from data_prep.face_twins import find_twins
from data_prep.script import check_out, in_processes, show_progress

# Folder, what it is for, and how many pairs the release has there.
SETS = (
    ("afw", "train", RELEASED["train"]["afw"]),
    ("helen/trainset", "train", RELEASED["train"]["helen"]),
    ("lfpw/trainset", "train", RELEASED["train"]["lfpw"]),
    ("helen/testset", "test", RELEASED["test"]["helen"]),
    ("lfpw/testset", "test", RELEASED["test"]["lfpw"]),
    ("ibug", "test", RELEASED["test"]["ibug"]),
)

# The seed that Honari et al. shuffled with; their order before the shuffle was that of the file system.
VALIDATION_SEED = 7345

# Below this many pictures, starting processes takes longer than it saves.
_WORTH_PROCESSES = 64


def read_face(pair):
    """The crop of one pair of paths, and the SHA-256 of both files.

    Raises
    ------
    UserError
        If either file is bad, the points do not lie on the picture, or its eyes coincide.
    """
    points_path, picture_path = pair
    points = read_points(points_path)
    picture = open_picture(picture_path)
    try:
        crop = crop_face(picture, points)
    except UserError as error:
        raise UserError(f"'{points_path}': {error}") from None
    require_eyes_apart(crop.keypoints, points_path)
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in pair]
    return crop, digests


def read_pairs(pairs):
    """:func:`read_face` of each of `pairs`, in order, in as many processes as there are cores to use."""
    workers = min(usable_cores(), len(pairs)) if len(pairs) >= _WORTH_PROCESSES else 1
    return in_processes(read_face, pairs, workers, chunksize=16)


def divide(uses, names):
    """The split of each picture: of those for training, the last tenth of a seeded shuffle is for validation.

    Parameters
    ----------
    uses : list of str
        ``train`` or ``test``, a picture.
    names : list of str

    Returns
    -------
    str array
    """
    splits = np.array(uses, dtype="U5")
    train = np.array(sorted(np.flatnonzero(splits == "train"), key=lambda place: names[place]), dtype=np.int64)
    shuffled = generator(VALIDATION_SEED, Purpose.SPLIT).permutation(train)
    splits[shuffled[len(train) - len(train) // 10 :]] = "valid"
    return splits


def prepare(root):
    """Read all sets below `root`.

    Parameters
    ----------
    root : pathlib.Path

    Returns
    -------
    faces : crmn_legacy.data.files.faces.Faces
    notes : list of str
        What the user should know of the sets, a line each.
    """
    if not root.is_dir():
        raise UserError(f"got --root '{root}', which is no folder; expected the one that holds afw/, helen/, ...")
    pairs, uses, sources, names, notes = [], [], [], [], []
    for folder, use, _ in SETS:
        found, told = find_pairs(root / folder, folder)
        notes += told
        for points, picture in found:
            pairs.append((points, picture))
            uses.append(use)
            sources.append(folder.split("/")[0])
            names.append(f"{folder}/{points.stem}")
    unread = find_unread(root, [folder for folder, _, _ in SETS])
    if not pairs:
        folders = ", ".join(f"{folder}/" for folder, _, _ in SETS)
        raise UserError(
            f"got --root '{root}' with no .pts file in any of {folders}; expected the 300-W release"
            + "".join(f"; {line}" for line in unread[:1])
        )
    crops, pictures, sources_sha = [], [], hashlib.sha256()
    read = show_progress(read_pairs(pairs), len(pairs), "pictures read")
    for name, (crop, digests) in zip(names, read, strict=True):
        crops.append(crop)
        pictures.append(digests[1])
        sources_sha.update(f"{name} {' '.join(digests)}\n".encode())
    faces = Faces(
        images=np.stack([crop.image for crop in crops]),
        keypoints=np.stack([crop.keypoints for crop in crops]),
        visible=np.stack([crop.visible for crop in crops]),
        box=np.stack([crop.box for crop in crops]),
        split=divide(uses, names),
        source=np.array(sources),
        name=np.array(names),
        sources_digest=sources_sha.hexdigest(),
    )
    return faces, notes + unread + find_twins(faces, SETS, pictures)


def summary(faces, notes=()):
    """A table of the sets: pictures found, pictures in the release, what they are for; and the `notes`."""
    lines = [f"{'set':<16}{'found':>7}{'release':>9}  use"]
    for folder, use, released in SETS:
        found = sum(name.startswith(folder + "/") for name in faces.name)
        note = f"{use}, of it a tenth valid" if use == "train" else use
        lines.append(f"{folder:<16}{found:>7}{released:>9}  {note if found else 'no data: left out'}")
    counts = ", ".join(f"{(faces.split == split).sum()} {split}" for split in ("train", "valid", "test"))
    lines.append(f"splits: {counts}; {(~faces.visible).any(axis=1).sum()} pictures cut off by their edge")
    return "\n".join([*lines, *(printable(f"note: {note}") for note in notes)])


def parser():
    """The parser of the command line (a `crmn_legacy.parser.Parser`)."""
    flags = Parser(
        __doc__,
        epilog="Pictures are read as they lie: a rotation in their EXIF data is not applied, because the points of "
        "300-W were set on the pixels as stored.",
    )
    flags.add_argument("--root", required=True, metavar="DIR", type=Path, help="folder with afw/, helen/, ...")
    flags.add_argument("--out", required=True, metavar="FILE", help="the HDF5 file to write; must not exist")
    return flags


def main(arguments=None):
    """The command line; see the top of this file."""
    options = parser().parse_args(arguments)
    check_out(options.out)
    faces, notes = prepare(options.root)
    write_faces(options.out, faces)
    print(summary(faces, notes))
    print(f"{options.out}: sha256:{hashlib.sha256(Path(options.out).read_bytes()).hexdigest()}")
    print(f"contents sha256:{faces.digest}")


if __name__ == "__main__":
    run(main)
