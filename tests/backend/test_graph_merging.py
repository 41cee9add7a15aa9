"""Nothing is computed twice in a merged graph."""

import aesara.tensor as T
import numpy as np
from aesara.graph.basic import applys_between

from crmn_legacy.backend.graph_merging import merged


def exponentials(inputs, outputs):
    return sum("exp" in str(node.op).lower() for node in applys_between(inputs, outputs))


def test_equal_expressions_become_one_and_the_graph_that_was_given_stays():
    x = T.dvector("x")
    first, second = T.exp(x) + 1, T.exp(x) * 2
    inputs, outputs = merged([x], [first, second, first])
    assert inputs[0] is not x and len(outputs) == 3 and outputs[0] is outputs[2]
    assert exponentials(inputs, outputs) == 1 and exponentials([x], [first, second]) == 2
    np.testing.assert_allclose(outputs[1].eval({inputs[0]: np.array([0.0])}), [2])
