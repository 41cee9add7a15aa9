"""`predict`: keypoints in the picture's own pixels, and files that can be read again."""

import gc
import json
import shutil
import weakref

import numpy as np
import pytest
from PIL import Image

from crmn_legacy import archive
from crmn_legacy.commands import predict
from crmn_legacy.data.boxes import crop_face
from crmn_legacy.data.files import photographs
from crmn_legacy.data.files.photographs import read_points
from tests.data.faces import plain_faces, points_text
from tests.training.runs import contents

SIDE = 200


@pytest.fixture(scope="module")
def points():
    """68 points of a face within the picture, on whole pixels."""
    return np.round(40 + 120 * plain_faces(train=1, valid=0, test=0).keypoints[0].astype(float))


@pytest.fixture
def picture(tmp_path, points):
    """A gray picture with its points beside it."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    random = np.random.default_rng(3)
    Image.fromarray(random.integers(0, 256, (SIDE, SIDE), dtype=np.uint8)).save(folder / "face one.png")
    (folder / "face one.pts").write_text(points_text(points))
    return folder / "face one.png"


def predicted(record):
    return np.array(record["points"])


def test_points_take_the_box_and_give_the_error(command, finished, picture, points):
    (record,) = command("predict", finished[0], picture, "--points", "--json").json
    assert record["picture"] == str(picture)
    assert predicted(record).shape == (68, 2)
    between_eyes = np.linalg.norm(points[[36, 39]].mean(axis=0) - points[[42, 45]].mean(axis=0))
    error = np.linalg.norm(predicted(record) - points, axis=1).mean() / between_eyes
    assert record["error_percent"] == pytest.approx(100 * error, abs=0.01)


def test_a_box_of_the_points_corners_gives_what_the_points_give(command, finished, picture, points):
    (by_points,) = command("predict", finished[0], picture, "--points", "--json").json
    corners = [*points.min(axis=0), *points.max(axis=0)]
    (by_box,) = command("predict", finished[0], picture, "--json", "--box", *corners).json
    np.testing.assert_allclose(predicted(by_box), predicted(by_points), atol=1e-3)
    assert "error_percent" not in by_box


def test_points_follow_the_face_when_it_moves_within_the_picture(command, finished, picture, points, tmp_path):
    pixels = np.asarray(Image.open(picture))
    moved = np.pad(pixels, ((30, 0), (50, 0)))
    Image.fromarray(moved).save(tmp_path / "moved.png")
    shift = np.array([50, 30])
    (tmp_path / "moved.pts").write_text(points_text(points + shift))
    first, second = command("predict", finished[0], picture, tmp_path / "moved.png", "--points", "--json").json
    np.testing.assert_allclose(predicted(second), predicted(first) + shift, atol=2e-3)


def test_without_a_box_the_whole_picture_is_the_crop(command, finished, tmp_path, points):
    random = np.random.default_rng(5)
    pixels = random.integers(0, 256, (160, 160), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "crop.png")
    (record,) = command("predict", finished[0], tmp_path / "crop.png", "--json").json
    side = 160 / 1.7
    corners = [80 - side / 2, 80 - side / 2, 80 + side / 2, 80 + side / 2]
    (by_box,) = command("predict", finished[0], tmp_path / "crop.png", "--json", "--box", *corners).json
    np.testing.assert_allclose(predicted(record), predicted(by_box), atol=1e-3)
    box = crop_face(pixels, np.array(corners).reshape(2, 2)).box
    assert np.abs(box - (0, 0, 160, 160)).max() <= 2


def test_out_holds_points_that_are_read_again_and_overlays(command, finished, picture, tmp_path):
    out = tmp_path / "new" / "out"
    (record,) = command("predict", finished[0], picture, "--points", "--json", "--out", out).json
    assert {path.name for path in out.iterdir()} == {"face one.pts", "face one.png"}
    np.testing.assert_allclose(read_points(out / "face one.pts"), predicted(record), atol=1e-3)
    with Image.open(out / "face one.png") as overlay:
        assert overlay.mode == "RGB" and min(overlay.size) >= 480
        assert overlay.width % SIDE == 0 and overlay.height % SIDE == 0
        # The true points, which the predicted ones do not hide.
        assert (np.asarray(overlay) == 255).all(axis=2).any()


@pytest.fixture
def detected(monkeypatch):
    """Two boxes that a detector is taken to have found; none in a black picture."""
    boxes = np.array([[10.0, 12, 50, 55], [40, 40, 60, 62]])
    scores = np.array([40, 3])
    monkeypatch.setattr(
        predict, "detect_faces", lambda picture: (boxes, scores) if picture.any() else (boxes[:0], scores[:0])
    )
    return boxes


def test_each_face_that_is_found_is_predicted_as_by_its_box(command, finished, picture, detected, tmp_path):
    (found,) = command("predict", finished[0], picture, "--detect", "--json").json
    assert [face["box"] for face in found["faces"]] == detected.tolist()
    assert [face["score"] for face in found["faces"]] == [40, 3]
    for face, box in zip(found["faces"], detected, strict=True):
        (by_box,) = command("predict", finished[0], picture, "--box", *box, "--json").json
        assert face["points"] == by_box["points"]


def test_a_file_of_points_is_written_for_each_face_and_one_overlay(command, finished, picture, detected, tmp_path):
    said = command("predict", finished[0], picture, "--detect", "--colour", "--out", tmp_path / "out").out.splitlines()
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"face one.pts", "face one_2.pts", "face one.png"}
    assert said == [
        f"{picture}, face 1: {tmp_path / 'out' / 'face one'}.pts and .png",
        f"{picture}, face 2: {tmp_path / 'out' / 'face one_2'}.pts",
    ]


def test_a_picture_without_a_face_and_two_of_one_name_are_told(command, finished, picture, detected, tmp_path):
    Image.fromarray(np.zeros((60, 60), np.uint8)).save(tmp_path / "black.png")
    other = tmp_path / "face one_2.png"
    shutil.copy(picture, other)
    done = command(
        "predict", finished[0], tmp_path / "black.png", picture, other, "--detect", "--out", tmp_path / "out"
    )
    assert done.status == 1
    told = done.err.splitlines()
    assert "black.png', in which no face was found; expected one that looks here: give its box (" in told[0]
    assert "whose points are called face one_2.pts; expected unlike names: rename one" in told[1]
    assert read_points(tmp_path / "out" / "face one_2.pts").shape == (68, 2)


def test_boxes_come_from_a_file_and_what_is_printed_can_be_one(command, finished, picture, detected, tmp_path):
    lines = "".join(f"face one.png,{','.join(map(str, box))}\n" for box in detected)
    (tmp_path / "boxes.csv").write_text("picture,x0,y0,x1,y1\n" + lines)
    by_detection = command("predict", finished[0], picture, "--detect", "--json")
    by_file = command("predict", finished[0], picture, "--boxes", tmp_path / "boxes.csv", "--json")
    for face in (detections := by_detection.json)[0]["faces"]:
        del face["score"]
    assert by_file.json == detections
    for printed in (by_detection, command("predict", finished[0], picture, "--points", "--json")):
        (tmp_path / "printed.json").write_text(printed.out)
        (again,) = command("predict", finished[0], picture, "--boxes", tmp_path / "printed.json", "--json").json
        (record,) = json.loads(printed.out)
        faces = record.get("faces", [record])
        assert [face["points"] for face in again["faces"]] == [face["points"] for face in faces]
    command("predict", finished[0], picture, "--boxes", tmp_path / "boxes.csv", "--out", tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"face one.pts", "face one_2.pts", "face one.png"}


def test_a_box_off_its_picture_is_told_by_its_line_and_a_picture_without_a_face_by_its_name(
    command, refused, finished, picture, tmp_path
):
    (tmp_path / "boxes.csv").write_text("face one.png,0,0,50,50\nface one.png,900,900,950,950\n")
    said = refused("predict", finished[0], picture, "--boxes", tmp_path / "boxes.csv")
    assert f"got '{tmp_path}/boxes.csv', line 2, for '{picture}', a picture of 200 x 200 pixels" in said
    shutil.copy(picture, tmp_path / "none.png")
    (tmp_path / "boxes.json").write_text('{"face one.png": [[0, 0, 50, 50]], "none.png": []}')
    done = command("predict", finished[0], picture, tmp_path / "none.png", "--boxes", tmp_path / "boxes.json", "--json")
    good, bad = json.loads(done.out)
    assert done.status == 1 and good["faces"][0]["box"] == [0, 0, 50, 50]
    assert bad["error"].startswith(f"got '{tmp_path}/none.png', which has no face as '{tmp_path}/boxes.json' says")


def test_a_folder_is_worked_on_and_its_outputs_lie_as_its_pictures_do(command, finished, picture, tmp_path):
    for name in ("sub/face one.JPG", "sub/broken.png", "notes.txt"):
        (picture.parent / name).parent.mkdir(exist_ok=True)
        Image.open(picture).save(picture.parent / name, "jpeg" if name.endswith("JPG") else "png")
    (picture.parent / "sub" / "broken.png").write_text("no picture")
    done = command("predict", finished[0], picture.parent, "--recursive", "--json", "--out", tmp_path / "out")
    assert done.status == 1
    assert [one["picture"] for one in json.loads(done.out)] == [
        str(picture.parent / name) for name in ("face one.png", "sub/broken.png", "sub/face one.JPG")
    ]
    note, error, count = done.err.splitlines()
    assert note == f"note: left out of '{picture.parent}': 1 file not called as pictures are"
    assert "sub/broken.png', which cannot be read" in error and count == "error: 1 of 3 pictures failed"
    written = sorted(str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.*"))
    assert written == ["face one.png", "face one.pts", "sub/face one.png", "sub/face one.pts"]


def test_pictures_of_a_folder_whose_points_would_be_called_alike_are_refused(refused, finished, picture, tmp_path):
    Image.open(picture).save(picture.with_suffix(".jpg"))
    said = refused("predict", finished[0], picture.parent, "--out", tmp_path / "out")
    assert f"got pictures of one name, '{picture.with_suffix('.jpg')}' and '{picture}', expected unlike ones" in said
    assert not (tmp_path / "out").exists()


def test_text_lists_the_points_and_names_the_files(command, finished, picture, tmp_path):
    said = command("predict", finished[0], picture, "--points").out.splitlines()
    assert said[0].startswith(f"{picture}: 68 points, error ") and len(said) == 69
    assert all(len([float(word) for word in line.split()]) == 2 for line in said[1:])
    (line,) = command("predict", finished[0], picture, "--out", tmp_path / "out").out.splitlines()
    assert line == f"{picture}: {tmp_path / 'out' / 'face one'}.pts and .png"


def test_colour_and_jpeg_pictures_are_read(command, finished, tmp_path):
    random = np.random.default_rng(7)
    Image.fromarray(random.integers(0, 256, (90, 60, 3), dtype=np.uint8)).save(tmp_path / "colour.jpg")
    (record,) = command("predict", finished[0], tmp_path / "colour.jpg", "--json").json
    assert np.isfinite(predicted(record)).all()


def test_a_picture_that_will_not_do_does_not_keep_the_others(command, finished, picture, tmp_path):
    (tmp_path / "text.png").write_text("no picture")
    done = command("predict", finished[0], tmp_path / "text.png", picture, "--out", tmp_path / "out")
    assert done.status == 1 and sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "face one.png",
        "face one.pts",
    ]
    said = done.err.splitlines()
    assert "text.png', which cannot be read" in said[0] and said[1] == "error: 1 of 2 pictures failed"
    done = command("predict", finished[0], picture, tmp_path / "text.png", "--json")
    good, bad = json.loads(done.out)
    assert done.status == 1 and len(good["points"]) == 68
    assert bad["picture"] == str(tmp_path / "text.png") and "cannot be read" in bad["error"]
    done = command("predict", finished[0], tmp_path / "text.png", tmp_path / "absent.png", "--json")
    assert done.status == 2 and all("error" in one for one in json.loads(done.out))


def test_no_picture_is_kept(command, finished, picture, monkeypatch):
    seen, alive = [], []
    read = photographs.open_picture

    def open_picture(*arguments, **keywords):
        gc.collect()
        alive.append(sum(reference() is not None for reference in seen))
        found = read(*arguments, **keywords)
        seen.append(weakref.ref(found))
        return found

    monkeypatch.setattr(photographs, "open_picture", open_picture)
    assert command("predict", finished[0], *[picture] * 6, "--json").status == 0
    # The last one may still be held by the frame that it was worked on in.
    assert len(seen) == 6 and max(alive) <= 1


def test_a_photograph_is_turned_as_viewers_turn_it_unless_points_lie_beside_it(
    command, finished, picture, points, tmp_path
):
    upright = Image.open(picture).crop((0, 0, 180, 200))
    upright.save(tmp_path / "upright.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "phone.png", exif=exif)
    box = ["--box", "40", "40", "160", "160"]
    first, second = command(
        "predict", finished[0], *[tmp_path / f"{n}.png" for n in ("upright", "phone")], *box, "--json"
    ).json
    np.testing.assert_array_equal(predicted(first), predicted(second))
    command("predict", finished[0], tmp_path / "phone.png", *box, "--out", tmp_path / "out")
    wide, high = Image.open(tmp_path / "out" / "phone.png").size
    assert wide < high
    (tmp_path / "phone.pts").write_text(points_text(points))
    command("predict", finished[0], tmp_path / "phone.png", "--points", "--out", tmp_path / "as it lies")
    wide, high = Image.open(tmp_path / "as it lies" / "phone.png").size
    assert wide > high


def test_points_are_found_whatever_the_case_of_their_suffix(command, finished, picture, points, tmp_path):
    (tmp_path / "A.PNG").write_bytes(picture.read_bytes())
    (tmp_path / "A.PTS").write_text(points_text(points))
    assert "error" in command("predict", finished[0], tmp_path / "A.PNG", "--points").out


def test_a_face_whose_eyes_are_at_one_place_has_no_error(refused, finished, picture, points, tmp_path):
    points = points.copy()
    points[36:48] = (100, 78)
    picture.with_suffix(".pts").write_text(points_text(points))
    assert "whose eyes coincide" in refused("predict", finished[0], picture, "--points", "--json")


@pytest.mark.parametrize(
    ("side", "arguments", "noted"), [(200, [], 0), (700, [], 1), (700, ["--box", "9", "9", "99", "99"], 0)]
)
def test_a_picture_much_larger_than_a_face_is_noted(command, finished, tmp_path, side, arguments, noted):
    Image.new("L", (side, 100)).save(tmp_path / "a.png")
    Image.new("L", (side, 100)).save(tmp_path / "b.png")
    done = command("predict", finished[0], tmp_path / "a.png", tmp_path / "b.png", *arguments)
    said = f"fill the middle square of its picture, here of {tmp_path}/a.png, and of 1"
    assert done.status == 0 and done.err.count(said) == noted and (noted or not done.err)


def test_an_altered_folder_is_told(command, finished, picture, tmp_path):
    shutil.copytree(finished[0], tmp_path / "run")
    (tmp_path / "run" / archive.CURVE).write_text("")
    done = command("predict", tmp_path / "run", picture)
    assert done.status == 0 and "note: the run's folder is not whole (curve.jsonl: altered)" in done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["{picture}", "--box", "5", "5", "5", "9"], "expected X0 < X1 and Y0 < Y1"),
        (["{picture}", "--box", "nan", "0", "9", "9"], "expected X0 < X1 and Y0 < Y1"),
        (["{picture}", "--box", "0", "0", "inf", "inf"], "expected X0 < X1 and Y0 < Y1"),
        (["{picture}", "--box", "0", "0", "1e300", "1e300"], "got --box 0 0 1e+300 1e+300 for "),
        (["{picture}", "--box", "900", "900", "950", "950"], "of 200 x 200 pixels; expected a face on the picture"),
        (["{picture}", "--box", "1", "2", "3"], "expected 4 arguments"),
        (["{picture}", "--box", "1", "2", "3", "4", "--points"], "not allowed with"),
        (["{picture}", "--boxes", "boxes.csv", "--detect"], "not allowed with"),
        (["{picture}", "--boxes", "boxes.csv", "--box", "1", "2", "3", "4"], "not allowed with"),
        (["{picture}", "--boxes", "boxes.csv", "--points"], "not allowed with"),
        (["{picture}", "--boxes", "{tmp}/none.csv"], "none.csv', which cannot be read (No such file or directory)"),
        (["{picture}", "--boxes", "{tmp}/other.csv"], "got boxes of 'other.png' in"),
        (["{picture}", "{tmp}/cut.png", "--boxes", "{tmp}/cut.csv"], "got no box of"),
        (["{picture}", "{picture}", "--out", "{tmp}/out"], "got pictures of one name"),
        (["{picture}", "--out", "{tmp}/pictures"], "not empty"),
        (["{picture}", "--out", "{picture}"], "cannot be made (File exists)"),
        (["{picture}", "--out", "{picture}/out"], "cannot be made (Not a directory)"),
        (["{picture}", "--out", "/proc/crmn_legacy"], "cannot be made"),
        (["{tmp}/absent.png"], "cannot be read"),
        (["{tmp}/empty"], "empty' without a picture, expected files whose names end in .jpg, .jpeg, .jpe, .jfif, .png"),
        (["{tmp}/lonely.png", "--points"], "lonely.pts"),
        (["{tmp}/text.png"], "cannot be read"),
        (["{tmp}/cut.png"], "cannot be read"),
        ([], "required: PICTURE"),
    ],
)
def test_command_lines_that_will_not_do(refused, finished, picture, tmp_path, arguments, said):
    (tmp_path / "empty").mkdir()
    (tmp_path / "other.csv").write_text("face one.png,1,2,30,40\nother.png,1,2,30,40\n")
    (tmp_path / "cut.csv").write_text("cut.png,1,2,30,40\n")
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "cut.png").write_bytes(picture.read_bytes()[:2000])
    (tmp_path / "lonely.png").write_bytes(picture.read_bytes())
    before = contents(tmp_path)
    line = refused("predict", finished[0], *(word.format(picture=picture, tmp=tmp_path) for word in arguments))
    assert said in line
    assert contents(tmp_path) == before


def test_a_folder_without_a_run_writes_nothing(refused, picture, tmp_path):
    before = contents(tmp_path)
    refused("predict", tmp_path / "pictures", picture, "--out", tmp_path / "out")
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    "text", ["", "version: 1\nn_points: 5\n{\n1 1\n1 2\n1 3\n1 4\n2 2\n}\n", "version: 1 n_points: 68"]
)
def test_points_that_will_not_do(refused, finished, picture, text):
    picture.with_suffix(".pts").write_text(text)
    assert ".pts" in refused("predict", finished[0], picture, "--points")
