"""One network family a file: functions that take a row's numbers and return a Lasagne layer."""

from lasagne.nonlinearities import sigmoid, softmax

from crmn_legacy.models.crmn import crmn
from crmn_legacy.models.inputs import face_input, picture_input
from crmn_legacy.models.resnet import resnet

__all__ = ["crmn", "face_input", "picture_input", "resnet", "sigmoid", "softmax"]
