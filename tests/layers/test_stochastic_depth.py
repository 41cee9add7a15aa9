import aesara
import aesara.tensor as T
import numpy as np
import pytest

from crmn_legacy.backend.compile import compile_step
from crmn_legacy.layers import StochasticDepthLayer
from crmn_legacy.training.steps import build
from tests.evaluate import evaluate
from tests.oracles import stochastic_depth as oracle

SHAPE = (3, 2, 4, 5)
X = np.random.default_rng(1).normal(size=SHAPE).astype("float32")


def a_layer(survival=0.5, seed=1):
    return build(lambda: StochasticDepthLayer((None, *SHAPE[1:]), survival, name="block.survival"), seed)


def a_step(survival=0.5, seed=1, **flags):
    """A compiled step that gives the output and the gradient of the output's sum."""
    symbol = T.tensor4(dtype="float32")
    output = a_layer(survival, seed).get_output_for(symbol, **flags)
    return compile_step({"x": symbol}, {"y": output, "d_x": aesara.grad(output.sum(), symbol)}, donate=False)


def gates(step, updates):
    """Gate of each update; output and gradient agree with the oracle for it."""
    state, found = step.initial_state(), []
    for _ in range(updates):
        state, outputs = step(state, {"x": X})
        outputs = step.get_outputs(outputs)
        gate = int(outputs["y"].any())
        np.testing.assert_array_equal(outputs["y"], oracle.training(X, gate))
        np.testing.assert_array_equal(outputs["d_x"], np.full_like(X, gate))
        found.append(gate)
    return found


def test_while_training_a_batch_has_all_of_the_residual_or_none():
    assert set(gates(a_step(), 20)) == {0, 1}


def test_gates_are_a_function_of_the_seed_and_change_from_update_to_update():
    one, again, other = (gates(a_step(seed=seed), 40) for seed in (1, 1, 2))
    assert one == again != other
    assert one[:20] != one[20:]


@pytest.mark.parametrize("survival", [0.2, 0.9])
def test_residuals_survive_as_often_as_asked(survival):
    updates = 400
    deviation = (survival * (1 - survival) / updates) ** 0.5
    assert np.mean(gates(a_step(survival), updates)) == pytest.approx(survival, abs=4 * deviation)


def test_the_state_is_one_stream():
    step = a_step()
    assert step.state_names == ["block.survival.rng"]
    assert step.get(step.initial_state())["block.survival.rng"].shape == (1, 6)


def test_one_draw_serves_batches_of_any_size():
    state = (step := a_step()).initial_state()
    for rows in (1, 2):
        state, outputs = step(state, {"x": X[:rows]})
        assert step.get_outputs(outputs)["y"].shape == (rows, *SHAPE[1:])


def test_when_deterministic_the_residual_is_scaled_by_its_survival():
    step = a_step(0.7, deterministic=True)
    assert step.state_names == []
    outputs = step.get_outputs(step(step.initial_state(), {"x": X})[1])
    np.testing.assert_allclose(outputs["y"], oracle.deterministic(X, np.float32(0.7)), rtol=1e-6)
    np.testing.assert_allclose(outputs["d_x"], 0.7, rtol=1e-6)


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("deterministic", [False, True])
def test_a_residual_that_always_survives_passes_as_it_is(deterministic):
    symbol = T.tensor4()
    (got,) = evaluate([a_layer(1.0).get_output_for(symbol, deterministic=deterministic)], {symbol: X.astype(float)})
    np.testing.assert_array_equal(got, X)


@pytest.mark.parametrize("survival", [0, -0.1, 1.1])
def test_a_survival_out_of_range_is_refused(survival):
    with pytest.raises(ValueError, match=rf"survival in \(0, 1\], got {survival}"):
        a_layer(survival)
