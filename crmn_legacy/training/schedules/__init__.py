"""Schedules of learning rates: the paper's, by the validation loss, and those that its peers prescribe."""

from crmn_legacy import submodules as _submodules
from crmn_legacy.training.schedules.component_epochs import SpanSchedule
from crmn_legacy.training.schedules.prescribed import (
    ConstantSchedule,
    ExponentialSchedule,
    LinearSchedule,
    StepSchedule,
    WarmUp,
)
from crmn_legacy.training.schedules.rate_shifts import RateSchedule

__all__ = [
    "ConstantSchedule",
    "ExponentialSchedule",
    "LinearSchedule",
    "RateSchedule",
    "SpanSchedule",
    "StepSchedule",
    "WarmUp",
]

__getattr__, __dir__ = _submodules.attributes(globals())
