"""Aesara's own Python code as the judge of the lowerings."""

import contextlib

import aesara
import jax
import numpy as np
from aesara.compile.mode import Mode
from hypothesis import settings

from crmn_legacy.backend.lowerings import lower

# The same examples in every run, and no more than the suite has time for.
examples = settings(derandomize=True, deadline=None, max_examples=12, database=None)
few_examples = settings(examples, max_examples=6)


def python_only():
    """Keep Aesara from compiling C, in the inner functions of scans and in what seeds random streams, too."""
    return aesara.config.change_flags(mode="FAST_COMPILE")


def python_result(inputs, outputs, values):
    """Run a graph, unrewritten, by the ``perform`` methods of its ops."""
    with python_only():
        function = aesara.function(
            inputs,
            outputs,
            mode=Mode(linker="py", optimizer=None),
            on_unused_input="ignore",
            no_default_updates=True,
        )
        return function(*values)


def xla_result(inputs, outputs, values, x64=True):
    """Run a graph through the lowerings, in 64 bits or in 32."""
    with jax.experimental.enable_x64() if x64 else contextlib.nullcontext():
        return [np.asarray(array) for array in jax.jit(lower(inputs, outputs))(*values)]


def hlo(inputs, outputs, values, optimized=False):
    """Return the program's text, as lowered or as XLA left it."""
    lowered = jax.jit(lower(inputs, outputs)).lower(*values)
    return lowered.compile().as_text() if optimized else lowered.as_text()


def gradients(outputs, wrt):
    """Return the gradients of a sum of squares of `outputs`, so that every element has its own cotangent."""
    cost = sum((output**2).sum() for output in outputs)
    return aesara.grad(cost, wrt)


def assert_agrees(inputs, outputs, values, wrt=(), tolerance=1e-10):
    """Compare values, and gradients by `wrt`, between Python and XLA, in float64."""
    outputs = list(outputs) + (gradients(outputs, list(wrt)) if wrt else [])
    expected = python_result(inputs, outputs, values)
    got = xla_result(inputs, outputs, values)
    for wanted, found in zip(expected, got, strict=True):
        wanted = np.asarray(wanted)
        assert found.shape == wanted.shape
        assert found.dtype == wanted.dtype
        np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance)
