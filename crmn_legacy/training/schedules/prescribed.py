"""Schedules of the peers: rates that follow from the epoch or the update, and warm-ups.

Each has what the loop asks of a schedule: `components`; `start`, `trained`, `rates`, `after_update`, `after_epoch`,
`describe`.
"""

import math
from dataclasses import asdict, dataclass
from typing import ClassVar

from msgspec.structs import replace

from crmn_legacy.archive.checkpoint import ScheduleState
from crmn_legacy.training.optimizers import MOMENTUM


@dataclass(frozen=True)
class WarmUp:
    """A lower rate at the start, for a number of updates or until the training error has fallen.

    Parameters
    ----------
    rate : float
        The lower rate.
    updates : int, optional
        How many updates have it.
    training_error : float, optional
        Its end: the mean error, a fraction, of the latest `window` updates' training pictures is below this. The rate
        is the full one from the second update after that on, so that the loop need not wait for any update's result.
    window : int
        Updates that the mean is over.

    Raises
    ------
    ValueError
        Both ends are given, or none.
    """

    rate: float
    updates: int | None = None
    training_error: float | None = None
    window: int = 10

    def __post_init__(self):
        if (self.updates is None) == (self.training_error is None):
            raise ValueError(f"WarmUp expects either updates or training_error, got {self}")

    def applies(self, state, update):
        """Whether `update` (from 1) still has the lower rate."""
        if self.updates is not None:
            return update <= self.updates
        return not state.warm_until or update <= state.warm_until

    def after_update(self, state, update, error):
        """The state after `update`, whose training error was `error`."""
        if self.training_error is None or state.warm_until:
            return state
        recent = (*state.recent, float(error))[-self.window :]
        if len(recent) == self.window and math.fsum(recent) / self.window < self.training_error:
            return replace(state, warm_until=update + 1, recent=())
        return replace(state, recent=recent)


@dataclass(frozen=True)
class _Schedule:
    """What the schedules of this file have in common: one rate for all, the best validation loss remembered."""

    components: ClassVar[tuple] = ("network",)

    def start(self):
        """The state before the first epoch."""
        return ScheduleState()

    def rates(self, state, epoch=1, update=1):
        """Learning rate of each component (dict of str to float).

        Parameters
        ----------
        state : ScheduleState
        epoch, update : int
            The epoch and the update that the rates are for, both from 1.
        """
        return {"network": self._rate(state, epoch, update)}

    def trained(self, epoch):
        """What has a rate in an epoch (tuple of str): all of `components`."""
        return self.components

    def after_update(self, state, update, outputs):
        """The state after `update` (from 1), which gave `outputs` (dict of str to float)."""
        return state

    def after_epoch(self, state, epoch, validation_loss):
        """The state after `epoch` (from 1): `best_epoch` equals it if its loss is the least so far."""
        if validation_loss < state.best_loss:
            state = replace(state, best_loss=validation_loss, best_epoch=epoch)
        return self._counted(state, epoch)

    def _counted(self, state, epoch):
        return state

    def describe(self):
        """Name and settings, for ``--describe`` and provenance."""
        return {"name": self.name, **asdict(self)}


@dataclass(frozen=True)
class StepSchedule(_Schedule):
    """A rate that is multiplied at given epochs or updates.

    Parameters
    ----------
    rate : float
        At the start.
    shifts : tuple of (int, float)
        After so many epochs (or updates) the rate is multiplied by this.
    unit : {'epochs', 'updates'}
        What the shifts count.
    warm_up : WarmUp, optional

    Raises
    ------
    ValueError
        An unknown unit, or shifts that are not in order.
    """

    name: ClassVar[str] = "steps"

    rate: float
    shifts: tuple = ()
    unit: str = "epochs"
    warm_up: WarmUp | None = None

    def __post_init__(self):
        places = [place for place, _ in self.shifts]
        if self.unit not in ("epochs", "updates") or places != sorted(set(places)):
            raise ValueError(f"StepSchedule expects unit 'epochs' or 'updates' and shifts in order, got {self}")

    def _rate(self, state, epoch, update):
        if self.warm_up is not None and self.warm_up.applies(state, update):
            return self.warm_up.rate
        rate, now = self.rate, epoch if self.unit == "epochs" else update
        for place, factor in self.shifts:
            if now > place:
                rate *= factor
        return rate

    def after_update(self, state, update, outputs):
        """The state after `update`: a warm-up may take its training error in; shifts that are due are counted."""
        if self.warm_up is not None and self.warm_up.training_error is not None:
            state = self.warm_up.after_update(state, update, outputs["training_error"])
        if self.unit == "updates":
            state = self._shifted(state, update)
        return state

    def _counted(self, state, epoch):
        return self._shifted(state, epoch) if self.unit == "epochs" else state

    def _shifted(self, state, now):
        made = sum(now >= place for place, _ in self.shifts)
        return state if made == state.shifts else replace(state, shifts=made)


@dataclass(frozen=True)
class LinearSchedule(_Schedule):
    """A rate, and if wanted a momentum, that change by equal amounts from epoch to epoch.

    Parameters
    ----------
    rate : float
        In the first epoch.
    last_factor : float
        The rate ends at `last_factor` times the first one ...
    epochs : int
        ... after so many epochs, and stays there.
    momentum : (float, float, int), optional
        The first momentum, the last, and after how many epochs it is reached.

    References
    ----------
    Goodfellow et al., 2013, "Maxout networks": pylearn2's ``LinearDecayOverEpoch`` and ``MomentumAdjustor``.
    """

    name: ClassVar[str] = "linear"

    rate: float
    last_factor: float
    epochs: int
    momentum: tuple | None = None

    @property
    def components(self):
        """What the schedule gives: the rate of all, and the momentum where it changes."""
        return ("network",) if self.momentum is None else ("network", MOMENTUM)

    def rates(self, state, epoch=1, update=1):
        """Learning rate, and the momentum where it changes (dict of str to float), by the epoch alone."""
        part = min((epoch - 1) / self.epochs, 1.0)
        rates = {"network": self.rate * (1 + (self.last_factor - 1) * part)}
        if self.momentum is not None:
            first, last, epochs = self.momentum
            rates[MOMENTUM] = first + (last - first) * min((epoch - 1) / epochs, 1.0)
        return rates


@dataclass(frozen=True)
class ExponentialSchedule(_Schedule):
    """A rate that falls by the same factor from epoch to epoch: rate exp(-decay (epoch - 1)).

    Parameters
    ----------
    rate : float
        In the first epoch.
    decay : float
    """

    name: ClassVar[str] = "exponential"

    rate: float
    decay: float

    def _rate(self, state, epoch, update):
        return self.rate * math.exp(-self.decay * (epoch - 1))


@dataclass(frozen=True)
class ConstantSchedule(_Schedule):
    """One rate for ever; 1 where the optimiser finds its steps by itself.

    Parameters
    ----------
    rate : float
    """

    name: ClassVar[str] = "constant"

    rate: float = 1.0

    def _rate(self, state, epoch, update):
        return self.rate
