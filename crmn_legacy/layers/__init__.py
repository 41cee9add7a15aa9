"""What Lasagne 0.1 lacks and the paper needs, one file a layer."""

from crmn_legacy import submodules as _submodules
from crmn_legacy.layers.batch_norm import BatchNormLayer
from crmn_legacy.layers.convolution import Conv2DLayer
from crmn_legacy.layers.depth import DepthStackLayer, ZeroPadLayer
from crmn_legacy.layers.dropout import DropoutLayer
from crmn_legacy.layers.fractional_pooling import FractionalPool2DLayer
from crmn_legacy.layers.highway import HighwayGateLayer
from crmn_legacy.layers.local_contrast import LocalContrastNormalizationLayer
from crmn_legacy.layers.map_dropout import MapDropoutLayer
from crmn_legacy.layers.peephole_lstm import PeepholeLSTMLayer
from crmn_legacy.layers.pixel_maps import (
    JointMaps,
    JointPredictionLayer,
    MovedPointsLayer,
    NoisyPixelsLayer,
    OneHotMapsLayer,
)
from crmn_legacy.layers.recomputed import RecomputedLayer
from crmn_legacy.layers.repeated import RepeatedLayer
from crmn_legacy.layers.shortcut import IdentityShortcutLayer
from crmn_legacy.layers.stochastic_depth import StochasticDepthLayer
from crmn_legacy.layers.swapout import SwapoutLayer
from crmn_legacy.layers.upsampling import UpsamplingLayer

__all__ = [
    "BatchNormLayer",
    "Conv2DLayer",
    "DepthStackLayer",
    "DropoutLayer",
    "FractionalPool2DLayer",
    "HighwayGateLayer",
    "IdentityShortcutLayer",
    "JointMaps",
    "JointPredictionLayer",
    "LocalContrastNormalizationLayer",
    "MapDropoutLayer",
    "MovedPointsLayer",
    "NoisyPixelsLayer",
    "OneHotMapsLayer",
    "PeepholeLSTMLayer",
    "RecomputedLayer",
    "RepeatedLayer",
    "StochasticDepthLayer",
    "SwapoutLayer",
    "UpsamplingLayer",
    "ZeroPadLayer",
]

__getattr__, __dir__ = _submodules.attributes(globals())
