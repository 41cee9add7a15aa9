"""Theano's MRG streams: Aesara's numbers under Theano's interface."""

import crmn_legacy  # noqa: F401

# isort: split
# The names below can be imported once the package above is.
import numpy as np
import pytest
import theano
import theano.tensor as T
from aesara.sandbox.rng_mrg import MRG_RandomStream
from theano.sandbox.rng_mrg import MRG_RandomStreams

LARGEST = 2147462578


@pytest.fixture(autouse=True)
def _in_python():
    with theano.config.change_flags(mode="FAST_COMPILE", cxx=""):
        yield


def test_streams_start_where_aesaras_do():
    ours, aesaras = MRG_RandomStreams(9), MRG_RandomStream(9)
    for count in (1, 7, 2):
        got, wanted = ours.get_substream_rstates(count), aesaras.get_substream_rstates(count, "float64")
        np.testing.assert_array_equal(got, wanted)
        np.testing.assert_array_equal(ours.rstate, aesaras.rstate)
    np.testing.assert_array_equal(ours.get_substream_rstates(1, inc_rstate=False)[0], ours.rstate)
    ours.inc_rstate()
    aesaras.inc_rstate()
    np.testing.assert_array_equal(ours.rstate, aesaras.rstate)
    with pytest.raises(ValueError, match="0 streams"):
        ours.get_substream_rstates(0)


def test_numbers_are_aesaras():
    ours, aesaras = MRG_RandomStreams(7), MRG_RandomStream(7)
    pvals = [[0.2, 0.3, 0.5], [0.9, 0.05, 0.05]]

    def variables(streams):
        return [
            streams.uniform((3, 4)),
            streams.uniform(size=(5,), low=-1.0, high=1.0, nstreams=2),
            streams.binomial(size=(4, 4), n=1, p=0.3, dtype="float32"),
            streams.normal((3, 3), avg=1.0, std=2.0),
            streams.normal((7,), truncate=True),
            streams.truncated_normal((6,)),
            streams.multinomial(pvals=pvals, n=3),
            streams.choice(size=2, replace=False, p=pvals),
            deprecated(streams, pvals),
        ]

    def deprecated(streams, pvals):
        with pytest.deprecated_call():
            return streams.multinomial_wo_replacement(pvals=pvals, n=1)

    got, wanted = (theano.function([], variables(streams)) for streams in (ours, aesaras))
    for _ in range(2):
        for one, other in zip(got(), wanted(), strict=True):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other)


def test_theanos_way_of_making_them():
    assert MRG_RandomStreams(5, use_cuda=True).rstate.tolist() == [5] * 6
    assert MRG_RandomStreams(seed=np.int64(5)).rstate.tolist() == [5] * 6
    assert MRG_RandomStreams(seed=np.uint16(5)).rstate.tolist() == [5] * 6
    assert MRG_RandomStreams().rstate.tolist() == [12345] * 6
    for wrong in (0, LARGEST + 1, [0, 0, 0, 1, 1, 1], [1, 1, 1, 0, 0, 0]):
        with pytest.raises(ValueError, match="seed"):
            MRG_RandomStreams(wrong)
    with pytest.raises(TypeError, match="6 integers"):
        MRG_RandomStreams([1, 2])


def test_sizes_may_be_lists_and_symbolic():
    x, streams = T.dmatrix(), MRG_RandomStreams(5)
    got = theano.function([x], [streams.uniform([2, 3]), streams.uniform(x.shape), streams.uniform((x.shape[0], 2))])
    assert [value.shape for value in got(np.ones((4, 5)))] == [(2, 3), (4, 5), (4, 2)]


def test_a_variable_knows_its_state_and_its_update():
    streams = MRG_RandomStreams(5)
    mask = streams.uniform((3,))
    ((state, new),) = streams.updates()
    assert streams.state_updates == [(state, new)]
    assert state.tag.is_rng
    assert state.default_update is new
    numbers = theano.function([], mask, updates=streams.updates(), no_default_updates=True)
    assert not np.array_equal(numbers(), numbers())


def test_seeding_sets_all_states():
    streams = MRG_RandomStreams(5)
    function = theano.function([], [streams.uniform((3,)), streams.uniform((3,), nstreams=2)])
    first, second = function(), function()
    streams.seed(5)
    np.testing.assert_array_equal(function(), first)
    streams.seed()
    np.testing.assert_array_equal([function(), function()], [first, second])
    streams.seed(np.int64(6))
    other = MRG_RandomStreams(6)
    np.testing.assert_array_equal(
        function(), theano.function([], [other.uniform((3,)), other.uniform((3,), nstreams=2)])()
    )


def test_names_of_the_module_are_there():
    from theano.sandbox import rng_mrg

    assert rng_mrg.MRG_RandomStreams is MRG_RandomStreams
    assert rng_mrg.guess_n_streams((10, 10)) == 100 // 6
