import aesara.tensor as T
import pytest
from aesara.tensor.special import softmax

from crmn_legacy.backend.stabilization.expressions import Expressions
from crmn_legacy.backend.stabilization.forms import Forms

X, Y = T.dmatrix("x"), T.dmatrix("y")


@pytest.fixture
def forms():
    return Forms(Expressions())


def powers(forms, variable):
    """The sign, and the powers of x and y."""
    product = forms.products.of(variable)
    found = {X: 0, Y: 0}
    for factor, power in product.factors:
        found[factor] = found.get(factor, 0) + power
    return product.negative, found[X], found[Y], len(found)


@pytest.mark.parametrize(
    ("variable", "expected"),
    [
        (X * Y / X, (False, 0, 1, 2)),
        (-(X / Y) * -X * -Y, (True, 2, 0, 2)),
        (X / (Y / X), (False, 2, -1, 2)),
        (T.reciprocal(X) * T.sqr(Y), (False, -1, 2, 2)),
        ((-X) ** 3 / Y**2, (True, 3, -2, 2)),
        (X**-2, (False, -2, 0, 2)),
        (X + Y, (False, 0, 0, 3)),
        (X**0.3, (False, 0, 0, 3)),
        (X * X * X * X * X * X * X * X * X * X * X * X * X, (False, 0, 0, 3)),
    ],
)
def test_products_are_taken_apart(forms, variable, expected):
    assert powers(forms, variable) == expected


def test_one_over_an_exponential_is_one(forms):
    assert forms.products.of(Y / T.exp(X)).factors == ((Y, 1), (forms.canonical(T.exp(-X)), 1))


def test_one_plus_an_exponential_divides_as_a_logistic_multiplies(forms):
    assert forms.products.of(Y / (1 + T.exp(X))).factors == ((Y, 1), (forms.canonical(T.sigmoid(-X)), 1))


def test_a_product_that_is_moved_is_one_of_moved_factors(forms):
    moved = forms.products.of((T.exp(X) * T.sigmoid(Y)).reshape((-1,)))
    assert [type(factor.owner.inputs[0].owner.op.scalar_op).__name__ for factor, _ in moved.factors] == [
        "Exp",
        "Sigmoid",
    ]
    broadcast = (X * T.drow()).reshape((-1,))
    assert forms.products.of(broadcast).factors == ((forms.canonical(broadcast), 1),)


def test_the_power_in_a_power_s_gradient_is_the_power_itself_divided(forms):
    p = softmax(X, axis=-1)
    found = forms.products.of(p ** (Y - 1)).factors
    assert found == ((forms.canonical(p**Y), 1), (forms.canonical(p), -1))
    # Of what may be 0 that would not be the same.
    assert len(forms.products.of(X ** (Y - 1)).factors) == 1
