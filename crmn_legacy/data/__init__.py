"""Order, augmentation and batches; every draw is a pure function of (seed, purpose, epoch, index)."""

from crmn_legacy.data.augmentation import FaceAugmentation
from crmn_legacy.data.batches import FaceBatches

__all__ = ["FaceAugmentation", "FaceBatches"]
