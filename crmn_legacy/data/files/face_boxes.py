"""Boxes of faces out of a file: CSV, or JSON as `predict --json` prints it; what is no box is refused by its place."""

import csv
import io
import json
import re
from dataclasses import dataclass

import numpy as np

from crmn_legacy.data.files.points_text import NUMBER
from crmn_legacy.data.files.unfetched import check_link
from crmn_legacy.errors import UserError, shown

COLUMNS = ("picture", "x0", "y0", "x1", "y1")

# A million faces take less.
_LONGEST = 2**27
_OF_CSV = f"expected {','.join(COLUMNS)}, a line a face"
_OF_JSON = 'expected what `predict --json` prints, or {"picture": [[x0, y0, x1, y1], ...], ...}'


@dataclass(frozen=True)
class PlacedBox:
    """A face's tight box, and where it stands.

    Attributes
    ----------
    corners : list of float
        x0, y0, x1, y1 in pixels.
    place : str
        What a message calls it: the file, and the line or the path in it.
    """

    corners: list
    place: str


def require_box(box, named="box"):
    """Refuse a box that is none.

    Parameters
    ----------
    box : sequence of four numbers
        x0, y0, x1, y1.
    named : str
        What the message calls it.

    Raises
    ------
    UserError
    """
    x0, y0, x1, y1 = box
    if not (np.isfinite(box).all() and x0 < x1 and y0 < y1):
        raise UserError(f"{named} got {x0:g} {y0:g} {x1:g} {y1:g}, expected X0 < X1 and Y0 < Y1, in pixels")


def read_boxes(path):
    """The boxes in a file.

    Parameters
    ----------
    path : path
        Its name ends in ``.json``, in whatever case, or it is CSV: a line a face, ``picture,x0,y0,x1,y1``, with these
        words as its first line or without; of a picture with several faces, several lines. JSON is a list of objects
        as `predict --json` prints it, with ``box`` or ``faces``, or an object of pictures and lists of boxes.

    Returns
    -------
    dict of str to list of PlacedBox
        By the pictures' names, in the order of the file; a picture that JSON says to be without a face has none.

    Raises
    ------
    UserError
        It cannot be read, holds anything else, or a box that is none: not finite, or empty.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "boxes.csv")
    ...     _ = path.write_text("picture,x0,y0,x1,y1\\nparty.jpg,10,20,60,80\\nparty.jpg,110,20,150,70\\n")
    ...     [box.corners for box in read_boxes(path)["party.jpg"]]
    [[10.0, 20.0, 60.0, 80.0], [110.0, 20.0, 150.0, 70.0]]
    """
    content = _content(path)
    reader = _of_json if str(path).lower().endswith(".json") else _of_csv
    boxes = reader(content, path)
    if not boxes:
        raise UserError(f"got '{path}' without a box; {_OF_JSON if reader is _of_json else _OF_CSV}")
    return boxes


def _content(path):
    check_link(path, "a file of boxes")
    try:
        with open(path, "rb") as file:
            content = file.read(_LONGEST + 1)
    except OSError as error:
        raise UserError(f"got '{path}', which cannot be read ({error.strerror}); expected a file of boxes") from None
    if len(content) > _LONGEST:
        raise UserError(f"got '{path}' of more than {_LONGEST:,} bytes; expected a file of boxes")
    return content


def _of_csv(content, path):
    try:
        # A name may hold bytes that are no text, as it may in the file system.
        text = content.decode(json.detect_encoding(content), "surrogateescape")
        lines = csv.reader(io.StringIO(text, newline=""), strict=True)
        rows = [(f"'{path}', line {lines.line_num},", row) for row in lines if "".join(row).strip()]
    except UnicodeDecodeError:
        raise UserError(f"got '{path}', which is no text; {_OF_CSV}") from None
    except csv.Error as error:
        raise UserError(f"'{path}', line {lines.line_num}, is no CSV ({error}); {_OF_CSV}") from None
    if rows and tuple(word.strip().lower() for word in rows[0][1]) == COLUMNS:
        del rows[0]
    boxes = {}
    for place, row in rows:
        numbers = [word.strip() for word in row[1:]]
        if len(row) != len(COLUMNS) or not row[0] or not all(re.fullmatch(NUMBER, word) for word in numbers):
            raise UserError(f"{place} got {shown(','.join(row))}; {_OF_CSV}; JSON in a file called .json")
        corners = [float(word) for word in numbers]
        require_box(corners, place)
        boxes.setdefault(row[0], []).append(PlacedBox(corners, place))
    return boxes


def _of_json(content, path):
    try:
        found = json.loads(content, object_pairs_hook=_unlike_names)
    except (ValueError, RecursionError) as error:
        raise UserError(f"got '{path}', which is no JSON ({shown(str(error))}); {_OF_JSON}") from None
    boxes = {}
    for place, name, corners in _json_entries(found, path):
        placed = [PlacedBox(_corners(one, at), at) for at, one in corners]
        if not isinstance(name, str) or not name:
            raise UserError(f"{place} got {shown(name)} for a picture's name; {_OF_JSON}")
        boxes.setdefault(name, []).extend(placed)
    return boxes


def _json_entries(found, path):
    """Of each picture its place in the file, its name, and the place and the box of each face."""
    if isinstance(found, dict):
        for name, boxes in found.items():
            place = f"'{path}', $[{json.dumps(name)}],"
            if not isinstance(boxes, list):
                raise UserError(f"{place} got {shown(boxes)}; expected a list of boxes, [[x0, y0, x1, y1], ...]")
            yield place, name, [(f"{place[:-1]}[{number}],", box) for number, box in enumerate(boxes)]
        return
    if not isinstance(found, list):
        raise UserError(f"got '{path}', which holds {shown(found)}; {_OF_JSON}")
    for number, entry in enumerate(found):
        place = f"'{path}', $[{number}]"
        entry = entry if isinstance(entry, dict) else {}
        # A picture in which `predict` found no face has an error in their place.
        faces = entry.get("faces", [entry] if "box" in entry else [] if "error" in entry else None)
        if not isinstance(faces, list) or not all(isinstance(face, dict) and "box" in face for face in faces):
            raise UserError(f"{place}, got no box; {_OF_JSON}")
        within = [f"{place}.faces[{face}].box," if "faces" in entry else f"{place}.box," for face in range(len(faces))]
        yield f"{place}.picture,", entry.get("picture"), zip(within, (face["box"] for face in faces), strict=True)


def _corners(box, place):
    numbers = box if isinstance(box, list) and len(box) == 4 else [None]
    if not all(isinstance(number, int | float) and not isinstance(number, bool) for number in numbers):
        raise UserError(f"{place} got {shown(box)}; expected four numbers: x0, y0, x1, y1")
    try:
        corners = [float(number) for number in numbers]
    except OverflowError:
        raise UserError(f"{place} got a number beyond all pictures; expected x0, y0, x1, y1 in pixels") from None
    require_box(corners, place)
    return corners


def _unlike_names(pairs):
    """A JSON object as a dict; of two entries of one name Python would drop the first."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object has two entries of one name")
    return found
