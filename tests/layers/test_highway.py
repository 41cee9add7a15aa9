import aesara
import aesara.tensor as T
import numpy as np
import pytest

from crmn_legacy.layers import HighwayGateLayer
from tests.evaluate import evaluate
from tests.oracles import highway as oracle

SHAPE = (2, 3, 4, 5)


def a_case():
    random = np.random.default_rng(1)
    layer = HighwayGateLayer(*[(None, *SHAPE[1:])] * 3)
    values = [random.normal(size=SHAPE), random.uniform(size=SHAPE), random.normal(size=SHAPE)]
    return layer, values, [T.tensor4() for _ in values]


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("deterministic", [False, True])
def test_the_gate_mixes_transformed_and_carried_input(deterministic):
    layer, values, symbols = a_case()
    output = layer.get_output_for(symbols, deterministic=deterministic)
    (got,) = evaluate([output], dict(zip(symbols, values, strict=True)))
    np.testing.assert_allclose(got, oracle.forward(*values), rtol=0, atol=1e-14)
    assert got.shape[1:] == layer.output_shape[1:]


@pytest.mark.usefixtures("double")
def test_gradients_are_those_of_the_equation():
    layer, values, symbols = a_case()
    d_out = np.random.default_rng(2).normal(size=SHAPE)
    grads = aesara.grad((layer.get_output_for(symbols) * d_out).sum(), symbols)
    got = evaluate(grads, dict(zip(symbols, values, strict=True)))
    for found, expected in zip(got, oracle.gradient(*values, d_out), strict=True):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14)


def test_the_oracles_gradient_agrees_with_finite_differences():
    _, values, _ = a_case()
    d_out = np.random.default_rng(3).normal(size=SHAPE)
    grads = oracle.gradient(*values, d_out)
    step, at = 1e-6, (1, 2, 3, 4)
    for place, grad in enumerate(grads):
        sums = []
        for sign in (1, -1):
            moved = [value.copy() for value in values]
            moved[place][at] += sign * step
            sums.append((oracle.forward(*moved) * d_out).sum())
        assert (sums[0] - sums[1]) / (2 * step) == pytest.approx(grad[at], rel=1e-6)


def test_inputs_of_unlike_shapes_are_refused():
    with pytest.raises(ValueError, match=r"one shape, got .*\(None, 4\)"):
        HighwayGateLayer((None, 3), (None, 4), (None, 3))
