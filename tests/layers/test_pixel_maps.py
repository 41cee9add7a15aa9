"""Points as pixels and pixels as maps, against the NumPy oracle; draws are read out of the layers' own graphs."""

import aesara
import aesara.tensor as T
import numpy as np
import pytest

from crmn_legacy.layers import JointMaps, JointPredictionLayer, MovedPointsLayer, NoisyPixelsLayer, OneHotMapsLayer
from crmn_legacy.layers.pixel_maps import _ranks, pixels_of, spatial_cross_entropy
from crmn_legacy.training.steps import build
from tests.evaluate import evaluate
from tests.oracles import pixel_maps

POINTS, HEIGHT, WIDTH = 6, 4, 5
MAPS = (None, POINTS, HEIGHT, WIDTH)
RANDOM = np.random.default_rng(1)

pytestmark = pytest.mark.usefixtures("double")


def some_maps(batch=3, seed=1):
    return np.random.default_rng(seed).normal(size=(batch, *MAPS[1:]))


def some_keypoints(batch=3):
    keypoints = RANDOM.uniform(-0.2, 1.2, (batch, 2 * POINTS))
    keypoints[0, :4] = [0, 1, 1, 0]
    return keypoints


def test_points_are_in_the_pixel_that_holds_them_and_never_beyond_the_border():
    keypoints = some_keypoints()
    symbol = T.matrix()
    (got,) = evaluate([pixels_of(symbol, HEIGHT, WIDTH)], {symbol: keypoints})
    np.testing.assert_array_equal(got, pixel_maps.pixels(keypoints, HEIGHT, WIDTH))
    assert list(got[0, :2]) == [WIDTH * (HEIGHT - 1), WIDTH - 1]


def test_cross_entropy_and_its_gradient_are_the_softmaxes():
    maps, pixels = some_maps(), RANDOM.integers(0, HEIGHT * WIDTH, (3, POINTS))
    symbol, target = T.tensor4(), T.matrix()
    losses = spatial_cross_entropy(symbol, target)
    weights = RANDOM.uniform(size=(3, POINTS))
    gradient = aesara.grad((losses * weights).sum(), symbol)
    got, of_maps = evaluate([losses, gradient], {symbol: maps, target: pixels.astype(float)})
    np.testing.assert_allclose(got, pixel_maps.cross_entropy(maps, pixels), rtol=0, atol=1e-12)
    probabilities = np.exp(maps) / np.exp(maps).sum(axis=(2, 3), keepdims=True)
    expected = (probabilities - pixel_maps.one_hot(pixels, HEIGHT, WIDTH)) * weights[:, :, None, None]
    np.testing.assert_allclose(of_maps, expected, rtol=0, atol=1e-12)


def test_cross_entropy_of_large_scores_is_finite():
    symbol, target = T.tensor4(), T.matrix()
    maps = 1e4 * some_maps()
    (got,) = evaluate([spatial_cross_entropy(symbol, target)], {symbol: maps, target: np.zeros((3, POINTS))})
    np.testing.assert_allclose(got, pixel_maps.cross_entropy(maps, np.zeros((3, POINTS), int)), rtol=1e-12)


def drawn(layer, outputs, given):
    """Outputs of an expression that draws, with the numbers that the layer drew."""
    numbers = layer.random_numbers.uniform((given[next(iter(given))].shape[0], POINTS))
    return evaluate([*outputs, numbers], given)


@pytest.mark.parametrize("count", [0, 2, POINTS])
def test_those_of_the_least_draws_are_moved(count):
    layer = build(lambda: MovedPointsLayer(MAPS, count, name="moved"), seed=1)
    symbol = T.tensor4()
    marks, none, numbers = drawn(
        layer,
        [layer.get_output_for(symbol), layer.get_output_for(symbol, deterministic=True)],
        {symbol: some_maps(batch=20)},
    )
    np.testing.assert_array_equal(marks, pixel_maps.moved(numbers, count))
    assert (marks.sum(axis=1) == count).all() and not none.any()
    assert layer.output_shape == (None, POINTS)
    if count == 2:
        assert len(np.unique(marks, axis=0)) > 5


def test_equal_draws_are_ranked_by_their_place():
    symbol = T.matrix()
    (got,) = evaluate([_ranks(symbol, 4)], {symbol: np.array([[0.5, 0.2, 0.5, 0.2]])})
    np.testing.assert_array_equal(got, [[2, 0, 3, 1]])


