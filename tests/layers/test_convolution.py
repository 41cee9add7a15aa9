import aesara
import aesara.tensor as T
import lasagne
import numpy as np
import pytest

from crmn_legacy.layers import Conv2DLayer
from tests.evaluate import evaluate, random_parameters

pytestmark = pytest.mark.usefixtures("double")


@pytest.mark.parametrize("untie_biases", [False, True])
@pytest.mark.parametrize(("pad", "stride"), [(0, 1), (1, 1), (1, 2), ((2, 1), (1, 2)), ("full", 1), ("same", 1)])
def test_values_and_gradients_are_those_of_lasagnes_layer(pad, stride, untie_biases):
    arguments = {"stride": stride, "pad": pad, "untie_biases": untie_biases, "name": "conv"}
    shape = (2, 3, 8, 7)
    ours = Conv2DLayer(shape, 4, 3, **arguments)
    values = random_parameters(ours, seed=1)
    theirs = lasagne.layers.Conv2DLayer(shape, 4, 3, W=values["conv.W"], b=values["conv.b"], **arguments)
    x = np.random.default_rng(2).normal(size=shape)
    symbol = T.tensor4()
    results = []
    for layer in (ours, theirs):
        output = layer.get_output_for(symbol)
        gradients = aesara.grad(T.square(output).sum(), [symbol, layer.W, layer.b])
        results.append(evaluate([output, *gradients], {symbol: x}))
        assert layer.output_shape == results[-1][0].shape
    for got, expected in zip(*results, strict=True):
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-10)


def test_same_padding_of_an_even_filter_is_refused():
    with pytest.raises(ValueError, match="odd sides"):
        Conv2DLayer((None, 1, 8, 8), 1, 2, pad="same")
