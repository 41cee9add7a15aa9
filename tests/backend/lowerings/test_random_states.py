"""Draws from NumPy's generators within XLA: the numbers that NumPy gives."""

import os
import subprocess
import sys
from pathlib import Path

import crmn_legacy  # noqa: F401

# isort: split
# The names below can be imported once the package above is.
import aesara
import aesara.tensor as at
import jax
import numpy as np
import pytest
from aesara.tensor.random.utils import RandomStream

from crmn_legacy.backend.lowerings import lower, settings
from crmn_legacy.backend.lowerings.random_states import array_to_state, state_to_array
from crmn_legacy.backend.random_function import RandomFunction
from crmn_legacy.backend.theano_random_streams import RandomStreams

from .reference import python_only, python_result, xla_result

KINDS = {
    "RandomState": np.random.RandomState,
    "RandomState of PCG64": lambda seed: np.random.RandomState(np.random.PCG64(seed)),
    **{
        name: lambda seed, name=name: np.random.Generator(getattr(np.random, name)(seed))
        for name in ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")
    },
}


def advanced(rng):
    """Leave half of something in each buffer that a generator may have."""
    rng.standard_normal(3)
    integers = rng.integers if isinstance(rng, np.random.Generator) else rng.randint
    integers(0, 100, 5, dtype="uint32")
    return rng


