"""Render faces from code alone, free of anyone's licence, into a faces file for rehearsals and tests.

    python data_prep/rendered_faces.py --out faces.h5 [--count 320] [--seed 0]

Of the faces a tenth are the validation and a tenth the test pictures. Each is a pure function of the seed and
its number, so a longer file begins with the pictures of a shorter one.
"""

import os
import sys
from dataclasses import replace
from functools import partial

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import hashlib

import numpy as np

from crmn_legacy.cores import usable_cores
from crmn_legacy.data.boxes import crop_face
from crmn_legacy.data.files.faces import Faces, write_faces
from crmn_legacy.data.randomness import Purpose, generator
from crmn_legacy.errors import UserError, run
from crmn_legacy.parser import Parser
from data_prep.face_rendering import render
from data_prep.script import check_out, in_processes, show_progress

# The committed sample is these.
COUNT = 320
SEED = 0

# The number of this way of rendering: a change that moves a pixel makes it another.
RENDERING = 1


# Gray levels between two that are kept: noise below that would double the file and teach nothing.
STEP = 4


def rendered_crop(seed, number):
    """The crop of face `number`, a :class:`crmn_legacy.data.boxes.Crop`."""
    picture, points = render(generator(seed, Purpose.RENDERING, index=number))
    crop = crop_face(picture, points)
    return replace(crop, image=crop.image - crop.image % STEP)


def split_of(number):
    """In ten faces running, eight are for training, one for validation, one for testing."""
    return {8: "valid", 9: "test"}.get(number % 10, "train")


def rendered_faces(count, seed, workers=1):
    """Render `count` faces.

    Parameters
    ----------
    count : int
    seed : int
    workers : int
        Processes; they change nothing but the time it takes.

    Returns
    -------
    crmn_legacy.data.files.faces.Faces
    """
    rendered = in_processes(partial(rendered_crop, seed), range(count), workers, chunksize=4)
    crops = list(show_progress(rendered, count, "faces rendered"))
    return Faces(
        images=np.stack([crop.image for crop in crops]),
        keypoints=np.stack([crop.keypoints for crop in crops]),
        visible=np.stack([crop.visible for crop in crops]),
        box=np.stack([crop.box for crop in crops]),
        split=np.array([split_of(number) for number in range(count)]),
        source=np.full(count, "rendered"),
        name=np.array([f"rendered/{seed}/{number:05d}" for number in range(count)]),
        sources_digest=hashlib.sha256(f"rendering {RENDERING}, seed {seed}, count {count}".encode()).hexdigest(),
    )


def parser():
    """The parser of the command line (a `crmn_legacy.parser.Parser`)."""
    flags = Parser(__doc__)
    flags.add_argument("--out", required=True, metavar="FILE", help="the HDF5 file to write; must not exist")
    flags.add_argument("--count", type=int, default=COUNT, metavar="N", help=f"faces; {COUNT} if not given")
    flags.add_argument("--seed", type=int, default=SEED, metavar="S", help=f"{SEED} if not given")
    return flags


def main(arguments=None):
    """The command line; see the top of this file."""
    options = parser().parse_args(arguments)
    if options.count < 1:
        raise UserError(f"got --count {options.count}; expected at least 1")
    generator(options.seed, Purpose.RENDERING)  # refuses a bad seed at once
    check_out(options.out)
    faces = rendered_faces(options.count, options.seed, workers=min(usable_cores(), options.count))
    write_faces(options.out, faces)
    counts = ", ".join(f"{(faces.split == split).sum()} {split}" for split in ("train", "valid", "test"))
    print(f"{options.out}: {len(faces)} rendered faces ({counts}); contents sha256:{faces.digest}")


if __name__ == "__main__":
    run(main)
