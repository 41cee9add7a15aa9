"""Statistics are those of the definitions, and the same bits in whatever order they are summed."""

import time

import numpy as np
import pytest
from scipy import linalg

from crmn_legacy.data import whitening
from crmn_legacy.data.whitening import Statistics, fits, global_contrast_normalize, training_statistics, whiten
from tests.oracles import contrast, zca


def pictures(count, side=4, seed=0):
    random = np.random.default_rng(seed)
    return random.integers(0, random.integers(50, 256, size=(count, 1, 1, 1)), size=(count, 3, side, side)).astype("u1")


@pytest.fixture(scope="module")
def many():
    """More pictures than pixels."""
    return pictures(200)


@pytest.mark.parametrize("scale", [1.0, 55.0])
@pytest.mark.parametrize("subtract_mean", [True, False])
def test_contrast_is_the_oracle_s(many, scale, subtract_mean):
    found = global_contrast_normalize(many[:20], scale, subtract_mean)
    assert found.shape == (20, 3, 4, 4)
    for picture, values in zip(many, found, strict=False):
        expected = contrast.normalise(picture.reshape(-1).tolist(), scale, subtract_mean)
        # Half a step of 2**-20.
        np.testing.assert_allclose(values.reshape(-1), expected, rtol=0, atol=4.8e-7)


def test_picture_of_one_gray_becomes_zero():
    assert not global_contrast_normalize(np.full((2, 3, 4, 4), 77, np.uint8)).any()


def test_moments_are_those_of_the_pixels(many):
    found = Statistics(many)
    np.testing.assert_allclose(found.channel_mean, many.mean(axis=(0, 2, 3)), rtol=1e-14)
    np.testing.assert_allclose(found.channel_std, many.std(axis=(0, 2, 3)), rtol=1e-12)
    np.testing.assert_allclose(found.pixel_mean, many.mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(found.global_std, [many.std()], rtol=1e-12)


def test_moments_of_a_whole_data_set_do_not_overflow():
    white = np.full((45_000, 3, 1, 1), 255, np.uint8)
    white[0] = 0
    found = Statistics(np.tile(white, (1, 1, 1, 2)))
    deviation = 255 * (44_999**0.5) / 45_000
    np.testing.assert_allclose([*found.channel_std, *found.global_std], [deviation] * 4, rtol=1e-12)


@pytest.mark.parametrize("count", [200, 48, 20, 1])
def test_whitening_is_the_oracle_s(count):
    images = pictures(count, seed=3)
    rows = global_contrast_normalize(images).reshape(count, -1)
    mean, matrix = zca.fit(rows)
    found = Statistics(images)
    np.testing.assert_allclose(found.contrast_mean(), mean, rtol=0, atol=4.8e-7)
    # Half a step of 2**-15, and what the mean's rounding makes.
    np.testing.assert_allclose(found.whitening(), matrix, rtol=0, atol=1.6e-5)
    whitened = whiten(rows, found.contrast_mean(), found.whitening())
    np.testing.assert_allclose(whitened, zca.apply(rows, mean, matrix), rtol=0, atol=4e-3)


def test_few_and_many_pictures_have_one_formula(many):
    mean = whitening.contrast_mean(many)
    whole = whitening.whitening_matrix(many, mean)
    np.testing.assert_allclose(whitening._whitening_of_few(many, mean, 55.0, 0.1), whole, rtol=0, atol=3.2e-5)


@pytest.mark.parametrize(("scale", "filter_bias"), [(1.0, 0.1), (55.0, 10.0)])
def test_scale_and_bias_matter(many, scale, filter_bias):
    rows = global_contrast_normalize(many, scale).reshape(len(many), -1)
    _, matrix = zca.fit(rows, filter_bias)
    found = Statistics(many).whitening(scale, filter_bias)
    np.testing.assert_allclose(found, matrix, rtol=0, atol=1.6e-5)
    assert np.abs(found - Statistics(many).whitening()).max() > 0.01


def test_sums_of_whitening_do_not_depend_on_their_order(many):
    rows = global_contrast_normalize(many).reshape(len(many), -1)
    mean, matrix = Statistics(many).contrast_mean(), Statistics(many).whitening()
    expected = whiten(rows, mean, matrix)
    order = np.random.default_rng(1).permutation(len(mean))
    # Additions one after the other, from either end and in a random order: a library's product adds otherwise.
    for places in (range(len(mean)), reversed(range(len(mean))), order):
        summed = np.zeros_like(expected)
        for place in places:
            summed += (rows[:, place] - mean[place])[:, None] * matrix[place]
        np.testing.assert_array_equal(summed, expected)


def test_order_of_the_training_pictures_moves_no_bit_of_the_mean(many):
    shuffled = many[np.random.default_rng(2).permutation(len(many))]
    np.testing.assert_array_equal(Statistics(shuffled).contrast_mean(), Statistics(many).contrast_mean())


def test_noise_of_a_library_s_last_bits_is_rounded_away(many, monkeypatch):
    expected = Statistics(many).whitening()
    eigh = linalg.eigh

    def noisy(matrix, **options):
        variances, vectors = eigh(matrix, **options)
        return variances * (1 + 2e-16), vectors * (1 - 2e-16)

    monkeypatch.setattr(linalg, "eigh", noisy)
    np.testing.assert_array_equal(Statistics(many).whitening(), expected)


def test_stored_statistics_are_taken_and_only_for_what_they_are_of(many):
    stored = {name: np.full_like(array, 7) for name, array in training_statistics(many).items()}
    found = Statistics(many, stored)
    assert (found.channel_mean == 7).all() and (found.channel_std == 7).all()
    assert (found.pixel_mean == 7).all() and (found.global_std == 7).all()
    assert (found.contrast_mean() == 7).all() and (found.whitening() == 7).all()
    np.testing.assert_array_equal(found.contrast_mean(1.0), Statistics(many).contrast_mean(1.0))
    assert not (found.whitening(55.0, 0.2) == 7).all()


def test_training_statistics_are_all_that_a_file_may_hold(many):
    found = training_statistics(many)
    assert tuple(found) == whitening.STORED
    np.testing.assert_array_equal(found["whitening"], Statistics(many).whitening())
    assert {array.dtype.name for array in found.values()} == {"float64"}


def test_whitening_s_matrix_fits_into_float32(many):
    matrix = Statistics(many).whitening()
    np.testing.assert_array_equal(matrix.astype(np.float32), matrix)
    np.testing.assert_array_equal(matrix, matrix.T)


@pytest.mark.parametrize(
    ("scale", "filter_bias", "exact"), [(55, 0.1, True), (64, 1e-5, True), (65, 0.1, False), (55, 1e-7, False)]
)
def test_what_would_not_be_exact_is_told(scale, filter_bias, exact):
    assert fits(scale, filter_bias) is exact


@pytest.mark.parametrize(("patience", "said"), [(0.05, 1), (3.0, 0)])
def test_a_long_wait_for_whitening_is_told_once_and_a_short_one_not(many, monkeypatch, capsys, patience, said):
    whole = whitening.whitening_matrix

    def slow(*arguments):
        time.sleep(0.3)
        return whole(*arguments)

    monkeypatch.setattr(whitening, "_PATIENCE", patience)
    monkeypatch.setattr(whitening, "whitening_matrix", slow)
    statistics = Statistics(many)
    np.testing.assert_array_equal(statistics.whitening(), whole(many, statistics.contrast_mean()))
    assert statistics.whitening() is statistics.whitening()
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("training pictures is computed")) == ("", said)
