"""Each rule by itself; what whole losses come to is in `test_rewriting`."""

import aesara
import aesara.tensor as T
import numpy as np
import pytest
from aesara.graph.basic import graph_inputs
from aesara.graph.fg import FunctionGraph
from aesara.tensor.special import softmax

from crmn_legacy.backend.stabilization import stabilized

X, Y = T.dmatrix("x"), T.dmatrix("y")
K = T.lvector("k")
S = T.sigmoid(X)


def rewritten(variable):
    """The expression after the walk, and whether anything was replaced."""
    inputs = [one for one in graph_inputs([variable]) if one in (X, Y, K)]
    fgraph = FunctionGraph(inputs, [variable])
    counts = stabilized(fgraph)
    return fgraph, counts.replaced


def at(fgraph, **values):
    function = aesara.function(fgraph.inputs, fgraph.outputs[0], mode="FAST_COMPILE", on_unused_input="ignore")
    return function(*(np.asarray(values[variable.name]) for variable in fgraph.inputs))


def ops(fgraph):
    return {str(getattr(node.op, "scalar_op", node.op)) for node in fgraph.apply_nodes}


SMALL = 1e-18
REPLACED = {
    "expm1": (T.exp(X) - 1, {"x": [[SMALL]]}, SMALL),
    "expm1, its negative": (1 - T.exp(X), {"x": [[SMALL]]}, -SMALL),
    "expm1 as a sum": (-1 + T.exp(X), {"x": [[SMALL]]}, SMALL),
    "log1p": (T.log(1 + X), {"x": [[SMALL]]}, SMALL),
    "log1p of what is taken off": (T.log(1 - X), {"x": [[SMALL]]}, -SMALL),
    "sqrt": (T.sqrt(X * X), {"x": [[-1e200]]}, 1e200),
    "power": ((X**2) ** 0.5, {"x": [[-1e200]]}, 1e200),
    "logistic": (1 / (1 + T.exp(-X)), {"x": [[-800.0]]}, 0),
    "reciprocal": (T.reciprocal(1 + T.exp(-X)), {"x": [[-800.0]]}, 0),
    "softmax": ((T.exp(X) / T.exp(X).sum(axis=1, keepdims=True))[:, 0], {"x": [[800.0, 800]]}, 0.5),
    "softmax of all": (T.exp(X) / T.exp(X).sum(), {"x": [[800.0]]}, 1),
    "log to 10": (T.log10(T.exp(X)), {"x": [[800.0]]}, 800 / np.log(10)),
    "odds": (S / (1 - S), {"x": [[50.0]]}, np.exp(50)),
    "over what vanishes": (Y / (1 - S), {"x": [[50.0]], "y": [[1.0]]}, 1 + np.exp(50)),
    "the same above and below": (Y * X / X, {"x": [[0.0]], "y": [[3.0]]}, 3),
    "the same below and above": (Y / X * X, {"x": [[0.0]], "y": [[3.0]]}, 3),
    "all of it": (X / X, {"x": [[0.0]]}, 1),
    "exponentials that overflow": (T.exp(X) * T.sigmoid(-X), {"x": [[800.0]]}, 1),
    "0 times": (0 * T.log(X) * Y, {"x": [[0.0]], "y": [[1.0]]}, 0),
    "zeros times": (T.zeros_like(X) * (1 / X), {"x": [[0.0]]}, 0),
    "a branch divided": (T.switch(X > 0, Y, 0) / X, {"x": [[0.0]], "y": [[3.0]]}, 0),
    "a branch multiplied": (T.switch(X > 0, 0, Y) * T.log(2 - X), {"x": [[3.0]], "y": [[3.0]]}, 0),
    "labels": (T.nnet.categorical_crossentropy(softmax(X, axis=-1), K), {"x": [[0.0, 900]], "k": [0]}, 900),
    "labels of a selection": (
        T.nnet.categorical_crossentropy(softmax(X, axis=-1)[:1], K),
        {"x": [[0.0, 900]], "k": [0]},
        900,
    ),
}


@pytest.mark.parametrize("name", REPLACED)
def test_what_takes_the_place_is_right_where_the_other_was_not(name):
    variable, values, expected = REPLACED[name]
    fgraph, replaced = rewritten(variable)
    assert replaced
    np.testing.assert_allclose(at(fgraph, **values), np.full(variable.type.ndim * (1,), expected), rtol=1e-13)


LEFT = {
    "complement": 1 - S,
    "gates": S * (1 - S) * Y,
    "0 times what is finite": 0 * T.tanh(X),
    "a branch times what is finite": T.switch(X > 0, Y, 0) * T.tanh(X),
    "neither branch 0": T.switch(X > 0, Y, 1) / X,
    "a branch over a number": T.switch(X > 0, Y, 0) / 2,
    "different things": X * Y / (X + Y),
    "integers": K * K // K,
    "a root": T.sqrt(X**3) + T.sqrt(X),
    "exp": T.exp(X) - 2 + (3 - T.exp(X)),
    "labels of probabilities": T.nnet.categorical_crossentropy(X, K),
    "logarithms": T.log(X) + T.log2(X) + T.log10(X) + T.log1p(X),
    "shifted": T.exp(X - X.max()) / T.exp(X - X.max()).sum(),
}


@pytest.mark.parametrize("name", LEFT)
def test_what_is_left(name):
    assert rewritten(LEFT[name])[1] == 0


def test_beside_what_cancelled_the_complement_is_exact():
    fgraph, _ = rewritten(T.grad(T.log(S).sum(), X))
    np.testing.assert_allclose(at(fgraph, x=[[50.0]]), [[np.exp(-50)]], rtol=1e-13)


def test_terms_of_which_one_is_the_other_s_share_are_put_together():
    probability = T.exp(X) / (1 + T.exp(X))
    fgraph, _ = rewritten(T.grad(T.log(1 - probability).sum(), X))
    np.testing.assert_allclose(at(fgraph, x=[[800.0, -50]]), [[-1, -np.exp(-50)]], rtol=1e-12)


def test_integers_are_not_looked_at():
    fgraph, replaced = rewritten(T.cast(K, "int32") * 0)
    assert not replaced and "mul" in ops(fgraph)
