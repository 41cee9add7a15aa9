"""Network families, one per file: functions that take a row's numbers and return a Lasagne layer."""

from lasagne.nonlinearities import sigmoid, softmax

from crmn_legacy import submodules as _submodules
from crmn_legacy.models.all_convolutional import all_convolutional
from crmn_legacy.models.crmn import crmn
from crmn_legacy.models.densenet import densenet
from crmn_legacy.models.fractional_max_pooling import fractional_max_pooling
from crmn_legacy.models.highway import highway
from crmn_legacy.models.inputs import face_input, picture_input
from crmn_legacy.models.keypoint_denoiser import joint_prediction, keypoint_denoiser
from crmn_legacy.models.maxout import maxout
from crmn_legacy.models.preactivation_resnet import preactivation_resnet
from crmn_legacy.models.rcn import rcn
from crmn_legacy.models.resnet import resnet
from crmn_legacy.models.resnet_110 import cifar_resnet
from crmn_legacy.models.stochastic_depth import stochastic_depth
from crmn_legacy.models.swapout import swapout
from crmn_legacy.models.wide_resnet import wide_resnet

__all__ = [
    "all_convolutional",
    "cifar_resnet",
    "crmn",
    "densenet",
    "face_input",
    "fractional_max_pooling",
    "highway",
    "joint_prediction",
    "keypoint_denoiser",
    "maxout",
    "picture_input",
    "preactivation_resnet",
    "rcn",
    "resnet",
    "sigmoid",
    "softmax",
    "stochastic_depth",
    "swapout",
    "wide_resnet",
]

__getattr__, __dir__ = _submodules.attributes(globals())
