"""Theano's streams of random numbers that NumPy draws."""

import crmn_legacy  # noqa: F401

# isort: split
# The names below can be imported once the package above is.
import numpy as np
import pytest
import theano
import theano.tensor as T
from theano.tensor.shared_randomstreams import RandomStateSharedVariable, RandomStreams


@pytest.fixture(autouse=True)
def _in_python():
    with theano.config.change_flags(mode="FAST_COMPILE", cxx=""):
        yield


def generators(seed, count):
    """The generators that Theano gave to the first variables of streams."""
    seeds = np.random.RandomState(seed)
    return [np.random.RandomState(int(seeds.randint(2**30))) for _ in range(count)]


def test_each_variable_has_a_generator_of_its_own_that_goes_on_from_call_to_call():
    streams = RandomStreams(234)
    function = theano.function([], [streams.uniform((2, 2)), streams.normal((3,))])
    first, second = generators(234, 2)
    for _ in range(3):
        uniform, normal = function()
        np.testing.assert_array_equal(uniform, first.uniform(0.0, 1.0, (2, 2)))
        np.testing.assert_array_equal(normal, second.normal(0.0, 1.0, 3))


def test_the_numbers_of_theanos_tutorial():
    # The example of Theano's documentation, as NumPy answers it.
    streams = RandomStreams(seed=234)
    uniform, normal = streams.uniform((2, 2)), streams.normal((2, 2))
    f = theano.function([], uniform)
    g = theano.function([], normal, no_default_updates=True)
    nearly_zeros = theano.function([], uniform + uniform - 2 * uniform)
    assert not np.array_equal(f(), f())
    np.testing.assert_array_equal(g(), g())
    np.testing.assert_array_equal(nearly_zeros(), np.zeros((2, 2)))

    value = uniform.rng.get_value(borrow=True)
    value.seed(89234)
    uniform.rng.set_value(value, borrow=True)
    np.testing.assert_array_equal(f(), np.random.RandomState(89234).uniform(size=(2, 2)))

    streams.seed(902340)
    np.testing.assert_array_equal(f(), generators(902340, 1)[0].uniform(size=(2, 2)))
    kept = uniform.rng.get_value().get_state()
    before, again = f(), f()
    value = uniform.rng.get_value(borrow=True)
    value.set_state(kept)
    uniform.rng.set_value(value, borrow=True)
    np.testing.assert_array_equal([f(), f()], [before, again])


def test_every_distribution_is_a_method():
    streams = RandomStreams(9)
    variables = [
        streams.uniform((3,), low=-1.0, high=2.0),
        streams.normal(size=(3,), avg=1.0, std=0.1),
        streams.binomial((3,), n=8, p=0.4),
        streams.random_integers((3,), low=1, high=6),
        streams.choice((3,), a=5, replace=False),
        streams.poisson((3,), lam=2.5),
        streams.permutation(n=5),
        streams.multinomial((2,), n=4, pvals=[0.5, 0.25, 0.25]),
    ]
    got = theano.function([], variables)()
    r = generators(9, 8)
    wanted = [
        r[0].uniform(-1.0, 2.0, 3),
        r[1].normal(1.0, 0.1, 3),
        r[2].binomial(8, 0.4, 3),
        [r[3].randint(1, 7) for _ in range(3)],
        r[4].choice(5, 3, False),
        r[5].poisson(2.5, 3),
        r[6].permutation(5),
        [r[7].multinomial(4, [0.5, 0.25, 0.25]) for _ in range(2)],
    ]
    for one, other in zip(got, wanted, strict=True):
        np.testing.assert_array_equal(one, other)


def test_rows_are_shuffled_each_by_its_own_permutation():
    x = T.dmatrix()
    shuffled = RandomStreams(4).shuffle_row_elements(x)
    value = np.arange(12.0).reshape(3, 4)
    got, permutation = theano.function([x], [shuffled, shuffled.permutation])(value)
    rng = generators(4, 1)[0]
    orders = [rng.permutation(4) for _ in range(3)]
    np.testing.assert_array_equal(permutation, orders)
    np.testing.assert_array_equal(got, [row[order] for row, order in zip(value, orders, strict=True)])


def test_a_variable_knows_its_generator_and_its_update():
    streams = RandomStreams(1)
    uniform, normal = streams.uniform(), streams.normal()
    assert isinstance(uniform.rng, RandomStateSharedVariable)
    assert uniform.rng.tag.is_rng
    assert uniform.update == (uniform.rng, uniform.owner.outputs[0])
    assert uniform.rng.default_update is uniform.update[1]
    assert streams.updates() == streams.state_updates == [uniform.update, normal.update]
    given = theano.function([], [uniform, normal], updates=streams.updates(), no_default_updates=True)
    first, second = generators(1, 2)
    for _ in range(2):
        np.testing.assert_array_equal(given(), [first.uniform(), second.normal()])


def test_generators_are_looked_up_and_set_by_their_variable():
    streams = RandomStreams(1)
    uniform = streams.uniform((2,))
    assert isinstance(streams[uniform.rng], np.random.RandomState)
    streams[uniform.rng] = np.random.RandomState(77)
    np.testing.assert_array_equal(theano.function([], uniform)(), np.random.RandomState(77).uniform(size=2))


def test_seeding_sets_all_generators():
    streams = RandomStreams(1)
    function = theano.function([], [streams.uniform((2,)), streams.uniform((2,))])
    first = function()
    for seed, wanted in ((5, 5), (None, 1)):
        streams.seed(seed)
        np.testing.assert_array_equal(function(), [rng.uniform(size=2) for rng in generators(wanted, 2)])
    streams.seed()
    np.testing.assert_array_equal(function(), first)
    # Variables made later take their seeds where the constructor's generator is.
    later = theano.function([], streams.uniform((2,)))()
    np.testing.assert_array_equal(later, generators(1, 3)[2].uniform(size=2))


def test_any_function_of_raw_random_makes_a_variable():
    from theano.tensor import raw_random

    streams = RandomStreams(3)
    sample = streams.gen(raw_random.poisson, (4,), 2.0, dtype="int32")
    np.testing.assert_array_equal(theano.function([], sample)(), generators(3, 1)[0].poisson(2.0, 4))


def test_streams_without_a_seed_differ():
    one, other = (theano.function([], RandomStreams().uniform((4,)))() for _ in range(2))
    assert not np.array_equal(one, other)


def test_gibbs_sampling_in_a_scan_draws_what_numpy_draws():
    streams = RandomStreams(12)
    weights = np.random.RandomState(0).normal(size=(4, 3))
    start = T.dmatrix()

    def step(visible):
        hidden = T.nnet.sigmoid(T.dot(visible, weights))
        hidden = streams.binomial(size=hidden.shape, n=1, p=hidden, dtype="float64")
        back = T.nnet.sigmoid(T.dot(hidden, weights.T))
        return streams.binomial(size=back.shape, n=1, p=back, dtype="float64")

    chain, updates = theano.scan(step, outputs_info=start, n_steps=6)
    function = theano.function([start], chain, updates=updates)
    visible = np.ones((5, 4))
    up, down = generators(12, 2)
    for _ in range(2):
        got = function(visible)
        for sample in got:
            hidden = up.binomial(1, 1 / (1 + np.exp(-visible @ weights)), (5, 3))
            visible = down.binomial(1, 1 / (1 + np.exp(-hidden @ weights.T)), (5, 4))
            np.testing.assert_array_equal(sample, visible)
