"""Lasagne's layers for GPU libraries; the rest of what they do is in Lasagne's own suite, which is run beside."""

import subprocess
import sys

import numpy as np
import pytest

import crmn_legacy  # noqa: F401  (makes Theano's names importable, before Lasagne asks for them)

# isort: split
import lasagne
import theano
import theano.tensor as T


def layers(module):
    __import__(f"lasagne.layers.{module}")
    return getattr(lasagne.layers, module)


@pytest.mark.parametrize(
    ("module", "name", "flipped_by_default"),
    [("dnn", "Conv2DDNNLayer", False), ("corrmm", "Conv2DMMLayer", False), ("cuda_convnet", "Conv2DCCLayer", False)],
)
@pytest.mark.parametrize("flip", [None, True, False])
def test_a_convolution_has_its_librarys_convention_for_filters(evaluate, module, name, flipped_by_default, flip):
    W = np.random.default_rng(0).standard_normal((16, 4, 3, 3))
    values = np.random.default_rng(1).standard_normal((2, 4, 7, 7))
    options = {"num_filters": 16, "filter_size": 3, "stride": 2, "pad": 1, "nonlinearity": None, "b": None}
    own = {} if flip is None else {"flip_filters": flip}
    found = getattr(layers(module), name)(lasagne.layers.InputLayer((2, 4, 7, 7)), W=W, **options, **own)
    flipped = flipped_by_default if flip is None else flip
    # The ordinary layer of Lasagne 0.1 turns its filters, always.
    expected = lasagne.layers.Conv2DLayer(
        lasagne.layers.InputLayer((2, 4, 7, 7)), W=W if flipped else W[:, :, ::-1, ::-1].copy(), **options
    )
    x = T.dtensor4()
    results = evaluate([lasagne.layers.get_output(layer, x) for layer in (found, expected)], {x: values})
    assert np.allclose(*results) and found.output_shape == results[0].shape == expected.output_shape


def test_pooling_through_them(evaluate):
    x = np.random.default_rng(0).standard_normal((2, 4, 6, 6))
    pooled = layers("dnn").MaxPool2DDNNLayer(lasagne.layers.InputLayer(x.shape), 2)
    found = evaluate(lasagne.layers.get_output(pooled, T.constant(x)))
    assert np.array_equal(found, x.reshape(2, 4, 3, 2, 3, 2).max(axis=(3, 5)))
    pooled = layers("cuda_convnet").MaxPool2DCCLayer(lasagne.layers.InputLayer(x.shape), 2)
    assert np.array_equal(evaluate(lasagne.layers.get_output(pooled, T.constant(x))), found)


def test_a_card_is_pretended_to_them_alone():
    layers("dnn")
    assert theano.config.device == "cpu" and theano.sandbox.cuda.cuda_enabled is False


def test_lasagne_itself_imports_none_of_them():
    code = (
        "import crmn_legacy, lasagne, sys\n"
        "print([name for name in sys.modules if name.startswith('lasagne.layers.') and name.endswith(('dnn', 'mm'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")
