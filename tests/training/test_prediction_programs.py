"""Prediction from raw pictures: what JAX traces gives what NumPy, SciPy and Pillow give."""

from types import SimpleNamespace

import jax
import numpy as np
import pytest

from crmn_legacy import data
from crmn_legacy.data.boxes import CROP_SIZE, crop_face
from crmn_legacy.data.distortion import FieldDistortion
from crmn_legacy.data.whitening import Statistics
from crmn_legacy.errors import UserError
from crmn_legacy.training import prediction_programs as programs


@pytest.fixture(autouse=True)
def sixty_four_bits():
    with jax.experimental.enable_x64():
        yield


def picture_of(height, width, seed=0):
    """Gray values that change from pixel to pixel, and slowly across the picture."""
    rows, columns = np.mgrid[:height, :width]
    noise = np.random.default_rng(seed).integers(0, 60, (height, width))
    return (90 + 60 * np.sin(rows / 17) * np.cos(columns / 11) + noise).clip(0, 255).astype(np.uint8)


# In the middle; larger than the picture; beyond its edges; with sides of a fraction; as large as the crop; very small.
BOXES = [
    (60, 70, 160, 180),
    (0, 0, 300, 240),
    (-20, 150, 90, 260),
    (41.3, 57.9, 133.2, 149.6),
    (100, 60, 194, 154),
    (120, 100, 127, 106),
]


@pytest.mark.parametrize("box", BOXES)
def test_a_crop_is_pillows(box):
    picture = picture_of(240, 300)
    expected = crop_face(picture, np.reshape(box, (2, 2)))
    image, place, corners = programs._crop(picture.astype(np.float64), np.array(box, np.float64))
    np.testing.assert_array_equal(place, expected.box)
    np.testing.assert_array_equal(np.asarray(corners, np.float32), expected.keypoints * np.float32(CROP_SIZE))
    difference = np.abs(np.asarray(image) - expected.image)
    # Where a sum lies just between two gray values its last bit decides.
    assert difference.max() <= 1 and (difference > 0).mean() < 1e-3


@pytest.mark.parametrize("box", BOXES)
def test_the_warp_of_a_face_is_scipys(box):
    crop = crop_face(picture_of(240, 300), np.reshape(box, (2, 2)))
    augmentation = data.FaceAugmentation(size=80, occlusion=None)
    expected, moved, _ = augmentation.plain(crop.image[None], crop.keypoints[None], crop.visible[None])
    corners = np.asarray(crop.keypoints, np.float64) * CROP_SIZE
    zoom, offset = programs._plain(corners, augmentation)
    image = programs._warp(crop.image.astype(np.float64), zoom, offset, 80)
    np.testing.assert_allclose((corners * zoom + offset) / 80, moved[0], atol=1e-6)
    difference = np.abs(np.asarray(image) - expected[0])
    assert difference.max() <= 1 and (difference > 0).mean() < 1e-2


PREPROCESSING = [
    data.ChannelMean(divisor=100.0),
    data.ChannelMeanStd(),
    data.PixelMean(),
    data.PixelMeanGlobalStd(),
    data.Centred(centre=128.0, divisor=64.0),
    data.GlobalContrast(scale=50.0),
    data.GlobalContrast(scale=50.0, then_mean_image=True),
    data.GlobalContrastZCA(),
]


@pytest.mark.parametrize("how", PREPROCESSING, ids=lambda how: type(how).__name__)
def test_pictures_are_prepared_as_for_training(how):
    images = np.random.default_rng(1).integers(0, 256, (12, 3, 8, 8)).astype(np.uint8)
    pictures = SimpleNamespace(images=images, statistics=Statistics(images))
    statistics, prepare = programs._preparation(how, pictures)
    assert all(value.dtype == np.float32 for value in statistics.values())
    found = prepare(images.astype(np.float64), {name: value.astype(np.float64) for name, value in statistics.items()})
    expected = how(images, pictures)
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


def test_a_preprocessing_of_ones_own_is_refused():
    with pytest.raises(UserError, match="got the preprocessing object, expected one of"):
        programs._preparation(object(), SimpleNamespace(statistics=None))


def test_a_field_is_laid_around_test_pictures():
    augmentation = FieldDistortion(41, stretch=0.1, slant=0.1, shift=2, colour=(0, 0, 0, 0), threshold=0.01)
    pictures = np.random.default_rng(2).normal(size=(2, 3, 32, 32)).astype(np.float32)
    pictures[:, :, :4] = 0
    np.testing.assert_array_equal(programs._on_field(pictures, augmentation), augmentation.plain(pictures))
    assert programs._on_field(pictures, data.CropFlip()) is pictures
