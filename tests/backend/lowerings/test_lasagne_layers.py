"""Every layer of Lasagne 0.1 that needs no GPU gives through XLA what Aesara's Python code gives."""

import lasagne
import numpy as np
import pytest
import theano
import theano.tensor as tensor
from lasagne import layers
from lasagne import nonlinearities as nonlinear
from lasagne.theano_extensions import conv as conv1d

from .reference import gradients, python_only, python_result, xla_result

MAPS = (2, 4, 7, 6)
SIGNALS = (2, 3, 12)
VECTORS = (3, 8)
SEQUENCES = (2, 5, 3)


def of(kind, shape, /, **options):
    """A test's case: the layer `kind` on an input of `shape`."""

    def build():
        return kind(layers.InputLayer(shape), **options)

    return build


def merged(kind, shapes, /, **options):
    def build():
        return kind([layers.InputLayer(shape) for shape in shapes], **options)

    return build


def custom_recurrent():
    step = layers.InputLayer((None, 3))
    hidden = layers.InputLayer((None, 4))
    return layers.CustomRecurrentLayer(
        layers.InputLayer(SEQUENCES),
        layers.DenseLayer(step, 4, nonlinearity=None),
        layers.DenseLayer(hidden, 4, nonlinearity=None),
        nonlinearity=nonlinear.tanh,
        gradient_steps=3,
    )


def masked(kind, **options):
    def build():
        mask = layers.InputLayer(SEQUENCES[:2], name="mask")
        return kind(layers.InputLayer(SEQUENCES), 4, mask_input=mask, **options)

    return build


