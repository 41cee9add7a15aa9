"""What a program asks of a trained network: `load` it, then `predict` from pictures in arrays."""

from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image

from crmn_legacy import archive
from crmn_legacy.backend import determinism, precision
from crmn_legacy.data.boxes import CROP_RATIO, crop_face
from crmn_legacy.data.files.face_boxes import require_box
from crmn_legacy.data.files.labelled_pictures import SIDE
from crmn_legacy.errors import UserError
from crmn_legacy.inference import trained_network
from crmn_legacy.installation import pretrained
from crmn_legacy.training.evaluation import mean_of_passes


def load(folder, recipe=None):
    """Take up a trained network.

    Parameters
    ----------
    folder : path
        Of a run, of a bundle that `export` wrote, or the name of a network that travels with the package.
    recipe : path, optional
        The recipe of a run of a row of one's own. It is a program, and it is run.

    Returns
    -------
    FacePredictor, ClassPredictor or BundlePredictor
        Each has `predict`.

    Raises
    ------
    UserError
        It is none of these, is altered, or, of a classifier's run, its training data, whose statistics prepare the
        pictures, are not where they were.

    Examples
    --------
    >>> network = load("table1_crmn_quarter")
    >>> network.predict(np.zeros((100, 100), np.uint8)).shape
    (68, 2)
    """
    path = Path(folder)
    if not path.exists() and path.name == str(folder):
        path = pretrained(str(folder))
    if (path / "program.json").is_file():
        return BundlePredictor(path)
    record = archive.read_record(path)
    task = trained_network.recipe_of(record.row, recipe).with_literals(record.options.set).task
    data = trained_network.training_data(record, task) if task.predicts == "classes" else None
    with precision.kept():
        network = trained_network.load(path, recipe, pin=determinism.pin_within)
    return FacePredictor(network) if data is None else ClassPredictor(network, data)


def middle_box(picture):
    """The tight box for which the whole picture is the crop: of a face that fills it as a prepared one does.

    Parameters
    ----------
    picture : array (height, width)

    Returns
    -------
    float64 array (2, 2)
        (x0, y0) and (x1, y1).
    """
    height, width = picture.shape
    side = min(width, height) / CROP_RATIO
    centre = np.array([width / 2, height / 2])
    return np.array([centre - side / 2, centre + side / 2])


class FacePredictor:
    """The network of a run on faces.

    Parameters
    ----------
    network : crmn_legacy.inference.trained_network.TrainedNetwork
    """

    def __init__(self, network):
        self.network = network

    @cached_property
    def _stored(self):
        return self.network.step.put(self.network.state)

    def predict(self, picture, box=None):
        """The 68 points of a face.

        Parameters
        ----------
        picture : uint8 array (height, width), or (height, width, 3) of red, green and blue
        box : sequence of four numbers, optional
            The face's tight box, brows to chin: x0, y0, x1, y1, in pixels; the face fills the picture by default.

        Returns
        -------
        float64 array (68, 2)
            (x, y) in the picture's pixels; the order is that of the 68-point mark-up.

        Raises
        ------
        UserError
            The picture is no such array; the box is none, or lies off the picture; the weights are of no use.
        """
        gray = _gray(picture)
        if box is None:
            return self.in_crop(crop_face(gray, middle_box(gray)))
        return self.in_crop(crop_face(gray, _corners(box)))

    def in_crop(self, crop, named="a picture"):
        """The points in a crop of a picture.

        Parameters
        ----------
        crop : crmn_legacy.data.boxes.Crop
        named : str
            What a message calls the picture.

        Returns
        -------
        float64 array (68, 2)
            In the pixels of the picture that the crop was cut from.

        Raises
        ------
        UserError
            The weights are of no use.
        """
        augmentation = self.network.recipe.task.augmentation
        images, _, _ = augmentation.plain(crop.image[None], crop.keypoints[None], crop.visible[None])
        batch = {"images": images[:, None], "keypoints": np.zeros((1, 136)), "mask": np.zeros((1, 136))}
        _, outputs = self.network.step(self._stored, batch)
        predicted = self.network.step.get_outputs(outputs)["predicted"].reshape(68, 2)
        if not np.isfinite(predicted).all():
            raise UserError(
                f"got points of {named} that are not finite; expected numbers: the run's weights are of no use"
            )
        return augmentation.to_picture(predicted, crop)


