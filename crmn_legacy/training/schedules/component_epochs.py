"""A schedule of parts that are trained for unlike numbers of epochs."""

from dataclasses import dataclass
from typing import ClassVar

from crmn_legacy.training.schedules.prescribed import ConstantSchedule


@dataclass(frozen=True)
class SpanSchedule(ConstantSchedule):
    """One rate for each part of a network until its last epoch; what only trains a part that is done is left out.

    Parameters
    ----------
    rate : float
    spans : tuple of (str, int)
        Components, and the last epoch of each; the first words of the layers' paths.

    Raises
    ------
    ValueError
        No component, or a last epoch below 1.

    Examples
    --------
    >>> schedule = SpanSchedule(rate=1.0, spans=(("rcn", 3000), ("denoiser", 100)))
    >>> schedule.rates(schedule.start(), epoch=101)
    {'rcn': 1.0, 'denoiser': 0.0}
    """

    name: ClassVar[str] = "spans"

    spans: tuple = ()

    def __post_init__(self):
        if not self.spans or any(last < 1 for _, last in self.spans):
            raise ValueError(f"SpanSchedule expects components with last epochs of at least 1, got {self.spans}")

    @property
    def components(self):
        """Names of the parts."""
        return tuple(component for component, _ in self.spans)

    def trained(self, epoch):
        """The components whose last epoch is not over (tuple of str); all once none is left, with rates of 0."""
        return tuple(component for component, last in self.spans if epoch <= last) or self.components

    def rates(self, state, epoch=1, update=1):
        """Learning rate of each component (dict of str to float), by the epoch alone."""
        return {component: self.rate if epoch <= last else 0.0 for component, last in self.spans}