CASES = {
    "dense": of(layers.DenseLayer, VECTORS, num_units=5),
    "dense-of-maps": of(layers.DenseLayer, MAPS, num_units=5, nonlinearity=nonlinear.softmax),
    "dense-tanh": of(layers.DenseLayer, VECTORS, num_units=5, nonlinearity=nonlinear.tanh),
    "nonlinearity": of(layers.NonlinearityLayer, VECTORS, nonlinearity=nonlinear.leaky_rectify),
    "nonlinearity-sigmoid": of(layers.NonlinearityLayer, VECTORS, nonlinearity=nonlinear.sigmoid),
    "nin": of(layers.NINLayer, MAPS, num_units=5),
    "nin-untied": of(layers.NINLayer, MAPS, num_units=5, untie_biases=True),
    "dropout": of(layers.DropoutLayer, VECTORS, p=0.4),
    "dropout-unscaled": of(layers.DropoutLayer, MAPS, p=0.4, rescale=False),
    "noise": of(layers.GaussianNoiseLayer, VECTORS, sigma=0.3),
    "conv1d-mc0": of(layers.Conv1DLayer, SIGNALS, num_filters=4, filter_size=3, stride=2, pad="same"),
    "conv1d-full": of(layers.Conv1DLayer, SIGNALS, num_filters=4, filter_size=3, pad="full"),
    **{
        f"conv1d-{name}": of(
            layers.Conv1DLayer, SIGNALS, num_filters=4, filter_size=4, stride=2, convolution=getattr(conv1d, name)
        )
        for name in ("conv1d_sc", "conv1d_mc1", "conv1d_unstrided", "conv1d_sd", "conv1d_md")
    },
    "conv2d": of(layers.Conv2DLayer, MAPS, num_filters=3, filter_size=3),
    "conv2d-same": of(layers.Conv2DLayer, MAPS, num_filters=3, filter_size=(3, 5), pad="same"),
    "conv2d-full": of(layers.Conv2DLayer, MAPS, num_filters=3, filter_size=2, pad="full"),
    "conv2d-stride": of(layers.Conv2DLayer, MAPS, num_filters=3, filter_size=3, stride=2, pad=1),
    "conv2d-untied": of(layers.Conv2DLayer, MAPS, num_filters=3, filter_size=3, untie_biases=True),
    "max-pool-1d": of(layers.MaxPool1DLayer, SIGNALS, pool_size=3, stride=2, ignore_border=False),
    "max-pool-2d": of(layers.MaxPool2DLayer, MAPS, pool_size=2),
    "max-pool-2d-overlapping": of(layers.MaxPool2DLayer, MAPS, pool_size=3, stride=2, pad=1),
    "pool-2d-average": of(layers.Pool2DLayer, MAPS, pool_size=(2, 3), mode="average_inc_pad"),
    "feature-pool": of(layers.FeaturePoolLayer, MAPS, pool_size=2),
    "feature-wta": of(layers.FeatureWTALayer, MAPS, pool_size=2),
    "global-pool": of(layers.GlobalPoolLayer, MAPS),
    "global-pool-max": of(layers.GlobalPoolLayer, MAPS, pool_function=tensor.max),
    "flatten": of(layers.FlattenLayer, MAPS, outdim=3),
    "reshape": of(layers.ReshapeLayer, MAPS, shape=([0], -1, 2, 3)),
    "dimshuffle": of(layers.DimshuffleLayer, MAPS, pattern=(2, 0, "x", 3, 1)),
    "pad": of(layers.PadLayer, MAPS, width=[(1, 2), 3], val=0.5),
    "slice": of(layers.SliceLayer, MAPS, indices=slice(5, 0, -2), axis=2),
    "slice-number": of(layers.SliceLayer, MAPS, indices=-1, axis=1),
    "concat": merged(layers.ConcatLayer, [(2, 3), (2, 5)]),
    "elementwise-merge": merged(layers.ElemwiseMergeLayer, [VECTORS] * 3, merge_function=tensor.maximum),
    "elementwise-sum": merged(layers.ElemwiseSumLayer, [VECTORS] * 2, coeffs=[1, -0.5]),
    "local-response": of(layers.LocalResponseNormalization2DLayer, (2, 6, 4, 3), alpha=0.2),
    "recurrent": of(layers.RecurrentLayer, SEQUENCES, num_units=4),
    "recurrent-backwards": of(layers.RecurrentLayer, SEQUENCES, num_units=4, backwards=True, learn_init=True),
    "recurrent-truncated": of(layers.RecurrentLayer, SEQUENCES, num_units=4, gradient_steps=2),
    "recurrent-unrolled": of(layers.RecurrentLayer, SEQUENCES, num_units=4, unroll_scan=True),
    "recurrent-clipped": of(layers.RecurrentLayer, SEQUENCES, num_units=4, grad_clipping=0.01),
    "recurrent-masked": masked(layers.RecurrentLayer, learn_init=True),
    "recurrent-step-by-step": of(layers.RecurrentLayer, SEQUENCES, num_units=4, precompute_input=False),
    "custom-recurrent": custom_recurrent,
    "lstm": of(layers.LSTMLayer, SEQUENCES, num_units=4),
    "lstm-backwards": of(layers.LSTMLayer, SEQUENCES, num_units=4, backwards=True, learn_init=True),
    "lstm-unrolled": of(layers.LSTMLayer, SEQUENCES, num_units=4, unroll_scan=True, peepholes=False),
    "lstm-masked": masked(layers.LSTMLayer),
    "gru": of(layers.GRULayer, SEQUENCES, num_units=4),
    "gru-clipped": of(layers.GRULayer, SEQUENCES, num_units=4, grad_clipping=0.05, gradient_steps=3),
    "gru-masked": masked(layers.GRULayer, unroll_scan=True),
}


@pytest.mark.parametrize("build", CASES.values(), ids=CASES.keys())
def test_layer_and_its_gradients_agree_with_python(build):
    rng = np.random.RandomState(3)
    lasagne.random.set_rng(rng)
    with python_only():
        layer = build()
        entries = [entry for entry in layers.get_all_layers(layer) if isinstance(entry, layers.InputLayer)]
        output = layers.get_output(layer)
    inputs = [entry.input_var for entry in entries]
    values = [
        (rng.rand(*entry.shape) < 0.7).astype(float) if entry.name == "mask" else rng.normal(size=entry.shape)
        for entry in entries
    ]
    parameters = layers.get_all_params(layer)
    for parameter in parameters:
        parameter.set_value(rng.normal(size=parameter.get_value().shape))
    learned = [var for var, entry in zip(inputs, entries, strict=True) if entry.name != "mask"]
    outputs = [output, *gradients([output], [*learned, *parameters])]
    states = [
        var
        for var in theano.graph.basic.graph_inputs(outputs)
        if isinstance(var, theano.compile.SharedVariable) and var not in parameters
    ]
    stored = [*parameters, *states]
    expected = python_result(inputs, outputs, values)
    got = xla_result(inputs + stored, outputs, values + [var.get_value() for var in stored])
    for wanted, found in zip(expected, got, strict=True):
        assert found.shape == np.shape(wanted)
        np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-10)