class ClassPredictor:
    """The network of a classifier's run.

    Parameters
    ----------
    network : crmn_legacy.inference.trained_network.TrainedNetwork
    data : crmn_legacy.data.files.labelled_pictures.Pictures
        That it was trained on: their statistics prepare the pictures.

    Attributes
    ----------
    classes : list of str
        In the order of the probabilities.
    """

    def __init__(self, network, data):
        self.network, self._data = network, data
        self.classes = [str(name) for name in data.classes]
        self._stored = None

    def predict(self, pictures):
        """Probabilities of the classes.

        Parameters
        ----------
        pictures : uint8 array (3, 32, 32) or (pictures, 3, 32, 32)
            Planes of red, green and blue.

        Returns
        -------
        float32 array (classes,) or (pictures, classes)

        Raises
        ------
        UserError
            The pictures are no such array.
        """
        pictures = _small_pictures(pictures)
        if pictures.ndim == 3:
            return self._one(pictures)
        return np.array([self._one(picture) for picture in pictures]).reshape(len(pictures), len(self.classes))

    def _one(self, picture):
        """Where inference is random each picture draws anew, as `evaluate` does."""
        step, task = self.network.step, self.network.recipe.task
        stored = step.put(self.network.state) if self._stored is None else self._stored
        prepared = task.augmentation.plain(task.preprocessing(picture[None], self._data))
        batch = {"images": prepared.astype(np.float32), "labels": np.zeros(1, np.int32)}
        self._stored, outputs = mean_of_passes(step, stored, batch, max(task.samples, 1))
        return outputs["predicted"][0]


class BundlePredictor:
    """The prediction program of a bundle, with its trained weights; needs neither Aesara nor Lasagne.

    Parameters
    ----------
    folder : path
        That `export` wrote.

    Attributes
    ----------
    classes : list of str or None
        Of a classifier, in the order of the probabilities.
    """

    def __init__(self, folder):
        from crmn_legacy.backend.programs.reading import open_bundle

        bundle = open_bundle(folder)
        weights = bundle.arrays("weights.npz")
        try:
            self._program = bundle.program("predict")
        except ValueError as error:
            raise UserError(f"got the bundle '{folder}', which predicts nothing ({error}): `export` a run") from None
        self._stored = self._program.put(bundle.initial_state() | weights)
        self._statistics = bundle.arrays("statistics.npz")
        self.classes = bundle.described.get("classes")

    def predict(self, picture, box=None):
        """Points of a face, or probabilities; see `FacePredictor.predict` and `ClassPredictor.predict`."""
        if self.classes is None:
            gray = _gray(picture)
            corners = middle_box(gray) if box is None else _corners(box)
            # The program refuses no box; this does.
            crop_face(gray, corners)
            batch = {"pictures": gray, "box": corners.ravel().astype(np.float32)}
            return np.asarray(self._program(state=self._stored, batch=batch)["outputs"]["points"], dtype=np.float64)
        pictures = _small_pictures(picture)
        alone = pictures.ndim == 3
        batch = {"pictures": pictures[None] if alone else pictures} | self._statistics
        found = np.asarray(self._program(state=self._stored, batch=batch)["outputs"]["probabilities"])
        return found[0] if alone else found


def _corners(box):
    """A box as (2, 2)."""
    try:
        box = np.asarray(box, dtype=np.float64).reshape(4)
    except (TypeError, ValueError):
        raise UserError(f"got the box {str(box)[:60]}, expected four numbers: x0, y0, x1, y1, in pixels") from None
    require_box(box)
    return box.reshape(2, 2)


def _small_pictures(pictures):
    """One or many, as uint8 of the size of CIFAR's."""
    pictures = np.asarray(pictures)
    if pictures.dtype != np.uint8 or pictures.ndim not in (3, 4) or pictures.shape[-3:] != (3, SIDE, SIDE):
        raise UserError(
            f"got pictures {pictures.dtype} {pictures.shape}, expected uint8 (3, {SIDE}, {SIDE}) or (pictures, 3, "
            f"{SIDE}, {SIDE})"
        )
    return pictures


def _gray(picture):
    """A picture as uint8 (height, width)."""
    picture = np.asarray(picture)
    if picture.dtype != np.uint8 or not (picture.ndim == 2 or picture.shape[2:] == (3,)) or 0 in picture.shape:
        raise UserError(
            f"got a picture {picture.dtype} {picture.shape}, expected uint8 (height, width) or (height, width, 3)"
        )
    return picture if picture.ndim == 2 else np.asarray(Image.fromarray(picture).convert("L"))