def drawn(rng):
    """Numbers that depend on all that a generator keeps."""
    integers = rng.integers if isinstance(rng, np.random.Generator) else rng.randint
    return [*rng.standard_normal(5), *integers(0, 2**31, 5, dtype="uint32"), *rng.uniform(size=1300)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_generator_comes_back_from_its_array(kind):
    rng = advanced(KINDS[kind](7))
    array = state_to_array(rng)
    assert array.dtype == np.uint32
    assert array.ndim == 1
    back, other = array_to_state(array), KINDS[kind](8)
    assert type(back) is type(rng)
    assert array_to_state(array, into=other) is other
    np.testing.assert_array_equal(state_to_array(back), array)
    wanted = drawn(rng)
    assert drawn(back) == wanted
    assert drawn(other) == wanted


def test_all_states_of_one_kind_are_of_one_length():
    assert (
        len(state_to_array(np.random.RandomState(1))) == len(state_to_array(advanced(np.random.RandomState(2)))) == 630
    )


def test_what_is_no_generator_is_refused():
    with pytest.raises(TypeError, match="got int, expected a RandomState"):
        state_to_array(3)


def xla_draws(streams, outputs, inputs=(), values=(), x64=True):
    """Outputs and the generators after them, as arrays."""
    rngs = [rng for rng, _ in streams.state_updates]
    states = [state_to_array(rng.get_value()) for rng in rngs]
    after = [new for _, new in streams.state_updates]
    return xla_result([*inputs, *rngs], [*outputs, *after], [*values, *states], x64)


def assert_draws_agree(streams, outputs, inputs=(), values=()):
    outputs = list(outputs)
    after = [new for _, new in streams.state_updates]
    expected = python_result(inputs, [*outputs, *after], values)
    for wanted, found in zip(expected, xla_draws(streams, outputs, inputs, values), strict=True):
        wanted = np.asarray(wanted) if isinstance(wanted, np.ndarray | np.generic) else state_to_array(wanted)
        assert found.dtype == wanted.dtype
        np.testing.assert_array_equal(found, wanted)


def theanos_variables(streams, x):
    return [
        streams.uniform((3, 4), low=-1.0, high=2.0),
        streams.uniform(),
        streams.normal((5,), avg=x[0], std=2.0, dtype="float32"),
        streams.binomial(x.shape, n=3, p=at.sigmoid(x)),
        streams.random_integers((20,), low=2, high=9),
        streams.choice((4,), a=9, replace=False),
        streams.poisson(None, lam=at.exp(x)),
        streams.permutation((2,), n=6),
        streams.multinomial((4,), n=5, pvals=[0.2, 0.3, 0.5]),
        streams.multinomial(None, pvals=at.exp(x) / at.exp(x).sum(1, keepdims=True)),
        streams.shuffle_row_elements(x),
    ]


X = np.random.RandomState(0).normal(size=(3, 5))


def test_theanos_variables_are_numpys_and_their_generators_go_on():
    x, streams = at.dmatrix(), RandomStreams(42)
    assert_draws_agree(streams, theanos_variables(streams, x), [x], [X])


def test_numbers_are_those_that_are_written_by_hand():
    streams = RandomStreams(42)
    outputs = [streams.uniform((2, 3)), streams.binomial((7,), n=4, p=0.3), streams.permutation(n=5)]
    got = xla_draws(streams, outputs)
    seeds = np.random.RandomState(42)
    rngs = [np.random.RandomState(seeds.randint(2**30)) for _ in outputs]
    wanted = [rngs[0].uniform(size=(2, 3)), rngs[1].binomial(4, 0.3, 7), rngs[2].permutation(5)]
    for one, other in zip(got, [*wanted, *map(state_to_array, rngs)], strict=True):
        np.testing.assert_array_equal(one, other)


def test_without_64_bits_the_same_numbers_are_rounded():
    streams = RandomStreams(42)
    outputs = [streams.uniform((2, 3)), streams.binomial((7,), n=4, p=0.25)]
    narrow, wide = xla_draws(streams, outputs, x64=False), xla_draws(streams, outputs)
    assert [array.dtype for array in narrow] == ["float32", "int32", "uint32", "uint32"]
    np.testing.assert_array_equal(narrow[0], wide[0].astype("float32"))
    for one, other in zip(narrow[1:], wide[1:], strict=True):
        np.testing.assert_array_equal(one, other)


def test_off_the_processor_the_numbers_are_the_same():
    x, streams = at.dmatrix(), RandomStreams(42)
    outputs = theanos_variables(streams, x)
    wanted = xla_draws(streams, outputs, [x], [X])
    with settings(platform="cuda"):
        got = xla_draws(streams, outputs, [x], [X])
    for one, other in zip(got, wanted, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("kind", KINDS)
def test_aesaras_random_variables_are_numpys(kind):
    x, streams = at.dmatrix(), RandomStream(3, rng_ctor=lambda _: advanced(KINDS[kind](5)))
    integers = streams.randint if "RandomState" in kind else streams.integers
    outputs = [
        streams.normal(0, 1, size=(3,)),
        streams.uniform(x, x + 1),
        streams.multinomial(5, [0.2, 0.3, 0.5], size=(2,)),
        streams.dirichlet(abs(x) + 1),
        streams.multivariate_normal(at.zeros(2), at.eye(2), size=(3,)),
        streams.choice(6, size=(4,)),
        streams.permutation(7),
        streams.categorical([0.2, 0.8], size=(7,)),
        integers(0, 9, size=(5,)),
    ]
    assert_draws_agree(streams, outputs, [x], [X])


def gibbs(streams, start, weights, steps):
    def step(visible):
        hidden = at.sigmoid(at.dot(visible, weights))
        hidden = streams.binomial(size=hidden.shape, n=1, p=hidden, dtype="float64")
        back = at.sigmoid(at.dot(hidden, weights.T))
        return streams.binomial(size=back.shape, n=1, p=back, dtype="float64")

    with python_only():
        return aesara.scan(step, outputs_info=start, n_steps=steps)


@pytest.mark.parametrize("steps", [5, 1000])
def test_a_chain_in_a_scan_is_numpys(steps):
    streams, start = RandomStreams(12), at.dmatrix()
    weights = np.random.RandomState(0).normal(size=(4, 3))
    chain, updates = gibbs(streams, start, weights, steps)
    rngs = list(updates)
    states = [state_to_array(rng.get_value()) for rng in rngs]
    got, *after = xla_result([start, *rngs], [chain, *updates.values()], [np.ones((2, 4)), *states])
    seeds, visible = np.random.RandomState(12), np.ones((2, 4))
    up, down = (np.random.RandomState(seeds.randint(2**30)) for _ in range(2))
    for sample in got:
        hidden = up.binomial(1, 1 / (1 + np.exp(-visible @ weights)))
        visible = down.binomial(1, 1 / (1 + np.exp(-hidden @ weights.T)))
        np.testing.assert_array_equal(sample, visible)
    assert {array.tobytes() for array in after} == {state_to_array(rng).tobytes() for rng in (up, down)}


def test_a_generator_that_is_a_constant_draws():
    rng = at.random.type.random_state_type.make_constant(np.random.RandomState(4))
    _, sample = RandomFunction("uniform", at.TensorType("float64", (None,)))(rng, (3,), 0.0, 1.0)
    np.testing.assert_array_equal(xla_result([], [sample], [])[0], np.random.RandomState(4).uniform(size=3))


def test_a_shape_that_is_data_is_refused():
    n, streams = at.lscalar(), RandomStreams(1)
    sample, permutation = streams.uniform((n,)), streams.permutation(n=n)
    for output in (sample, permutation):
        with pytest.raises(NotImplementedError, match="XLA fixes shapes"):
            jax.jit(lower([n, output.rng], [output]))(np.int64(3), state_to_array(output.rng.get_value()))


def test_numpys_complaint_is_told():
    p, streams = at.dvector(), RandomStreams(1)
    counts = streams.multinomial((), pvals=p)
    with pytest.raises(Exception, match=r"sum to 1\.4"), jax.experimental.enable_x64():
        jax.jit(lower([p, counts.rng], [counts]))([0.5, 0.9], state_to_array(counts.rng.get_value()))


# With jax.pure_callback this never ends: what the callback is given is copied by XLA's one thread, which waits for the
# callback. A million numbers now and then get through.
ONE_THREAD = """
import os, sys
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
import crmn_legacy
import aesara.tensor as at, jax, numpy as np
from crmn_legacy.backend.lowerings import lower
from crmn_legacy.backend.lowerings.random_states import state_to_array
from crmn_legacy.backend.theano_random_streams import RandomStreams

count = int(sys.argv[1])
p, streams = at.dvector(), RandomStreams(1)
sample = streams.binomial(p.shape, p=streams.uniform(p.shape) * at.sqrt(p))
rngs = [rng for rng, _ in streams.state_updates]
with jax.experimental.enable_x64():
    program = jax.jit(lower([p, *rngs], [sample.sum(), *(new for _, new in streams.state_updates)]))
    states = [state_to_array(rng.get_value()) for rng in rngs]
    totals = []
    for _ in range(3):
        total, *states = program(np.full(count, 0.25), *states)
        totals.append(int(total))
seeds = np.random.RandomState(1)
first, second = (np.random.RandomState(seeds.randint(2**30)) for _ in range(2))
for total in totals:
    uniform = first.uniform(size=count)
    assert total == second.binomial(1, uniform * 0.5).sum(), totals
"""


@pytest.mark.parametrize("count", [5_000_000, pytest.param(20_000_000, marks=pytest.mark.slow)])
def test_large_samples_come_where_there_is_one_thread(count):
    repository = str(Path(__file__).parents[3])
    ran = subprocess.run(
        [sys.executable, "-c", ONE_THREAD, str(count)],
        env={**os.environ, "PYTHONPATH": repository, "NPROC": "1", "AESARA_FLAGS": "cxx=,mode=FAST_COMPILE"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
