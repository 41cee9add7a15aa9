import aesara.tensor as T
import numpy as np
import pytest

from crmn_legacy.layers import LocalContrastNormalizationLayer
from tests.evaluate import evaluate
from tests.oracles import local_contrast as oracle

pytestmark = pytest.mark.usefixtures("double")


def normalised(x):
    symbol = T.tensor4()
    layer = LocalContrastNormalizationLayer((None, *x.shape[1:]))
    (got,) = evaluate([layer.get_output_for(symbol)], {symbol: x})
    return got


def test_each_picture_is_normalised_as_the_oracle_does():
    x = np.random.default_rng(1).integers(0, 256, (3, 2, 17, 14)).astype(float)
    got = normalised(x)
    for picture in range(3):
        for channel in range(2):
            expected = oracle.normalise(x[picture, channel])
            np.testing.assert_allclose(got[picture, channel], expected, rtol=0, atol=1e-11)


def test_a_picture_does_not_depend_on_its_neighbours_in_the_batch():
    x = np.random.default_rng(2).integers(0, 256, (4, 1, 12, 12)).astype(float)
    np.testing.assert_allclose(normalised(x)[2:3], normalised(x[2:3]), rtol=0, atol=1e-13)


def test_an_even_picture_is_finite():
    got = normalised(np.zeros((1, 1, 12, 12)))
    np.testing.assert_array_equal(got, np.full((1, 1, 12, 12), 0.5))


def test_an_even_window_is_refused():
    with pytest.raises(ValueError, match="odd kernel_size"):
        LocalContrastNormalizationLayer((None, 1, 12, 12), kernel_size=8)
