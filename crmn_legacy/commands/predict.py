"""`predict DIR PICTURE...`: keypoints in the pictures' own pixels; class probabilities of a classifier."""

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from crmn_legacy import archive
from crmn_legacy.commands.classify import classify
from crmn_legacy.commands.each_picture import for_each_picture
from crmn_legacy.data.boxes import crop_face
from crmn_legacy.data.files import photographs
from crmn_legacy.errors import UserError, printable
from crmn_legacy.files import write_whole
from crmn_legacy.inference.predictors import FacePredictor, middle_box, require_box
from crmn_legacy.inference.trained_network import load, recipe_of, warn_if_altered
from crmn_legacy.metrics import INTEROCULAR, interocular_error, require_eyes_apart

# Overlays of small pictures are enlarged to at least this side, in pixels.
_OVERLAY_SIDE = 480

# Pixels; on the longer side of a picture that a face fills. On a larger one it is likely to be somewhere in it.
_LARGEST_FACE = 640


def predict(arguments):
    """Print keypoints, or write them with overlays to a new folder; of a classifier's run, print classes."""
    record = archive.read_record(arguments.run)
    task = recipe_of(record.row, arguments.recipe).with_literals(record.options.set).task
    if task.predicts == "classes":
        return classify(arguments, record, task)
    if arguments.box:
        require_box(arguments.box, "--box")
    if len(arguments.pictures) == 1:
        # What can be refused is refused before the network is built.
        _Face(arguments.pictures[0], arguments)
    network = FacePredictor(load(arguments.run, arguments.recipe))
    out = _new_folder(arguments.out, arguments.pictures) if arguments.out else None
    warn_if_altered(arguments.run)
    unboxed = []

    def work(path):
        face = _Face(path, arguments)
        face.find_points(network)
        if out is not None:
            write_whole(out / f"{face.path.stem}.pts", _points_file(face.predicted).encode())
            _overlay(face).save(out / f"{face.path.stem}.png")
        if face.is_guess:
            unboxed.append(face.path)
        return face.describe(), _lines(face, out)

    status = for_each_picture(arguments.pictures, work, arguments.json)
    if unboxed:
        others = f", and of {len(unboxed) - 1} others" if len(unboxed) > 1 else ""
        told = "note: without --box a face is taken to fill the middle square of its picture, here of "
        print(printable(f"{told}{unboxed[0]}{others}"), file=sys.stderr)
    return status


class _Face:
    """A picture, the crop that the network is to read, and later what it predicted."""

    def __init__(self, path, arguments):
        self.path = Path(path)
        # Points were made on the pixels as they lie, by those who annotated; boxes on what a viewer shows.
        self.picture = photographs.open_picture(self.path, upright=not arguments.points)
        self.truth = self.predicted = self.error = None
        if arguments.points:
            points = photographs.points_beside(self.path)
            self.truth = photographs.read_points(points)
            self.crop = self._crop(self.truth, f"'{points}'")
            require_eyes_apart(self.crop.keypoints, points)
        elif arguments.box:
            corners = np.reshape(arguments.box, (2, 2))
            self.crop = self._crop(corners, f"--box {' '.join(f'{number:g}' for number in arguments.box)}")
        else:
            self.crop = crop_face(self.picture, middle_box(self.picture))
        self.is_guess = not arguments.points and not arguments.box and max(self.picture.shape) > _LARGEST_FACE

    def _crop(self, corners, named):
        height, width = self.picture.shape
        try:
            return crop_face(self.picture, corners)
        except UserError:
            raise UserError(
                f"got {named} for '{self.path}', a picture of {width} x {height} pixels; expected a face on the picture"
            ) from None

    def find_points(self, network):
        """What a `FacePredictor` predicts, in the picture's pixels; and its error, if the truth is known."""
        self.predicted = network.in_crop(self.crop, f"'{self.path}'")
        if self.truth is not None:
            self.error = float(interocular_error(self.predicted[None], self.truth[None])[0])

    def describe(self):
        """What ``--json`` prints (a dict)."""
        record = {"picture": str(self.path), "points": np.round(self.predicted, 3).tolist()}
        if self.error is not None:
            record["error_percent"] = 100 * self.error
        return record


def _new_folder(name, pictures):
    stems = [Path(path).stem for path in pictures]
    if len(set(stems)) != len(stems):
        raise UserError("got pictures of one name, expected unlike ones with --out, which names its files by them")
    out = Path(name)
    try:
        out.mkdir(parents=True, exist_ok=True)
        if any(out.iterdir()):
            raise UserError(f"--out got '{out}', which is not empty, expected a new folder")
    except OSError as error:
        raise UserError(
            f"--out got '{out}', which cannot be made ({error.strerror}), expected a writable place"
        ) from None
    return out


def _points_file(points):
    """A ``.pts`` file, version 1, as 300-W has them."""
    lines = "".join(f"{x:.3f} {y:.3f}\n" for x, y in points)
    return f"version: 1\nn_points: {len(points)}\n{{\n{lines}}}\n"


def _overlay(face):
    """The picture with the predicted points in red, and the true ones in green where they are known."""
    image = Image.fromarray(face.picture).convert("RGB")
    zoom = max(1, -(-_OVERLAY_SIDE // max(image.size)))
    image = image.resize((image.width * zoom, image.height * zoom), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(image)
    for points, colour in ((face.truth, (0, 200, 0)), (face.predicted, (255, 0, 0))):
        if points is not None:
            for x, y in points * zoom:
                draw.ellipse((x - 2, y - 2, x + 2, y + 2), fill=colour)
    return image


def _lines(face, out):
    error = "" if face.error is None else f", error {100 * face.error:.2f}% of the {INTEROCULAR.title}"
    if out is not None:
        return [f"{face.path}: {out / face.path.stem}.pts and .png{error}"]
    return [f"{face.path}: 68 points{error}", *(f"{x:.3f} {y:.3f}" for x, y in face.predicted)]
