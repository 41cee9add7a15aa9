"""Rendered shapes are pure functions of seed, classes and number, and differ as their classes do."""

from pathlib import Path

import numpy as np
import pytest

from crmn_legacy.data.files.labelled_pictures import read_pictures
from crmn_legacy.data.randomness import Purpose, generator
from data_prep import rendered_shapes
from data_prep.shape_kinds import KINDS
from data_prep.shape_rendering import COATINGS, render
from tests.data_prep.program import run_main, run_script

SCRIPT = Path(rendered_shapes.__file__)
FINE = (np.arange(400) + 0.5) / 200 - 1


def drawn(kind, coating, seed):
    return render(kind, coating, generator(seed, Purpose.RENDERING))


@pytest.fixture
def grid():
    """Points of the square from -1 to 1."""
    return np.broadcast_to(FINE, (400, 400)), np.broadcast_to(FINE[:, None], (400, 400))


@pytest.mark.parametrize(
    ("kind", "area"),
    [
        ("disc", np.pi * 0.81),
        ("ring", np.pi * (0.95**2 - 0.25)),
        ("square", 1.56**2),
        ("bar", 2 * 0.56),
        ("triangle", 1.84 * 1.72 / 2),
        ("star", 10 * 0.5 * 0.42 * np.sin(np.pi / 5)),
        ("cross", 2 * 1.9 * 0.54 - 0.54**2),
        ("bowl", np.pi * 0.95**2 / 2),
        ("arrow", 0.6 * 1.05 + 1.6 * 0.9 / 2),
    ],
)
def test_shape_has_its_area(grid, kind, area):
    assert KINDS[kind](*grid).mean() * 4 == pytest.approx(area, rel=0.01)


def test_crescent_is_a_disc_less_another(grid):
    x, y = grid
    crescent = KINDS["crescent"](x, y)
    assert crescent[200, 20] and not crescent[200, 200]
    np.testing.assert_array_equal(crescent, crescent[::-1])
    assert 0.5 < crescent.mean() * 4 < 1.5


def test_no_two_shapes_are_alike_however_placed(grid):
    masks = [inside(*grid) for inside in KINDS.values()]
    for place, mask in enumerate(masks):
        assert not any((mask == other).all() for other in masks[:place])
    assert len(KINDS) == len(COATINGS) == 10


def test_same_seed_gives_the_same_picture():
    np.testing.assert_array_equal(drawn("star", None, 1), drawn("star", None, 1))
    assert (drawn("star", None, 1) != drawn("star", None, 2)).any()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("coating", COATINGS)
def test_shape_stands_out_from_its_ground(kind, coating):
    for seed in range(3):
        picture = drawn(kind, coating, seed)
        assert picture.shape == (3, 32, 32) and picture.dtype == np.uint8
        corners = picture[:, [0, 0, -1, -1], [0, -1, 0, -1]].astype(int)
        # Some pixel is far from every corner's colour.
        distance = np.abs(picture[..., None].astype(int) - corners[:, None, None, :]).sum(axis=0).min(axis=-1)
        assert distance.max() > 60


@pytest.mark.parametrize(("coating", "channel"), [("red", 0), ("green", 1), ("blue", 2)], ids=lambda value: str(value))
def test_coating_has_its_colour(coating, channel):
    for seed in range(5):
        picture = drawn("disc", coating, seed).astype(int)
        others = [other for other in range(3) if other != channel]
        assert (picture[channel] - picture[others].max(axis=0)).max() > 40


def test_picture_does_not_depend_on_how_many_there_are():
    few, more = (rendered_shapes.rendered_shapes(10, rounds, seed=5) for rounds in (1, 2))
    np.testing.assert_array_equal(more.images[:10], few.images)
    assert few.sources_digest != more.sources_digest


def test_sets_of_10_and_100_classes_share_no_picture():
    one, other = (rendered_shapes.rendered_shape(0, classes, 0) for classes in (10, 100))
    assert (one != other).any()


def test_class_names_say_what_is_shown():
    ten, hundred = (rendered_shapes.rendered_shapes(classes, 1, seed=0) for classes in (10, 100))
    assert ten.classes.tolist() == list(KINDS)
    assert hundred.classes[[0, 19, 99]].tolist() == ["red disc", "chequered ring", "chequered arrow"]
    assert hundred.labels.tolist() == list(range(100))


def test_script_writes_a_file_from_anywhere(tmp_path):
    out = tmp_path / "shapes.h5"
    done = run_script(SCRIPT, "--out", out, "--rounds", "8", "--seed", "3", folder="/")
    assert (done.returncode, done.stderr) == (0, "")
    pictures = read_pictures(out)
    assert "(60 train, 10 valid, 10 test)" in done.stdout and pictures.digest in done.stdout
    np.testing.assert_array_equal(pictures.images[7], rendered_shapes.rendered_shape(3, 10, 7))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--classes", "20"], "--classes"),
        (["--rounds", "0"], "got --rounds 0"),
        (["--seed", "-1"], "got seed -1"),
        (["--fast"], "--fast"),
    ],
)
def test_wrong_options_are_one_line(capsys, tmp_path, more, said):
    done = run_main(capsys, rendered_shapes.main, "--out", tmp_path / "shapes.h5", *more)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert said in done.stderr
    assert not list(tmp_path.iterdir())


def test_existing_out_is_refused_and_kept(capsys, tmp_path):
    (tmp_path / "shapes.h5").write_text("mine")
    assert run_main(capsys, rendered_shapes.main, "--out", tmp_path / "shapes.h5").returncode == 2
    assert (tmp_path / "shapes.h5").read_text() == "mine"
