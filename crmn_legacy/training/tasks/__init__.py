"""What is learned: the data of a task, its loss, and how a prediction is scored."""

from crmn_legacy import submodules as _submodules
from crmn_legacy.training.tasks.classification import Classification
from crmn_legacy.training.tasks.keypoints import Keypoints
from crmn_legacy.training.tasks.pixel_classification import PixelClassification

__all__ = ["Classification", "Keypoints", "PixelClassification"]

__getattr__, __dir__ = _submodules.attributes(globals())
