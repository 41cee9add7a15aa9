"""What `data_prep` and `predict` read: photographs (JPEG, PNG) and the points beside them (``.pts``), without trust."""

import io
import os
import re
import warnings

import numpy as np
from PIL import Image

from crmn_legacy.errors import UserError, shown

# The largest photographs of the 300-W release have about 15 million pixels.
_MOST_PIXELS = 64_000_000
_LARGEST_PICTURE_FILE = 2**28
# A progressive JPEG has about ten passes over its pixels. Each takes a few bytes and much time, so that a small
# file could keep a decoder busy for hours.
_MOST_SCANS = 100
_LONGEST_POINTS_FILE = 2**20


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
