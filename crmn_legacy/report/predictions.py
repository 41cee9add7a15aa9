"""What a run's weights gave, from the file that `evaluate --predictions` writes: scores of single pictures."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from crmn_legacy import archive
from crmn_legacy.errors import UserError, printable
from crmn_legacy.metrics import interocular_error
from crmn_legacy.report.memory import Memory, read_memory

# Mean scores that are one up to the rounding of a float32 sum.
_ALIKE = 1e-5

# So many of a classifier's confusions are shown.
_MOST_CONFUSIONS = 10


@dataclass(frozen=True, eq=False)
class Predictions:
    """Scores of the pictures of a file.

    Attributes
    ----------
    name, digest : str
        Of the file; SHA-256, in hexadecimal.
    metric : str
        ``error`` of keypoints or ``accuracy`` of classes.
    scores : float64 array (pictures,)
        Fractions of the inter-ocular distance; of a classifier 1 where the most probable class is the true one, else 0.
    among_five : float or None
        Of a classifier, the fraction of pictures whose class is among the five most probable.
    confusions : list of (int, int, int)
        Of a classifier, the most frequent: the true class, what it was taken for, and how often; classes from 0.
    predicted, target : array
        (pictures, 136) both, or (pictures, classes) and (pictures,).
    pictures : uint8 array or None
        (pictures, channels, height, width), where the file has them.
    names, sources, classes : str array or None
        Of each picture; of each class.
    memory : crmn_legacy.report.memory.Memory or None
    """

    name: str
    digest: str
    metric: str
    scores: np.ndarray
    among_five: float | None = None
    confusions: tuple = ()
    predicted: np.ndarray | None = None
    target: np.ndarray | None = None
    pictures: np.ndarray | None = None
    names: np.ndarray | None = None
    sources: np.ndarray | None = None
    classes: np.ndarray | None = None
    memory: Memory | None = None

    def agrees_with(self, test):
        """Whether a run's recorded test results are those of these pictures.

        Parameters
        ----------
        test : dict
            As `crmn_legacy.report.reading.Run.test` gives it; ``common`` is the union of two others.
        """
        parts = [(score.mean, score.pictures) for name, score in test.items() if name != "common" and score.pictures]
        pictures = sum(count for _, count in parts)
        if pictures != len(self.scores) or not pictures:
            return False
        pooled = sum(mean * count for mean, count in parts) / pictures
        return abs(pooled - float(self.scores.mean())) <= _ALIKE


def read_predictions(path):
    """Read a file of `evaluate --predictions`.

    Parameters
    ----------
    path : path
        ``.npz`` with ``predicted`` and ``target``: (pictures, 136) both; or (pictures, classes) and (pictures,). What
        else `Predictions` has may be there.

    Returns
    -------
    Predictions

    Raises
    ------
    UserError
        The file is missing, damaged, or holds neither keypoints nor classes, or a memory of another shape.
    """
    path = Path(path)
    arrays = archive.read_arrays(path)
    predicted, target = arrays.get("predicted"), arrays.get("target")
    with open(path, "rb") as file:
        named = printable(path.name), hashlib.file_digest(file, "sha256").hexdigest()
    if _are_keypoints(predicted, target):
        return Predictions(*named, "error", interocular_error(predicted, target), **_more(arrays, path))
    if _are_classes(predicted, target):
        return Predictions(*named, "accuracy", *_judged(predicted, target.astype(np.int64)), **_more(arrays, path))
    raise UserError(
        f"--predictions got '{path}' without keypoints or classes, expected `predicted` and `target`, (pictures, 136) "
        "both, or (pictures, classes) and (pictures,), as `evaluate --predictions` writes them"
    )


def _more(arrays, path):
    """What a page shows beside the scores, as far as it is there and of the right shape (a dict)."""
    predicted, target = arrays["predicted"], arrays["target"]
    pictures = arrays.get("raw", arrays.get("pictures"))
    fits = pictures is not None and pictures.dtype == np.uint8 and pictures.ndim == 4 and pictures.size
    if not fits or len(pictures) != len(predicted) or pictures.shape[1] != (1 if target.ndim == 2 else 3):
        pictures = None
    texts = {"names": len(predicted), "sources": len(predicted), "classes": predicted.shape[1]}
    found = {name: arrays.get(name) for name in texts}
    for name, length in texts.items():
        if found[name] is not None and (found[name].dtype.kind != "U" or found[name].shape != (length,)):
            found[name] = None
    memory = read_memory(arrays, path, predicted.shape)
    return {"predicted": predicted, "target": target, "pictures": pictures, "memory": memory, **found}


def _are_keypoints(predicted, target):
    if predicted is None or target is None or predicted.shape != target.shape or not len(predicted):
        return False
    return predicted.shape[1:] == (136,) and {predicted.dtype.kind, target.dtype.kind} == {"f"}


def _are_classes(predicted, target):
    if predicted is None or target is None or predicted.ndim != 2 or target.ndim != 1 or not len(target):
        return False
    alike = len(predicted) == len(target) and predicted.dtype.kind == "f" and target.dtype.kind in "iu"
    return alike and target.min() >= 0 and target.max() < predicted.shape[1] and np.isfinite(predicted).all()


def _judged(probabilities, labels):
    """Scores, the fraction of labels among the five most probable classes, and the most frequent confusions."""
    taken_for = probabilities.argmax(axis=1)
    ranks = (probabilities > probabilities[np.arange(len(labels)), labels][:, None]).sum(axis=1)
    pairs = zip(labels.tolist(), taken_for.tolist(), strict=True)
    confused = Counter((label, found) for label, found in pairs if label != found)
    most = sorted(confused.items(), key=lambda item: (-item[1], item[0]))[:_MOST_CONFUSIONS]
    scores = (taken_for == labels).astype(np.float64)
    return scores, float((ranks < 5).mean()), tuple((*pair, count) for pair, count in most)
