import numpy as np
import pytest

# isort: split
import theano.tensor as T
from theano.compile.ops import as_op
from theano.tests import unittest_tools


def test_gradients_are_held_against_differences():
    import aesara

    with aesara.config.change_flags(cxx="", mode="FAST_COMPILE"):
        unittest_tools.verify_grad(T.tanh, [np.ones((2, 2))])
        with pytest.raises(aesara.gradient.GradientError):
            # Its gradient is told to be zero.
            unittest_tools.verify_grad(lambda x: T.tanh(aesara.gradient.zero_grad(x)), [np.ones((2, 2))])


def test_arrays_are_close_as_their_format_lets_them_be():
    unittest_tools.assert_allclose(np.float32([1.0]), np.float32([1.0 + 1e-6]))
    with pytest.raises(unittest_tools.WrongValue):
        unittest_tools.assert_allclose(np.float64([1.0]), np.float64([1.0 + 1e-6]))
    unittest_tools.assert_allclose(1.0, 1.1, rtol=0.2)


def test_seeds():
    assert unittest_tools.fetch_seed(3) == 3 and unittest_tools.fetch_seed("random") is None
    assert unittest_tools.seed_rng(5) == 5
    assert np.random.randint(1000) == np.random.RandomState(5).randint(1000)


@as_op(itypes=[T.dmatrix], otypes=[T.dmatrix])
def _without_shape(x):
    return x.copy()


class TestShapes(unittest_tools.InferShapeTester):
    def test_a_shape_is_inferred(self):
        import aesara

        x = T.dmatrix()
        with aesara.config.change_flags(cxx=""):
            self._compile_and_check([x], [T.extra_ops.cumsum(x, axis=0)], [np.ones((2, 3))], T.extra_ops.CumOp)
            with pytest.raises(AssertionError):
                # Without a rule for its shape the operation itself is left in the graph that computes it.
                self._compile_and_check([x], [_without_shape(x)], [np.ones((2, 3))], type(_without_shape))
