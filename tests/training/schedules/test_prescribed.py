"""The peers' schedules, update by update; a warm-up ends at the same update whatever the loop waited for."""

import json

import pytest
from msgspec import convert, to_builtins

from crmn_legacy.archive.checkpoint import ScheduleState
from crmn_legacy.training.schedules.prescribed import (
    ConstantSchedule,
    ExponentialSchedule,
    LinearSchedule,
    StepSchedule,
    WarmUp,
)


def rate(schedule, epoch=1, update=1, state=None):
    return schedule.rates(state or schedule.start(), epoch, update)["network"]


def test_shifts_by_epochs():
    schedule = StepSchedule(0.1, ((2, 0.1), (4, 0.5)))
    assert [rate(schedule, epoch) for epoch in (1, 2, 3, 4, 5)] == pytest.approx([0.1, 0.1, 0.01, 0.01, 0.005])


def test_shifts_by_updates():
    schedule = StepSchedule(0.1, ((10, 0.1),), unit="updates")
    assert [rate(schedule, 7, update) for update in (1, 10, 11)] == pytest.approx([0.1, 0.1, 0.01])


def test_shifts_are_counted_when_they_are_due():
    state = (by_epochs := StepSchedule(0.1, ((2, 0.1), (4, 0.5)))).start()
    counts = []
    for epoch in range(1, 6):
        state = by_epochs.after_epoch(state, epoch, 1.0)
        counts.append(state.shifts)
    assert counts == [0, 1, 1, 2, 2]
    by_updates = StepSchedule(0.1, ((3, 0.1),), unit="updates")
    assert by_updates.after_update(by_updates.start(), 2, {}).shifts == 0
    assert by_updates.after_update(by_updates.start(), 3, {}).shifts == 1


def test_the_best_epoch_is_that_of_the_least_validation_loss():
    schedule, state = ConstantSchedule(), ScheduleState()
    for epoch, loss in enumerate((0.5, 0.3, 0.4, 0.3), 1):
        state = schedule.after_epoch(state, epoch, loss)
    assert (state.best_epoch, state.best_loss) == (2, 0.3)


def test_a_warm_up_of_updates():
    schedule = StepSchedule(0.1, ((500, 0.1),), unit="updates", warm_up=WarmUp(0.01, updates=400))
    assert [rate(schedule, 1, update) for update in (1, 400, 401, 501)] == pytest.approx([0.01, 0.01, 0.1, 0.01])


ERRORS = [0.9, 0.9, 0.85, 0.7, 0.7, 0.9, 0.9, 0.9, 0.9]


def warm(error_known_late):
    """The rates of nine updates, each error being known before the next update or only after it."""
    schedule = StepSchedule(0.1, warm_up=WarmUp(0.01, training_error=0.8, window=2))
    state, rates, waiting = schedule.start(), [], []
    for update, error in enumerate(ERRORS, 1):
        rates.append(rate(schedule, 1, update, state))
        waiting.append((update, error))
        while len(waiting) > error_known_late:
            number, known = waiting.pop(0)
            state = schedule.after_update(state, number, {"training_error": known})
            state = convert(json.loads(json.dumps(to_builtins(state))), ScheduleState)
    return rates


def test_a_warm_up_ends_on_the_training_error_at_the_same_update_whatever_was_waited_for():
    # The mean of the errors 3 and 4 is the first below 0.8: update 4 ends it, update 6 is the first at the full rate.
    assert warm(False) == warm(True) == [0.01] * 5 + [0.1] * 4


def test_linear_rates_and_momentum():
    schedule = LinearSchedule(0.2, 0.5, 10, momentum=(0.5, 0.7, 4))
    assert schedule.components == ("network", "momentum")
    found = [schedule.rates(schedule.start(), epoch) for epoch in (1, 3, 11, 30)]
    assert [rates["network"] for rates in found] == pytest.approx([0.2, 0.18, 0.1, 0.1])
    assert [rates["momentum"] for rates in found] == pytest.approx([0.5, 0.6, 0.7, 0.7])
    assert LinearSchedule(0.2, 0.5, 10).components == ("network",)


def test_exponential_and_constant_rates():
    assert [rate(ExponentialSchedule(2.0, 0.5), epoch) for epoch in (1, 3)] == pytest.approx(
        [2.0, 2.0 * 2.718281828**-1]
    )
    assert rate(ConstantSchedule(), 50) == 1.0


def test_schedules_describe_themselves():
    described = StepSchedule(0.1, ((2, 0.1),), warm_up=WarmUp(0.01, updates=3)).describe()
    assert described["name"] == "steps" and described["warm_up"]["updates"] == 3
    assert json.loads(json.dumps(described))["shifts"] == [[2, 0.1]]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: WarmUp(0.01), "either updates or training_error"),
        (lambda: WarmUp(0.01, updates=3, training_error=0.5), "either updates or training_error"),
        (lambda: StepSchedule(0.1, unit="years"), "'epochs' or 'updates'"),
        (lambda: StepSchedule(0.1, ((5, 0.1), (5, 0.1))), "in order"),
    ],
)
def test_what_makes_no_schedule_is_refused(make, said):
    with pytest.raises(ValueError, match=said):
        make()
