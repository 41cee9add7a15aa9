"""Render shapes from code alone, free of anyone's licence, into a pictures file for rehearsals and tests.

    python data_prep/rendered_shapes.py --out shapes.h5 [--classes 10|100] [--rounds 56|8] [--seed 0]

With 10 classes a picture's class is its shape; with 100 its shape and its coating. A round has one picture of each
class; of eight rounds running the first six are for training, one is for validation and one for testing. Each picture
is a pure function of the seed, the number of classes and its number, so a longer file begins with the pictures of a
shorter one.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import hashlib

import numpy as np

from crmn_legacy.data.files.labelled_pictures import Pictures, write_pictures
from crmn_legacy.data.randomness import Purpose, generator
from crmn_legacy.errors import UserError, run
from crmn_legacy.parser import Parser
from data_prep.script import check_out, show_progress
from data_prep.shape_kinds import KINDS
from data_prep.shape_rendering import COATINGS, render

# The committed samples are these: classes -> rounds.
ROUNDS = {10: 56, 100: 8}
SEED = 0

# Each class's shape and coating; None for any coating.
CLASSES = {
    10: [(kind, None) for kind in KINDS],
    100: [(kind, coating) for kind in KINDS for coating in COATINGS],
}

# The number of this way of rendering: a change that moves a pixel makes it another.
RENDERING = 1

# Levels between two that are kept: noise below that would double the file and teach nothing.
STEP = 8


def rendered_shape(seed, classes, number):
    """Picture `number` of the set of so many `classes`; uint8 array (3, 32, 32)."""
    kind, coating = CLASSES[classes][number % classes]
    picture = render(kind, coating, generator(seed, Purpose.RENDERING, epoch=classes, index=number))
    return picture - picture % STEP


def split_of(number, classes):
    """What picture `number` is for."""
    return {6: "valid", 7: "test"}.get(number // classes % 8, "train")


def rendered_shapes(classes, rounds, seed):
    """Render `rounds` pictures of each class.

    Parameters
    ----------
    classes : int
        10 or 100.
    rounds : int
    seed : int

    Returns
    -------
    crmn_legacy.data.files.labelled_pictures.Pictures
    """
    count = classes * rounds
    numbers = show_progress(range(count), count, "pictures rendered")
    facts = f"shapes {RENDERING}, classes {classes}, seed {seed}, rounds {rounds}"
    return Pictures(
        images=np.stack([rendered_shape(seed, classes, number) for number in numbers]),
        labels=(np.arange(count) % classes).astype(np.uint8),
        split=np.array([split_of(number, classes) for number in range(count)]),
        name=np.array([f"rendered/{seed}/{number:05d}" for number in range(count)]),
        classes=np.array([" ".join(filter(None, (coating, kind))) for kind, coating in CLASSES[classes]]),
        source="rendered",
        sources_digest=hashlib.sha256(facts.encode()).hexdigest(),
    )


def parser():
    """The parser of the command line (a `crmn_legacy.parser.Parser`)."""
    flags = Parser(__doc__)
    flags.add_argument("--out", required=True, metavar="FILE", help="the HDF5 file to write; must not exist")
    flags.add_argument("--classes", type=int, default=10, choices=tuple(CLASSES), help="10 if not given")
    flags.add_argument("--rounds", type=int, metavar="N", help="pictures of each class; 56 of 10, 8 of 100")
    flags.add_argument("--seed", type=int, default=SEED, metavar="S", help=f"{SEED} if not given")
    return flags


def main(arguments=None):
    """The command line; see the top of this file."""
    options = parser().parse_args(arguments)
    rounds = ROUNDS[options.classes] if options.rounds is None else options.rounds
    if rounds < 1:
        raise UserError(f"got --rounds {rounds}; expected at least 1")
    generator(options.seed, Purpose.RENDERING)  # refuses a bad seed at once
    check_out(options.out)
    pictures = rendered_shapes(options.classes, rounds, options.seed)
    write_pictures(options.out, pictures)
    counts = ", ".join(f"{(pictures.split == split).sum()} {split}" for split in ("train", "valid", "test"))
    print(f"{options.out}: {len(pictures)} rendered shapes ({counts}); contents sha256:{pictures.digest}")


if __name__ == "__main__":
    run(main)