def test_embedding_and_its_gradient_agree_with_python():
    words = tensor.imatrix()
    layer = layers.EmbeddingLayer(layers.InputLayer((2, 4), input_var=words), 6, 3)
    output = layers.get_output(layer)
    outputs = [output, *gradients([output], [layer.W])]
    picked = np.array([[0, 5, 2, 2], [2, 1, 0, 4]], "int32")
    expected = python_result([words], outputs, [picked])
    got = xla_result([words, layer.W], outputs, [picked, layer.W.get_value()])
    for wanted, found in zip(expected, got, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12)


def test_no_processor_layer_is_left_out():
    covered = {type(build()).__name__ for build in CASES.values()} | {"EmbeddingLayer", "InputLayer"}
    bases = {"Layer", "MergeLayer"}
    aliases = {"Gate", "TransformerLayer"}
    all_layers = {
        name
        for name, value in vars(layers).items()
        if isinstance(value, type) and issubclass(value, layers.Layer) and name == value.__name__
    }
    assert all_layers - bases - aliases <= covered


@pytest.mark.parametrize("name", ["sgd", "momentum", "nesterov_momentum", "adagrad", "rmsprop", "adadelta", "adam"])
def test_update_rules_agree_with_python(name):
    rng = np.random.RandomState(0)
    parameter = theano.shared(rng.normal(size=(4, 3)))
    target = tensor.matrix()
    cost = ((parameter - target) ** 2).sum()
    rule = getattr(lasagne.updates, name)
    updates = rule(cost, [parameter], learning_rate=0.1)
    stored, outputs = list(updates.keys()), list(updates.values())
    value = rng.normal(size=(4, 3))
    expected = python_result([target], outputs, [value])
    got = xla_result([target, *stored], outputs, [value, *(var.get_value() for var in stored)])
    for wanted, found in zip(expected, got, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("max_norm", [0.5, 100.0])
def test_norm_constraints_agree_with_python(max_norm):
    x, y = tensor.matrix(), tensor.tensor4()
    outputs = [
        lasagne.updates.norm_constraint(x, max_norm),
        lasagne.updates.norm_constraint(y, max_norm),
        *lasagne.updates.total_norm_constraint([x, y], max_norm),
    ]
    rng = np.random.RandomState(0)
    values = [rng.normal(size=(4, 3)), rng.normal(size=(2, 3, 2, 2))]
    for wanted, found in zip(python_result([x, y], outputs, values), xla_result([x, y], outputs, values), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-10)


def test_objectives_and_their_gradients_agree_with_python():
    scores, classes, ones = tensor.matrix(), tensor.ivector(), tensor.matrix()
    probabilities = nonlinear.softmax(scores)
    outputs = [
        lasagne.objectives.categorical_crossentropy(probabilities, classes),
        lasagne.objectives.categorical_crossentropy(probabilities, ones),
        lasagne.objectives.binary_crossentropy(nonlinear.sigmoid(scores), ones),
        lasagne.objectives.squared_error(scores, ones),
    ]
    outputs = outputs + gradients(outputs, [scores])
    rng = np.random.RandomState(0)
    values = [rng.normal(size=(5, 4)), np.array([0, 3, 1, 1, 2], "int32"), np.eye(4)[[1, 2, 0, 0, 3]]]
    inputs = [scores, classes, ones]
    for wanted, found in zip(python_result(inputs, outputs, values), xla_result(inputs, outputs, values), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-10)
