import aesara
import aesara.tensor as T
import numpy as np
import pytest

from crmn_legacy.backend.compile import compile_step
from crmn_legacy.layers import SwapoutLayer
from crmn_legacy.training.steps import build
from tests.oracles import swapout as oracle

SHAPE = (3, 4, 10, 10)
RANDOM = np.random.default_rng(1)
X, F = (RANDOM.normal(size=SHAPE).astype("float32") for _ in range(2))


def a_layer(keep=(0.6, 0.8), seed=1):
    shape = (None, *SHAPE[1:])
    return build(lambda: SwapoutLayer(shape, shape, keep, name="block.swapout"), seed)


def a_step(keep=(0.6, 0.8), seed=1, **flags):
    """A compiled step that gives the output and the gradients of its sum, which are the masks."""
    symbols = {"x": T.tensor4(dtype="float32"), "f": T.tensor4(dtype="float32")}
    output = a_layer(keep, seed).get_output_for(list(symbols.values()), **flags)
    d_x, d_f = aesara.grad(output.sum(), list(symbols.values()))
    return compile_step(symbols, {"y": output, "d_x": d_x, "d_f": d_f}, donate=False)


def run(step, updates=1):
    """Outputs of each update."""
    state, found = step.initial_state(), []
    for _ in range(updates):
        state, outputs = step(state, {"x": X, "f": F})
        found.append(step.get_outputs(outputs))
    return found


@pytest.mark.parametrize("flags", [{}, {"sampling": True}, {"deterministic": True, "sampling": True}])
def test_units_of_both_inputs_are_kept_by_chance_and_not_scaled(flags):
    for outputs in run(a_step(**flags), 3):
        theta1, theta2 = outputs["d_x"], outputs["d_f"]
        np.testing.assert_array_equal(outputs["y"], oracle.sampled(X, F, theta1, theta2))
        for theta, keep in ((theta1, 0.6), (theta2, 0.8)):
            assert theta.mean() == pytest.approx(keep, abs=4 * (keep * (1 - keep) / theta.size) ** 0.5)
        # Independent of each other, and of their neighbours in the batch.
        assert abs(np.corrcoef(theta1.ravel(), theta2.ravel())[0, 1]) < 4 / theta1.size**0.5
        assert (theta1[0] != theta1[1]).any()


@pytest.mark.usefixtures("double")
def test_gradients_are_those_of_the_equation():
    symbols = {"x": T.tensor4(), "f": T.tensor4(), "d_y": T.tensor4()}
    output = a_layer().get_output_for([symbols["x"], symbols["f"]])
    masks = aesara.grad(output.sum(), [symbols["x"], symbols["f"]])
    grads = aesara.grad((output * symbols["d_y"]).sum(), [symbols["x"], symbols["f"]])
    step = compile_step(symbols, dict(zip(("theta1", "theta2", "d_x", "d_f"), [*masks, *grads], strict=True)))
    d_y = np.random.default_rng(2).normal(size=SHAPE)
    found = step.get_outputs(step(step.initial_state(), {"x": X.astype(float), "f": F.astype(float), "d_y": d_y})[1])
    expected = oracle.gradient(found["theta1"], found["theta2"], d_y)
    for got, wanted in zip((found["d_x"], found["d_f"]), expected, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-14)


def test_masks_are_a_function_of_the_seed_and_change_from_update_to_update():
    one, again, other = (run(a_step(seed=seed), 2) for seed in (1, 1, 2))
    for name in ("d_x", "d_f"):
        for first, second in zip(one, again, strict=True):
            np.testing.assert_array_equal(first[name], second[name])
        assert (one[0][name] != one[1][name]).any()
        assert (one[0][name] != other[0][name]).any()


def test_when_deterministic_the_masks_means_stand_for_them():
    step = a_step(deterministic=True)
    assert step.state_names == []
    (outputs,) = run(step)
    np.testing.assert_allclose(outputs["y"], oracle.expected(X, F, 0.6, 0.8), rtol=0, atol=1e-6)


def test_the_deterministic_output_is_the_mean_over_the_masks():
    draws = 200
    mean = sum(outputs["y"] for outputs in run(a_step(), draws)) / draws
    deviation = np.sqrt((X**2 * 0.24 + F**2 * 0.16) / draws)
    assert (np.abs(mean - oracle.expected(X, F, 0.6, 0.8)) <= 6 * deviation + 1e-5).all()


@pytest.mark.parametrize("flags", [{}, {"deterministic": True}, {"sampling": True}])
def test_where_all_is_kept_it_is_a_plain_sum_without_draws(flags):
    step = a_step(keep=(1.0, 1.0), **flags)
    assert step.state_names == []
    np.testing.assert_array_equal(run(step)[0]["y"], X + F)


def test_each_mask_has_a_stream_of_its_own():
    assert a_step().state_names == ["block.swapout.residual.rng", "block.swapout.shortcut.rng"]


@pytest.mark.parametrize("keep", [(0, 0.5), (0.5, 1.5), (0.5,)])
def test_probabilities_out_of_range_are_refused(keep):
    with pytest.raises(ValueError, match=r"two probabilities in \(0, 1\]"):
        a_layer(keep)


def test_inputs_of_unlike_shapes_are_refused():
    with pytest.raises(ValueError, match="one shape"):
        SwapoutLayer((None, 3, 4, 4), (None, 4, 4, 4))
