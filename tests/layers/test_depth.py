import aesara
import aesara.tensor as T
import numpy as np
import pytest

from crmn_legacy.layers import DepthStackLayer, ZeroPadLayer
from tests.evaluate import evaluate

pytestmark = pytest.mark.usefixtures("double")


def test_zeros_follow_the_features():
    x = np.arange(6.0).reshape(2, 3)
    symbol = T.matrix()
    layer = ZeroPadLayer((None, 3), 5)
    (got,) = evaluate([layer.get_output_for(symbol)], {symbol: x})
    np.testing.assert_array_equal(got, [[0, 1, 2, 0, 0], [3, 4, 5, 0, 0]])
    assert layer.output_shape == (None, 5)


def test_the_gradient_leaves_the_zeros_out():
    weights = np.arange(10.0).reshape(2, 5)
    symbol = T.matrix()
    cost = (ZeroPadLayer((None, 3), 5).get_output_for(symbol) * weights).sum()
    (got,) = evaluate([aesara.grad(cost, symbol)], {symbol: np.zeros((2, 3))})
    np.testing.assert_array_equal(got, weights[:, :3])


def test_features_of_the_common_length_pass_unchanged():
    symbol = T.matrix()
    assert ZeroPadLayer((None, 3), 3).get_output_for(symbol) is symbol


@pytest.mark.parametrize("shape", [(None, 6), (None, 2, 2), (None, None)])
def test_what_does_not_fit_is_refused_with_its_shape(shape):
    with pytest.raises(ValueError, match=r"at most 5 features, got \(None"):
        ZeroPadLayer(shape, 5)


def test_depth_becomes_the_second_axis_in_order():
    first, second = np.ones((2, 3)), 2 * np.ones((2, 3))
    symbols = [T.matrix(), T.matrix()]
    layer = DepthStackLayer([(None, 3), (None, 3)])
    (got,) = evaluate([layer.get_output_for(symbols)], dict(zip(symbols, (first, second), strict=True)))
    np.testing.assert_array_equal(got, np.stack([first, second], axis=1))
    assert layer.output_shape == (None, 2, 3)


def test_steps_of_unlike_length_are_refused():
    with pytest.raises(ValueError, match="one shape"):
        DepthStackLayer([(None, 3), (None, 4)])
