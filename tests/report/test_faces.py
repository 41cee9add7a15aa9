"""Faces on the page."""

import re

import numpy as np
import pytest

from crmn_legacy.report import faces, read_predictions
from tests.report import predicted
from tests.report.pages import Parsed


@pytest.fixture
def found(tmp_path):
    return lambda **changes: read_predictions(predicted.write(tmp_path / "p.npz", predicted.faces() | changes))


def test_the_best_the_middle_and_the_worst_faces_are_shown(found):
    groups = faces.content(found())["groups"]
    assert [[face["name"] for face in group["faces"]] for group in groups] == [
        [f"face {place}" for place in places] for places in ((0, 1, 2, 3), (5, 6, 7, 8), (9, 10, 11, 12))
    ]


def test_a_face_has_its_picture_with_true_and_predicted_points_in_its_pixels(found):
    given = found()
    face = faces.content(given)["groups"][0]["faces"][0]
    drawing = Parsed(face["drawing"])
    (image,) = drawing.all("image")
    assert image["attributes"]["href"].startswith("data:image/png;base64,") and image["attributes"]["width"] == "16"
    lines = [e for e in drawing.elements if e["tag"] in ("polyline", "polygon")]
    assert [line["attributes"]["class"] for line in lines] == ["true"] * 9 + ["predicted"] * 9
    dots = [[float(e["attributes"][name]) for name in ("cx", "cy")] for e in drawing.all("circle")]
    np.testing.assert_allclose(dots, given.predicted[0].reshape(68, 2) * 16, atol=0.006)
    true = [[*map(float, corner.split(","))] for line in lines[:9] for corner in line["attributes"]["points"].split()]
    np.testing.assert_allclose(true, given.target[0].reshape(68, 2) * 16, atol=0.006)


def test_errors_by_part_are_means_over_points_and_pictures(found):
    target = predicted.faces()["target"]
    off = np.zeros((13, 68, 2), np.float32)
    off[:, 3] = (0.0, 0.04)
    off[:, 40] = (0.08, 0.0)
    parts = {row[0]: row[1:] for row in faces.content(found(predicted=target + off.reshape(13, 136)))["parts"]}
    # Of eyes 0.4 apart.
    assert parts["jaw"] == ["17", f"{10 / 17:.2f}", "4", "10.00"]
    assert parts["eyes"] == ["12", f"{20 / 12:.2f}", "41", "20.00"]
    assert parts["mouth"][:2] == ["20", "0.00"]


def test_circles_are_as_large_as_the_mean_distance(found):
    target = predicted.faces()["target"]
    off = np.zeros((13, 68, 2), np.float32)
    off[:, 3], off[:, 5] = (0.0, 0.1), (0.2, 0.0)
    outline = Parsed(faces.content(found(predicted=target + off.reshape(13, 136)))["outline"])
    radii = [float(e["attributes"]["r"]) for e in outline.all("circle", "off")]
    assert len(radii) == 68 and radii[5] == pytest.approx(2 * radii[3], abs=0.1) and radii[3] > 5
    assert not any(radius for place, radius in enumerate(radii) if place not in (3, 5))


def test_whose_pictures_they_are_is_said(found):
    assert "(helen)" in faces.content(found())["origin"] and "research use only" in faces.content(found())["origin"]
    rendered = faces.content(found(sources=np.array(["rendered"] * 13)))["origin"]
    assert "rendered" in rendered and "research" not in rendered


def test_without_pictures_the_errors_are_shown_alone(found):
    content = faces.content(found(pictures=np.zeros(3)))
    assert content["groups"] == [] and len(content["parts"]) == 5


def test_names_that_somebody_gave_write_no_markup(found):
    hostile = np.array(['"><script>alert(1)</script>'] * 13)
    face = faces.content(found(names=hostile))["groups"][0]["faces"][0]
    assert "script" not in Parsed(face["drawing"]).tags and re.search("&lt;script", str(face["drawing"]))
