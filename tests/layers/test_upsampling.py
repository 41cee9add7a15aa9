import aesara
import aesara.tensor as T
import numpy as np
import pytest

from crmn_legacy.layers import UpsamplingLayer
from tests.evaluate import evaluate
from tests.oracles import upsampling

pytestmark = pytest.mark.usefixtures("double")


@pytest.mark.parametrize("factor", [1, 2, 3])
def test_pixels_become_squares(factor):
    maps = np.random.default_rng(1).normal(size=(2, 3, 4, 5))
    symbol = T.tensor4()
    layer = UpsamplingLayer((None, 3, 4, 5), factor)
    (got,) = evaluate([layer.get_output_for(symbol)], {symbol: maps})
    np.testing.assert_array_equal(got, upsampling.upsample(maps, factor))
    assert layer.output_shape == (None, *got.shape[1:])


def test_the_gradient_of_a_pixel_is_its_squares_sum():
    weights = np.random.default_rng(2).normal(size=(2, 3, 8, 10))
    symbol = T.tensor4()
    cost = (UpsamplingLayer((None, 3, 4, 5), 2).get_output_for(symbol) * weights).sum()
    (got,) = evaluate([aesara.grad(cost, symbol)], {symbol: np.zeros((2, 3, 4, 5))})
    np.testing.assert_allclose(got, upsampling.gradient(weights, 2), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("shape", "factor"), [((None, 3, 4), 2), ((None, 3, None, 4), 2), ((None, 3, 4, 4), 0)])
def test_what_does_not_fit_is_refused_with_its_shape(shape, factor):
    with pytest.raises(ValueError, match=rf"factor of at least 1, got \(None, 3.* and {factor}"):
        UpsamplingLayer(shape, factor)
