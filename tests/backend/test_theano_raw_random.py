"""Theano's functions that draw from a generator."""

import crmn_legacy  # noqa: F401

# isort: split
# The names below can be imported once the package above is.
import numpy as np
import pytest
import theano
import theano.tensor as T
from theano.tensor import raw_random

SEED = 23


def draw(make, inputs=(), values=()):
    """The sample of a draw from a generator of `SEED`, and the generator after it."""
    rng = raw_random.random_state_type()
    new, sample = make(rng)
    with theano.config.change_flags(mode="FAST_COMPILE"):
        mode = theano.compile.mode.Mode(linker="py", optimizer=None)
        function = theano.function([rng, *inputs], [sample, new], mode=mode, on_unused_input="ignore")
        got, after = function(np.random.RandomState(SEED), *values)
    assert got.dtype == sample.dtype
    return got, after


def by_hand(ask):
    rng = np.random.RandomState(SEED)
    return ask(rng), rng


# What Theano asked NumPy for.
DRAWS = {
    "uniform": (lambda r: raw_random.uniform(r, (2, 3)), lambda r: r.uniform(0.0, 1.0, (2, 3))),
    "uniform of bounds": (
        lambda r: raw_random.uniform(r, None, T.constant([1.0, 2.0]), 5.0),
        lambda r: r.uniform([1.0, 2.0], 5.0),
    ),
    "uniform scalar": (lambda r: raw_random.uniform(r), lambda r: np.array(r.uniform(0.0, 1.0))),
    "uniform cast": (
        lambda r: raw_random.uniform(r, (4,), dtype="float32"),
        lambda r: r.uniform(0.0, 1.0, 4).astype("float32"),
    ),
    "normal": (lambda r: raw_random.normal(r, (5,), avg=3.0, std=2.0), lambda r: r.normal(3.0, 2.0, 5)),
    "binomial": (lambda r: raw_random.binomial(r, (2, 2), n=10, p=0.3), lambda r: r.binomial(10, 0.3, (2, 2))),
    "binomial cast": (
        lambda r: raw_random.binomial(r, (6,), dtype="float32"),
        lambda r: r.binomial(1, 0.5, 6).astype("float32"),
    ),
    "poisson": (lambda r: raw_random.poisson(r, (7,), lam=4.0), lambda r: r.poisson(4.0, 7)),
    "random_integers": (
        lambda r: raw_random.random_integers(r, (8,), low=2, high=5),
        lambda r: np.array([r.randint(2, 6) for _ in range(8)]),
    ),
    "choice": (lambda r: raw_random.choice(r, (6,), a=9), lambda r: r.choice(9, 6)),
    "choice without replacement": (
        lambda r: raw_random.choice(r, (3,), a=[2, 4, 6, 8], replace=False, p=[0.1, 0.2, 0.3, 0.4]),
        lambda r: r.choice([2, 4, 6, 8], 3, False, [0.1, 0.2, 0.3, 0.4]),
    ),
    "choice scalar": (lambda r: raw_random.choice(r, a=9), lambda r: np.array(r.choice(9))),
    "permutation": (lambda r: raw_random.permutation(r, n=6), lambda r: r.permutation(6)),
    "permutations": (
        lambda r: raw_random.permutation(r, (2, 3), n=4),
        lambda r: np.array([[r.permutation(4) for _ in range(3)] for _ in range(2)]),
    ),
    "multinomial": (
        lambda r: raw_random.multinomial(r, (3,), n=6, pvals=[0.1, 0.2, 0.7]),
        lambda r: np.array([r.multinomial(6, [0.1, 0.2, 0.7]) for _ in range(3)]),
    ),
    "multinomial of rows": (
        lambda r: raw_random.multinomial(r, None, n=T.constant([3, 9]), pvals=[[0.1, 0.9], [0.6, 0.4]]),
        lambda r: np.array([r.multinomial(3, [0.1, 0.9]), r.multinomial(9, [0.6, 0.4])]),
    ),
    "multinomial of a row at a time": (
        lambda r: raw_random.multinomial(r, (2, -1), pvals=[[0.1, 0.9], [0.6, 0.4], [0.5, 0.5]]),
        lambda r: np.array([[r.multinomial(1, row) for row in ([0.1, 0.9], [0.6, 0.4], [0.5, 0.5])] for _ in range(2)]),
    ),
}


