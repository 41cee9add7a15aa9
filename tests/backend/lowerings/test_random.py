"""MRG31k3p: the same bits as Aesara gives."""

import aesara
import aesara.tensor as at
import jax
import numpy as np
import pytest
from aesara.compile.mode import Mode
from aesara.sandbox.rng_mrg import MRG_RandomStream
from hypothesis import given
from hypothesis import strategies as st

from crmn_legacy.backend.lowerings import lower

from .reference import few_examples, python_only, python_result, xla_result

SHAPES = [((5, 7), None), ((5, 7), 3), ((5, 7), 35), ((3,), 7), ((40, 20), None), ((2, 3, 4), 5)]


def streams(dtype, seed=42):
    """Numbers of several shapes and stream counts, their new states, and their states as inputs."""
    with python_only():
        source = MRG_RandomStream(seed)
        numbers = [source.uniform(shape, dtype=dtype, nstreams=count) for shape, count in SHAPES]
    states = [entry[0] for entry in source.state_updates]
    return states, numbers + [entry[1] for entry in source.state_updates]


def test_float64_numbers_and_states_have_the_bits_of_python():
    states, outputs = streams("float64")
    expected = python_result([], outputs, [])
    got = xla_result(states, outputs, [state.get_value() for state in states])
    for wanted, found in zip(expected, got, strict=True):
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("x64", [False, True])
def test_float32_numbers_and_states_have_the_bits_of_c(x64):
    """Aesara's Python code multiplies in float64, its C code in float32; JAX in 32 bits or in 64 must do as C does."""
    states, outputs = streams("float32")
    # The same integers lie behind the float64 numbers, and can be read off them exactly.
    exact = python_result([], streams("float64")[1], [])
    got = xla_result(states, outputs, [state.get_value() for state in states], x64=x64)
    for wanted, found, variable in zip(exact, got, outputs, strict=True):
        assert found.dtype == variable.dtype
        if variable.dtype == "int32":
            np.testing.assert_array_equal(found, wanted)
        else:
            integers = np.round(wanted * 2**31).astype("int32")
            np.testing.assert_array_equal(found, integers.astype("float32") * np.float32(4.6566126e-10))


@pytest.mark.slow
@pytest.mark.skipif(not aesara.config.cxx, reason="no C++ compiler")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numbers_have_the_bits_of_compiled_c(dtype):
    states, outputs = streams(dtype)
    with python_only():
        expected = aesara.function([], outputs, mode=Mode(linker="c|py", optimizer=None), no_default_updates=True)()
    got = xla_result(states, outputs, [state.get_value() for state in states])
    for wanted, found in zip(expected, got, strict=True):
        np.testing.assert_array_equal(found, wanted)


@few_examples
@given(st.integers(1, 2**31 - 21070), st.integers(1, 40), st.integers(1, 12))
def test_any_state_advances_as_in_python(seed, count, number):
    with python_only():
        source = MRG_RandomStream(seed)
        sample = source.uniform((count,), dtype="float64", nstreams=number)
    ((state, new, *_),) = source.state_updates
    wanted = python_result([], [sample, new], [])
    found = xla_result([state], [sample, new], [state.get_value()])
    np.testing.assert_array_equal(found[0], wanted[0])
    np.testing.assert_array_equal(found[1], wanted[1])


def test_what_is_built_on_uniform_numbers_agrees_with_python():
    with python_only():
        source = MRG_RandomStream(7)
        outputs = [
            source.uniform((4, 3), low=-2.0, high=3.0),
            source.binomial((6, 5), p=0.3, dtype="float64"),
            source.normal((4, 5), avg=1.0, std=2.0),
            source.normal((3, 3)),
        ]
        x = at.dmatrix()
        masked = x * source.binomial(x.shape, p=0.5, dtype="float64")
    states = [entry[0] for entry in source.state_updates]
    values = [state.get_value() for state in states]
    inputs = [x, *states]
    expected = python_result([x], [*outputs, masked], [np.ones((4, 6))])
    for wanted, found in zip(expected, xla_result(inputs, [*outputs, masked], [np.ones((4, 6)), *values]), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-10)


def test_a_count_that_is_data_is_refused():
    with python_only():
        source = MRG_RandomStream(7)
        n = at.lscalar()
        sample = source.uniform((n,), dtype="float32", nstreams=2)
    state = source.state_updates[0][0]
    with pytest.raises(NotImplementedError, match="number of random numbers"):
        jax.jit(lower([n, state], [sample]))(np.int64(3), state.get_value())


def test_numbers_are_even():
    """A sanity check that needs no other generator: mean and variance of the uniform distribution."""
    with python_only():
        source = MRG_RandomStream(3)
        sample = source.uniform((200, 500), dtype="float32", nstreams=1000)
    state = source.state_updates[0][0]
    (got,) = lower([state], [sample])(state.get_value())
    assert abs(float(got.mean()) - 0.5) < 5e-3
    assert abs(float(got.var()) - 1 / 12) < 2e-3
    assert len(np.unique(got)) > 99_000
