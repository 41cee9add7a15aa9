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
