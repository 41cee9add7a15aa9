"""Points as editors and tools leave them: read where they can mean one thing, else refused by their line."""

import time

import numpy as np
import pytest

from crmn_legacy.data.files.photographs import read_points
from crmn_legacy.data.files.points_text import points_of
from crmn_legacy.errors import UserError
from tests.data.faces import points_text

POINTS = [(number + 0.5, 100.25 - number) for number in range(68)]
TEXT = points_text(POINTS)
PLAIN = TEXT.encode()


def line_ends(ends):
    return PLAIN.replace(b"\n", ends)


def points_with(separator, more=""):
    lines = "\n".join(f"{x}{separator}{y}{more}" for x, y in POINTS)
    return f"version: 1\nn_points: 68\n{{\n{lines}\n}}\n".encode()


READ = {
    "BOM": b"\xef\xbb\xbf" + PLAIN,
    "UTF-16 as Notepad saves": TEXT.replace("\n", "\r\n").encode("utf-16"),
    "UTF-16, big end first": b"\xfe\xff" + TEXT.encode("utf-16-be"),
    "UTF-16 without BOM": TEXT.encode("utf-16-le"),
    "CRLF": line_ends(b"\r\n"),
    "CR": line_ends(b"\r"),
    "CRCRLF": line_ends(b"\r\r\n"),
    "blank lines": line_ends(b"\n \n\t\n"),
    "trailing blanks": line_ends(b" \t\n"),
    "leading blanks": line_ends(b"\n  \t"),
    "tabs": points_with("\t"),
    "commas": points_with(","),
    "commas and blanks": points_with(" , "),
    "semicolons": points_with(";"),
    "comma at the end": points_with(", ", ","),
    "comments": PLAIN.replace(b"{\n", b"{ # contour\n# by hand\n").replace(b"}", b"// end\n}") + b"# tool 1\n",
    "comment before all": b"# made by a tool: 3 {\n" + PLAIN,
    "comment in Latin-1": b"# f\xfcr {\n" + PLAIN,
    "ctrl-Z": PLAIN + b"\x1a",
    "NULs": PLAIN + bytes(500),
    "no final newline": PLAIN.rstrip(),
    "space before colon": PLAIN.replace(b":", b" :\t"),
    "no space after colon": PLAIN.replace(b": ", b":"),
    "capitals": PLAIN.upper(),
    "version 1.0": PLAIN.replace(b"version: 1", b"Version: 1.0"),
    "count first": PLAIN.replace(b"version: 1\nn_points:  68", b"n_points: 68\nversion: 1"),
    "one line of head": PLAIN.replace(b"1\nn_points:  68\n{\n", b"1 n_points: 68 {"),
    "brace after the last point": PLAIN.replace(b"\n}", b"}"),
    "exponents and signs": points_with("e0 +"),
}


@pytest.mark.parametrize("name", READ)
def test_what_means_one_thing_is_read(tmp_path, name):
    (tmp_path / "face.pts").write_bytes(READ[name])
    np.testing.assert_array_equal(read_points(tmp_path / "face.pts"), POINTS)


def tenth(line):
    """The text with another line 13, which is the tenth point."""
    lines = TEXT.split("\n")
    assert lines[12] == "9.5 91.25"
    lines[12] = line
    return "\n".join(lines)


NO_NUMBERS = [
    "1_00 2",
    "0x10 2",
    "\uff11\uff12 3",
    "12",
    "1 2 3",
    "left eye",
    "1-2",
    "(1, 2)",
    "1,5 2,5",
    "1,5;2,5",
    "1,5 2",
]
NO_NUMBERS += ["1 000 2", "1.5.2 3", "1e 2", "1 2 \x1a", "1\xb7 2", "\u0663 2", "- 2", "1 2 % note", "1,,2", "true 1"]


@pytest.mark.parametrize("line", NO_NUMBERS)
def test_a_line_that_is_not_two_plain_numbers_is_told_with_its_number(line):
    with pytest.raises(UserError, match=r"with line 13, '.*which is not two numbers") as caught:
        points_of(tenth(line).encode(), "face.pts")
    assert str(caught.value).isascii()


@pytest.mark.parametrize("line", ["nan 2", "1 -inf", "Infinity 2", "1e999 2", "NaN,2"])
def test_a_point_that_is_not_finite_is_told_with_its_line(line):
    with pytest.raises(UserError, match=r"with line 13, '.*not finite"):
        points_of(tenth(line).encode(), "face.pts")


def test_decimal_commas_are_never_taken_for_separators():
    with pytest.raises(UserError, match="commas cannot mark decimals"):
        points_of(tenth("1,5 2,5").encode(), "face.pts")
    with pytest.raises(UserError, match="line 13, '9,5', which has another sign"):
        points_of(tenth("9,5").encode(), "face.pts")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("version: 1", "version: 2", "of version '2'"),
        ("version: 1", "version: 1_0", "of version '1_0'"),
        ("version: 1", "version 1", "line 1, 'version 1', which is no .pts file's"),
        ("version: 1\n", "", "lacks its version"),
        ("version: 1", "version: 1\nversion: 1", "line 2, 'version: 1'.*twice"),
        ("version: 1", "version: 1\nimage: a.jpg", "line 2, 'image: a.jpg'"),
        ("n_points:  68", "n_points: sixty", "'sixty' points"),
        ("n_points:  68", "n_points: 67", "'67' points in 68 lines"),
        ("9.5 91.25\n", "", "'68' points in 67 lines"),
        ("9.5 91.25", "9.5 91.25\n9.5 91.25", "'68' points in 69 lines"),
        ("}", "}\n1 2", "line 73, '1 2', which stands behind"),
        ("}", "}{", "one pair of braces"),
        ("}", "", "one pair of braces"),
    ],
)
def test_other_files_are_refused_by_what_is_odd(old, new, reason):
    with pytest.raises(UserError, match=reason):
        points_of(TEXT.replace(old, new).encode(), "face.pts")


@pytest.mark.parametrize("content", [b"\xff\xfe\xff", b"\xff\xfe" + PLAIN[:-1], b"\xfe\xff\xd8\x00", b"", b"\x1a"])
def test_what_is_no_text_is_refused(content):
    with pytest.raises(UserError, match=r"no text|no \.pts file"):
        points_of(content, "face.pts")


LONG = [
    "1" * 10**6,
    "a" * 10**6,
    "\r" * 10**6 + "a",
    " " * 10**6 + "a",
    "{" * 10**6,
    "1" + " " * 10**6 + "a",
    ":" * 10**6,
]
LONG += ["a:" * 500_000, "a " * 500, "version: 1\n" * 90_000, "#" * 10**6, "1.1" * 300_000, ". " * 500, "-" * 10**6]


@pytest.mark.parametrize("part", LONG, ids=range(len(LONG)))
@pytest.mark.parametrize(
    "place", ["{}", tenth("{}").replace("{\n", "{{\n").replace("\n}", "\n}}")], ids=["head", "body"]
)
def test_what_fills_a_file_is_refused_at_once(part, place):
    started = time.monotonic()
    with pytest.raises(UserError):
        points_of(place.format(part).encode(), "face.pts")
    assert time.monotonic() - started < 5
