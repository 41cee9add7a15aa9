"""`predict DIR PICTURE...`: keypoints in the pictures' own pixels; class probabilities of a classifier."""

import sys
from pathlib import Path

import numpy as np

from crmn_legacy import archive
from crmn_legacy.commands.classify import classify
from crmn_legacy.commands.each_picture import for_each_picture
from crmn_legacy.data.boxes import crop_face
from crmn_legacy.data.detection import detect_faces
from crmn_legacy.data.files import photographs
from crmn_legacy.errors import UserError, printable
from crmn_legacy.files import write_whole
from crmn_legacy.inference.predictors import FacePredictor, middle_box, require_box
from crmn_legacy.inference.trained_network import load, recipe_of, warn_if_altered
from crmn_legacy.metrics import INTEROCULAR, interocular_error, require_eyes_apart
from crmn_legacy.overlays import overlay

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
        _faces(arguments.pictures[0], arguments)
    network = FacePredictor(load(arguments.run, arguments.recipe))
    out = _new_folder(arguments.out, arguments.pictures) if arguments.out else None
    warn_if_altered(arguments.run)
    unboxed = []

    def work(path):
        faces = _faces(path, arguments)
        for face in faces:
            face.find_points(network)
        names = _write(out, faces, arguments) if out is not None else None
        unboxed.extend(face.path for face in faces if face.is_guess)
        return _described(faces, arguments), _lines(faces, names)

    status = for_each_picture(arguments.pictures, work, arguments.json)
    if unboxed:
        others = f", and of {len(unboxed) - 1} others" if len(unboxed) > 1 else ""
        told = "note: without --box a face is taken to fill the middle square of its picture, here of "
        print(printable(f"{told}{unboxed[0]}{others}"), file=sys.stderr)
    return status


def _faces(path, arguments):
    """The faces of a picture that are to be worked on (list of `_Face`)."""
    # Points were made on the pixels as they lie, by those who annotated; boxes on what a viewer shows.
    picture = photographs.open_picture(path, upright=not arguments.points)
    if arguments.points:
        beside = photographs.points_beside(Path(path))
        return [_Face(path, picture, truth=photographs.read_points(beside), beside=beside)]
    if not arguments.detect:
        return [_Face(path, picture, arguments.box)]
    boxes = detect_faces(picture)
    if not len(boxes):
        raise UserError(f"got '{path}', in which no face was found; expected one that looks here: give its --box")
    return [_Face(path, picture, box.tolist()) for box in boxes]


class _Face:
    """A face in a picture, the crop that the network is to read, and later what it predicted."""

    def __init__(self, path, picture, box=None, truth=None, beside=None):
        self.path, self.picture, self.box, self.truth = Path(path), picture, box, truth
        self.predicted = self.error = None
        self.is_guess = truth is None and not box and max(picture.shape) > _LARGEST_FACE
        if truth is not None:
            self.crop = self._crop(truth, f"'{beside}'")
            require_eyes_apart(self.crop.keypoints, beside)
        elif box:
            self.crop = self._crop(np.reshape(box, (2, 2)), f"--box {' '.join(f'{number:g}' for number in box)}")
        else:
            self.crop = crop_face(picture, middle_box(picture))

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
        """What ``--json`` prints of it beside its picture (a dict)."""
        record = {"points": np.round(self.predicted, 3).tolist()}
        if self.error is not None:
            record["error_percent"] = 100 * self.error
        return record


def _described(faces, arguments):
    """What ``--json`` prints of a picture (a dict)."""
    picture = {"picture": str(faces[0].path)}
    if not arguments.detect:
        return picture | faces[0].describe()
    return picture | {"faces": [{"box": np.round(face.box, 3).tolist()} | face.describe() for face in faces]}


def _write(out, faces, arguments):
    """Write a ``.pts`` a face, and an overlay of all; the names of the former, without their end."""
    path = faces[0].path
    names = [path.stem, *(f"{path.stem}_{number}" for number in range(2, len(faces) + 1))]
    for name, face in zip(names, faces, strict=True):
        if (out / f"{name}.pts").exists():
            raise UserError(
                f"got another picture whose points are called {name}.pts; expected unlike names: rename one"
            )
        write_whole(out / f"{name}.pts", _points_file(face.predicted).encode())
    picture = faces[0].picture
    if arguments.colour:
        picture = photographs.open_picture(path, colour=True, upright=not arguments.points)
    overlay(picture, [(face.predicted, face.truth) for face in faces]).save(out / f"{path.stem}.png")
    return [out / name for name in names]


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


def _lines(faces, names):
    """What is printed of a picture: of each face where its points are, or the points themselves."""
    lines = []
    for number, face in enumerate(faces, 1):
        error = "" if face.error is None else f", error {100 * face.error:.2f}% of the {INTEROCULAR.title}"
        which = f"{face.path}" if len(faces) == 1 else f"{face.path}, face {number}"
        if names is not None:
            lines.append(f"{which}: {names[number - 1]}.pts" + (" and .png" if number == 1 else "") + error)
        else:
            lines += [f"{which}: 68 points{error}", *(f"{x:.3f} {y:.3f}" for x, y in face.predicted)]
    return lines