def test_moved_points_are_anywhere_and_the_others_where_they_are():
    layer = build(lambda: NoisyPixelsLayer([MAPS, (None, POINTS)], name="pixels"), seed=1)
    maps, marks, keypoints = T.tensor4(), T.matrix(), T.matrix()
    given = {
        maps: some_maps(batch=20),
        marks: (RANDOM.uniform(size=(20, POINTS)) < 0.5).astype(float),
        keypoints: some_keypoints(batch=20),
    }
    got, numbers = drawn(layer, [layer.get_output_for([maps, marks], keypoints=keypoints)], given)
    true = pixel_maps.pixels(given[keypoints], HEIGHT, WIDTH)
    np.testing.assert_array_equal(got, pixel_maps.noisy(true, given[marks], numbers, HEIGHT * WIDTH))
    assert (got != true)[given[marks] > 0].mean() > 0.8


def test_without_noise_pixels_are_those_of_the_greatest_scores():
    layer = NoisyPixelsLayer([MAPS, (None, POINTS)])
    maps, marks = T.tensor4(), T.matrix()
    given = {maps: some_maps(), marks: np.ones((3, POINTS))}
    (got,) = evaluate([layer.get_output_for([maps, marks], deterministic=True)], given)
    np.testing.assert_array_equal(got, given[maps].reshape(3, POINTS, -1).argmax(axis=2))


def test_training_needs_the_true_points():
    with pytest.raises(ValueError, match="expects the true `keypoints`"):
        NoisyPixelsLayer([MAPS, (None, POINTS)]).get_output_for([T.tensor4(), T.matrix()])


def test_a_pixel_is_a_map_with_a_single_one():
    pixels = RANDOM.integers(0, HEIGHT * WIDTH, (3, POINTS))
    symbol = T.matrix()
    layer = OneHotMapsLayer((None, POINTS), HEIGHT, WIDTH)
    (got,) = evaluate([layer.get_output_for(symbol)], {symbol: pixels.astype(float)})
    np.testing.assert_array_equal(got, pixel_maps.one_hot(pixels, HEIGHT, WIDTH))
    assert layer.output_shape == MAPS


def joint():
    return JointPredictionLayer([MAPS, MAPS, (None, POINTS), (None, 1, HEIGHT, WIDTH)])


def test_the_greatest_sum_is_predicted_and_moved_into_the_picture():
    symbols = [T.tensor4(), T.tensor4(), T.matrix(), T.tensor4()]
    pictures = np.zeros((4, 1, HEIGHT, WIDTH))
    pictures[0] = 7
    pictures[1, 0, 1:3, 2:4] = np.eye(2)  # padding on all sides
    pictures[2, 0, 0, 4] = 1
    maps = some_maps(batch=4, seed=2), some_maps(batch=4, seed=3)
    given = dict(zip(symbols, (*maps, np.zeros((4, POINTS)), pictures), strict=True))
    layer = joint()
    (got,) = evaluate([layer.get_output_for(symbols, deterministic=True)], given)
    np.testing.assert_allclose(got, pixel_maps.joint_prediction(*maps, pictures[:, 0]), rtol=0, atol=1e-15)
    assert layer.output_shape == (None, 2 * POINTS)
    # A pixel's centre, whichever it is; of a picture with one bright pixel always that one.
    np.testing.assert_allclose(got[2].reshape(-1, 2), np.tile([4.5 / WIDTH, 0.5 / HEIGHT], (POINTS, 1)), rtol=1e-12)
    assert len(np.unique(got[3].reshape(-1, 2), axis=0)) > 1


def test_while_training_the_two_networks_are_apart():
    symbols = [T.tensor4(), T.tensor4(), T.matrix(), T.tensor4()]
    assert joint().get_output_for(symbols) == JointMaps(*symbols[:3])
    assert joint().get_output_for(symbols, trained=("rcn",)) == JointMaps(symbols[0], None, symbols[2])
    assert joint().get_output_for(symbols, trained=("denoiser",)) == JointMaps(None, *symbols[1:3])


@pytest.mark.parametrize(
    "build_wrong",
    [
        lambda: MovedPointsLayer((None, POINTS), 1),
        lambda: MovedPointsLayer(MAPS, POINTS + 1),
        lambda: NoisyPixelsLayer([MAPS, (None, POINTS + 1)]),
        lambda: NoisyPixelsLayer([(None, POINTS, None, WIDTH), (None, POINTS)]),
        lambda: JointPredictionLayer([MAPS, (None, 2, HEIGHT, WIDTH), (None, POINTS), (None, 1, HEIGHT, WIDTH)]),
        lambda: JointPredictionLayer([MAPS, MAPS, (None, POINTS), (None, 1, HEIGHT, HEIGHT)]),
    ],
)
def test_what_does_not_fit_is_refused(build_wrong):
    with pytest.raises(ValueError, match=r"Layer .* expects .* got"):
        build_wrong()
