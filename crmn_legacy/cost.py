"""Parameters and floating-point operations of a Lasagne graph, counted as the paper's Table 1 counts them.

The convention (the only one of those tried that gives every printed digit): two operations a multiply-add of every
convolution, dense layer and LSTM product, zero-padded steps in full; one an element of every rectifier, residual
addition and mean-pooled input; nothing for biases and batch norm (they fold into a product), gates and the global
pool. Preprocessing (local contrast) stands before the network and is not counted.
"""

from functools import singledispatch

import lasagne.layers as L
import numpy as np
from lasagne.nonlinearities import rectify

from crmn_legacy import layers


def parameters(output_layer):
    """Learned numbers of the network that ends in `output_layer` (an int)."""
    return int(sum(np.prod(p.get_value(borrow=True).shape) for p in L.get_all_params(output_layer, trainable=True)))


def flops(output_layer):
    """Operations of one forward pass of one picture (an int).

    Raises
    ------
    TypeError
        The graph holds a kind of layer whose cost nobody has stated.
    """
    return int(sum(layer_flops(layer) for layer in L.get_all_layers(output_layer)))


@singledispatch
def layer_flops(layer):
    """Operations of one layer for one picture, by the convention above."""
    raise TypeError(f"no rule counts the operations of {type(layer).__name__} {layer.name!r}: add one to cost.py")


def _elements(shape):
    """Numbers a picture: the batch axis left out."""
    return int(np.prod(shape[1:]))


def _rectifier(layer):
    return _elements(layer.output_shape) if getattr(layer, "nonlinearity", None) is rectify else 0


@layer_flops.register
def _(layer: L.Conv2DLayer):
    multiply_adds = _elements(layer.output_shape) * layer.input_shape[1] * int(np.prod(layer.filter_size))
    return 2 * multiply_adds + _rectifier(layer)


@layer_flops.register
def _(layer: L.DenseLayer):
    return 2 * _elements(layer.input_shape) * layer.num_units + _rectifier(layer)


@layer_flops.register
def _(layer: layers.PeepholeLSTMLayer):
    return 2 * layer.num_steps * (layer.num_inputs + layer.num_units) * 4 * layer.num_units


@layer_flops.register
def _(layer: L.NonlinearityLayer):
    return _rectifier(layer)


@layer_flops.register
def _(layer: L.ElemwiseSumLayer):
    return _elements(layer.output_shape) * (len(layer.input_shapes) - 1)


@layer_flops.register
def _(layer: L.Pool2DLayer):
    return _elements(layer.input_shape)


@layer_flops.register(L.InputLayer)
@layer_flops.register(L.FlattenLayer)
@layer_flops.register(L.ConcatLayer)
@layer_flops.register(L.GlobalPoolLayer)
@layer_flops.register(layers.BatchNormLayer)
@layer_flops.register(layers.DropoutLayer)
@layer_flops.register(layers.LocalContrastNormalizationLayer)
@layer_flops.register(layers.ZeroPadLayer)
@layer_flops.register(layers.DepthStackLayer)
def _(layer):
    return 0


def weight_layers(output_layer):
    """Depth as He et al. count it: convolutions and dense layers, shortcuts left out (an int)."""
    kinds = (L.Conv2DLayer, L.DenseLayer)
    layers_ = L.get_all_layers(output_layer)
    return sum(isinstance(layer, kinds) and "shortcut" not in (layer.name or "") for layer in layers_)
