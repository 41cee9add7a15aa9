"""A program behind a step's methods: what is not as the bundle was made for is told."""

from types import SimpleNamespace

import numpy as np
import pytest

from crmn_legacy.backend.programs.reading import ProgramStep
from crmn_legacy.errors import UserError


class Doubles:
    """Stands for a program of one array."""

    inputs = ({"part": "state", "name": "W"},)
    put = get = staticmethod(dict)

    def __call__(self, state, batch, rates):
        return {"state": {"W": 2 * state["W"]}, "outputs": {"loss": rates["all"]}}


@pytest.fixture
def step():
    described = {"batch": {"images": {"shape": [2, 1, 8, 8], "dtype": "uint8"}}, "seed": 1, "files": {}}
    bundle = SimpleNamespace(
        described=described,
        folder="bundle",
        program=lambda name, platform: Doubles(),
        initial_state=lambda seed: {"W": np.full(3, seed)},
    )
    return ProgramStep(bundle, "train", "cpu", seed=5)


def test_a_step_keeps_what_its_program_has_not(step):
    state = step.initial_state() | {"other": 1}
    new, outputs = step(state, {"images": np.zeros((2, 1, 8, 8), np.uint8)}, {"all": 0.5})
    assert new["W"].tolist() == [10, 10, 10] and new["other"] == 1
    assert step.get_outputs(outputs) == {"loss": np.array(0.5)}


def test_stored_first_weights_are_of_one_seed(step):
    step._bundle.described["files"]["initial.npz"] = "digest"
    with pytest.raises(UserError, match="--seed got 5 with a bundle whose first weights are stored, expected 1"):
        step.initial_state()


@pytest.mark.parametrize("images", [np.zeros((2, 1, 8, 9), np.uint8), np.zeros((2, 1, 8, 8), np.float32)])
def test_data_of_another_shape_are_refused(step, images):
    with pytest.raises(UserError, match=r"expected uint8 \(2, 1, 8, 8\), for which the bundle 'bundle' was made"):
        step(step.initial_state(), {"images": images}, {"all": 0.5})
