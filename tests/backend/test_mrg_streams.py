"""Where the streams of MRG31k3p start: where Theano's do."""

import itertools

import crmn_legacy  # noqa: F401

# isort: split
# The names below can be imported once the package above is.
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from aesara.sandbox import rng_mrg

from crmn_legacy.backend.mrg_streams import next_start, stream_states

from .lowerings.reference import python_only

LARGEST = 2147462578
SEEDS = [1, 12345, LARGEST, [1, 2, 3, 4, 5, 6], [2147483646] * 3 + [LARGEST] * 3]
HALVES = ((int(rng_mrg.M1), slice(3)), (int(rng_mrg.M2), slice(3, 6)))


@pytest.mark.parametrize("streams", [1, 2, 3, 50])
@pytest.mark.parametrize("seed", SEEDS)
def test_streams_are_those_of_theano(seed, streams):
    with python_only():
        theanos = rng_mrg.MRG_RandomStream(seed)
        expected = theanos.get_substream_rstates(streams, "float32")
    states = stream_states(seed, streams)
    assert states.dtype == np.int32
    np.testing.assert_array_equal(states, expected)
    after = next_start(states[0])
    assert after.dtype == np.int32
    np.testing.assert_array_equal(after, theanos.rstate)


def test_a_start_follows_from_the_one_before_by_theanos_matrices():
    # In Python's integers, which do not overflow.
    states = stream_states(42, 5).tolist()
    assert states[0] == [42] * 6
    matrices = rng_mrg.A1p72, rng_mrg.A2p72
    for before, after in itertools.pairwise(states):
        for matrix, (modulus, half) in zip(matrices, HALVES, strict=True):
            wanted = [sum(int(a) * x for a, x in zip(row, before[half], strict=True)) % modulus for row in matrix]
            assert after[half] == wanted


def test_a_seed_may_be_traced():
    with jax.experimental.enable_x64():
        got = jax.jit(lambda seed: stream_states(seed, 20, jnp))(np.uint64(LARGEST))
    np.testing.assert_array_equal(got, stream_states(LARGEST, 20))
