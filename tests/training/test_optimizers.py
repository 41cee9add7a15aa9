"""Nesterov's momentum, a rate a component."""

import aesara
import aesara.tensor as T
import numpy as np
import pytest

from crmn_legacy.backend.compile import compile_step
from crmn_legacy.training.optimizers import NesterovMomentum, component_of
from tests.oracles import nesterov

MOMENTUM = 0.85
RATES = {"resnet": 0.03, "lstm": 0.2, "output": 0.007}
NAMES = ("stem.conv.W", "stage1.block1.bn1.gamma", "lstm.W_in_to_cell", "lstm.b_cell", "output.W", "output.b")


@pytest.fixture
def problem(double):
    """Parameters of all components, and a loss in which each one's gradient reads all the others."""
    random = np.random.default_rng(5)
    parameters = [aesara.shared(random.normal(size=(3, 4)), name=name) for name in NAMES]
    x = T.matrix("x")
    loss = (T.tanh(sum(parameters)) * x).sum() + 0.5 * sum((p**2).sum() for p in parameters)
    rates = {name: T.scalar(name) for name in RATES}
    updates = NesterovMomentum(MOMENTUM).updates(loss, parameters, rates)
    step = compile_step({"x": x}, {"loss": loss}, updates, rates)
    return step, random


def gradient(values, x, name):
    return x * (1 - np.tanh(sum(values.values())) ** 2) + values[name]


def test_follows_the_oracle_over_several_steps_with_three_rates(problem):
    step, random = problem
    state = step.initial_state()
    expected = step.get(state)
    values = {name: expected[name] for name in NAMES}
    velocities = {name: np.zeros((3, 4)) for name in NAMES}
    for number in range(5):
        x = random.normal(size=(3, 4))
        # The second component's rate changes on the way, as a schedule changes it.
        rates = {**RATES, "lstm": RATES["lstm"] / (1 + number)}
        state, _ = step(state, {"x": x}, {name: np.float64(rate) for name, rate in rates.items()})
        slopes = {name: gradient(values, x, name) for name in NAMES}
        for name in NAMES:
            values[name], velocities[name] = nesterov.step(
                values[name], velocities[name], slopes[name], rates[component_of(name)], MOMENTUM
            )
        found = step.get(state)
        for name in NAMES:
            np.testing.assert_allclose(found[name], values[name], rtol=0, atol=1e-12)
            np.testing.assert_allclose(found[f"{name}.velocity"], velocities[name], rtol=0, atol=1e-12)


def test_a_rate_moves_its_own_component_alone(problem):
    step, _ = problem
    before = step.get(step.initial_state())
    rates = {**dict.fromkeys(RATES, np.float64(0)), "lstm": np.float64(0.1)}
    after = step.get(step(step.initial_state(), {"x": np.ones((3, 4))}, rates)[0])
    moved = {name for name in NAMES if not np.array_equal(before[name], after[name])}
    assert moved == {"lstm.W_in_to_cell", "lstm.b_cell"}


def test_every_parameter_has_a_velocity_named_after_it(problem):
    step, _ = problem
    assert set(step.state_names) == {*NAMES, *(f"{name}.velocity" for name in NAMES)}
    assert all(not step.get(step.initial_state())[f"{name}.velocity"].any() for name in NAMES)


def test_the_oracle_is_the_textbook_method_seen_from_the_point_ahead():
    def slope(value):
        return np.sin(value) + value

    behind, velocity = np.array([1.0, -2.0]), np.zeros(2)
    ahead, its_velocity = behind.copy(), np.zeros(2)
    for _ in range(6):
        behind, velocity = nesterov.textbook(behind, velocity, slope, 0.1, MOMENTUM)
        ahead, its_velocity = nesterov.step(ahead, its_velocity, slope(ahead), 0.1, MOMENTUM)
        np.testing.assert_allclose(ahead, behind + MOMENTUM * velocity, rtol=1e-12)
    np.testing.assert_allclose(its_velocity, velocity, rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "component"),
    [
        ("lstm.W_cell_to_outgate", "lstm"),
        ("output.b", "output"),
        ("stem.conv.W", "resnet"),
        ("stage3.block2.shortcut.bn.beta", "resnet"),
        ("output_of_stage.W", "resnet"),
        ("lstm2.W", "resnet"),
    ],
)
def test_component_is_told_by_the_head_of_the_path(name, component):
    assert component_of(name) == component


def test_describes_itself():
    assert NesterovMomentum(0.9).describe() == {"name": "nesterov_momentum", "momentum": 0.9}
