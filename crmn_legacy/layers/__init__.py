"""What Lasagne 0.1 lacks and the paper needs, one file a layer."""

from crmn_legacy.layers.batch_norm import BatchNormLayer
from crmn_legacy.layers.convolution import Conv2DLayer
from crmn_legacy.layers.depth import DepthStackLayer, ZeroPadLayer
from crmn_legacy.layers.dropout import DropoutLayer
from crmn_legacy.layers.local_contrast import LocalContrastNormalizationLayer
from crmn_legacy.layers.peephole_lstm import PeepholeLSTMLayer

__all__ = [
    "BatchNormLayer",
    "Conv2DLayer",
    "DepthStackLayer",
    "DropoutLayer",
    "LocalContrastNormalizationLayer",
    "PeepholeLSTMLayer",
    "ZeroPadLayer",
]
