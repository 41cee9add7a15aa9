"""What a call of a step must bring."""

import aesara
import aesara.tensor as T
import jax
import lasagne
import numpy as np
import pytest

from crmn_legacy.backend.compile import compile_step


@pytest.fixture
def step():
    x, y = T.dmatrix("x"), T.TensorType("float64", (None, 1))("y")
    w, rate = aesara.shared(np.ones((3, 1)), name="w"), T.dscalar("rate")
    loss = ((T.dot(x, w) - y) ** 2).mean()
    return compile_step({"x": x, "y": y}, {"loss": loss}, lasagne.updates.sgd(loss, [w], rate), {"rate": rate})


X, Y = np.ones((4, 3)), np.zeros((4, 1))


@pytest.mark.parametrize(
    ("batch", "rates", "said"),
    [
        ({"x": X}, {"rate": 0.1}, r"got a batch without 'y', expected \['x', 'y'\]"),
        ({"x": X, "y": Y}, {}, r"got a rates without 'rate', expected \['rate'\]"),
        # It would be broadcast against all rows.
        ({"x": X, "y": Y[:, 0]}, {"rate": 0.1}, r"'y' has the shape \(4,\), expected 2 dimensions \(any, 1\)"),
        ({"x": X, "y": X}, {"rate": 0.1}, r"'y' has the shape \(4, 3\), expected 2 dimensions \(any, 1\)"),
        ({"x": X[0], "y": Y}, {"rate": 0.1}, r"'x' has the shape \(3,\), expected 2 dimensions \(any, any\)"),
        ({"x": X, "y": Y}, {"rate": [0.1]}, r"'rate' has the shape \(1,\), expected 0 dimensions"),
    ],
)
def test_what_a_call_lacks_is_told_by_its_name(step, batch, rates, said):
    with pytest.raises(ValueError, match=said):
        step(step.initial_state(), batch, rates)


def test_a_state_that_was_overwritten_is_told_as_that(step):
    state = step.initial_state()
    after, _ = step(state, {"x": X, "y": Y}, {"rate": 0.1})
    with pytest.raises(ValueError, match=r"has overwritten \('w' is gone\), expected the one that it returned: go on"):
        step(state, {"x": X, "y": Y}, {"rate": 0.1})
    step(after, {"x": X, "y": Y}, {"rate": 0.1})


def test_float64_is_computed_in_float64_whatever_jax_is_set_to(step):
    with jax.experimental.disable_x64():
        state, outputs = step(step.initial_state(), {"x": X / 3, "y": Y}, {"rate": 0.1})
        assert outputs["loss"].dtype == state["w"].dtype == np.float64
        assert not jax.config.jax_enable_x64
    np.testing.assert_allclose(float(outputs["loss"]), 1, rtol=1e-15)
