"""Losses as people write them, and their values and gradients in forms that neither overflow nor vanish."""

from dataclasses import dataclass

import aesara.tensor as T
import aesara.tensor.nnet  # noqa: F401
import numpy as np
from aesara.tensor.special import softmax

ROWS, COLUMNS = 4, 3
EXTREME = np.array([[800, -800, 3], [1e4, -1e4, -0.5], [-800, -1e4, -799], [1e4, 800, 0.25]])
ORDINARY = np.array([[0.3, -0.7, 1.1], [1.2, -0.1, 0.4], [-2.5, 0.9, 0.2], [3.1, -1.3, 0.6]])
TARGETS = np.array([[1, 0, 0.25], [0, 1, 0.5], [1, 0, 0], [0, 0, 1]])
LABELS = np.array([1, 0, 2, 2], "int32")


@dataclass(frozen=True)
class Loss:
    """One kind of loss.

    Attributes
    ----------
    build : callable
        From expressions: x (rows, columns), targets of the same shape, labels (rows,).
    value, gradient : callable
        From arrays: the loss, and the gradient of its sum by x.
    """

    build: callable
    value: callable
    gradient: callable


def sigmoid(x):
    return np.exp(-np.logaddexp(0, -x))


def log_softmax(x):
    x = x - x.max(axis=1, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=1, keepdims=True))


def picked(x, k):
    return x[np.arange(len(k)), k]


def one_hot(k):
    return np.eye(COLUMNS)[k]


def binary(probability):
    """The cross-entropy of a logistic of x."""
    return Loss(
        lambda x, t, k: -(t * T.log(probability(x)) + (1 - t) * T.log(1 - probability(x))),
        lambda x, t, k: t * np.logaddexp(0, -x) + (1 - t) * np.logaddexp(0, x),
        lambda x, t, k: sigmoid(x) - t,
    )


def of_labels(build):
    """The cross-entropy of a softmax of x, the targets being labels."""
    return Loss(build, lambda x, t, k: -picked(log_softmax(x), k), lambda x, t, k: np.exp(log_softmax(x)) - one_hot(k))


def of_targets(build):
    """The same, the targets being probabilities, which need not add up to 1."""

    def gradient(x, t, k):
        return t.sum(axis=1, keepdims=True) * np.exp(log_softmax(x)) - t

    return Loss(build, lambda x, t, k: -(t * log_softmax(x)).sum(axis=1), gradient)


def of_one(function, value, gradient):
    """A function of x alone."""
    return Loss(lambda x, t, k: function(x), lambda x, t, k: value(x), lambda x, t, k: gradient(x))


def shares(x):
    return T.exp(x) / T.exp(x).sum(axis=1, keepdims=True)


def shifted_shares(x):
    x = T.exp(x - x.max(axis=1, keepdims=True))
    return x / x.sum(axis=1, keepdims=True)


def pick(x, k):
    return x[T.arange(k.shape[0]), k]


def log_sum(x):
    return np.logaddexp.reduce(x, axis=1)


