"""Order, augmentation and batches; every draw is a pure function of (seed, purpose, epoch, index)."""

from crmn_legacy import submodules as _submodules
from crmn_legacy.data.batches import FaceBatches
from crmn_legacy.data.crop_flip import CropFlip, NoAugmentation
from crmn_legacy.data.distortion import FieldDistortion
from crmn_legacy.data.jitter import FaceAugmentation
from crmn_legacy.data.labelled_batches import PictureBatches
from crmn_legacy.data.preprocessing import (
    Centred,
    ChannelMean,
    ChannelMeanStd,
    GlobalContrast,
    GlobalContrastZCA,
    PixelMean,
    PixelMeanGlobalStd,
)

__all__ = [
    "Centred",
    "ChannelMean",
    "ChannelMeanStd",
    "CropFlip",
    "FaceAugmentation",
    "FaceBatches",
    "FieldDistortion",
    "GlobalContrast",
    "GlobalContrastZCA",
    "NoAugmentation",
    "PictureBatches",
    "PixelMean",
    "PixelMeanGlobalStd",
]

__getattr__, __dir__ = _submodules.attributes(globals())