@pytest.mark.parametrize("name", DRAWS)
def test_a_distribution_gives_what_numpy_gives(name):
    make, ask = DRAWS[name]
    got, after = draw(make)
    wanted, rng = by_hand(ask)
    assert got.shape == wanted.shape
    np.testing.assert_array_equal(got, wanted)
    assert after.uniform() == rng.uniform()


def test_sizes_may_be_symbolic():
    x, n = T.dmatrix(), T.lscalar()
    values = [np.ones((3, 4)), 2]
    for size, shape in (
        (x.shape, (3, 4)),
        ((n, x.shape[1]), (2, 4)),
        (T.stack([n, n]), (2, 2)),
        ([n], (2,)),
        (n, (2,)),
    ):
        got, _ = draw(lambda r, size=size: raw_random.uniform(r, size), [x, n], values)
        np.testing.assert_array_equal(got, by_hand(lambda r, shape=shape: r.uniform(0.0, 1.0, shape))[0])


def test_ndim_tells_how_long_a_vector_of_lengths_is():
    lengths = T.lvector()
    got, _ = draw(lambda r: raw_random.normal(r, lengths, ndim=2), [lengths], [[2, 5]])
    np.testing.assert_array_equal(got, by_hand(lambda r: r.normal(0.0, 1.0, (2, 5)))[0])
    with pytest.raises(ValueError, match="Length"):
        raw_random.normal(raw_random.random_state_type(), lengths)
    with pytest.raises(ValueError, match="ndim=2"):
        raw_random.normal(raw_random.random_state_type(), (3,), ndim=2)


def test_minus_one_in_a_size_is_the_length_of_the_parameters():
    p = T.dmatrix()
    value = np.random.RandomState(0).uniform(size=(3, 4))
    got, _ = draw(lambda r: raw_random.binomial(r, (2, 3, -1), p=p), [p], [value])
    np.testing.assert_array_equal(got, by_hand(lambda r: r.binomial(1, value, (2, 3, 4)))[0])
    with pytest.raises(ValueError, match="axis 0"):
        raw_random.uniform(raw_random.random_state_type(), (-1,))


def test_dtypes_follow_the_bounds_and_floatx():
    rng = raw_random.random_state_type()
    assert raw_random.uniform(rng, (2,))[1].dtype == theano.config.floatX
    with theano.config.change_flags(floatX="float32"):
        assert raw_random.uniform(rng, (2,))[1].dtype == "float32"
        assert raw_random.normal(rng, (2,), avg=T.dscalar())[1].dtype == "float64"
    assert raw_random.poisson(rng, (2,), dtype="int8")[1].dtype == "int8"


def test_axes_of_length_1_broadcast_as_in_theano():
    rng = raw_random.random_state_type()
    assert raw_random.uniform(rng, (1, 3))[1].broadcastable == (True, False)
    assert raw_random.binomial(rng, (1, 3))[1].broadcastable == (False, False)
    assert raw_random.permutation(rng, (1,), n=1)[1].broadcastable == (True, False)
    assert raw_random.uniform(rng, None, T.drow(), 1.0)[1].broadcastable == (True, False)


def test_wrong_sizes_are_refused():
    rng = raw_random.random_state_type()
    with pytest.raises(TypeError, match="integers"):
        raw_random.uniform(rng, T.dvector(), ndim=1)
    with pytest.raises(ValueError, match="-2"):
        raw_random.uniform(rng, (-2,))
    with pytest.raises(ValueError, match="dimensions"):
        raw_random.uniform(rng, (3,), T.dmatrix(), 1.0)
    with pytest.raises(TypeError, match="ndim=2"):
        raw_random.permutation(rng, n=3, ndim=2)
    with pytest.raises(ValueError, match="got a of 2"):
        raw_random.choice(rng, (3,), a=T.lmatrix())


def test_the_old_name_of_a_probability_is_taken(capsys):
    got, _ = draw(lambda r: raw_random.binomial(r, (9,), prob=0.9))
    np.testing.assert_array_equal(got, by_hand(lambda r: r.binomial(1, 0.9, 9))[0])
    assert "called p now" in capsys.readouterr().err
