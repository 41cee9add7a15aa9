import aesara.tensor as T
import numpy as np
import pytest

from crmn_legacy.backend.compile import compile_step
from crmn_legacy.layers import MapDropoutLayer
from crmn_legacy.training.steps import build
from tests.evaluate import evaluate
from tests.oracles import map_dropout as oracle


def a_layer(p=0.3, channels=7):
    return build(lambda: MapDropoutLayer((None, channels, 4, 5), p, name="dropout"), seed=1)


@pytest.mark.parametrize("p", [0.1, 0.3, 0.5, 0.85])
def test_the_maps_with_the_least_numbers_are_kept(double, p):
    random = np.random.default_rng(1)
    # Of equal numbers the first counts.
    u, x = np.round(random.uniform(size=7), 1), random.normal(size=(2, 7, 4, 5))
    symbols = T.vector(), T.tensor4()
    (mask,) = evaluate([a_layer(p).mask(symbols[0])], {symbols[0]: u})
    np.testing.assert_array_equal(mask[:, None, None] * x, oracle.training(x, u, p))


def test_deterministic_output_is_weighed(double):
    x = np.random.default_rng(1).normal(size=(2, 7, 4, 5))
    symbol = T.tensor4()
    (got,) = evaluate([a_layer().get_output_for(symbol, deterministic=True)], {symbol: x})
    np.testing.assert_allclose(got, oracle.deterministic(x, 0.3), rtol=1e-15)


def test_a_batch_has_one_mask_and_the_next_another():
    layer, symbol = a_layer(0.5, channels=64), T.tensor4("x")
    step = compile_step({"x": symbol}, {"y": layer.get_output_for(symbol)})
    state, masks = step.initial_state(), []
    for _ in range(2):
        state, outputs = step(state, {"x": np.full((3, 64, 4, 5), 2, np.float32)})
        y = step.get_outputs(outputs)["y"]
        assert set(np.unique(y)) == {0.0, 2.0}
        assert (y == y[:1, :, :1, :1]).all()
        masks.append(y[0, :, 0, 0] > 0)
    assert [mask.sum() for mask in masks] == [32, 32]
    assert (masks[0] != masks[1]).any()


def test_without_dropout_the_input_passes():
    symbol = T.tensor4()
    assert a_layer(0.0).get_output_for(symbol) is symbol


@pytest.mark.parametrize(
    ("shape", "p"), [((None, 7, 4), 1.0), ((None, 7, 4), -0.1), ((None, None), 0.5), ((3, 1), 0.5)]
)
def test_what_leaves_no_map_is_refused(shape, p):
    with pytest.raises(ValueError, match="that leaves at least one of them, got"):
        MapDropoutLayer(shape, p)
