"""The files of faces that `data_prep` writes and `crmn_legacy.data` reads.

A faces file is HDF5: its attribute ``crmn_legacy_format`` is ``faces/1``, its attribute ``sources_sha256``
digests what it was made from, and each array of :class:`Faces` is a gzip-compressed dataset chunked by picture.

Nothing here trusts a file: what it declares is checked before any memory is taken for it, links out of it are
refused, and whatever is wrong with it becomes one `UserError`.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from crmn_legacy.data.files.hdf5 import BadContentError, Column, columns_to_bytes, encode, read_columns
from crmn_legacy.errors import shown
from crmn_legacy.files import write_whole
from crmn_legacy.metrics import INTEROCULAR, NEAREST_EYES

SPLITS = ("train", "valid", "test")
SOURCES = ("afw", "helen", "lfpw", "ibug", "rendered")

RELEASED = {
    "train": {"afw": 337, "helen": 2000, "lfpw": 811},
    "test": {"helen": 330, "lfpw": 224, "ibug": 135},
}
"""Pictures of the 300-W release by use and source. Those of use ``train`` are split into `train` and `valid`."""

# Keypoints lie within the crop that was made around them; predictions and other crops may leave it a little.
_KEYPOINT_RANGE = (-1.0, 2.0)

_FACES_FORMAT = "faces/1"
_FACES_COLUMNS = {
    "images": Column("u1", (160, 160)),
    "keypoints": Column("f4", (68, 2)),
    "visible": Column("bool", (68,)),
    "box": Column("f4", (4,)),
    "split": Column("S", choices=SPLITS),
    "source": Column("S", choices=SOURCES),
    "name": Column("S"),
}


@dataclass(frozen=True, eq=False)
class Faces:
    """Faces with 68 keypoints each.

    Attributes
    ----------
    images : uint8 array (N, 160, 160)
        Gray crops.
    keypoints : float32 array (N, 68, 2)
        (x, y) in [0, 1] of the crop, in the order of the 300-W mark-up.
    visible : bool array (N, 68)
        False for points that the picture's edge has cut off.
    box : float32 array (N, 4)
        x0, y0, x1, y1 of the crop in its source picture.
    split, source, name : str array (N,)
        One of `SPLITS`; one of `SOURCES`; what the picture is called there.
    sources_digest : str
        SHA-256 of what the faces were made from; empty if not known.
    """

    images: np.ndarray
    keypoints: np.ndarray
    visible: np.ndarray
    box: np.ndarray
    split: np.ndarray
    source: np.ndarray
    name: np.ndarray
    sources_digest: str = ""

    def __len__(self):
        return len(self.images)

    @cached_property
    def digest(self):
        """SHA-256, in hexadecimal, over every array's name, dtype, shape and bytes, but not `sources_digest`."""
        sha = hashlib.sha256()
        for name, column in _FACES_COLUMNS.items():
            array = getattr(self, name)
            if column.dtype == "S":
                array = encode(array)
            sha.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
            sha.update(np.ascontiguousarray(array))
        return sha.hexdigest()


def write_faces(path, faces):
    """Write `faces` to `path`, whole or not at all; equal faces give equal bytes.

    Parameters
    ----------
    path : path
        Replaced if it exists.
    faces : Faces

    Raises
    ------
    UserError
        If the file cannot be written.
    ValueError
        If an array of `faces` is not as :class:`Faces` says.
    """
    arrays = {name: getattr(faces, name) for name in _FACES_COLUMNS}
    try:
        content = columns_to_bytes(_FACES_FORMAT, arrays, _FACES_COLUMNS, {"sources_sha256": faces.sources_digest})
        _check_faces(arrays)
    except BadContentError as error:
        raise ValueError(f"the faces, which {error}") from None
    write_whole(path, content)


def read_faces(path):
    """Read a faces file.

    Parameters
    ----------
    path : path

    Returns
    -------
    Faces

    Raises
    ------
    UserError
        If the file is missing, damaged, of another format or version, or holds what it must not.
    """
    arrays, sources_digest = read_columns(path, _FACES_FORMAT, _FACES_COLUMNS, _check_faces)
    return Faces(**arrays, sources_digest=sources_digest)


def _check_faces(arrays):
    keypoints, box = arrays["keypoints"], arrays["box"]
    for name, array in (("keypoints", keypoints), ("box", box)):
        if not np.isfinite(array).all():
            place = int(np.argmin(np.isfinite(array).reshape(len(array), -1).all(axis=1)))
            raise BadContentError(f"has {name} that are not finite, first in picture {place}; expected numbers")
    low, high = _KEYPOINT_RANGE
    if keypoints.size and not (low <= keypoints.min() and keypoints.max() <= high):
        raise BadContentError(
            f"has keypoints from {keypoints.min():g} to {keypoints.max():g}; expected them in 0 to 1 of the crop"
        )
    if (near := INTEROCULAR.distance(keypoints) < NEAREST_EYES).any():
        name = shown(arrays["name"][np.argmax(near)])
        count = (
            f"{near.sum():,} pictures whose eyes coincide, first"
            if near.sum() > 1
            else "a picture whose eyes coincide,"
        )
        raise BadContentError(f"has {count} {name}; expected two eyes apart, the measure of all errors")
    if (box[:, 2:] <= box[:, :2]).any():
        raise BadContentError("has a box without extent; expected x0 y0 x1 y1 with x0 < x1 and y0 < y1")
