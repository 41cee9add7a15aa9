"""Parameters and floating-point operations of a Lasagne graph, counted as the paper's Table 1 counts them.

The convention (the only one of those tried that gives every printed digit): two operations a multiply-add of every
convolution, dense layer and LSTM product, zero-padded steps in full; one an element of every rectifier, residual
addition and pooled input (over places, or a maxout unit's pieces); nothing for biases and batch norm (they fold into
a product), gates and the global pool. Preprocessing (local contrast) stands before the network and is not counted.
"""

from dataclasses import dataclass
from functools import singledispatch

import lasagne.layers as L
import numpy as np
from lasagne.nonlinearities import LeakyRectify, rectify

from crmn_legacy import layers
from crmn_legacy.layers.subnetwork import SubnetworkMixin


def parameters(output_layer):
    """Learned numbers of a network.

    Parameters
    ----------
    output_layer : Layer
        In which it ends.

    Returns
    -------
    int
    """
    return int(sum(np.prod(p.get_value(borrow=True).shape) for p in L.get_all_params(output_layer, trainable=True)))


def flops(output_layer):
    """Operations of one forward pass of one picture.

    Parameters
    ----------
    output_layer : Layer
        In which the network ends.

    Returns
    -------
    int

    Raises
    ------
    TypeError
        The graph holds a kind of layer whose cost nobody has stated.
    """
    return int(sum(layer_flops(layer) for layer in L.get_all_layers(output_layer)))


@singledispatch
def layer_flops(layer):
    """Operations of one layer for one picture, by the convention above.

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    int

    Raises
    ------
    TypeError
        Nobody has stated the cost of this kind of layer.
    """
    raise TypeError(f"no rule counts the operations of {type(layer).__name__} {layer.name!r}: add one to cost.py")


def _elements(shape):
    """Numbers a picture: the batch axis left out."""
    return int(np.prod(shape[1:]))


def _rectifier(layer):
    nonlinearity = getattr(layer, "nonlinearity", None)
    rectified = nonlinearity is rectify or isinstance(nonlinearity, LeakyRectify)
    return _elements(layer.output_shape) if rectified else 0


@layer_flops.register
def _(layer: L.Conv2DLayer):
    multiply_adds = _elements(layer.output_shape) * layer.input_shape[1] * int(np.prod(layer.filter_size))
    return 2 * multiply_adds + _rectifier(layer)


@layer_flops.register
def _(layer: L.DenseLayer):
    return 2 * _elements(layer.input_shape) * layer.num_units + _rectifier(layer)


def _lstm_flops(num_units, input_shape):
    num_steps, *features = input_shape[1:]
    return 2 * num_steps * (int(np.prod(features)) + num_units) * 4 * num_units


@layer_flops.register
def _(layer: layers.PeepholeLSTMLayer):
    return _lstm_flops(layer.num_units, layer.input_shape)


@layer_flops.register
def _(layer: L.LSTMLayer):
    return _lstm_flops(layer.num_units, layer.input_shapes[0])


@layer_flops.register
def _(layer: L.NonlinearityLayer):
    return _rectifier(layer)


@layer_flops.register
def _(layer: L.ElemwiseSumLayer):
    return _elements(layer.output_shape) * (len(layer.input_shapes) - 1)


@layer_flops.register
def _(layer: layers.JointPredictionLayer):
    # The sum of the two sets of maps, as a residual addition's.
    return _elements(layer.input_shapes[0])


@layer_flops.register(layers.HighwayGateLayer)
@layer_flops.register(layers.SwapoutLayer)
def _(layer):
    # The addition; gates are free.
    return _elements(layer.output_shape)


@layer_flops.register
def _(layer: layers.IdentityShortcutLayer):
    return _elements(layer.input_shape) if layer.stride > 1 and layer.mode == "average" else 0


@layer_flops.register
def _(layer: SubnetworkMixin):
    # What the gradient computes a second time is one forward pass all the same.
    return sum(flops(network) for network in layer.networks)


@layer_flops.register(L.FeaturePoolLayer)
@layer_flops.register(L.Pool2DLayer)
@layer_flops.register(layers.FractionalPool2DLayer)
def _(layer):
    return _elements(layer.input_shape)


@layer_flops.register(L.InputLayer)
@layer_flops.register(L.FlattenLayer)
@layer_flops.register(L.ConcatLayer)
@layer_flops.register(L.SliceLayer)
@layer_flops.register(L.GlobalPoolLayer)
@layer_flops.register(layers.BatchNormLayer)
@layer_flops.register(layers.DropoutLayer)
@layer_flops.register(layers.LocalContrastNormalizationLayer)
@layer_flops.register(layers.MapDropoutLayer)
@layer_flops.register(layers.MovedPointsLayer)
@layer_flops.register(layers.NoisyPixelsLayer)
@layer_flops.register(layers.OneHotMapsLayer)
@layer_flops.register(layers.UpsamplingLayer)
@layer_flops.register(layers.StochasticDepthLayer)
@layer_flops.register(layers.ZeroPadLayer)
@layer_flops.register(layers.DepthStackLayer)
def _(layer):
    return 0


@dataclass(frozen=True)
class LayerCost:
    """A layer in numbers.

    Attributes
    ----------
    name, kind : str
        What it is called, and its class.
    output_shape : tuple
        Of its output, the batch axis first, None where it is not fixed.
    parameters, flops : int
        Its own learned numbers, each told with the first layer that has it; operations for one picture.
    """

    name: str
    kind: str
    output_shape: tuple
    parameters: int
    flops: int


def by_layer(output_layer):
    """The cost of each layer of a network, from the input on.

    Parameters
    ----------
    output_layer : Layer
        In which it ends.

    Returns
    -------
    list of LayerCost

    Examples
    --------
    >>> from lasagne.layers import DenseLayer, InputLayer
    >>> by_layer(DenseLayer(InputLayer((None, 3)), 2, name="out"))[-1]
    LayerCost(name='out', kind='DenseLayer', output_shape=(None, 2), parameters=8, flops=14)
    """
    seen, found = set(), []
    for layer in L.get_all_layers(output_layer):
        own = [p for p in layer.get_params(trainable=True) if p not in seen]
        seen.update(own)
        numbers = int(sum(np.prod(p.get_value(borrow=True).shape) for p in own))
        name = layer.name or ""
        found.append(LayerCost(name, type(layer).__name__, layer.output_shape, numbers, layer_flops(layer)))
    return found


def weight_layers(output_layer):
    """Depth as He et al. count it: convolutions and dense layers, shortcuts and gates left out.

    Parameters
    ----------
    output_layer : Layer
        In which the network ends.

    Returns
    -------
    int
    """
    kinds = (L.Conv2DLayer, L.DenseLayer)
    layers_ = L.get_all_layers(output_layer)
    aside = {"shortcut", "gate"}
    here = sum(isinstance(layer, kinds) and not aside & set((layer.name or "").split(".")) for layer in layers_)
    return here + sum(weight_layers(network) for layer in layers_ for network in getattr(layer, "networks", ()))
