"""The files of labelled pictures that `data_prep` writes and `crmn_legacy.data` reads.

A pictures file is HDF5: its attribute ``crmn_legacy_format`` is ``pictures/1``, its attribute ``sources_sha256``
digests what it was made from, and each array of :class:`Pictures` is a gzip-compressed dataset. It may hold statistics
of its training pictures as well (:class:`crmn_legacy.data.whitening.Statistics`). Files are read as those of
`crmn_legacy.data.files.faces` are: nothing in them is trusted, and whatever is wrong becomes one `UserError`.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from crmn_legacy.data.files.hdf5 import BadContentError, Column, columns_to_bytes, encode, format_of, read_columns
from crmn_legacy.data.whitening import STORED, Statistics
from crmn_legacy.errors import UserError, shown
from crmn_legacy.files import write_whole

SPLITS = ("train", "valid", "test")
SOURCES = ("cifar10", "cifar100", "rendered")

RELEASED = {source: {"train": 50_000, "test": 10_000} for source in ("cifar10", "cifar100")}
"""Pictures of the releases by source and use. Those of use ``train`` are split into `train` and `valid`."""

SIDE = 32
_PIXELS = 3 * SIDE * SIDE

_FORMAT = "pictures/1"
_COLUMNS = {
    "images": Column("u1", (3, SIDE, SIDE)),
    "labels": Column("u1"),
    "split": Column("S", choices=SPLITS),
    "name": Column("S"),
    "classes": Column("S", rows=(10, 100)),
    "source": Column("S", choices=SOURCES, rows=(1,)),
    "channel_mean": Column("f8", rows=(3,), optional=True),
    "channel_std": Column("f8", rows=(3,), optional=True),
    "pixel_mean": Column("f8", (SIDE, SIDE), rows=(3,), optional=True),
    "global_std": Column("f8", rows=(1,), optional=True),
    "contrast_mean": Column("f8", rows=(_PIXELS,), optional=True),
    # Multiples of 2**-15 that a float32 holds exactly.
    "whitening": Column("f4", (_PIXELS,), rows=(_PIXELS,), optional=True),
}


@dataclass(frozen=True, eq=False)
class Pictures:
    """Colour pictures of 32 x 32 pixels, each of one class.

    Attributes
    ----------
    images : uint8 array (N, 3, 32, 32)
        Red, green and blue planes.
    labels : uint8 array (N,)
        Where the picture's class stands in `classes`.
    split, name : str array (N,)
        One of `SPLITS`; what the picture is called in its source.
    classes : str array (10,) or (100,)
        The classes' names.
    source : str
        One of `SOURCES`.
    sources_digest : str
        SHA-256 of what the pictures were made from; empty if not known.
    stored : dict of str to array
        Those statistics of :data:`crmn_legacy.data.whitening.STORED` that the file holds.
    """

    images: np.ndarray
    labels: np.ndarray
    split: np.ndarray
    name: np.ndarray
    classes: np.ndarray
    source: str
    sources_digest: str = ""
    stored: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __len__(self):
        return len(self.images)

    @cached_property
    def digest(self):
        """SHA-256, in hexadecimal, over every array's name, dtype, shape and bytes, but not `sources_digest`."""
        sha = hashlib.sha256()
        for name, array in _arrays(self).items():
            if _COLUMNS[name].dtype == "S":
                array = encode(array)
            sha.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
            sha.update(np.ascontiguousarray(array))
        return sha.hexdigest()

    @cached_property
    def statistics(self):
        """Statistics of the training pictures alone; :class:`crmn_legacy.data.whitening.Statistics`.

        Raises
        ------
        UserError
            If there are no training pictures.
        """
        training = self.images[self.split == "train"]
        if len(training) == 0:
            raise UserError("got data with no picture in its split 'train'; expected some: prepare it anew")
        return Statistics(training, self.stored)


def write_pictures(path, pictures):
    """Write `pictures` to `path`, whole or not at all; equal pictures give equal bytes.

    Parameters
    ----------
    path : path
        Replaced if it exists.
    pictures : Pictures

    Raises
    ------
    UserError
        If the file cannot be written.
    ValueError
        If an array of `pictures` is not as :class:`Pictures` says.
    """
    arrays = _arrays(pictures)
    try:
        content = columns_to_bytes(_FORMAT, arrays, _COLUMNS, {"sources_sha256": pictures.sources_digest})
        _check(arrays)
    except BadContentError as error:
        raise ValueError(f"the pictures, which {error}") from None
    write_whole(path, content)


def read_pictures(path):
    """Read a pictures file.

    Parameters
    ----------
    path : path

    Returns
    -------
    Pictures

    Raises
    ------
    UserError
        If the file is missing, damaged, of another format or version, such as faces, or holds what it must not.
    """
    if (format_of(path) or "").startswith("faces/"):
        raise UserError(
            f"got '{path}', which holds faces with keypoints; expected pictures with labels, for a classifier: "
            "prepare them with data_prep/cifar.py"
        )
    arrays, sources_digest = read_columns(path, _FORMAT, _COLUMNS, _check)
    stored = {name: arrays.pop(name) for name in STORED if name in arrays}
    source = str(arrays.pop("source")[0])
    return Pictures(**arrays, source=source, sources_digest=sources_digest, stored=stored)


def _arrays(pictures):
    """The arrays of a file by the names of its datasets, in their order."""
    parts = {**vars(pictures), "source": np.array([pictures.source]), **pictures.stored}
    if "whitening" in parts:
        parts["whitening"] = parts["whitening"].astype(np.float32)
    return {name: parts[name] for name in _COLUMNS if name in parts}


def _check(arrays):
    labels, classes = arrays["labels"], arrays["classes"]
    if labels.max() >= len(classes):
        place = int(np.argmax(labels >= len(classes)))
        raise BadContentError(
            f"has label {labels[place]} at picture {place} of {len(classes)} classes; expected 0 to {len(classes) - 1}"
        )
    if len(set(classes.tolist())) != len(classes):
        raise BadContentError("has a class twice; expected each class's name once")
    for name in STORED:
        if name in arrays and not np.isfinite(arrays[name]).all():
            raise BadContentError(f"has a {name} that is not finite; expected numbers")
        if name in arrays and name.endswith("std") and not (arrays[name] > 0).all():
            raise BadContentError(f"has a {name} of {shown(str(arrays[name]))}; expected more than 0")
