"""The files that `data_prep` writes and `crmn_legacy.data` reads, and the ones that `data_prep` reads.

A faces file is HDF5: its attribute ``crmn_legacy_format`` is ``faces/1``, its attribute ``sources_sha256``
digests what it was made from, and each array of :class:`Faces` is a gzip-compressed dataset chunked by picture.

Nothing here trusts a file: what it declares is checked before any memory is taken for it, links out of it are
refused, and whatever is wrong with it becomes one `UserError`.
"""

import hashlib
import io
import os
import re
import warnings
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from PIL import Image

from crmn_legacy.errors import UserError, shown
from crmn_legacy.hdf5 import BadContentError, Column, columns_to_bytes, encode, read_columns, write_whole

SPLITS = ("train", "valid", "test")
SOURCES = ("afw", "helen", "lfpw", "ibug", "rendered")

# The largest photographs of the 300-W release have about 15 million pixels.
_MOST_PIXELS = 64_000_000
_LARGEST_PICTURE_FILE = 2**28
# A progressive JPEG has about ten passes over its pixels. Each takes a few bytes and much time, so that a small
# file could keep a decoder busy for hours.
_MOST_SCANS = 100
_LONGEST_POINTS_FILE = 2**20
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


def read_points(path):
    """Read the 68 points of a ``.pts`` file, version 1.

    Parameters
    ----------
    path : path

    Returns
    -------
    float64 array (68, 2)
        (x, y) in the picture's pixels, as they stand in the file.

    Raises
    ------
    UserError
        If the file cannot be read, or is not a version-1 file of 68 finite points.
    """
    try:
        with open(path, "rb") as file:
            text = file.read(_LONGEST_POINTS_FILE + 1)
    except OSError as error:
        raise UserError(f"got '{path}', which cannot be read ({error.strerror}); expected a .pts file") from None
    expected = "expected 'version: 1', 'n_points: 68', and 68 lines 'x y' in braces"
    if len(text) > _LONGEST_POINTS_FILE:
        raise UserError(f"got '{path}' of more than {_LONGEST_POINTS_FILE} bytes; {expected}")
    text = text.decode("latin-1")
    found = re.fullmatch(r"\s*version:\s*(\S+)\s+n_points:\s*(\S+)\s*\{([^{}]*)\}\s*", text)
    if found is None:
        raise UserError(f"got '{path}', which is no .pts file; {expected}")
    version, count, body = found.groups()
    rows = [line.split() for line in body.strip().splitlines()]
    if version != "1":
        raise UserError(f"got '{path}' of version {shown(version)}; {expected}")
    if count != "68" or len(rows) != 68:
        raise UserError(f"got '{path}' with {shown(count)} points in {len(rows)} lines; {expected}")
    try:
        points = np.array([[float(x), float(y)] for x, y in rows])
    except ValueError:
        raise UserError(f"got '{path}' with a line that is not two numbers; {expected}") from None
    if not np.isfinite(points).all():
        raise UserError(f"got '{path}' with a point that is not finite; {expected}")
    return points


def open_picture(path, colour=False):
    """Read a JPEG or PNG picture, as gray unless `colour`.

    Colour is weighted 0.299 R + 0.587 G + 0.114 B, as in OpenCV. A rotation noted in the picture's EXIF data is
    not applied: the annotations of 300-W were made on the pixels as stored.

    Parameters
    ----------
    path : path
    colour : bool
        Whether red, green and blue are wanted.

    Returns
    -------
    uint8 array (height, width), or (height, width, 3) in colour

    Raises
    ------
    UserError
        If the picture is missing, damaged, of another format, or of more than 64 million pixels, 268 million bytes or
        100 scans.
    """
    try:
        with warnings.catch_warnings():
            # What Pillow has to say of text and animation beside the picture does not matter here.
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(_picture_file(path)), formats=("JPEG", "PNG")) as picture:
                width, height = picture.size
                if width * height > _MOST_PIXELS:
                    raise UserError(
                        f"got picture '{path}' of {width} x {height} pixels; "
                        f"expected at most {_MOST_PIXELS:,} in all: shrink it"
                    )
                # Pillow would clip 16-bit gray at 255.
                if picture.mode.startswith("I"):
                    gray = (np.asarray(picture) >> 8).clip(0, 255).astype(np.uint8)
                    return np.repeat(gray[:, :, None], 3, axis=2) if colour else gray
                return np.array(picture.convert("RGB" if colour else "L"))
    except UserError:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise UserError(
            f"got picture '{path}', which would unpack to an absurd size; expected at most {_MOST_PIXELS:,} pixels"
        ) from None
    except OSError as error:
        reason = error.strerror or "not a whole JPEG or PNG picture"
    except Exception:  # decoders raise nearly anything on damaged data
        reason = "damaged"
    raise UserError(f"got picture '{path}', which cannot be read ({reason}); expected a JPEG or PNG picture")


def _picture_file(path):
    """The bytes of a picture, unless they are more than any picture's or would take for ever to decode."""
    if os.path.isdir(path):
        raise UserError(f"got picture '{path}', which cannot be read (a folder); expected a JPEG or PNG picture")
    with open(path, "rb") as file:
        content = file.read(_LARGEST_PICTURE_FILE + 1)
    if len(content) > _LARGEST_PICTURE_FILE:
        raise UserError(f"got picture '{path}' of more than {_LARGEST_PICTURE_FILE:,} bytes; expected fewer: shrink it")
    scans = content.count(b"\xff\xda") if content.startswith(b"\xff\xd8") else 0
    if scans > _MOST_SCANS:
        raise UserError(f"got picture '{path}', a JPEG of {scans} scans; expected at most {_MOST_SCANS}: save it anew")
    return content


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
    if (box[:, 2:] <= box[:, :2]).any():
        raise BadContentError("has a box without extent; expected x0 y0 x1 y1 with x0 < x1 and y0 < y1")
