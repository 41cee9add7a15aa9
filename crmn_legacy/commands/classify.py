"""`predict DIR PICTURE|FOLDER...` of a classifier's run: class probabilities."""

import numpy as np
from PIL import Image

from crmn_legacy.commands.each_picture import for_each_picture
from crmn_legacy.data.files import photographs
from crmn_legacy.errors import UserError
from crmn_legacy.inference.predictors import ClassPredictor
from crmn_legacy.inference.trained_network import load, training_data, warn_if_altered

# So many classes of a picture are shown; --json has all.
_SHOWN = 5


def classify(arguments, pictures, record, task):
    """Print the classes of pictures; returns the exit status.

    A picture's middle square is brought to 32 x 32 pixels, and prepared by the statistics of the data that the run was
    trained on, which must still be where they were.

    Parameters
    ----------
    arguments : argparse.Namespace
        Of `predict`.
    pictures : list of crmn_legacy.commands.picture_names.Picture
    record : RunRecord
    task : crmn_legacy.training.Classification

    Raises
    ------
    UserError
        A picture cannot be read, an option is for faces only, or the training data are not there.
    """
    for option in ("points", "box", "boxes", "detect", "out", "colour"):
        if getattr(arguments, option):
            raise UserError(
                f"--{option} got a run of {record.row!r}, a classifier, expected one on faces: leave it out"
            )
    if len(pictures) == 1:
        _open(pictures[0])
    data = training_data(record, task)
    network = ClassPredictor(load(arguments.run, arguments.recipe), data)
    warn_if_altered(arguments.run)

    def work(picture):
        probabilities = network.predict(_square(_open(picture))).tolist()
        found = dict(zip(network.classes, probabilities, strict=True))
        best = sorted(found.items(), key=lambda item: -item[1])[:_SHOWN]
        shown = ", ".join(f"{name} {100 * probability:.1f}%" for name, probability in best)
        return {"picture": picture.path, "probabilities": found}, [f"{picture}: {shown}"]

    return for_each_picture(pictures, work, arguments.json)


def _open(picture):
    return photographs.open_picture(picture.path, colour=True, upright=True)


def _square(picture):
    """The middle square of a picture (height, width, 3), as uint8 (3, 32, 32)."""
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    image = Image.fromarray(picture[top : top + side, left : left + side])
    if side != 32:
        image = image.resize((32, 32), Image.Resampling.LANCZOS)
    return np.asarray(image).transpose(2, 0, 1)
