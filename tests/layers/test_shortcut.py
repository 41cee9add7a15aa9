import aesara
import aesara.tensor as T
import numpy as np
import pytest

from crmn_legacy.layers import IdentityShortcutLayer
from tests.evaluate import evaluate
from tests.oracles import shortcut as oracle

SHAPE = (2, 3, 4, 6)
CASES = [("subsample", 2, 5), ("average", 2, 5), ("subsample", 1, 5), ("average", 2, 3), ("subsample", 2, 3)]


def a_case(mode, stride, num_filters):
    layer = IdentityShortcutLayer((None, *SHAPE[1:]), num_filters, stride, mode)
    return layer, np.random.default_rng(1).normal(size=SHAPE), T.tensor4()


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("deterministic", [False, True])
@pytest.mark.parametrize(("mode", "stride", "num_filters"), CASES)
def test_pixels_are_taken_or_averaged_and_new_channels_are_zero(mode, stride, num_filters, deterministic):
    layer, x, symbol = a_case(mode, stride, num_filters)
    (got,) = evaluate([layer.get_output_for(symbol, deterministic=deterministic)], {symbol: x})
    np.testing.assert_allclose(got, oracle.forward(x, num_filters, stride, mode), rtol=0, atol=1e-14)
    assert got.shape[1:] == layer.output_shape[1:]
    assert not got[:, SHAPE[1] :].any()


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize(("mode", "stride", "num_filters"), CASES)
def test_the_gradient_goes_to_the_pixels_that_were_read(mode, stride, num_filters):
    layer, x, symbol = a_case(mode, stride, num_filters)
    d_out = np.random.default_rng(2).normal(size=(SHAPE[0], *layer.output_shape[1:]))
    (got,) = evaluate([aesara.grad((layer.get_output_for(symbol) * d_out).sum(), symbol)], {symbol: x})
    np.testing.assert_allclose(got, oracle.gradient(SHAPE, stride, mode, d_out), rtol=0, atol=1e-14)


@pytest.mark.parametrize("mode", ["subsample", "average"])
def test_the_oracles_gradient_is_the_transpose_of_its_forward_pass(mode):
    random = np.random.default_rng(3)
    x, d_out = random.normal(size=SHAPE), random.normal(size=(2, 5, 2, 3))
    forward, backward = oracle.forward(x, 5, 2, mode), oracle.gradient(SHAPE, 2, mode, d_out)
    assert (forward * d_out).sum() == pytest.approx((x * backward).sum(), rel=1e-12)


def test_a_shape_that_stays_passes_as_it_is():
    symbol = T.tensor4()
    assert IdentityShortcutLayer((None, 3, 4, 4), 3).get_output_for(symbol) is symbol


@pytest.mark.parametrize(
    ("shape", "stride"),
    [((None, 3, 5, 4), 2), ((None, 6, 4, 4), 2), ((None, 3), 1), ((None, 3, None, None), 1)],
)
def test_what_does_not_fit_is_refused_with_its_shape(shape, stride):
    with pytest.raises(ValueError, match=r"at most 5 channels .* got \(None"):
        IdentityShortcutLayer(shape, 5, stride)


def test_an_unknown_mode_is_refused():
    with pytest.raises(ValueError, match="got 'max'"):
        IdentityShortcutLayer((None, 3, 4, 4), 5, 2, "max")
