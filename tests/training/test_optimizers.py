"""Nesterov's momentum, a rate a component."""

import aesara
import aesara.tensor as T
import numpy as np
import pytest

from crmn_legacy.backend.compile import compile_step
from crmn_legacy.training.optimizers import (
    Adadelta,
    Momentum,
    NesterovMomentum,
    TorchMomentum,
    TorchNesterov,
    component_of,
)
from tests.oracles import descent, nesterov

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


def steps_of(optimizer, start, slopes, rates):
    """What an optimiser makes of a vector under given gradients and rates: its states, one an update."""
    parameter = aesara.shared(np.array(start), name="conv.W")
    g, rate = T.vector("g"), {name: T.scalar(name) for name in rates[0]}
    updates = optimizer.updates((parameter * g).sum(), [parameter], rate)
    step = compile_step({"g": g}, {}, updates, rate)
    state, found = step.initial_state(), []
    for slope, given in zip(slopes, rates, strict=True):
        state, _ = step(state, {"g": slope}, {name: np.float64(value) for name, value in given.items()})
        found.append(step.get(state))
    return found


START = np.array([0.3, -1.2, 2.0])
SLOPES = np.random.default_rng(2).normal(size=(6, 3))
FALLING = [{"network": 0.1 / (1 + number)} for number in range(6)]


@pytest.mark.parametrize(
    ("optimizer", "oracle"),
    [
        (Momentum(0.8), descent.momentum),
        (TorchMomentum(0.8), descent.torch_momentum),
        (TorchNesterov(0.8), descent.torch_nesterov),
        (NesterovMomentum(0.8), nesterov.step),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_momentum_in_each_form_follows_its_oracle_while_the_rate_falls(double, optimizer, oracle):
    value, velocity = START, np.zeros(3)
    for state, slope, rate in zip(steps_of(optimizer, START, SLOPES, FALLING), SLOPES, FALLING, strict=True):
        value, velocity = oracle(value, velocity, slope, rate["network"], 0.8)
        np.testing.assert_allclose(state["conv.W"], value, rtol=0, atol=1e-12)
        np.testing.assert_allclose(state["conv.W.velocity"], velocity, rtol=0, atol=1e-12)


def test_torchs_form_differs_from_lasagnes_only_where_the_rate_changes(double):
    steady = [{"network": 0.1}] * 6
    for theirs, ours in ((TorchNesterov(0.8), NesterovMomentum(0.8)), (TorchMomentum(0.8), Momentum(0.8))):
        there, here = (steps_of(one, START, SLOPES, steady)[-1]["conv.W"] for one in (theirs, ours))
        np.testing.assert_allclose(there, here, rtol=0, atol=1e-12)
        there, here = (steps_of(one, START, SLOPES, FALLING)[-1]["conv.W"] for one in (theirs, ours))
        assert abs(there - here).max() > 1e-3


def test_dampening_scales_the_gradient(double):
    damped = steps_of(NesterovMomentum(0.9, dampening=0.75), START, SLOPES, FALLING)[-1]
    slower = steps_of(NesterovMomentum(0.9), START, SLOPES, [{"network": r["network"] / 4} for r in FALLING])[-1]
    np.testing.assert_allclose(damped["conv.W"], slower["conv.W"], rtol=0, atol=1e-12)
    assert NesterovMomentum(0.9, 0.75).describe()["dampening"] == 0.75


def test_a_schedule_that_gives_the_momentum_overrides_it(double):
    given = [{"network": 0.1, "momentum": 0.3}] * 6
    found = steps_of(Momentum(0.9), START, SLOPES, given)[-1]
    expected = steps_of(Momentum(0.3), START, SLOPES, [{"network": 0.1}] * 6)[-1]
    np.testing.assert_array_equal(found["conv.W"], expected["conv.W"])


def test_adadelta_follows_its_oracle(double):
    value, squares, steps = START, np.zeros(3), np.zeros(3)
    for state, slope in zip(steps_of(Adadelta(0.9, 1e-6), START, SLOPES, FALLING), SLOPES, strict=True):
        rate = FALLING[int(np.flatnonzero((slope == SLOPES).all(axis=1))[0])]["network"]
        value, squares, steps = descent.adadelta(value, squares, steps, slope, rate, 0.9, 1e-6)
        np.testing.assert_allclose(state["conv.W"], value, rtol=0, atol=1e-12)
        np.testing.assert_allclose(state["conv.W.mean_square_gradient"], squares, rtol=0, atol=1e-12)
        np.testing.assert_allclose(state["conv.W.mean_square_step"], steps, rtol=0, atol=1e-12)


def test_the_first_multiplier_that_fits_a_name_counts(double):
    parameters = [aesara.shared(np.ones(2), name=name) for name in ("a.W", "a.b", "output.b")]
    optimizer = Momentum(0.0, rate_multipliers=(("output.*", 3.0), ("*.b", 2.0)))
    rate = {"network": T.scalar("network")}
    step = compile_step({}, {}, optimizer.updates(sum(p.sum() for p in parameters), parameters, rate), rate)
    state = step.get(step(step.initial_state(), {}, {"network": np.float64(0.1)})[0])
    for name, moved in (("a.W", 0.1), ("a.b", 0.2), ("output.b", 0.3)):
        np.testing.assert_allclose(state[name], 1 - moved, rtol=1e-12)


def test_a_parameter_of_no_component_is_refused():
    assert component_of("stem.conv.W", ("network", "momentum")) == "network"
    assert component_of("denoiser.conv1.W", ("rcn", "denoiser")) == "denoiser"
    with pytest.raises(ValueError, match=r"'stem.W' belongs to none of the components \('rcn', 'denoiser'\)"):
        component_of("stem.W", ("rcn", "denoiser"))
