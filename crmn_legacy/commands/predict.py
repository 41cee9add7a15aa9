"""`predict DIR PICTURE|FOLDER...`: keypoints in the pictures' own pixels; class probabilities of a classifier."""

import sys
from pathlib import Path

import numpy as np

from crmn_legacy import archive
from crmn_legacy.commands.classify import classify
from crmn_legacy.commands.each_picture import for_each_picture
from crmn_legacy.commands.picture_boxes import boxes_of
from crmn_legacy.commands.picture_names import pictures_of, require_unlike_stems
from crmn_legacy.data.boxes import crop_face
from crmn_legacy.data.detection import detect_faces
from crmn_legacy.data.files import photographs
from crmn_legacy.data.files.face_boxes import require_box
from crmn_legacy.errors import UserError, printable
from crmn_legacy.files import write_whole
from crmn_legacy.inference.predictors import FacePredictor, middle_box
from crmn_legacy.inference.trained_network import load, recipe_of, warn_if_altered
from crmn_legacy.metrics import INTEROCULAR, interocular_error, require_eyes_apart
from crmn_legacy.overlays import overlay

# Pixels; on the longer side of a picture that a face fills. On a larger one it is likely to be somewhere in it.
_LARGEST_FACE = 640


def predict(arguments):
    """Print keypoints, or write them with overlays to a new folder; of a classifier's run, print classes."""
    record = archive.read_record(arguments.run)
    task = recipe_of(record.row, arguments.recipe).with_literals(record.options.set).task
    pictures = pictures_of(arguments.pictures, arguments.recursive)
    if task.predicts == "classes":
        return classify(arguments, pictures, record, task)
    faces_of = _finder(arguments, pictures)
    if len(pictures) == 1:
        # What can be refused is refused before the network is built.
        faces_of(pictures[0])
    if arguments.out:
        require_unlike_stems(pictures)
    network = FacePredictor(load(arguments.run, arguments.recipe))
    out = _new_folder(arguments.out) if arguments.out else None
    warn_if_altered(arguments.run)
    unboxed = []

    def work(picture):
        faces = faces_of(picture)
        for face in faces:
            face.find_points(network)
        names = _write(out, picture, faces, arguments) if out is not None else None
        unboxed.extend(picture.path for face in faces if face.is_guess)
        several = bool(arguments.detect or arguments.boxes)
        return _described(picture, faces, several), _lines(picture, faces, names)

    status = for_each_picture(pictures, work, arguments.json)
    if unboxed:
        others = f", and of {len(unboxed) - 1} others" if len(unboxed) > 1 else ""
        told = "note: without --box a face is taken to fill the middle square of its picture, here of "
        print(printable(f"{told}{unboxed[0]}{others}"), file=sys.stderr)
    return status


def _finder(arguments, pictures):
    """What gives the faces of a picture that are to be worked on (a list of `_Face`), by the options."""
    if arguments.points:
        return _face_with_points
    if arguments.detect:
        return _faces_detected
    if arguments.boxes:
        boxes = boxes_of(pictures, arguments.boxes)
        return lambda picture: _faces_in_boxes(picture, boxes[picture.path], arguments.boxes)
    if arguments.box:
        require_box(arguments.box, "--box")
        named = f"--box {' '.join(f'{number:g}' for number in arguments.box)}"
        return lambda picture: [_Face(picture, _upright(picture), arguments.box, named)]
    return lambda picture: [_Face(picture, _upright(picture))]


def _upright(picture):
    """Boxes are of what a viewer shows."""
    return photographs.open_picture(picture.path, upright=True)


def _face_with_points(picture):
    # Points were made on the pixels as they lie, by those who annotated.
    pixels = photographs.open_picture(picture.path)
    beside = photographs.points_beside(Path(picture.path))
    truth = photographs.read_points(beside)
    face = _Face(picture, pixels, [*truth.min(axis=0).tolist(), *truth.max(axis=0).tolist()], f"'{beside}'", truth)
    require_eyes_apart(face.crop.keypoints, beside)
    return [face]


