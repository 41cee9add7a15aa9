"""Overlays: points where they are, in colours that tell the parts apart, at every size."""

import numpy as np
import pytest

from crmn_legacy import overlays
from crmn_legacy.landmarks import PARTS


def points(side):
    """68 points far enough apart that none hides another."""
    return side * (0.1 + 0.8 * np.stack([np.arange(68) % 9 / 9, np.arange(68) // 9 / 9], axis=1))


@pytest.mark.parametrize("side", [40, 700])
def test_each_point_has_the_colour_of_its_part(side):
    image = overlays.overlay(np.full((side, side), 60, np.uint8), [(points(side), None)])
    assert min(image.size) >= 480 and image.width % side == 0 == image.height % side
    pixels = np.asarray(image)
    for part, places in PARTS.items():
        for x, y in (points(side) * (image.width / side))[places]:
            assert tuple(pixels[round(y), round(x)]) == overlays._COLOURS[part]


def test_true_points_are_white_and_named_only_where_they_are_known():
    picture = np.full((500, 500), 60, np.uint8)
    predicted = points(500)
    true = predicted + 12
    with_truth, without = (
        np.asarray(overlays.overlay(picture, [(predicted, truth)])).astype(int) for truth in (true, None)
    )
    for x, y in true:
        assert tuple(with_truth[round(y), round(x)]) == (255, 255, 255)
    assert not (without == 255).all(axis=2).any()


def test_points_and_letters_grow_with_the_picture():
    def drawn(side):
        picture = np.full((side, side), 60, np.uint8)
        return (np.asarray(overlays.overlay(picture, [(points(side), None)])) != 60).any(axis=2).mean()

    assert drawn(1500) == pytest.approx(drawn(500), rel=0.4)


def test_colour_is_kept_and_every_face_drawn():
    picture = np.zeros((600, 600, 3), np.uint8)
    picture[..., 2] = 90
    pixels = np.asarray(overlays.overlay(picture, [(points(300), None), (points(300) + 300, None)]))
    assert tuple(pixels[5, 5]) == (0, 0, 90)
    for corner in (0, 300):
        x, y = points(300)[0] + corner
        assert tuple(pixels[round(y), round(x)]) == overlays._COLOURS["jaw"]


def marked(ground, faces):
    """Where anything is drawn on a plain ground; the legend is left out."""
    pixels = np.asarray(overlays.overlay(ground, faces))
    return (pixels != ground[0, 0]).any(axis=2)[: -len(ground) // 16]


def test_marks_on_a_small_face_do_not_cover_it():
    ground = np.full((2000, 2000), 60, np.uint8)
    for side in (150, 2000):
        drawn = marked(ground, [(points(side), None)])[:side, :side]
        assert 0.02 < drawn.mean() < 0.4


def test_marks_have_a_rim_that_shows_them_on_a_bright_picture():
    white = np.full((600, 600), 255, np.uint8)
    predicted = points(600)
    pixels = np.asarray(overlays.overlay(white, [(predicted, predicted + 20)])).astype(int)
    for x, y in predicted + 20:
        around = pixels[round(y) - 6 : round(y) + 7, round(x) - 6 : round(x) + 7]
        assert (around == 0).all(axis=2).any()


def test_a_predicted_point_is_seen_below_the_true_one():
    predicted = points(600)
    pixels = np.asarray(overlays.overlay(np.full((600, 600), 60, np.uint8), [(predicted, predicted + 3)]))
    x, y = predicted[0]
    around = pixels[round(y) - 4 : round(y) + 5, round(x) - 4 : round(x) + 5].reshape(-1, 3)
    assert {(255, 255, 255), overlays._COLOURS["jaw"]} <= {tuple(pixel) for pixel in around.tolist()}


def test_several_faces_have_numbers_and_one_has_none():
    ground = np.full((900, 900), 60, np.uint8)
    left, right = points(300) + np.array([0, 300]), points(300) + np.array([500, 300])
    above = (slice(300 - 40, 300 + 20), slice(0, 100))
    assert not marked(ground, [(left, None)])[above].any()
    first = marked(ground, [(left, None), (right, None)])[above]
    second = marked(ground, [(right, None), (left, None)])[above]
    assert first.any() and second.any() and (first != second).any()


@pytest.mark.parametrize("shape", [(480, 90), (90, 480), (1, 1)])
def test_the_whole_legend_is_within_a_narrow_picture(shape):
    picture, far = np.full(shape, 60, np.uint8), points(40) - 1e4
    pixels = np.asarray(overlays.overlay(picture, [(far, far)]))
    for colour in [*overlays._COLOURS.values(), (255, 255, 255)]:
        # Thin letters are nowhere wholly of their colour.
        assert np.abs(pixels.astype(int) - colour).sum(axis=2).min() < 60
    assert not (pixels == 255).all(axis=2)[:, -1].any()
