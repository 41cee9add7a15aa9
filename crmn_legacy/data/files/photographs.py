"""What `data_prep` and `predict` read: photographs (JPEG, PNG) and the points beside them (``.pts``), without trust."""

import io
import os
import unicodedata
import warnings
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image

from crmn_legacy.data.files.jpeg_scans import count_scans
from crmn_legacy.data.files.points_text import points_of
from crmn_legacy.data.files.unfetched import check_link, check_stub
from crmn_legacy.errors import UserError

PICTURE_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png")
"""How the name of a picture ends, in whatever case; all of them are read by what they hold."""

POINTS_SUFFIX = ".pts"

# What turns a picture upright, by the orientation in its EXIF data; 1 is upright already.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# The largest photographs of the 300-W release have about 15 million pixels.
_MOST_PIXELS = 64_000_000
_LARGEST_PICTURE_FILE = 2**28
# A progressive JPEG has about ten passes over its pixels. Each takes a few bytes and much time, so that a small
# file could keep a decoder busy for hours.
_MOST_SCANS = 100
_LONGEST_POINTS_FILE = 2**20


def is_picture(path):
    """Whether the name `path` is a picture's."""
    return Path(path).suffix.lower() in PICTURE_SUFFIXES


def is_points(path):
    """Whether the name `path` is that of a file of points."""
    return Path(path).suffix.lower() == POINTS_SUFFIX


def plain_name(name):
    """A name without what a file system may take for no difference: the case, and the form of Unicode."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def points_beside(picture):
    """The file of points beside a picture: of its stem, its suffix ``.pts`` in whatever case.

    Parameters
    ----------
    picture : path

    Returns
    -------
    pathlib.Path

    Raises
    ------
    UserError
        If there is none, or more than one, or what is there is no file.
    """
    picture = Path(picture)
    expected = picture.with_name(picture.stem + POINTS_SUFFIX)
    try:
        names = os.listdir(picture.parent)
    except OSError:  # A folder may let its files be read and not be listed.
        names = [expected.name] if os.path.lexists(expected) else []
    found = sorted(picture.with_name(name) for name in names if is_points(name) and Path(name).stem == picture.stem)
    if not found:
        alike = [name for name in names if is_points(name) and plain_name(name) == plain_name(expected.name)]
        hint = f"; '{alike[0]}' differs in case or Unicode form: rename one" if alike else ""
        raise UserError(f"got picture '{picture}' without its points; expected '{expected}' beside it{hint}")
    if len(found) > 1:
        raise UserError(
            f"got '{found[0]}' and '{found[1]}' for picture '{picture}'; expected one file of points: remove the other"
        )
    check_there(found[0], "a .pts file")
    return found[0]


def check_there(path, expected):
    """Refuse a name that leads to no file.

    Parameters
    ----------
    path : pathlib.Path
    expected : str
        What it should be, such as ``a .pts file``.

    Raises
    ------
    UserError
        If `path` is a link that leads nowhere, a folder, or anything else that is no regular file.
    """
    try:
        if path.is_file():
            return
        kind = "a folder" if path.is_dir() else "no regular file"
    except OSError as error:
        raise UserError(f"got '{path}', which cannot be read ({error.strerror}); expected {expected}") from None
    check_link(path, expected)
    raise UserError(f"got '{path}', which is {kind}; expected {expected}")


def open_picture(path, colour=False, upright=False):
    """Read a JPEG or PNG picture, as gray unless `colour`.

    Colour is weighted 0.299 R + 0.587 G + 0.114 B, as in OpenCV. A rotation noted in the picture's EXIF data is
    applied if `upright` only: the annotations of 300-W were made on the pixels as stored.

    Parameters
    ----------
    path : path
    colour : bool
        Whether red, green and blue are wanted.
    upright : bool
        Whether the picture is turned as its EXIF data says, as viewers show it. EXIF data that cannot be read says
        nothing.

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
                if upright:
                    picture = _turned_upright(picture)
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
    check_link(path, "a .pts file")
    try:
        with open(path, "rb") as file:
            content = file.read(_LONGEST_POINTS_FILE + 1)
    except OSError as error:
        raise UserError(f"got '{path}', which cannot be read ({error.strerror}); expected a .pts file") from None
    if len(content) > _LONGEST_POINTS_FILE:
        raise UserError(f"got '{path}' of more than {_LONGEST_POINTS_FILE} bytes; expected a .pts file of 68 points")
    check_stub(content, path, "a .pts file")
    return points_of(content, path)


def _turned_upright(picture):
    picture.load()
    try:
        turn = _TURNS.get(picture.getexif().get(ExifTags.Base.Orientation))
    except Exception:  # Pillow raises nearly anything on damaged EXIF data
        turn = None
    return picture if turn is None else picture.transpose(turn)


def _picture_file(path):
    """The bytes of a picture, unless they are more than any picture's or would take for ever to decode."""
    if os.path.isdir(path):
        raise UserError(f"got picture '{path}', which cannot be read (a folder); expected a JPEG or PNG picture")
    check_link(path, "a JPEG or PNG picture")
    with open(path, "rb") as file:
        content = file.read(_LARGEST_PICTURE_FILE + 1)
    check_stub(content, path, "a JPEG or PNG picture")
    if len(content) > _LARGEST_PICTURE_FILE:
        raise UserError(f"got picture '{path}' of more than {_LARGEST_PICTURE_FILE:,} bytes; expected fewer: shrink it")
    scans = count_scans(content, path)
    if scans > _MOST_SCANS:
        raise UserError(f"got picture '{path}', a JPEG of {scans} scans; expected at most {_MOST_SCANS}: save it anew")
    return content
