"""Rates, tasks, optimisers, the steps, the loop and its checkpoints."""

from crmn_legacy import submodules as _submodules
from crmn_legacy.training.optimizers import Adadelta, Momentum, NesterovMomentum, TorchMomentum, TorchNesterov
from crmn_legacy.training.penalties import MaxNorm, WeightDecay
from crmn_legacy.training.schedules import (
    ConstantSchedule,
    ExponentialSchedule,
    LinearSchedule,
    RateSchedule,
    SpanSchedule,
    StepSchedule,
    WarmUp,
)
from crmn_legacy.training.tasks import Classification, Keypoints, PixelClassification

__all__ = [
    "Adadelta",
    "Classification",
    "ConstantSchedule",
    "ExponentialSchedule",
    "Keypoints",
    "LinearSchedule",
    "MaxNorm",
    "Momentum",
    "NesterovMomentum",
    "PixelClassification",
    "RateSchedule",
    "SpanSchedule",
    "StepSchedule",
    "TorchMomentum",
    "TorchNesterov",
    "WarmUp",
    "WeightDecay",
]

__getattr__, __dir__ = _submodules.attributes(globals())
