"""What a run's weights gave, from the file that `evaluate --predictions` writes: errors of single pictures."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from crmn_legacy import archive
from crmn_legacy.errors import UserError, printable
from crmn_legacy.metrics import interocular_error

# Mean errors that are one up to the rounding of a float32 sum.
_ALIKE = 1e-5


@dataclass(frozen=True, eq=False)
class Predictions:
    """Errors of the pictures of a file.

    Attributes
    ----------
    name, digest : str
        Of the file; SHA-256, in hexadecimal.
    errors : float64 array (pictures,)
        Fractions of the inter-ocular distance.
    """

    name: str
    digest: str
    errors: np.ndarray

    def agrees_with(self, test):
        """Whether a run's recorded test results are those of these pictures.

        Parameters
        ----------
        test : dict
            As `crmn_legacy.report.reading.Run.test` gives it; ``common`` is the union of two others.
        """
        parts = [(mean, pictures) for name, (mean, pictures, _) in test.items() if name != "common" and pictures]
        pictures = sum(count for _, count in parts)
        if pictures != len(self.errors) or not pictures:
            return False
        pooled = sum(mean * count for mean, count in parts) / pictures
        return abs(pooled - float(self.errors.mean())) <= _ALIKE


def read_predictions(path):
    """Read a file of `evaluate --predictions`.

    Parameters
    ----------
    path : path
        ``.npz`` with ``predicted`` and ``target``, (pictures, 136).

    Returns
    -------
    Predictions

    Raises
    ------
    UserError
        The file is missing, damaged, or holds no keypoints.
    """
    path = Path(path)
    arrays = archive.read_arrays(path)
    predicted, target = arrays.get("predicted"), arrays.get("target")
    expected = "expected `predicted` and `target`, (pictures, 136), as `evaluate --predictions` writes them"
    for array in (predicted, target):
        if array is None or array.ndim != 2 or array.shape[1] != 136 or array.dtype.kind != "f" or not len(array):
            raise UserError(f"--predictions got '{path}' without keypoints, {expected}")
    if predicted.shape != target.shape:
        raise UserError(f"--predictions got '{path}' with {len(predicted)} and {len(target)} pictures, {expected}")
    errors = interocular_error(predicted, target)
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Predictions(printable(path.name), digest, errors)
