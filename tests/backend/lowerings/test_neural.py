"""Softmax and cross entropies against Aesara's Python code."""

import aesara
import aesara.tensor as at
import numpy as np
import pytest
from aesara.tensor.nnet import basic

from crmn_legacy.backend.lowerings import lower

from .reference import assert_agrees, hlo, xla_result

SCORES = np.random.default_rng(0).normal(0, 3, (5, 4))
CLASSES = np.array([0, 3, 1, 1, 2], "int32")


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_softmax_and_its_logarithm_agree_with_python(axis):
    x = at.dmatrix()
    assert_agrees([x], [at.special.softmax(x, axis), at.special.log_softmax(x, axis)], [SCORES], wrt=[x])


def test_second_derivative_of_softmax_agrees_with_python():
    x = at.dmatrix()
    first = aesara.grad((at.special.softmax(x, 1) ** 3).sum(), x)
    assert_agrees([x], [first], [SCORES], wrt=[x])


def test_softmax_with_bias_agrees_with_python():
    x, b = at.dmatrix(), at.dvector()
    values = [SCORES, np.arange(4.0)]
    assert_agrees([x, b], [basic.softmax_with_bias(x, b)], values, wrt=[x, b])


def test_categorical_crossentropy_and_its_gradient_agree_with_python():
    x, y, one_hot = at.dmatrix(), at.ivector(), at.dmatrix()
    probabilities = at.special.softmax(x, 1)
    outputs = [basic.categorical_crossentropy(probabilities, target) for target in (y, one_hot)]
    assert_agrees([x, y, one_hot], outputs, [SCORES, CLASSES, np.eye(4)[CLASSES]], wrt=[x])


def test_crossentropy_of_softmax_with_bias_agrees_with_python():
    x, b, y = at.dmatrix(), at.dvector(), at.ivector()
    outputs = basic.crossentropy_softmax_argmax_1hot_with_bias(x, b, y)
    values = [SCORES, np.arange(4.0), CLASSES]
    assert_agrees([x, b, y], [*outputs, *aesara.grad((outputs[0] ** 2).sum(), [x, b])], values)


def test_binary_crossentropy_agrees_with_python():
    x, y = at.dmatrix(), at.dmatrix()
    loss = basic.binary_crossentropy(at.sigmoid(x), y)
    assert_agrees([x, y], [loss], [SCORES, (SCORES > 1).astype(float)], wrt=[x])


def test_prepended_columns_agree_with_python():
    x, v = at.dmatrix(), at.dscalar()
    outputs = [basic.prepend_0_to_each_row(x), basic.prepend_1_to_each_row(x), basic.prepend_scalar_to_each_row(v, x)]
    assert_agrees([x, v], outputs, [SCORES, np.float64(2.5)])


def test_crossentropy_neither_gathers_nor_scatters():
    x, y = at.fmatrix(), at.ivector()
    loss = basic.categorical_crossentropy(at.special.softmax(x, 1), y).mean()
    text = hlo([x, y], [loss, aesara.grad(loss, x)], [SCORES.astype("float32"), CLASSES])
    assert "scatter" not in text
    assert "gather" not in text


def test_crossentropy_stays_finite_where_another_class_has_no_probability():
    p, y = at.dmatrix(), at.ivector()
    loss = basic.categorical_crossentropy(p, y)
    function = lower([p, y], [loss, aesara.grad(loss.sum(), p)])
    value, g = function(np.array([[1.0, 0.0], [0.5, 0.5]]), np.array([0, 1], "int32"))
    np.testing.assert_allclose(value, [0, np.log(2)], rtol=1e-6)
    np.testing.assert_allclose(g, [[-1, 0], [0, -2]])


def test_a_target_that_is_no_class_has_a_cost_that_is_no_number():
    """Aesara raises an error, which XLA cannot; it must not cost nothing."""
    x, b, y = at.dmatrix(), at.dvector(), at.lvector()
    costs = [basic.crossentropy_categorical_1hot(x, y), basic.crossentropy_softmax_argmax_1hot_with_bias(x, b, y)[0]]
    for found in xla_result([x, b, y], costs, [np.full((2, 3), 0.3), np.zeros(3), np.array([2, 3])]):
        assert np.isnan(found).tolist() == [False, True]
