"""Boxes out of a file: what is read, and what is refused by its line."""

import json

import pytest

from crmn_legacy.data.files.face_boxes import read_boxes
from crmn_legacy.errors import UserError


def read(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return {name: [box.corners for box in boxes] for name, boxes in read_boxes(path).items()}


@pytest.mark.parametrize(
    "header", ["", "picture,x0,y0,x1,y1\n", "\ufeffpicture,x0,y0,x1,y1\r\n", "Picture, X0, Y0, X1, Y1\n"]
)
def test_a_line_of_csv_is_a_face(tmp_path, header):
    found = read(tmp_path / "b.csv", header + 'b.jpg,1,2,3,4.5\n\n"a, b.jpg",-1, 0,1e2 ,.5\x1d\nb.jpg,+5,6,7,8')
    assert found == {"b.jpg": [[1, 2, 3, 4.5], [5, 6, 7, 8]], "a, b.jpg": [[-1, 0, 100, 0.5]]}
    assert read_boxes(tmp_path / "b.csv")["b.jpg"][1].place == f"'{tmp_path}/b.csv', line {4 + bool(header)},"


def test_a_name_may_hold_bytes_that_are_no_text(tmp_path):
    (name,) = read(tmp_path / "boxes", b"\xff.jpg,1,2,3,4\n")
    assert name.encode(errors="surrogateescape") == b"\xff.jpg"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("b.jpg,1,2,3", "got 'b.jpg,1,2,3'; expected picture,x0,y0,x1,y1, a line a face"),
        ("b.jpg,1,2,3,4,5", "expected picture,x0,y0,x1,y1"),
        ("b.jpg;1;2;3;4", "expected picture,x0,y0,x1,y1"),
        ("b.jpg,1,2,3,x", "expected picture,x0,y0,x1,y1"),
        ("b.jpg,1,2,3,1_0", "expected picture,x0,y0,x1,y1"),
        ("b.jpg,nan,2,3,4", "expected picture,x0,y0,x1,y1"),
        ("b.jpg,1,2,inf,4", "expected picture,x0,y0,x1,y1"),
        ("b.jpg,1,2,1e999,4", "got 1 2 inf 4, expected X0 < X1 and Y0 < Y1, in pixels"),
        ("b.jpg,1,2,1,4", "got 1 2 1 4, expected X0 < X1 and Y0 < Y1, in pixels"),
        ("b.jpg,1,4,3,2", "got 1 4 3 2, expected X0 < X1"),
        (",1,2,3,4", "expected picture,x0,y0,x1,y1"),
        ("picture,x0,y0,x1,y1", "expected picture,x0,y0,x1,y1"),
        ('"b.jpg" ,1,2,3,4', "is no CSV"),
    ],
)
def test_a_line_that_is_no_box_is_told_by_its_number(tmp_path, line, said):
    with pytest.raises(UserError) as told:
        read(tmp_path / "b.csv", f"picture,x0,y0,x1,y1\na.jpg,1,2,3,4\n{line}\na.jpg,1,2,3,4\n")
    assert str(told.value).startswith(f"'{tmp_path}/b.csv', line 3,") and said in str(told.value)


@pytest.mark.parametrize("header", ["x0,y0,x1,y1,picture", "picture,x,y,width,height", "file,x0,y0,x1,y1"])
def test_another_header_is_told_as_the_first_line(tmp_path, header):
    with pytest.raises(UserError, match=rf"line 1, got '{header}'; expected picture,x0,y0,x1,y1, a line a face"):
        read(tmp_path / "b.csv", f"{header}\na.jpg,1,2,3,4\n")


def test_what_predict_prints_is_read(tmp_path):
    printed = [
        {"picture": "a.jpg", "box": [1, 2, 3, 4], "points": [[1, 2]]},
        {"picture": "b.jpg", "faces": [{"box": [1, 2, 3, 4.5], "score": 9}, {"box": [5, 6, 7, 8]}]},
        {"picture": "none.jpg", "error": "got 'none.jpg', in which no face was found"},
    ]
    found = read(tmp_path / "b.JSON", json.dumps(printed))
    assert found == {"a.jpg": [[1, 2, 3, 4]], "b.jpg": [[1, 2, 3, 4.5], [5, 6, 7, 8]], "none.jpg": []}
    assert read_boxes(tmp_path / "b.JSON")["b.jpg"][1].place == f"'{tmp_path}/b.JSON', $[1].faces[1].box,"


def test_boxes_by_picture_are_read(tmp_path):
    found = read(tmp_path / "b.json", '{"a.jpg": [[1, 2, 3, 4], [5, 6, 7, 8]], "b.jpg": []}')
    assert found == {"a.jpg": [[1, 2, 3, 4], [5, 6, 7, 8]], "b.jpg": []}
    assert read_boxes(tmp_path / "b.json")["a.jpg"][1].place == f"""'{tmp_path}/b.json', $["a.jpg"][1],"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is no JSON"),
        ("a.jpg,1,2,3,4", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ('{"a": [[1, 2, 3, 4]], "a": [[1, 2, 3, 4]]}', "is no JSON ('an object has two entries of one name')"),
        ("3", "which holds 3; expected what `predict --json` prints"),
        ("{}", "without a box"),
        ("[]", "without a box"),
        ("[3]", "$[0], got no box"),
        ('[{"picture": "a", "points": []}]', "$[0], got no box"),
        ('[{"picture": "a", "faces": 3}]', "$[0], got no box"),
        ('[{"picture": "a", "faces": [{}]}]', "$[0], got no box"),
        ('[{"box": [1, 2, 3, 4]}]', "$[0].picture, got None for a picture's name"),
        ('[{"picture": 3, "box": [1, 2, 3, 4]}]', "$[0].picture, got 3 for a picture's name"),
        ('{"a": [1, 2, 3, 4]}', """$["a"][0], got 1; expected four numbers: x0, y0, x1, y1"""),
        ('{"a": 3}', """$["a"], got 3; expected a list of boxes"""),
        ('{"a": [[1, 2, 3]]}', "expected four numbers"),
        ('{"a": [[1, 2, 3, true]]}', "expected four numbers"),
        ('{"a": [[1, 2, 3, "4"]]}', "expected four numbers"),
        ('{"a": [[1, 2, 3, NaN]]}', "got 1 2 3 nan, expected X0 < X1"),
        ('{"a": [[1, 2, Infinity, 4]]}', "got 1 2 inf 4, expected X0 < X1"),
        ('{"a": [[1, 2, 3, 1' + "0" * 400 + "]]}", "got a number beyond all pictures"),
        ('[{"picture": "a", "box": [1, 2, 1, 4]}]', "$[0].box, got 1 2 1 4, expected X0 < X1"),
    ],
)
def test_json_that_holds_something_else_is_told_by_its_place(tmp_path, text, said):
    with pytest.raises(UserError) as told:
        read(tmp_path / "b.json", text)
    assert f"{tmp_path}/b.json'" in str(told.value) and said in str(told.value)


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    with pytest.raises(
        UserError, match=r"which cannot be read \(No such file or directory\); expected a file of boxes"
    ):
        read_boxes(tmp_path / "none.csv")
    with pytest.raises(UserError, match="cannot be read"):
        read_boxes(tmp_path)
    with pytest.raises(UserError, match="without a box; expected picture,x0,y0,x1,y1, a line a face"):
        read(tmp_path / "b.csv", "picture,x0,y0,x1,y1\n")
    with pytest.raises(UserError, match="which is no text"):
        read(tmp_path / "b.csv", b"\xff\xfea")
