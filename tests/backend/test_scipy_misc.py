import numpy as np
import pytest

from crmn_legacy.backend import scipy_misc


def test_numbers_become_bytes_from_least_to_greatest():
    assert scipy_misc.bytescale(np.array([-1.0, 0.0, 1.0])).tolist() == [0, 128, 255]
    assert scipy_misc.bytescale(np.array([0.0, 2.0]), cmin=0, cmax=4).tolist() == [0, 128]
    assert scipy_misc.bytescale(np.array([3, 9], np.uint8)).tolist() == [3, 9]
    assert scipy_misc.bytescale(np.zeros(2)).tolist() == [0, 0]
    for wrong in ({"high": 256}, {"low": -1}, {"cmin": 2, "cmax": 1}):
        with pytest.raises(ValueError):
            scipy_misc.bytescale(np.zeros(2), **wrong)


@pytest.mark.parametrize("shape", [(5, 4), (5, 4, 3), (5, 4, 4)])
def test_a_picture_is_written_and_read_again(tmp_path, shape):
    picture = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    picture.flat[:2] = 0, 255
    scipy_misc.imsave(tmp_path / "a.png", picture)
    assert np.array_equal(scipy_misc.imread(tmp_path / "a.png"), picture)
    scipy_misc.imsave(tmp_path / "b.png", picture / 255.0)
    assert np.abs(scipy_misc.imread(tmp_path / "b.png").astype(int) - picture).max() <= 1
    assert scipy_misc.imread(tmp_path / "a.png", flatten=True).shape == (5, 4)
    assert scipy_misc.imread(tmp_path / "a.png", mode="RGB").shape == (5, 4, 3)


def test_channels_are_found_where_they_are(tmp_path):
    assert scipy_misc.toimage(np.zeros((3, 5, 4))).size == (4, 5)
    assert scipy_misc.toimage(np.zeros((5, 4, 3))).mode == "RGB"
    assert [scipy_misc.toimage(np.zeros((5, 4)), mode=mode).mode for mode in ("L", "F", "I", "1", "P")] == list("LFI1P")
    for wrong in (np.zeros((5, 7, 2)), np.zeros(5), np.zeros((2, 2), complex)):
        with pytest.raises(ValueError):
            scipy_misc.toimage(wrong)
    with pytest.raises(ValueError, match="Channel axis"):
        scipy_misc.imsave(tmp_path / "a.png", np.zeros((3, 4, 5)))


@pytest.mark.parametrize(("size", "shape"), [((8, 6), (8, 6)), (50, (4, 6)), (0.5, (4, 6)), (2.0, (16, 24))])
def test_a_picture_is_scaled_to_sides_percent_or_a_fraction(size, shape):
    picture = np.zeros((8, 12), np.uint8)
    assert scipy_misc.imresize(picture, size).shape == shape
    colour = np.dstack([picture, picture, picture + 200])
    assert scipy_misc.imresize(colour, size, interp="nearest")[0, 0].tolist() == [0, 0, 200]
    assert scipy_misc.imresize(np.eye(4), (2, 2), mode="F").dtype == np.float32


def test_a_picture_is_turned_against_the_clock():
    picture = np.zeros((3, 3), np.uint8)
    picture[0, 1] = 255
    assert scipy_misc.imrotate(picture, 90, "nearest")[1, 0] == 255
