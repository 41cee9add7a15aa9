"""The paper's learning-rate schedule as an explicit state machine (Section 4, first paragraph)."""

from dataclasses import asdict, dataclass

from msgspec.structs import replace

from crmn_legacy.archive.checkpoint import ScheduleState


@dataclass(frozen=True)
class RateSchedule:
    """Shifts of the learning rates when the validation loss has stopped falling.

    No shift happens before the end of epoch `minimum_epochs` (the paper's m). From then on a shift follows
    `patience` epochs after the best validation loss, or after the shift before, whichever came later. Round robin
    (the paper's RRLR) applies each factor to one component at a time: ResNet, then LSTM, then the output layer, each
    at a shift of its own, before the next factor begins. Otherwise a shift applies to all components at once.

    Parameters
    ----------
    rate : float
        Starting rate of every component.
    factors : tuple of float
        What successive shifts multiply by.
    minimum_epochs, patience : int
        In epochs; at least 1.
    components : tuple of str
        In the order of their turns.
    round_robin : bool
        One component at a time, or all at once.

    Raises
    ------
    ValueError
        A rate or factor that is not positive, or no component.
    """

    rate: float
    factors: tuple
    minimum_epochs: int
    patience: int
    components: tuple = ("resnet", "lstm", "output")
    round_robin: bool = False

    def __post_init__(self):
        if not self.rate > 0 or not all(factor > 0 for factor in self.factors) or not self.components:
            raise ValueError(f"expected positive rates and factors and at least one component, got {self}")
        if self.minimum_epochs < 1 or self.patience < 1:
            raise ValueError(f"expected minimum_epochs and patience of at least 1, got {self}")

    def start(self):
        """The state before the first epoch."""
        return ScheduleState()

    def rates(self, state, epoch=1, update=1):
        """Learning rate of each component in `state` (dict of str to float), for any epoch and update."""
        return {name: self._rate(place, state.shifts) for place, name in enumerate(self.components)}

    def _rate(self, place, shifts):
        rate = self.rate
        for number, factor in enumerate(self.factors):
            turn = number * len(self.components) + place if self.round_robin else number
            if shifts > turn:
                rate *= factor
        return rate

    def after_epoch(self, state, epoch, validation_loss):
        """The state after `epoch` (from 1), whose validation loss was `validation_loss`.

        Returns
        -------
        ScheduleState
            With `best_epoch` equal to `epoch` if this was the best so far, and with one shift more if one was due.
        """
        if validation_loss < state.best_loss:
            state = replace(state, best_loss=validation_loss, best_epoch=epoch)
        waited = epoch - max(state.best_epoch, state.last_shift)
        if epoch >= self.minimum_epochs and waited >= self.patience and state.shifts < self._shifts_in_all():
            state = replace(state, shifts=state.shifts + 1, last_shift=epoch)
        return state

    def trained(self, epoch):
        """The components that are trained in an epoch (tuple of str): all."""
        return self.components

    def after_update(self, state, update, outputs):
        """The state after an update: as before."""
        return state

    def _shifts_in_all(self):
        return len(self.factors) * (len(self.components) if self.round_robin else 1)

    def describe(self):
        """The schedule in plain words and numbers, for ``--describe`` and provenance."""
        return asdict(self)
