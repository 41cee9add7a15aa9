"""The text of a ``.pts`` file, version 1, as editors and tools leave it.

What can mean one thing only is read: marks of an encoding, any line ends, blank lines, comments, words in capitals,
commas or semicolons between x and y. What can mean two things, or is no plain number, is refused by its line.
"""

import json
import re

import numpy as np

from crmn_legacy.errors import UserError, shown

POINTS = 68
_EXPECTED = f"expected 'version: 1', 'n_points: {POINTS}', and {POINTS} lines 'x y' in braces"

# Windows, Unix and old Macs; a file that went through a wrong conversion has more CRs before its LF.
_LINE_END = re.compile(r"\r{0,3}\n|\r")
# Expressions that look at a line more than once would take for ever over one that fills the file.
_LONGEST_LINE = 1000
_COMMENT = re.compile(r"(#|//).*")
# What programs of DOS, and C programs that write whole buffers, leave at the end.
_LEAVINGS = "\0\x1a \t\r\n\f\v"
# Python's `float` would take 1_00 for 100, and digits of any alphabet.
NUMBER = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_POINT = re.compile(rf"({NUMBER})(?:\s*([,;])\s*|\s+)({NUMBER})\s*[,;]?")
_NOT_FINITE = re.compile(r"\b(nan|inf|infinity)\b", re.IGNORECASE)


def points_of(content, path):
    """The 68 points in the bytes of a ``.pts`` file.

    Parameters
    ----------
    content : bytes
    path : path
        What an error calls them.

    Returns
    -------
    float64 array (68, 2)

    Raises
    ------
    UserError
    """
    head, body = _head_and_body(_lines(content, path), path)
    count = _read_head(head, path)
    if count != POINTS or len(body) != POINTS:
        raise UserError(f"got '{path}' with '{count:g}' points in {len(body)} lines; {_EXPECTED}")
    points, separators = [], set()
    for number, line in body:
        point, separator = _read_point(number, line, path)
        points.append(point)
        separators.add(separator)
        if len(separators) > 1:
            raise _odd_line(path, number, line, "which has another sign between x and y than the lines before")
    return np.array(points)


def _lines(content, path):
    """(Line number, text) of each line that holds more than blanks and comments."""
    try:
        # Like JSON, these files begin with ASCII characters, which tell UTF-16 from UTF-8.
        encoding = json.detect_encoding(content)
        text = content.decode(encoding)
    except UnicodeDecodeError:
        if encoding != "utf-8":
            raise UserError(f"got '{path}', which is no text; {_EXPECTED}") from None
        text = content.decode("latin-1")  # A comment in an alphabet of its time.
    lines = enumerate(_LINE_END.split(text.rstrip(_LEAVINGS)), 1)
    lines = [(number, _COMMENT.sub("", line).strip()) for number, line in lines]
    for number, line in lines:
        if len(line) > _LONGEST_LINE:
            raise _odd_line(path, number, line, f"of more than {_LONGEST_LINE:,} characters")
    return [(number, line) for number, line in lines if line]


def _head_and_body(lines, path):
    """The lines before the braces, and those within; a brace may stand on a line with text."""
    pieces = [(number, piece.strip()) for number, line in lines for piece in re.split(r"([{}])", line)]
    pieces = [(number, piece) for number, piece in pieces if piece]
    braces = [place for place, (_, piece) in enumerate(pieces) if piece in "{}"]
    if "".join(pieces[place][1] for place in braces) != "{}":
        raise UserError(f"got '{path}', which is no .pts file: it has not one pair of braces; {_EXPECTED}")
    first, last = braces
    if pieces[last + 1 :]:
        raise _odd_line(path, *pieces[last + 1], "which stands behind the closing brace")
    return pieces[:first], pieces[first + 1 : last]


def _read_head(head, path):
    """How many points a file of version 1 says it has."""
    found = {}
    for number, line in head:
        entries = re.findall(r"([^\s:]+)\s*:\s*([^\s:]+)", line)
        if not entries or re.sub(r"[^\s:]+\s*:\s*[^\s:]+", "", line).strip():
            raise _odd_line(path, number, line, "which is no .pts file's")
        for name, value in entries:
            if name.lower() not in ("version", "n_points") or name.lower() in found:
                raise _odd_line(path, number, line, "which is no .pts file's, or stands there twice")
            found[name.lower()] = value
    if len(found) != 2:
        raise UserError(f"got '{path}', which is no .pts file: it lacks its version or n_points; {_EXPECTED}")
    if not re.fullmatch(NUMBER, found["version"]) or float(found["version"]) != 1:
        raise UserError(f"got '{path}' of version {shown(found['version'])}; {_EXPECTED}")
    if not re.fullmatch(NUMBER, found["n_points"]):
        raise UserError(f"got '{path}' with {shown(found['n_points'])} points; {_EXPECTED}")
    return float(found["n_points"])


def _read_point(number, line, path):
    """((x, y), what stands between them)."""
    found = _POINT.fullmatch(line)
    if found is not None:
        point = float(found[1]), float(found[3])
        if np.isfinite(point).all():
            return point, found[2] or " "
    if found is not None or _NOT_FINITE.search(line):
        raise _odd_line(path, number, line, "a point that is not finite")
    commas = " (commas cannot mark decimals here: write points)" if "," in line else ""
    raise _odd_line(path, number, line, f"which is not two numbers{commas}")


def _odd_line(path, number, line, problem):
    return UserError(f"got '{path}' with line {number}, {shown(line)}, {problem}; {_EXPECTED}")
