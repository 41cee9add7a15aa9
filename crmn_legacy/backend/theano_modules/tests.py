"""What answers for ``theano.tests.unittest_tools``, which programs of the time tested their operations with."""

import unittest

import numpy as np
from aesara import config
from aesara.gradient import verify_grad as _verify_grad


class WrongValue(Exception):  # noqa: N818 - Theano's name
    """Two values differ."""


def fetch_seed(pseed=None):
    """The seed that a test is to use, None for any: `pseed`, else ``config.unittests.rseed``."""
    seed = config.unittests__rseed if pseed is None else pseed
    return None if seed == "random" else int(seed)


def seed_rng(pseed=None):
    """Seed NumPy's generator, and return the seed."""
    seed = fetch_seed(pseed)
    np.random.seed(seed)
    return seed


def verify_grad(op, pt, n_tests=2, rng=None, *arguments, **named):
    """Hold an operation's gradient against differences, as ``theano.gradient.verify_grad``; `rng` is seeded if None."""
    _verify_grad(op, pt, n_tests, np.random.RandomState(fetch_seed()) if rng is None else rng, *arguments, **named)


def assert_allclose(expected, value, rtol=None, atol=None):
    """Demand that two arrays are close, as close as their number format lets them be.

    Raises
    ------
    WrongValue
        If they are not.
    """
    formats = {np.asarray(part).dtype.name for part in (expected, value)}
    near = {"float16": (5e-3, 5e-3), "float32": (1e-5, 1e-5)}
    loosest = next((near[name] for name in near if name in formats), (1e-10, 1e-10))
    rtol, atol = (given if given is not None else default for given, default in zip((rtol, atol), loosest, strict=True))
    if not np.allclose(expected, value, rtol=rtol, atol=atol):
        raise WrongValue(f"got {value}, expected {expected} to {rtol:g} relative and {atol:g}")


def disturb_mem():
    """Nothing: it was to show what reads memory that nobody has written."""


class TestOptimizationMixin:
    """Tells what nodes a compiled function has."""

    def assertFunctionContains(self, f, op, min=1, max=float("inf")):
        """Demand that so many of its nodes have the operation `op`."""
        found = sum(node.op == op for node in f.maker.fgraph.toposort())
        assert min <= found <= max, (found, min, max)

    def assertFunctionContains0(self, f, op):
        """Demand that none has it."""
        self.assertFunctionContains(f, op, min=0, max=0)

    def assertFunctionContains1(self, f, op):
        """Demand that one has it."""
        self.assertFunctionContains(f, op, min=1, max=1)


class InferShapeTester(unittest.TestCase):
    """Holds what an operation says of its results' shapes against them."""

    def setUp(self):
        """Seed the draws."""
        seed_rng()

    def _compile_and_check(self, inputs, outputs, numeric_inputs, cls, excluding=None, warn=True, check_topo=True):
        import aesara

        mode = aesara.compile.mode.Mode("py", "fast_run")
        values = aesara.function(inputs, outputs, mode=mode, on_unused_input="ignore")(*numeric_inputs)
        shapes = aesara.function(inputs, [out.shape for out in outputs], mode=mode, on_unused_input="ignore")
        if check_topo:
            assert not any(isinstance(node.op, cls) for node in shapes.maker.fgraph.toposort())
        for value, shape in zip(values, shapes(*numeric_inputs), strict=True):
            assert tuple(shape) == value.shape
