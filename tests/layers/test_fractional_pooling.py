import aesara
import aesara.tensor as T
import numpy as np
import pytest

from crmn_legacy.backend.compile import compile_step
from crmn_legacy.layers import FractionalPool2DLayer
from crmn_legacy.layers.fractional_pooling import _places
from crmn_legacy.models.fractional_max_pooling import field_sizes
from crmn_legacy.training.steps import build
from tests.evaluate import evaluate
from tests.oracles import fractional_pooling as oracle

# Height and width of the input and of the output: the published first pool's ratio, near 2, more than 2, and 1 less.
SIZES = [((11, 9), (9, 7)), ((10, 11), (5, 6)), ((9, 8), (3, 2)), ((4, 3), (3, 2))]
BELOW_ONE = np.nextafter(np.float32(1), np.float32(0))


@pytest.fixture(params=SIZES, ids=str)
def case(request, double):
    sides, output_size = request.param
    layer = build(lambda: FractionalPool2DLayer((None, 3, *sides), output_size, name="pool"), seed=1)
    random = np.random.default_rng(2)
    x, u = random.normal(size=(4, 3, *sides)), random.uniform(size=(2, 4))
    u[:, 0] = 0.0, BELOW_ONE
    return layer, x, u


def test_values_are_the_regions_maxima(case):
    layer, x, u = case
    symbols = T.tensor4(), T.matrix()
    (got,) = evaluate([layer.pool(*symbols)], dict(zip(symbols, (x, u), strict=True)))
    np.testing.assert_array_equal(got, oracle.forward(x, u, *layer.output_size))
    assert layer.output_shape == (None, *got.shape[1:])


def test_gradients_go_to_each_regions_greatest(case):
    layer, x, u = case
    symbols = T.tensor4(), T.matrix()
    d_out = np.random.default_rng(3).normal(size=(4, 3, *layer.output_size))
    cost = (layer.pool(*symbols) * d_out).sum()
    (got,) = evaluate([aesara.grad(cost, symbols[0])], dict(zip(symbols, (x, u), strict=True)))
    np.testing.assert_allclose(got, oracle.gradient(x, u, d_out), rtol=0, atol=1e-12)


def test_deterministic_regions_are_those_of_one_half(case):
    layer, x, _ = case
    symbol = T.tensor4()
    (got,) = evaluate([layer.get_output_for(symbol, deterministic=True)], {symbol: x})
    np.testing.assert_array_equal(got, oracle.forward(x, np.full((2, 4), 0.5), *layer.output_size))


def test_each_picture_and_axis_and_step_has_regions_of_its_own():
    layer = build(lambda: FractionalPool2DLayer((None, 1, 40, 40), 29, name="pool"), seed=1)
    # Numbers that grow to the right and down tell where a region ends.
    picture = np.arange(1600, dtype=np.float32).reshape(1, 1, 40, 40)
    symbol = T.tensor4("x")
    step = compile_step({"x": symbol}, {"y": layer.get_output_for(symbol)})
    state, found = step.initial_state(), []
    for _ in range(2):
        state, outputs = step(state, {"x": np.repeat(picture, 6, axis=0)})
        found.append(step.get_outputs(outputs)["y"][:, 0].astype(int))
    rows, columns = np.concatenate(found)[:, :, 0] // 40, np.concatenate(found)[:, 0] % 40
    assert len(np.unique(rows, axis=0)) > 6 and len(np.unique(columns, axis=0)) > 6
    assert (rows != columns).any()
    for ends in (*rows, *columns):
        assert ends[0] == 1 and ends[-1] == 39 and set(np.diff(ends)) <= {1, 2}


@pytest.mark.parametrize(("how", "draws"), [({"sampling": True}, True), ({}, False)])
def test_sampling_draws_in_testing_too(how, draws):
    layer = build(lambda: FractionalPool2DLayer((None, 1, 40, 40), 29, name="pool"), seed=1)
    symbol = T.tensor4("x")
    step = compile_step({"x": symbol}, {"y": layer.get_output_for(symbol, deterministic=True, **how)}, donate=False)
    assert step.state_names == (["pool.rng"] if draws else [])
    pictures = np.random.default_rng(1).normal(size=(2, 1, 40, 40)).astype(np.float32)
    state, first = step(step.initial_state(), {"x": pictures})
    _, second = step(state, {"x": pictures})
    first, second = (step.get_outputs(outputs)["y"] for outputs in (first, second))
    assert (first != second).any() == draws


@pytest.mark.parametrize(("side", "length"), [*field_sizes(12, 2**0.3333), *field_sizes(5, 1.98), (130, 129)])
def test_no_rounding_moves_a_region_over_the_border(side, length):
    # Where the regions change, and the nearest float32 on both sides.
    turns = np.linspace(0, 1, side - 1, dtype=np.float32)
    u = np.concatenate([np.nextafter(turns, np.float32(0)), turns, np.nextafter(turns, np.float32(1))])
    symbol = T.fvector()
    (places,) = evaluate([_places(symbol, side, length)], {symbol: u})
    np.testing.assert_array_equal(places.sum(axis=1), 1)
    starts = places.argmax(axis=1)
    assert (starts[:, 0] == 0).all() and (starts[:, -1] == side - 2).all()
    # The product with N - 2 may be rounded to a whole number: the regions then are those of a u that much aside.
    for found, value in zip(starts.tolist(), u, strict=True):
        assert found in (oracle.starts(aside, side, length) for aside in (value, value + 1e-6, value - 1e-6))


@pytest.mark.parametrize(
    ("shape", "output_size"), [((None, 3, 9), 4), ((None, 3, 9, 9), 9), ((None, 3, 9, 9), 1), ((None, 3, None, 9), 4)]
)
def test_sizes_that_do_not_fit_are_refused(shape, output_size):
    with pytest.raises(ValueError, match=r"FractionalPool2DLayer 'pool' expects .* got \(None, 3"):
        FractionalPool2DLayer(shape, output_size, name="pool")
