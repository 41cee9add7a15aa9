"""Arrays as a task: what is refused before anything is compiled, and the losses that are made of functions."""

import aesara
import aesara.tensor as T
import lasagne
import numpy as np
import pytest
from lasagne.layers import ConcatLayer, DenseLayer, InputLayer, LSTMLayer, ReshapeLayer
from lasagne.nonlinearities import softmax

from crmn_legacy.errors import UserError
from crmn_legacy.training.array_task import ArrayTask

X, Y = np.ones((6, 3)), np.ones((6, 2))


def network(outputs=2, **keywords):
    return DenseLayer(InputLayer((None, 3)), outputs, **keywords)


def two(names=("a", "b")):
    sources = [InputLayer((None, 3), name=name) for name in names]
    return sources, DenseLayer(ConcatLayer(sources), 2)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"network": [network()]}, "got list for a network, expected its last layer, of Lasagne"),
        ({"network": InputLayer((None, 3))}, "got a network without parameters"),
        ({"inputs": [[1, 2, 3], [1, 2]]}, "got inputs of unlike lengths, expected one array"),
        ({"inputs": X.astype(str)}, "got inputs <U32, expected numbers"),
        ({"inputs": [None] * 6}, "got inputs object, expected numbers"),
        ({"inputs": X * np.nan}, "got inputs that are not finite, expected numbers"),
        ({"inputs": 3.0}, r"got inputs \(\), expected \(examples, 3\)"),
        ({"targets": Y * np.inf}, "got targets that are not finite, expected numbers"),
        ({"targets": 3.0}, "got 6 inputs and 0 targets"),
        ({"inputs": {"a": X}}, "got inputs of 'a', expected of the network's input layers or their names"),
        ({"inputs": {}}, "got no inputs of the network's input layer input1"),
        ({"loss": "cross_entropy", "targets": Y}, r"one an input \(of rows with a 1 in them their argmax\(axis=1\)\)"),
        (
            {"loss": "cross_entropy", "network": ReshapeLayer(network(), (-1, 1, 2)), "targets": np.ones(6, int)},
            r"cross_entropy got a network whose output is \(None, 1, 2\), expected \(examples, classes\)",
        ),
        (
            {"loss": lambda p, t: (p - t) ** 2, "network": network(1), "targets": np.ones(6)},
            r"got targets \(6,\) beside an output of one column, expected targets\[:, None\]",
        ),
    ],
)
def test_what_does_not_fit_is_told_in_a_line(changes, said):
    given = {"network": network(), "loss": "squared_error", "inputs": X, "targets": Y} | changes
    with pytest.raises(UserError, match=said) as told:
        ArrayTask(**given)
    assert "\n" not in str(told.value)


def test_several_inputs_are_given_by_layer_or_name():
    (a, b), network = two()
    task = ArrayTask(network, "squared_error", {a: X, "b": 2 * X}, Y)
    np.testing.assert_array_equal(task.arrays["input2"], 2 * X)
    assert set(task.known(task.inputs())["inputs"]) == {a, b}
    for inputs, said in [
        (X, "got one array of inputs for a network of 2 input layers, expected a dict of arrays by these layers"),
        ([X, X], "got one array of inputs for a network of 2 input layers"),
        ({a: X}, "got no inputs of the network's input layer b, expected an array"),
        ({a: X, b: X[:, :2]}, r"got inputs of b \(6, 2\), expected \(examples, 3\)"),
        ({a: X, b: X[:4]}, "got 4, 6 inputs and 6 targets, expected as many of both"),
    ]:
        with pytest.raises(UserError, match=said):
            ArrayTask(network, "squared_error", inputs, Y)


def test_a_column_may_be_given_without_its_second_axis():
    assert ArrayTask(network(1), "squared_error", X, np.ones(6)).arrays["targets"].shape == (6, 1)


def test_input_layers_for_unlike_batches_are_refused():
    merged = DenseLayer(LSTMLayer(InputLayer((4, 3, 2)), 2, mask_input=InputLayer((5, 3))), 2)
    with pytest.raises(UserError, match=r"got input layers for batches of \[4, 5\] examples, expected one size"):
        ArrayTask(merged, "squared_error", {}, Y)


@pytest.mark.parametrize("loss", [lasagne.objectives.squared_error, lambda p, t: ((p - t) ** 2).mean(axis=1)])
def test_a_function_may_give_several_losses_of_an_example_or_one(loss):
    task = ArrayTask(network(), loss, X, Y)
    predicted, inputs = T.matrix("predicted"), task.inputs()
    losses = task.losses(predicted, inputs)
    found = losses.eval({predicted: 3 * Y.astype(aesara.config.floatX), inputs["targets"]: task.arrays["targets"]})
    np.testing.assert_allclose(found, [4] * 6)


def test_a_function_of_one_number_and_a_classifier_without_softmax_are_refused():
    task = ArrayTask(network(), lambda p, t: ((p - t) ** 2).mean(), X, Y)
    with pytest.raises(UserError, match="got a loss that is one number, expected one of each example"):
        task.losses(T.matrix(), task.inputs())
    labels = np.array([0, 1] * 3)
    task = ArrayTask(network(), "cross_entropy", X, labels)
    with pytest.raises(UserError, match="whose last operation is no softmax, expected one: nonlinearity=lasagne"):
        task.losses(T.matrix(), task.inputs())
    assert ArrayTask(network(nonlinearity=softmax), "cross_entropy", X, labels).arrays["targets"].dtype == np.int32
