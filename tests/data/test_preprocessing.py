"""Each preprocessing is its paper's formula, and does not depend on a picture's neighbours."""

import numpy as np
import pytest

from crmn_legacy import data
from tests.data.labelled import plain_pictures
from tests.oracles import contrast

ALL = [
    data.Centred(),
    data.ChannelMean(),
    data.ChannelMeanStd(),
    data.GlobalContrast(),
    data.GlobalContrast(scale=1.0, then_mean_image=True),
    data.GlobalContrastZCA(),
    data.PixelMean(),
    data.PixelMeanGlobalStd(),
]


@pytest.fixture(scope="module")
def pictures():
    return plain_pictures(train=30, valid=5, test=5)


@pytest.fixture(scope="module")
def training(pictures):
    return pictures.images[pictures.split == "train"].astype(np.float64)


def assert_is(preprocessing, pictures, expected, tolerance=1e-5):
    found = preprocessing(pictures.images, pictures)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


def test_channel_mean(pictures, training):
    mean = training.mean(axis=(0, 2, 3), keepdims=True)
    assert_is(data.ChannelMean(), pictures, (pictures.images - mean) / 255)
    assert_is(data.ChannelMean(divisor=1.0), pictures, pictures.images - mean, 2e-5)


def test_channel_mean_and_deviation(pictures, training):
    mean, deviation = (method(axis=(0, 2, 3), keepdims=True) for method in (training.mean, training.std))
    assert_is(data.ChannelMeanStd(), pictures, (pictures.images - mean) / deviation)


def test_mean_picture(pictures, training):
    assert_is(data.PixelMean(), pictures, (pictures.images - training.mean(axis=0)) / 255)
    assert_is(data.PixelMean(divisor=1.0), pictures, pictures.images - training.mean(axis=0), 2e-5)


def test_mean_picture_and_one_deviation(pictures, training):
    assert_is(data.PixelMeanGlobalStd(), pictures, (pictures.images - training.mean(axis=0)) / training.std())


def test_one_gray_value(pictures):
    assert_is(data.Centred(), pictures, pictures.images - 128.0)
    assert_is(data.Centred(centre=100.0, divisor=4.0), pictures, (pictures.images - 100.0) / 4)


def test_global_contrast(pictures):
    expected = [contrast.normalise(picture.reshape(-1).tolist()) for picture in pictures.images]
    assert_is(data.GlobalContrast(), pictures, np.reshape(expected, pictures.images.shape))


def test_global_contrast_then_mean_picture(pictures, training):
    expected = np.array([contrast.normalise(picture.reshape(-1).tolist(), 1.0) for picture in pictures.images])
    expected = (expected - expected[: len(training)].mean(axis=0)).reshape(pictures.images.shape)
    assert_is(data.GlobalContrast(scale=1.0, then_mean_image=True), pictures, expected)


def test_global_contrast_and_whitening(pictures, training):
    rows = np.array([contrast.normalise(picture.reshape(-1).tolist()) for picture in pictures.images])
    centred = rows - rows[: len(training)].mean(axis=0)
    whitened = data.GlobalContrastZCA()(pictures.images, pictures).reshape(len(pictures), -1).astype(np.float64)
    # The matrix is symmetric, and one over the root of the training pictures' covariance and bias: between two
    # whitened pictures stands what the inverse of that covariance puts between the pictures.
    covered = centred[: len(training)]
    covariance = covered.T @ covered / len(training) + 0.1 * np.identity(3072)
    expected = centred @ np.linalg.solve(covariance, centred.T)
    np.testing.assert_allclose(whitened @ whitened.T, expected, rtol=0, atol=np.abs(expected).max() * 1e-4)
    # In what the training pictures do not span, the variance is the bias alone.
    beyond = centred[-1] - covered.T @ np.linalg.lstsq(covered.T, centred[-1], rcond=None)[0]
    np.testing.assert_allclose(whitened[-1] @ beyond, centred[-1] @ beyond / 0.1**0.5, rtol=1e-4)


@pytest.mark.parametrize("preprocessing", ALL, ids=lambda preprocessing: type(preprocessing).__name__)
def test_result_of_a_picture_does_not_depend_on_its_neighbours(pictures, preprocessing):
    together = preprocessing(pictures.images, pictures)
    for rows in ([0], [7, 3], [39, 7, 1, 0, 3]):
        np.testing.assert_array_equal(preprocessing(pictures.images[rows], pictures), together[rows])


@pytest.mark.parametrize("preprocessing", ALL, ids=lambda preprocessing: type(preprocessing).__name__)
def test_pictures_are_not_changed(pictures, preprocessing):
    before = pictures.images.copy()
    preprocessing(pictures.images, pictures)
    np.testing.assert_array_equal(pictures.images, before)


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        (data.ChannelMean, {"divisor": 0.0}),
        (data.PixelMean, {"divisor": -1.0}),
        (data.Centred, {"divisor": float("nan")}),
        (data.GlobalContrast, {"scale": 0.0}),
        (data.GlobalContrastZCA, {"filter_bias": 0.0}),
        (data.GlobalContrastZCA, {"scale": 1000.0}),
    ],
)
def test_numbers_that_cannot_be_are_refused(kind, arguments):
    with pytest.raises(ValueError, match="expected"):
        kind(**arguments)
