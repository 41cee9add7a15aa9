"""`predict DIR PICTURE...`: keypoints in the pictures' own pixels; class probabilities of a classifier."""

import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from crmn_legacy import archive
from crmn_legacy.commands.classify import classify
from crmn_legacy.commands.trained_network import load, recipe_of
from crmn_legacy.data.boxes import CROP_RATIO, crop_face
from crmn_legacy.data.files import photographs
from crmn_legacy.errors import UserError, printable
from crmn_legacy.files import write_whole
from crmn_legacy.metrics import interocular_error

# Overlays of small pictures are enlarged to at least this side, in pixels.
_OVERLAY_SIDE = 480


def predict(arguments):
    """Print keypoints, or write them with overlays to a new folder; of a classifier's run, print classes."""
    record = archive.read_record(arguments.run)
    task = recipe_of(record.row, arguments.recipe).with_literals(record.options.set).task
    if task.predicts == "classes":
        return classify(arguments, record, task)
    faces = [_Face(path, arguments) for path in arguments.pictures]
    run = load(arguments.run, arguments.recipe)
    out = _new_folder(arguments.out, faces) if arguments.out else None
    for face in faces:
        image, _, _ = task.augmentation.plain(face.crop.image, face.crop.keypoints, face.crop.visible)
        batch = {"images": image[None, None], "keypoints": np.zeros((1, 136)), "mask": np.zeros((1, 136))}
        _, outputs = run.step(run.step.put(run.state), batch)
        predicted = run.step.get_outputs(outputs)["predicted"].reshape(68, 2)
        face.predicted = task.augmentation.to_picture(predicted, face.crop)
        if face.truth is not None:
            face.error = float(interocular_error(face.predicted[None], face.truth[None])[0])
    if out is not None:
        for face in faces:
            write_whole(out / f"{face.path.stem}.pts", _points_file(face.predicted).encode())
            _overlay(face).save(out / f"{face.path.stem}.png")
    if arguments.json:
        print(json.dumps([face.describe() for face in faces]))
    else:
        for face in faces:
            _print(face, out)
    return 0


class _Face:
    """A picture, the crop that the network is to read, and later what it predicted."""

    def __init__(self, path, arguments):
        self.path = Path(path)
        self.picture = photographs.open_picture(self.path)
        self.truth = self.predicted = self.error = None
        if arguments.points:
            self.truth = corners = photographs.read_points(self.path.with_suffix(".pts"))
        elif arguments.box:
            x0, y0, x1, y1 = arguments.box
            if not (x0 < x1 and y0 < y1):
                raise UserError(f"--box got {x0:g} {y0:g} {x1:g} {y1:g}, expected X0 < X1 and Y0 < Y1, in pixels")
            corners = np.array([[x0, y0], [x1, y1]])
        else:
            corners = _middle(self.picture)
        self.crop = crop_face(self.picture, corners)

    def describe(self):
        record = {"picture": str(self.path), "points": np.round(self.predicted, 3).tolist()}
        if self.error is not None:
            record["error_percent"] = 100 * self.error
        return record


def _middle(picture):
    """The tight box for which the whole picture is the crop: a face that fills it as a prepared one does."""
    height, width = picture.shape
    side = min(width, height) / CROP_RATIO
    centre = np.array([width / 2, height / 2])
    return np.array([centre - side / 2, centre + side / 2])


def _new_folder(name, faces):
    stems = [face.path.stem for face in faces]
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


def _print(face, out):
    error = "" if face.error is None else f", error {100 * face.error:.2f}%"
    # Pictures that somebody sent may have names that a terminal would obey.
    if out is not None:
        print(printable(f"{face.path}: {out / face.path.stem}.pts and .png{error}"))
        return
    print(printable(f"{face.path}: 68 points{error}"))
    for x, y in face.predicted:
        print(f"{x:.3f} {y:.3f}")