def _faces_detected(picture):
    pixels = _upright(picture)
    boxes, scores = detect_faces(pixels)
    if not len(boxes):
        raise UserError(
            f"got '{picture}', in which no face was found; expected one that looks here: give its box (--box, --boxes)"
        )
    return [
        _Face(picture, pixels, box, "a face found", score=score)
        for box, score in zip(boxes.tolist(), scores.tolist(), strict=True)
    ]


def _faces_in_boxes(picture, boxes, file):
    if not boxes:
        raise UserError(f"got '{picture}', which has no face as '{file}' says; expected a box: add it")
    pixels = _upright(picture)
    return [_Face(picture, pixels, box.corners, box.place) for box in boxes]


class _Face:
    """A face in a picture, the crop that the network is to read, and later what it predicted."""

    def __init__(self, picture, pixels, box=None, named=None, truth=None, score=None):
        self.picture, self.pixels, self.truth, self.score = picture, pixels, truth, score
        self.predicted = self.error = None
        self.is_guess = box is None and max(pixels.shape) > _LARGEST_FACE
        self.box = middle_box(pixels).ravel().tolist() if box is None else box
        corners = np.reshape(self.box, (2, 2)) if truth is None else truth
        height, width = pixels.shape
        try:
            self.crop = crop_face(pixels, corners)
        except UserError:
            raise UserError(
                f"got {named} for '{picture}', a picture of {width} x {height} pixels; expected a face on the picture"
            ) from None

    def find_points(self, network):
        """What a `FacePredictor` predicts, in the picture's pixels; and its error, if the truth is known."""
        self.predicted = network.in_crop(self.crop, f"'{self.picture}'")
        if self.truth is not None:
            self.error = float(interocular_error(self.predicted[None], self.truth[None])[0])

    def describe(self):
        """What ``--json`` prints of it beside its picture (a dict)."""
        record = {"box": self.box, "points": np.round(self.predicted, 3).tolist()}
        if self.score is not None:
            record["score"] = self.score
        if self.error is not None:
            record["error_percent"] = 100 * self.error
        return record


def _described(picture, faces, several):
    """What ``--json`` prints of a picture (a dict)."""
    described = [face.describe() for face in faces]
    return {"picture": picture.path} | ({"faces": described} if several else described[0])


def _write(out, picture, faces, arguments):
    """Write a ``.pts`` a face, and an overlay of all; the paths of the former, without their end."""
    names = [picture.stem, *(f"{picture.stem}_{number}" for number in range(2, len(faces) + 1))]
    for name in names:
        if (out / f"{name}.pts").exists():
            raise UserError(
                f"got another picture whose points are called {name}.pts; expected unlike names: rename one"
            )
    (out / picture.stem).parent.mkdir(parents=True, exist_ok=True)
    for name, face in zip(names, faces, strict=True):
        write_whole(out / f"{name}.pts", _points_file(face.predicted).encode())
    pixels = faces[0].pixels
    if arguments.colour:
        pixels = photographs.open_picture(picture.path, colour=True, upright=not arguments.points)
    drawn = overlay(pixels, [(face.predicted, face.truth) for face in faces])
    # A fifth larger than by Pillow's own level, in a third of the time.
    drawn.save(out / f"{picture.stem}.png", compress_level=1)
    return [out / name for name in names]


def _new_folder(name):
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


def _lines(picture, faces, names):
    """What is printed of a picture: of each face where its points are, or the points themselves."""
    lines = []
    for number, face in enumerate(faces, 1):
        error = "" if face.error is None else f", error {100 * face.error:.2f}% of the {INTEROCULAR.title}"
        which = picture.path if len(faces) == 1 else f"{picture.path}, face {number}"
        if names is not None:
            lines.append(f"{which}: {names[number - 1]}.pts" + (" and .png" if number == 1 else "") + error)
        else:
            lines += [f"{which}: 68 points{error}", *(f"{x:.3f} {y:.3f}" for x, y in face.predicted)]
    return lines
