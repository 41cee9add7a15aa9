"""Rewrites of Aesara, mended; asked for by the name of their rules, so that no compiler is needed."""

import crmn_legacy.backend  # noqa: F401

# isort: split
# Imported after the package above, so mended.
import aesara
import aesara.tensor as T
import numpy as np
import pytest
from aesara.compile.mode import Mode


def gradient_of_a_recurrence():
    """The gradient by a matrix that a loop carries: its shape becomes known by a rewrite."""
    x = T.dmatrix("x")
    w = aesara.shared(np.eye(4), name="w")
    states, _ = aesara.scan(lambda x, h: T.tanh(x + T.dot(h, w)), sequences=x, outputs_info=T.zeros(4, "float64"))
    return x, T.grad(states[-1].sum(), w)


@pytest.mark.parametrize("power", [2, 3])
def test_powers_of_what_got_a_narrower_type_can_be_rewritten(power):
    x, gradient = gradient_of_a_recurrence()
    with aesara.config.change_flags(cxx=""):
        function = aesara.function([x], [gradient**power, gradient], mode=Mode("py", "fast_run"))
    found, gradient = function(np.ones((3, 4)))
    np.testing.assert_allclose(found, gradient**power, rtol=1e-12)


def test_the_rewrites_as_they_were_can_be_had():
    from aesara.tensor.rewriting import math

    for rewriter in (math.local_pow_specialize, math.local_pow_specialize_device):
        assert rewriter.fn.__wrapped__.__name__ == rewriter.__name__
