"""The schedule as the paper tells it: when it shifts, what a shift multiplies, and that a checkpoint can hold it."""

import itertools
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import convert, to_builtins

from crmn_legacy.archive.checkpoint import ScheduleState
from crmn_legacy.training.schedules.rate_shifts import RateSchedule

FACTORS = (0.1, 0.5, 0.2)
losses = st.lists(st.floats(0, 100, allow_nan=False), min_size=1, max_size=80)
schedules = st.builds(
    RateSchedule,
    rate=st.floats(1e-3, 1),
    factors=st.lists(st.floats(0.05, 0.9), max_size=4).map(tuple),
    minimum_epochs=st.integers(1, 12),
    patience=st.integers(1, 6),
    components=st.sampled_from([("all",), ("resnet", "output"), ("resnet", "lstm", "output")]),
    round_robin=st.booleans(),
)


def states(schedule, values):
    """The state after each epoch."""
    found, state = [], schedule.start()
    for epoch, loss in enumerate(values, start=1):
        state = schedule.after_epoch(state, epoch, loss)
        found.append(state)
    return found


def shift_epochs(schedule, values):
    found = states(schedule, values)
    before = [0, *(state.shifts for state in found)]
    return [epoch for epoch in range(1, len(found) + 1) if before[epoch] > before[epoch - 1]]


def test_no_shift_before_epoch_m_then_one_every_patience_epochs_without_a_better_loss():
    schedule = RateSchedule(1.0, FACTORS, minimum_epochs=40, patience=5)
    assert shift_epochs(schedule, [1.0] + [2.0] * 79) == [40, 45, 50]


def test_a_better_loss_puts_the_shift_off():
    schedule = RateSchedule(1.0, FACTORS, minimum_epochs=3, patience=4)
    # Best at epochs 1, 4 and 9: shifts 4 epochs after the best, or after the shift before.
    values = [9, 9, 9, 5, 6, 6, 6, 6, 4, 6, 6, 6, 6, 6, 6, 6, 6, 6]
    assert shift_epochs(schedule, values) == [8, 13, 17]


def test_an_equal_loss_is_no_better_one():
    schedule = RateSchedule(1.0, (0.1,), minimum_epochs=1, patience=3)
    assert shift_epochs(schedule, [1.0] * 10) == [4]


def test_round_robin_gives_each_factor_to_resnet_then_lstm_then_output():
    schedule = RateSchedule(1.0, FACTORS, minimum_epochs=1, patience=1, round_robin=True)
    found = [
        tuple(round(rate, 12) for rate in schedule.rates(ScheduleState(shifts=shifts)).values()) for shifts in range(11)
    ]
    assert list(schedule.rates(schedule.start())) == ["resnet", "lstm", "output"]
    assert found == [
        (1, 1, 1),
        (0.1, 1, 1),
        (0.1, 0.1, 1),
        (0.1, 0.1, 0.1),
        (0.05, 0.1, 0.1),
        (0.05, 0.05, 0.1),
        (0.05, 0.05, 0.05),
        (0.01, 0.05, 0.05),
        (0.01, 0.01, 0.05),
        (0.01, 0.01, 0.01),
        (0.01, 0.01, 0.01),
    ]


def test_otherwise_a_shift_is_for_all_components_at_once():
    schedule = RateSchedule(0.4, FACTORS, minimum_epochs=1, patience=1)
    for shifts, product in enumerate([1, 0.1, 0.05, 0.01, 0.01]):
        rates = schedule.rates(ScheduleState(shifts=shifts))
        assert len(set(rates.values())) == 1
        assert rates["lstm"] == pytest.approx(0.4 * product, rel=1e-12)


@given(schedules, losses)
def test_shifts_keep_to_m_and_patience_and_are_bounded(schedule, values):
    epochs = shift_epochs(schedule, values)
    assert len(epochs) <= len(schedule.factors) * (len(schedule.components) if schedule.round_robin else 1)
    before = 0
    for epoch in epochs:
        best = min(range(epoch), key=lambda place: values[place]) + 1
        assert epoch >= schedule.minimum_epochs
        assert epoch - max(best, before) >= schedule.patience
        before = epoch


@given(schedules, losses)
def test_a_shift_that_is_due_happens(schedule, values):
    """Without this a schedule that never shifts would pass."""
    in_all = len(schedule.factors) * (len(schedule.components) if schedule.round_robin else 1)
    epochs = set(shift_epochs(schedule, values))
    made, last = 0, 0
    for epoch in range(1, len(values) + 1):
        best = min(range(epoch), key=lambda place: values[place]) + 1
        due = epoch >= schedule.minimum_epochs and epoch - max(best, last) >= schedule.patience and made < in_all
        assert (epoch in epochs) == due
        if due:
            made, last = made + 1, epoch


@given(schedules, losses)
def test_best_epoch_is_the_first_of_the_least_loss(schedule, values):
    state = states(schedule, values)[-1]
    assert state.best_loss == min(values)
    assert state.best_epoch == values.index(min(values)) + 1


@given(schedules, losses)
def test_rates_never_rise_and_end_at_the_product_of_all_factors(schedule, values):
    rates = [schedule.rates(state) for state in [schedule.start(), *states(schedule, values)]]
    assert set(rates[0].values()) == {schedule.rate}
    for before, after in itertools.pairwise(rates):
        assert all(after[name] <= before[name] for name in schedule.components)
        changed = [name for name in schedule.components if after[name] < before[name]]
        assert len(changed) in ((0, 1) if schedule.round_robin else (0, len(schedule.components)))
    last = schedule.rates(ScheduleState(shifts=10**6))
    assert last == pytest.approx(dict.fromkeys(last, schedule.rate * math.prod(schedule.factors)), rel=1e-12)


@given(schedules, losses, st.integers(0, 79))
def test_a_state_that_went_through_json_goes_on_alike(schedule, values, place):
    whole = states(schedule, values)
    place = min(place, len(whole) - 1)
    state = convert(json.loads(json.dumps(to_builtins(whole[place]))), ScheduleState)
    assert state == whole[place]
    for epoch in range(place + 2, len(values) + 1):
        state = schedule.after_epoch(state, epoch, values[epoch - 1])
    assert state == whole[-1]


def test_the_state_before_any_epoch_goes_through_json():
    state = RateSchedule(1.0, FACTORS, 1, 1).start()
    assert convert(json.loads(json.dumps(to_builtins(state))), ScheduleState) == state


@pytest.mark.parametrize(
    "wrong",
    [
        {"rate": 0.0},
        {"rate": math.nan},
        {"factors": (0.1, -0.5)},
        {"components": ()},
        {"minimum_epochs": 0},
        {"patience": 0},
    ],
)
def test_settings_that_make_no_schedule_are_refused(wrong):
    with pytest.raises(ValueError, match="expected"):
        RateSchedule(**{"rate": 0.1, "factors": FACTORS, "minimum_epochs": 1, "patience": 1, **wrong})
