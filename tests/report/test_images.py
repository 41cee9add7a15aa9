"""Arrays as pictures: no pixel is lost, and the ends and the middle of a scale have their colours."""

import base64
import io

import numpy as np
from PIL import Image

from crmn_legacy.report import images
from tests.report.pages import Parsed


def pixels_of(uri):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.removeprefix("data:image/png;base64,")))))


def test_a_picture_comes_back_as_it_was():
    random = np.random.default_rng(0)
    for shape in ((5, 7), (5, 7, 3)):
        pixels = random.integers(0, 256, shape, dtype=np.uint8)
        np.testing.assert_array_equal(pixels_of(images.data_uri(pixels)), pixels)


def test_scales_are_light_at_nothing_and_dark_at_their_ends():
    (one,) = images.coloured(np.array([[0.0, 1.0, 2.0]]), 0.0, 1.0)
    (two,) = images.coloured(np.array([[-1.0, 0.0, 1.0]]), -1.0, 1.0)
    assert one.sum(axis=1).argmax() == 0 and (one[1] == one[2]).all()
    assert two.sum(axis=1).argmax() == 1 and (two[0] != two[2]).any()
    assert (one[0] == two[1]).all() and (one[1] == two[2]).all()


def test_what_is_no_number_and_a_scale_without_length_have_a_colour():
    assert images.coloured(np.array([[np.nan, np.inf]]), 0.0, 1.0).shape == (1, 2, 3)
    assert images.coloured(np.zeros((2, 2)), 0.0, 0.0).shape == (2, 2, 3)


def test_a_drawing_is_read_out_and_its_words_write_no_markup():
    drawing = images.drawn(np.zeros((4, 6), np.uint8), '"><script>', across=(60, 40))
    (svg,) = Parsed(drawing).all("svg")
    assert svg["attributes"]["aria-label"] == '"><script>' and svg["attributes"]["viewbox"] == "0 0 60 40"
    assert "script" not in Parsed(drawing).tags
