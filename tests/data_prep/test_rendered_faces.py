"""Rendered faces are pure functions of seed and number, and their points lie on their features."""

from pathlib import Path

import numpy as np
import pytest

from crmn_legacy.data.boxes import crop_face
from crmn_legacy.data.files.faces import read_faces
from crmn_legacy.data.randomness import Purpose, generator
from data_prep import rendered_faces
from data_prep.face_model import Face, draw_expression, draw_person
from data_prep.face_rendering import PICTURE_SIZE, render
from tests.data_prep.program import run_main, run_script

SCRIPT = Path(rendered_faces.__file__)
JAW = slice(0, 17)
LEFT_EYE, RIGHT_EYE = slice(36, 42), slice(42, 48)
MOUTH = slice(48, 68)


@pytest.fixture(scope="module")
def pictures():
    return [render(generator(3, Purpose.RENDERING, index=number)) for number in range(6)]


def front_points(seed):
    random = generator(seed, Purpose.RENDERING)
    return Face(draw_person(random), draw_expression(random)).points


def test_same_seed_and_number_give_the_same_face(pictures):
    picture, points = render(generator(3, Purpose.RENDERING, index=2))
    np.testing.assert_array_equal(picture, pictures[2][0])
    np.testing.assert_array_equal(points, pictures[2][1])
    assert (pictures[0][0] != pictures[1][0]).any()


def test_pictures_are_gray_and_hold_their_points(pictures):
    for picture, points in pictures:
        assert picture.shape == (PICTURE_SIZE, PICTURE_SIZE)
        assert picture.dtype == np.uint8
        assert picture.std() > 10
        assert points.shape == (68, 2)
        assert ((points >= 0) & (points <= PICTURE_SIZE)).all()


@pytest.mark.parametrize("seed", range(20))
def test_points_are_in_the_order_of_the_mark_up(seed):
    points = front_points(seed)
    x, y = points.T
    # Beside the ears the outline may run straight down, or a little outwards.
    assert (np.diff(x[JAW]) > -0.02).all()
    assert (np.diff(y[:9]) > 0).all()
    assert (np.diff(y[8:17]) < 0).all()
    assert (np.diff(x[17:27]) > 0).all()
    assert (np.diff(y[27:31]) > 0).all()
    assert (np.diff(x[31:36]) > 0).all()
    for eye in (LEFT_EYE, RIGHT_EYE):
        outer, upper, _, inner, lower, _ = range(eye.start, eye.stop)
        assert x[outer] == x[eye].min()
        assert x[inner] == x[eye].max()
        assert y[upper] < y[lower]
    assert x[48] == x[MOUTH].min()
    assert x[54] == x[MOUTH].max()
    assert y[51] < y[62] < y[66] < y[57] < y[8]
    assert y[19] < y[37] < y[41] < y[33] < y[51]


@pytest.mark.parametrize("seed", range(20))
def test_outer_lips_enclose_inner_lips(seed):
    points = front_points(seed)
    assert points[60, 0] > points[48, 0]
    assert points[64, 0] < points[54, 0]
    for outer, inner in ((50, 61), (51, 62), (52, 63)):
        assert points[outer, 1] < points[inner, 1]
    for outer, inner in ((56, 65), (57, 66), (58, 67)):
        assert points[outer, 1] > points[inner, 1]


def test_eyes_are_darker_in_the_middle_than_the_cheeks():
    darker = 0
    for number in range(12):
        crop = rendered_faces.rendered_crop(11, number)
        points = crop.keypoints * 160
        middle = [points[LEFT_EYE].mean(axis=0), points[RIGHT_EYE].mean(axis=0)]
        cheeks = [points[[2, 31]].mean(axis=0), points[[14, 35]].mean(axis=0)]

        def gray(places, image=crop.image):
            return np.mean([image[int(y) - 1 : int(y) + 2, int(x) - 1 : int(x) + 2].mean() for x, y in places])

        darker += gray(middle) < gray(cheeks)
    assert darker >= 10


def test_crop_is_that_of_the_protocol_in_fewer_gray_levels(pictures):
    crop = rendered_faces.rendered_crop(3, 2)
    whole = crop_face(*pictures[2])
    np.testing.assert_array_equal(crop.keypoints, whole.keypoints)
    np.testing.assert_array_equal(crop.image, whole.image // rendered_faces.STEP * rendered_faces.STEP)


def test_eight_in_ten_are_for_training():
    splits = [rendered_faces.split_of(number) for number in range(320)]
    assert [splits.count(split) for split in ("train", "valid", "test")] == [256, 32, 32]


def test_script_writes_a_file_that_begins_as_any_longer_one(tmp_path):
    done = run_script(SCRIPT, "--out", tmp_path / "faces.h5", "--count", 3, "--seed", 5, folder="/")
    assert (done.returncode, done.stderr) == (0, "")
    faces = read_faces(tmp_path / "faces.h5")
    assert faces.digest in done.stdout
    assert faces.source.tolist() == ["rendered"] * 3
    for number in range(3):
        np.testing.assert_array_equal(faces.images[number], rendered_faces.rendered_crop(5, number).image)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--count", "3"],
        ["--out", "{out}", "--count", "0"],
        ["--out", "{out}", "--count", "many"],
        ["--out", "{out}", "--seed", "-1"],
        ["--out", "{out}", "--see", "1"],
        ["--out", "{folder}"],
        ["--out", "{folder}/none/faces.h5"],
    ],
)
def test_wrong_options_are_one_line_and_nothing_is_written(tmp_path, capsys, arguments):
    filled = [argument.format(out=tmp_path / "faces.h5", folder=tmp_path) for argument in arguments]
    done = run_main(capsys, rendered_faces.main, *filled)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("error: ")
    assert not list(tmp_path.iterdir())
