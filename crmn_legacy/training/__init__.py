"""Rates, tasks, optimisers, the steps, the loop and its checkpoints."""

from crmn_legacy.training.optimizers import NesterovMomentum
from crmn_legacy.training.rates import RateSchedule
from crmn_legacy.training.tasks import Keypoints

__all__ = ["Keypoints", "NesterovMomentum", "RateSchedule"]
