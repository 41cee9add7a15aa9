"""Expressions as products of factors, which may stand above and below a line."""

from typing import NamedTuple

from aesara.graph.basic import Variable
from aesara.scalar import basic as scalar
from aesara.scalar import math as scalar_math
from aesara.tensor.elemwise import DimShuffle
from aesara.tensor.special import Softmax

from .expressions import MOVING, comes_from, has_op, is_real

# Products of more factors are taken as a whole.
MOST_FACTORS = 12
_MOST_POWER = 4
_PRODUCTS = (scalar.Mul, scalar.TrueDivide, scalar.Reciprocal, scalar.Neg, scalar.Sqr, scalar.Pow)


class Product(NamedTuple):
    """``(-1)^negative`` times factors, each with 1 or -1 as its power; computed in a dtype."""

    dtype: str
    negative: bool
    factors: tuple[tuple[Variable, int], ...]


class Products:
    """Takes expressions apart.

    Parameters
    ----------
    forms : crmn_legacy.backend.stabilization.forms.Forms
        Says what the factors are.
    """

    def __init__(self, forms):
        self.forms, self.expressions = forms, forms.expressions
        self._products = {}

    def of(self, variable):
        """A variable as a product of canonical factors, itself alone if it is none."""
        found = self._products.get(variable)
        if found is None:
            found = self._factored(self.forms.canonical(variable))
            if len(found.factors) > MOST_FACTORS:
                found = _alone(self.forms.canonical(variable))
            self._products[variable] = found
        return found

    def _factored(self, variable):
        if not is_real(variable) or variable.owner is None:
            return _alone(variable)
        if has_op(variable, MOVING):
            return self._moved_product(variable)
        parts = [self.of(x) for x in variable.owner.inputs] if comes_from(variable, _PRODUCTS) else []
        dtype = variable.type.dtype
        if comes_from(variable, scalar.Mul):
            negative = sum(one.negative for one in parts) % 2 == 1
            return Product(dtype, negative, sum((one.factors for one in parts), ()))
        if comes_from(variable, scalar.TrueDivide):
            factors = parts[0].factors + self._inverse(parts[1].factors)
            return Product(dtype, parts[0].negative != parts[1].negative, factors)
        if comes_from(variable, scalar.Reciprocal):
            return Product(dtype, parts[0].negative, self._inverse(parts[0].factors))
        if comes_from(variable, scalar.Neg):
            return Product(dtype, not parts[0].negative, parts[0].factors)
        if comes_from(variable, scalar.Sqr):
            return Product(dtype, False, parts[0].factors * 2)
        if comes_from(variable, scalar.Pow):
            lowered = self._one_power_less(variable)
            if lowered is not None:
                return lowered
            power = self.expressions.constant_value(variable.owner.inputs[1])
            root = self.forms.root(variable.owner.inputs[0]) if power in (0.5, -0.5) else None
            if root is not None:
                return Product(dtype, False, ((root, int(2 * power)),))
            if power is not None and power.is_integer() and 0 < abs(power) <= _MOST_POWER:
                factors = parts[0].factors if power > 0 else self._inverse(parts[0].factors)
                return Product(dtype, parts[0].negative and power % 2 == 1, factors * int(abs(power)))
        x = self.forms.softplus_argument(variable)
        if x is not None:
            return Product(dtype, False, ((self.forms.logistic(self.expressions.negative(x)), -1),))
        return _alone(variable)

    def _moved_product(self, variable):
        """A product whose elements were moved about is the product of its factors' elements.

        Quotients are left whole: a gradient's divisors are followed through the ops that move it by `passages`.
        """
        moved = variable.owner.inputs[0]
        product = self.of(moved)
        has_quotient = len(product.factors) > 1 and any(power == -1 for _, power in product.factors)
        if has_quotient or not all(self._moves_with(variable, factor, moved) for factor, _ in product.factors):
            return _alone(variable)
        factors = [(self.expressions.moved_like(variable, factor), power) for factor, power in product.factors]
        return product._replace(factors=tuple((self.forms.canonical(factor), power) for factor, power in factors))

    def _moves_with(self, variable, factor, moved):
        return has_op(variable, DimShuffle) or factor.type.broadcastable == moved.type.broadcastable

    def _one_power_less(self, variable):
        """``p ^ (y - 1)``, of a logistic or softmax p, as ``p ^ y / p``: so it stands in the gradient of ``p ^ y``."""
        base, exponent = variable.owner.inputs
        base = self.forms.canonical(base)
        if not comes_from(exponent, scalar.Sub) or not (has_op(base, Softmax) or comes_from(base, scalar_math.Sigmoid)):
            return None
        whole, one = exponent.owner.inputs
        if self.expressions.constant_value(one) != 1 or self.expressions.constant_value(whole) is not None:
            return None
        power = self.expressions.elementwise(variable.owner.op, base, whole)
        return Product(variable.type.dtype, False, ((self.forms.canonical(power), 1), (base, -1)))

    def _inverse(self, factors):
        return tuple(self._inverse_factor(*factor) for factor in factors)

    def _inverse_factor(self, factor, power):
        """One over an exponential is an exponential."""
        x = self.forms.argument(factor, scalar.Exp) if power == 1 else None
        if x is None:
            return factor, -power
        return self.forms.exponential(self.expressions.negative(x)), 1


def _alone(variable):
    return Product(getattr(variable.type, "dtype", None), False, ((variable, 1),))