LOSSES = {
    "log(1 - sigmoid)": of_one(lambda x: T.log(1 - T.sigmoid(x)), lambda x: -np.logaddexp(0, x), lambda x: -sigmoid(x)),
    "log(sigmoid)": of_one(lambda x: T.log(T.sigmoid(x)), lambda x: -np.logaddexp(0, -x), lambda x: sigmoid(-x)),
    "log of a sigmoid's square": of_one(
        lambda x: T.log(T.sigmoid(x) ** 2), lambda x: -2 * np.logaddexp(0, -x), lambda x: 2 * sigmoid(-x)
    ),
    "log of odds": of_one(lambda x: T.log(T.sigmoid(x) / (1 - T.sigmoid(x))), lambda x: x, np.ones_like),
    "log to the base 2": of_one(
        lambda x: T.log2(T.sigmoid(x)), lambda x: -np.logaddexp(0, -x) / np.log(2), lambda x: sigmoid(-x) / np.log(2)
    ),
    "log(1 + exp)": of_one(lambda x: T.log(1 + T.exp(x)), lambda x: np.logaddexp(0, x), sigmoid),
    "log1p(exp)": of_one(lambda x: T.log1p(T.exp(x)), lambda x: np.logaddexp(0, x), sigmoid),
    "log1p(-sigmoid)": of_one(lambda x: T.log1p(-T.sigmoid(x)), lambda x: -np.logaddexp(0, x), lambda x: -sigmoid(x)),
    "log(exp)": of_one(lambda x: T.log(T.exp(x)), lambda x: x, np.ones_like),
    "log(sum(exp))": of_one(lambda x: T.log(T.exp(x).sum(axis=1)), log_sum, lambda x: np.exp(log_softmax(x))),
    "log(mean(exp)), all": of_one(
        lambda x: T.log(T.exp(x).mean()),
        lambda x: np.logaddexp.reduce(x.ravel()) - np.log(x.size),
        lambda x: np.exp(x - np.logaddexp.reduce(x.ravel())),
    ),
    "log(exp + exp)": of_one(
        lambda x: T.log(T.exp(x) + T.exp(2 * x)),
        lambda x: np.logaddexp(x, 2 * x),
        lambda x: sigmoid(-x) + 2 * sigmoid(x),
    ),
    "log(exp + exp + 1)": of_one(
        lambda x: T.log(T.exp(x) + T.exp(2 * x) + 1),
        lambda x: np.logaddexp(np.logaddexp(x, 2 * x), 0),
        lambda x: (
            np.exp(x - np.logaddexp(np.logaddexp(x, 2 * x), 0))
            + 2 * np.exp(2 * x - np.logaddexp(np.logaddexp(x, 2 * x), 0))
        ),
    ),
    "log(exp - exp)": of_one(
        lambda x: T.log(T.exp(x) - T.exp(x - 1)), lambda x: x + np.log(-np.expm1(-1.0)), np.ones_like
    ),
    "binary cross-entropy": binary(T.sigmoid),
    "binary cross-entropy, Theano's": Loss(
        lambda x, t, k: T.nnet.binary_crossentropy(T.sigmoid(x), t), binary(None).value, binary(None).gradient
    ),
    "binary cross-entropy of 1 / (1 + exp)": binary(lambda x: 1 / (1 + T.exp(-x))),
    "binary cross-entropy of exp / (1 + exp)": binary(lambda x: T.exp(x) / (1 + T.exp(x))),
    "binary cross-entropy of a flattened sigmoid": Loss(
        lambda x, t, k: T.nnet.binary_crossentropy(T.sigmoid(x).flatten(), t.flatten()),
        lambda x, t, k: binary(None).value(x, t, k).ravel(),
        binary(None).gradient,
    ),
    "log of what a target chooses": Loss(
        lambda x, t, k: T.log(T.switch(T.gt(t, 0.5), T.sigmoid(x), 1 - T.sigmoid(x))),
        lambda x, t, k: -np.logaddexp(0, np.where(t > 0.5, -x, x)),
        lambda x, t, k: np.where(t > 0.5, sigmoid(-x), -sigmoid(x)),
    ),
    "log of a likelihood": Loss(
        lambda x, t, k: T.log(T.sigmoid(x) ** t * (1 - T.sigmoid(x)) ** (1 - t)),
        lambda x, t, k: -binary(None).value(x, t, k),
        lambda x, t, k: t - sigmoid(x),
    ),
    "log(softmax)[labels]": of_labels(lambda x, t, k: -pick(T.log(softmax(x, axis=-1)), k)),
    "log(softmax[labels])": of_labels(lambda x, t, k: -T.log(pick(softmax(x, axis=-1), k))),
    "categorical cross-entropy of labels": of_labels(
        lambda x, t, k: T.nnet.categorical_crossentropy(softmax(x, axis=-1), k)
    ),
    "categorical cross-entropy of shares": of_labels(lambda x, t, k: T.nnet.categorical_crossentropy(shares(x), k)),
    "categorical cross-entropy of targets": of_targets(
        lambda x, t, k: T.nnet.categorical_crossentropy(softmax(x, axis=-1), t)
    ),
    "log(shares)": of_targets(lambda x, t, k: -(t * T.log(shares(x))).sum(axis=1)),
    "log(shifted shares)": of_targets(lambda x, t, k: -(t * T.log(shifted_shares(x))).sum(axis=1)),
    "log(transposed shares)": of_targets(
        lambda x, t, k: -(t * T.log((T.exp(x).T / T.exp(x).sum(axis=1)).T)).sum(axis=1)
    ),
    "log of a reshaped softmax": of_targets(
        lambda x, t, k: -(t.reshape((-1,)) * T.log(softmax(x, axis=-1).reshape((-1,)))).reshape(x.shape).sum(axis=1)
    ),
    "1 / (1 + exp)": of_one(lambda x: 1 / (1 + T.exp(-x)), sigmoid, lambda x: sigmoid(x) * sigmoid(-x)),
    "exp / (1 + exp)": of_one(lambda x: T.exp(x) / (1 + T.exp(x)), sigmoid, lambda x: sigmoid(x) * sigmoid(-x)),
    "shares": Loss(
        lambda x, t, k: (t * shares(x)).sum(axis=1),
        lambda x, t, k: (t * np.exp(log_softmax(x))).sum(axis=1),
        lambda x, t, k: np.exp(log_softmax(x)) * (t - (t * np.exp(log_softmax(x))).sum(axis=1, keepdims=True)),
    ),
    "the root of a square": of_one(lambda x: T.sqrt(x**2), np.abs, np.sign),
    "the power 0.5 of a product": of_one(lambda x: (x * x) ** 0.5, np.abs, np.sign),
    "x / |x|": of_one(lambda x: x / abs(x), np.sign, np.zeros_like),
    "a branch that is not taken": of_one(
        lambda x: T.switch(T.gt(x, 0), T.log(x), 0.0),
        lambda x: np.log(np.where(x > 0, x, 1)),
        lambda x: np.where(x > 0, 1 / np.where(x > 0, x, 1), 0),
    ),
    "log times 0": of_one(lambda x: T.log(x) * 0, np.zeros_like, np.zeros_like),
}
