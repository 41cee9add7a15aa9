"""A trained network as a program uses it: from a run, from a bundle, from what travels with the package."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import crmn_legacy
from crmn_legacy import samples
from crmn_legacy.data.files.faces import read_faces
from crmn_legacy.errors import UserError
from crmn_legacy.inference.predictors import load
from crmn_legacy.metrics import interocular_error
from tests.commands.conftest import command
from tests.commands.test_export import WITHOUT_FRAMEWORK, exported
from tests.training.runs import TINY, environment

__all__ = ["command", "exported"]

BOX = (30.0, 25.0, 72.0, 70.0)

# In pixels: a bundle's box has 32 bits, and the one that fills a picture is no whole number.
TOLERANCE = 0.01


@pytest.fixture(scope="module")
def picture():
    return np.random.default_rng(3).integers(0, 256, (90, 100), dtype=np.uint8)


@pytest.fixture(scope="module")
def network(finished):
    return load(finished[0], TINY)


def test_points_are_those_that_predict_prints(command, finished, network, picture, tmp_path):
    Image.fromarray(picture).save(tmp_path / "face.png")
    for words, box in (((), None), (("--box", *BOX), BOX)):
        (printed,) = command("predict", finished[0], tmp_path / "face.png", "--json", *words).json
        np.testing.assert_array_equal(np.round(network.predict(picture, box), 3), printed["points"])


def test_number_formats_of_the_program_stay_and_do_not_matter(finished, network, picture):
    import aesara
    import jax

    expected = network.predict(picture)
    with aesara.config.change_flags(floatX="float64"), jax.experimental.enable_x64():
        loaded = load(finished[0], TINY)
        np.testing.assert_array_equal(loaded.predict(picture), expected)
        assert aesara.config.floatX == "float64" and jax.config.jax_enable_x64
    np.testing.assert_array_equal(loaded.predict(picture), expected)


def test_colour_is_made_gray_as_in_photographs(command, finished, network, tmp_path):
    colour = np.random.default_rng(4).integers(0, 256, (60, 50, 3), dtype=np.uint8)
    Image.fromarray(colour).save(tmp_path / "face.png")
    (printed,) = command("predict", finished[0], tmp_path / "face.png", "--json").json
    np.testing.assert_array_equal(np.round(network.predict(colour), 3), printed["points"])


@pytest.mark.parametrize("box", [None, BOX])
def test_a_bundle_gives_the_points_of_its_run(network, exported, picture, box):
    np.testing.assert_allclose(load(exported).predict(picture, box), network.predict(picture, box), atol=TOLERANCE)


def test_a_bundle_needs_neither_aesara_nor_lasagne(exported, network, picture, tmp_path):
    np.save(tmp_path / "picture.npy", picture)
    program = (
        f"{WITHOUT_FRAMEWORK}\nimport crmn_legacy\nnetwork = crmn_legacy.load(sys.argv[1])\nimport numpy as np\n"
        "np.save(sys.argv[3], network.predict(np.load(sys.argv[2])))"
    )
    words = [exported, tmp_path / "picture.npy", tmp_path / "points.npy"]
    done = subprocess.run(
        [sys.executable, "-c", "import sys\n" + program, *map(str, words)],
        capture_output=True,
        text=True,
        env=environment(),
    )
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(np.load(tmp_path / "points.npy"), network.predict(picture), atol=TOLERANCE)


def test_the_network_that_travels_along_finds_the_faces_of_the_sample():
    faces = read_faces(samples.path("rendered_faces.h5"))
    network = crmn_legacy.load("table1_crmn_quarter")
    errors = []
    for image, keypoints in zip(faces.images[:4], faces.keypoints[:4], strict=True):
        true = keypoints * image.shape[::-1]
        box = (*true.min(axis=0), *true.max(axis=0))
        errors.append(interocular_error(network.predict(image, box)[None], true[None])[0])
    # It was trained on photographs alone; the mean face errs by a quarter.
    assert np.mean(errors) < 0.2


@pytest.mark.parametrize("kind", ["run", "bundle"])
@pytest.mark.parametrize(
    ("array", "box", "said"),
    [
        (np.zeros((5, 5)), None, r"a picture float64 \(5, 5\), expected uint8"),
        (np.zeros((5, 5, 4), np.uint8), None, "expected uint8"),
        (np.zeros((0, 5), np.uint8), None, "expected uint8"),
        (np.zeros((50, 50), np.uint8), (1, 2, 3), "expected four numbers: x0, y0, x1, y1, in pixels"),
        (np.zeros((50, 50), np.uint8), "abcd", "expected four numbers"),
        (np.zeros((50, 50), np.uint8), (9, 2, 3, 4), "expected X0 < X1 and Y0 < Y1"),
        (np.zeros((50, 50), np.uint8), (80, 80, 90, 90), "expected them on the picture"),
    ],
)
def test_what_is_no_picture_or_no_box_is_refused(network, exported, kind, array, box, said):
    with pytest.raises(UserError, match=said):
        (network if kind == "run" else load(exported)).predict(array, box)


def test_what_is_no_network_is_refused(tmp_path):
    with pytest.raises(UserError, match="expected one of table1_crmn_quarter"):
        load("nothing")
    with pytest.raises(UserError, match="expected the folder of a run"):
        load(tmp_path)
