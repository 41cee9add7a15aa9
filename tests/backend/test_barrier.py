import aesara
import aesara.tensor as T
import numpy as np
import pytest

from crmn_legacy.backend.barrier import barrier
from crmn_legacy.backend.compile import compile_step


@pytest.mark.parametrize("backend", ["xla", "c"])
def test_values_pass_as_they_are(backend):
    x, y = T.vector("x"), T.vector("y")
    later = barrier(x, y)
    values = {name: np.array(value, aesara.config.floatX) for name, value in {"x": [1, 2], "y": [3, 4, 5]}.items()}
    step = compile_step({"x": x, "y": y}, {"x": later[0], "y": later[1]}, backend=backend)
    _, outputs = step(step.initial_state(), values)
    for name, value in values.items():
        np.testing.assert_array_equal(outputs[name], value)


def test_what_is_behind_it_is_not_taken_for_what_is_before_it():
    x, y = T.vector("x"), T.vector("y")
    values = {"x": np.ones(2, aesara.config.floatX), "y": np.ones(2, aesara.config.floatX)}

    def sines(later):
        step = compile_step({"x": x, "y": y}, {"both": T.sin(x) * T.exp(y) + T.sin(later)})
        return step.lower(step.initial_state(), values).compile().as_text().count("sine(")

    assert sines(x) == 1
    assert sines(barrier(x, y)[0]) == 2
