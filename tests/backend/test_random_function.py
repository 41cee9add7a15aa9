"""The op behind Theano's draws from NumPy's generators."""

import aesara
import aesara.tensor as at
import numpy as np
import pytest
from aesara.compile.mode import Mode
from aesara.tensor.random.type import random_state_type
from aesara.tensor.type import TensorType

from crmn_legacy.backend.random_function import RandomFunction, multinomial_helper, random_integers_helper


def draw(variables, generator, values=()):
    """Compute draws by `perform`; the generator is an input, and must stay as it is."""
    rng, inputs, outputs = variables
    with aesara.config.change_flags(mode="FAST_COMPILE"):
        function = aesara.function([rng, *inputs], outputs, mode=Mode(linker="py", optimizer=None))
        return function(generator, *values)


def of_uniform(size, inplace=False):
    rng = random_state_type()
    new, sample = RandomFunction("uniform", TensorType("float64", (None,) * len(size)), inplace)(rng, size, 0.0, 1.0)
    return rng, [], [new, sample]


def test_a_draw_is_numpys_and_the_generator_after_it_goes_on():
    given = np.random.RandomState(5)
    new, sample = draw(of_uniform((2, 3)), given)
    expected = np.random.RandomState(5)
    np.testing.assert_array_equal(sample, expected.uniform(0, 1, (2, 3)))
    assert new.uniform() == expected.uniform()
    # The generator that was given is where it was.
    assert given.uniform() == np.random.RandomState(5).uniform()


def test_a_draw_in_place_advances_the_generator_itself():
    node = of_uniform((3,), inplace=True)[2][0].owner
    given, storage = np.random.RandomState(5), [[None], [None]]
    node.op.perform(node, [given, np.array([3]), np.array(0.0), np.array(1.0)], storage)
    assert storage[0][0] is given
    np.testing.assert_array_equal(storage[1][0], np.random.RandomState(5).uniform(0, 1, 3))
    assert node.op.destroy_map == {0: [0]}


def test_a_method_of_the_users_choice_is_called():
    rng, scale = random_state_type(), at.dvector()
    new, sample = RandomFunction("exponential", TensorType("float64", (None, None)))(rng, (2, 3), scale)
    _, got = draw((rng, [scale], [new, sample]), np.random.RandomState(1), [np.array([1.0, 2.0, 3.0])])
    np.testing.assert_array_equal(got, np.random.RandomState(1).exponential([1.0, 2.0, 3.0], (2, 3)))


def test_a_function_of_the_users_is_called_with_parameters_before_the_shape():
    def helper(rng, offset, size):
        return rng.randn(*size) + offset

    rng = random_state_type()
    new, sample = RandomFunction(helper, TensorType("float32", (None,)))(rng, (4,), 10.0)
    _, got = draw((rng, [], [new, sample]), np.random.RandomState(1))
    assert got.dtype == "float32"
    np.testing.assert_array_equal(got, (np.random.RandomState(1).randn(4) + 10.0).astype("float32"))


def test_no_shape_is_that_of_the_parameters():
    rng, mean = random_state_type(), at.dvector()
    new, sample = RandomFunction("normal", TensorType("float64", (None,)))(rng, (), mean, 1.0)
    _, got = draw((rng, [mean], [new, sample]), np.random.RandomState(1), [np.arange(4.0)])
    np.testing.assert_array_equal(got, np.random.RandomState(1).normal(np.arange(4.0), 1.0))


def test_a_sample_of_another_shape_is_refused():
    rng = random_state_type()
    new, sample = RandomFunction(lambda rng, size: rng.rand(3), TensorType("float64", (None,)))(rng, (2,))
    with pytest.raises(ValueError, match=r"drew numbers of shape \(3,\)"):
        draw((rng, [], [new, sample]), np.random.RandomState(1))


def test_what_is_no_generator_is_refused():
    with pytest.raises(TypeError, match="RandomStateType"):
        RandomFunction("uniform", TensorType("float64", (None,)))(at.dscalar(), (2,), 0.0, 1.0)


def test_shapes_are_known_without_a_draw():
    rng, n, pvals = aesara.shared(np.random.RandomState(1)), at.lscalar(), at.dmatrix()
    counts = TensorType("int64", (None, None))
    _, drawn = RandomFunction(multinomial_helper, counts, ndim_added=1)(rng, n.dimshuffle("x"), 1, pvals)
    with aesara.config.change_flags(mode="FAST_COMPILE"):
        function = aesara.function([n, pvals], drawn.shape, mode=Mode("py", "fast_run"))
    assert not any(isinstance(node.op, RandomFunction) for node in function.maker.fgraph.toposort())
    np.testing.assert_array_equal(function(3, np.full((3, 4), 0.25)), [3, 4])


def test_no_gradient_goes_through_a_draw():
    rng, mean = random_state_type(), at.dvector()
    _, sample = RandomFunction("normal", TensorType("float64", (None,)))(rng, (3,), mean, 1.0)
    with pytest.raises(aesara.gradient.NullTypeGradError):
        aesara.grad(sample.sum(), mean)


@pytest.mark.parametrize("low, high", [(2, 4), (-5, -5), (0, 2**31), (0, 2**32 - 1), (-(2**40), 2**40), (0, 126)])
def test_integers_at_once_are_those_that_theano_drew_one_by_one(low, high):
    at_once = random_integers_helper(np.random.RandomState(3), np.array(low), np.array(high), (50,))
    one_by_one = np.random.RandomState(3)
    assert at_once.tolist() == [one_by_one.randint(low, high + 1) for _ in range(50)]


def test_integers_of_broadcast_bounds_are_those_that_theano_drew_one_by_one():
    low, high = np.array([0, -3, 10, 7]), np.array([[5], [200], [2**33]])
    got = random_integers_helper(np.random.RandomState(3), low, high + 100, (3, 4))
    rng = np.random.RandomState(3)
    assert got.tolist() == [[rng.randint(a, b[0] + 101) for a in low] for b in high]


def test_the_highest_integer_of_a_small_dtype_is_drawn():
    got = random_integers_helper(np.random.RandomState(3), np.int8(126), np.int8(127), (40,))
    assert set(got.tolist()) == {126, 127}


@pytest.mark.parametrize(
    "row, asked",
    [
        ([0.2, 0.3, 0.5], [0.2, 0.3, 0.5]),
        # Theano made room where NumPy might have found the sum above 1.
        ([0.5, 0.5, 0.0], [0.5 * (1 - 5e-5), 0.5 * (1 - 5e-5), 0.0]),
        ([0.5, 0.3, 0.2 + 5e-6], [0.5 * (1 - 5e-5), 0.3 * (1 - 5e-5), (0.2 + 5e-6) * (1 - 5e-5)]),
    ],
)
def test_probabilities_reach_numpy_as_theano_gave_them(row, asked):
    got = multinomial_helper(np.random.RandomState(2), np.array(1000), np.array(row), (3,))
    rng = np.random.RandomState(2)
    np.testing.assert_array_equal(got, [rng.multinomial(1000, np.array(asked)) for _ in range(3)])


@pytest.mark.parametrize("row, message", [([0.5, 0.9], "sum to 1.4"), ([-0.5, 0.9], "negative")])
def test_what_are_no_probabilities_is_refused(row, message):
    with pytest.raises(ValueError, match=message):
        multinomial_helper(np.random.RandomState(2), np.array(1), np.array(row), (3,))
