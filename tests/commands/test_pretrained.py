"""`--pretrained NAME` in the place of a run's folder: a network that travels with the package."""

import numpy as np
import pytest
from PIL import Image

from crmn_legacy import archive, installation


@pytest.fixture(autouse=True)
def shipped(finished, tmp_path, monkeypatch):
    """A light folder with weights, called ``tiny``."""
    monkeypatch.setattr(installation, "PRETRAINED", tmp_path / "pretrained")
    archive.lighten(finished[0], tmp_path / "pretrained" / "tiny", keep=(archive.WEIGHTS,), with_paths=False)
    (tmp_path / "pretrained" / "tiny.md").touch()
    return tmp_path / "pretrained" / "tiny"


@pytest.fixture
def picture(tmp_path):
    Image.fromarray(np.random.default_rng(3).integers(0, 256, (90, 90), dtype=np.uint8)).save(tmp_path / "face.png")
    return tmp_path / "face.png"


def test_a_network_that_travels_verifies_and_says_nothing_of_where_it_was_trained(command, shipped, data):
    assert command("verify", shipped).out.startswith("whole, without checkpoints: table1_crmn, sha256:")
    assert (shipped / archive.WEIGHTS).exists() and not (shipped / archive.CHECKPOINT).exists()
    record = (shipped / archive.RUN).read_text()
    assert str(data.parent) not in record and data.name in record


@pytest.mark.parametrize("words", [("--pretrained", "tiny"), ("--pretrained=tiny",)])
def test_it_takes_the_place_of_a_folder(command, finished, data, words):
    named = command("evaluate", *words, "--data", data, "--json")
    assert named.status == 0 and named.err == ""
    assert named.json["results"] == command("evaluate", finished[0], "--data", data, "--json").json["results"]


def test_pictures_may_stand_on_either_side_of_it(command, finished, picture):
    expected = command("predict", finished[0], picture, "--json").json
    assert command("predict", "--pretrained", "tiny", picture, "--json").json == expected
    assert command("predict", "--json", picture, "--pretrained", "tiny").json == expected


@pytest.mark.parametrize(
    "words, problem",
    [
        (("--pretrained", "huge"), "--pretrained got 'huge'; expected one of tiny"),
        (("--pretrained", "../tiny"), "--pretrained got '../tiny'; expected one of tiny"),
        (("--pretrained",), "--pretrained"),
        (("--pretrained", "tiny"), "PICTURE"),
    ],
)
def test_bad_names_and_a_missing_picture_are_told(refused, words, problem):
    assert problem in refused("predict", *words)
