"""What an expression is, however it was written: a logistic, an exponential, a softmax, a product of such.

Expressions are only recognised here; nothing of a graph is changed.
"""

import numpy as np
from aesara.compile.ops import ViewOp
from aesara.scalar import basic as scalar
from aesara.scalar import math as scalar_math
from aesara.tensor import math
from aesara.tensor.elemwise import CAReduce, DimShuffle
from aesara.tensor.math import MaxAndArgmax, Sum
from aesara.tensor.nnet.basic import SoftmaxWithBias
from aesara.tensor.special import Softmax

from .expressions import MOVING, comes_from, has_op, is_real
from .products import Products
from .shares import share

# Sums of more exponentials are not taken as such.
_MOST_TERMS = 12


class Forms:
    """Recognises expressions.

    Parameters
    ----------
    expressions : crmn_legacy.backend.stabilization.expressions.Expressions
        Makes the variables by which they are named.
    """

    def __init__(self, expressions):
        self.expressions = expressions
        self.products = Products(self)
        self._canonical, self._exponents = {}, {}

    def canonical(self, variable):
        """The variable in a form that all ways to write it share.

        Logistics are ``sigmoid(x)`` of x or ``-x`` (also ``1 - sigmoid(x)``, ``1 / (1 + exp(-x))``), exponentials
        shared out are softmaxes, the root of a square is an absolute value; elements are moved about last.
        """
        found = self._canonical.get(variable)
        if found is None:
            known = self.expressions.representative(variable)
            found = self._recognised(known) if known.owner is not None and is_real(known) else known
            self._canonical[variable] = found
        return found

    def _recognised(self, variable):
        node = variable.owner
        if isinstance(node.op, MOVING):
            moved = self.expressions.moved_like(variable, self.canonical(node.inputs[0]))
            return moved if _is_like(moved, variable) else variable
        if isinstance(node.op, Softmax):
            return self.softmax(self.canonical(node.inputs[0]), node.op.axis)
        if isinstance(node.op, SoftmaxWithBias):
            x, bias = node.inputs
            return self.softmax(self.expressions.elementwise(math.add, x, bias), -1)
        for kinds, recognise in _ELEMENTWISE:
            if comes_from(variable, kinds):
                found = recognise(self, variable, *node.inputs)
                return found if found is not None and _is_like(found, variable) else variable
        return variable

    def softmax(self, x, axis):
        """The softmax of x along an axis, canonical."""
        if axis is not None:
            axis = -1 if axis in (-1, x.type.ndim - 1) else axis % x.type.ndim
        return self.expressions.apply(Softmax(axis), x)

    def _same(self, variable, x):
        return self.canonical(x) if x.type.dtype == variable.type.dtype else None

    def _negative(self, variable, x):
        return self.expressions.negative(self.canonical(x))

    def _unary(self, variable, x):
        """Functions of each element come before elements are moved about."""
        x = self.canonical(x)
        if has_op(x, MOVING):
            return self.expressions.moved_like(x, self._unary(variable, x.owner.inputs[0]))
        if comes_from(variable, scalar.Abs) and comes_from(x, scalar.Neg):
            x = x.owner.inputs[0]
        return self.expressions.apply(variable.owner.op, x)

    def _difference(self, variable, x, y):
        if self.expressions.constant_value(x) == 1:
            return self._complement(y)
        return None

    def _sum(self, variable, *terms):
        if len(terms) != 2:
            return None
        for one, other in (terms, terms[::-1]):
            if self.expressions.constant_value(one) == 1:
                negative = self.canonical(other)
                return self._complement(negative.owner.inputs[0]) if comes_from(negative, scalar.Neg) else None
        return None

    def _complement(self, y):
        """1 minus a logistic function, as a logistic function."""
        x = self.argument(y, scalar_math.Sigmoid)
        return None if x is None else self.logistic(self.expressions.negative(x))

    def logistic(self, x):
        """``sigmoid(x)``, canonical."""
        return self.canonical(self.expressions.apply(math.sigmoid, x))

    def exponential(self, x):
        """``exp(x)``, canonical."""
        return self.canonical(self.expressions.apply(math.exp, x))

    def _product(self, variable, *factors):
        """Of products only -1 times something is looked at."""
        if len(factors) == 2:
            for one, other in (factors, factors[::-1]):
                if self.expressions.constant_value(one) == -1 and other.type == variable.type:
                    return self.expressions.negative(self.canonical(other))
        return None

    def _quotient(self, variable, x, y):
        exponent = self.argument(x, scalar.Exp)
        if exponent is None and self.expressions.constant_value(x) == 1:
            y = self.softplus_argument(y)
            return None if y is None else self.logistic(self.expressions.negative(y))
        return None if exponent is None else share(self, exponent, y)

    def _reciprocal(self, variable, y):
        y = self.softplus_argument(y)
        return None if y is None else self.logistic(self.expressions.negative(y))

    def _root(self, variable, x):
        return self.root(x)

    def root(self, square):
        """The square root of what is a square, else None."""
        product = self.products.of(square)
        if len(product.factors) != 2 or product.negative or product.factors[0] != product.factors[1]:
            return None
        factor, power = product.factors[0]
        return self.canonical(self.expressions.apply(math.abs, factor)) if power == 1 else None

    def _power(self, variable, x, exponent):
        exponent = self.expressions.constant_value(exponent)
        if exponent == 1:
            return self._same(variable, x)
        if exponent == 0.5:
            return self.root(x)
        if exponent == -1:
            return self._reciprocal(variable, x)
        return self.expressions.apply(variable.owner.op, self.canonical(x), variable.owner.inputs[1])

    def argument(self, variable, kinds):
        """x of ``f(x)``, f a scalar op of these classes, shaped like `variable`; else None."""
        variable = self.canonical(variable)
        if has_op(variable, MOVING):
            x = self.argument(variable.owner.inputs[0], kinds)
            return None if x is None else self.expressions.moved_like(variable, x)
        return variable.owner.inputs[0] if comes_from(variable, kinds) else None

    def exponents(self, variable):
        """x, y, ... of ``exp(x) + exp(y) + ...``, numbers among them as their logarithms; else None."""
        if variable not in self._exponents:
            self._exponents[variable] = self._found_exponents(variable)
        return self._exponents[variable]

    def _found_exponents(self, variable):
        if not comes_from(variable, scalar.Add) or len(variable.owner.inputs) > _MOST_TERMS:
            return None
        found = []
        for term in variable.owner.inputs:
            found.append(self._exponents_of_term(term, variable))
            if found[-1] is None:
                return None
        if all(self.expressions.constant_value(x[0]) is not None for x in found):
            return None
        found = [x for term in found for x in term]
        return found if len(found) <= _MOST_TERMS else None

    def _exponents_of_term(self, term, like):
        value = self.expressions.constant_value(term)
        if value is not None:
            return [self.expressions.number(np.log(value), like)] if value > 0 else None
        x = self.argument(term, scalar.Exp)
        return self.exponents(term) if x is None else [x]

    def softplus_argument(self, variable):
        """x of ``1 + exp(x)``, else None."""
        found = self.exponents(variable)
        if found is None or len(found) != 2:
            return None
        for one, other in (found, found[::-1]):
            if self.expressions.constant_value(one) == 0:
                return other
        return None

    def summed_exponent(self, variable):
        """(x, axes) where a variable is the sum of ``exp(x)`` over these axes, which are kept; else None."""
        places = None
        if has_op(variable, DimShuffle):
            places, variable = variable.owner.op.new_order, variable.owner.inputs[0]
        if not has_op(variable, Sum):
            return None
        x = self.argument(variable.owner.inputs[0], scalar.Exp)
        if x is None:
            return None
        axes = _axes(variable.owner.op.axis, x.type.ndim)
        kept = iter(range(x.type.ndim))
        expected = tuple("x" if axis in axes else next(kept) for axis in range(x.type.ndim))
        return (x, axes) if places == expected else None

    def is_sum_of_exponentials(self, variable):
        """Whether a variable is a sum over ``exp(x)``, whatever its axes."""
        return has_op(variable, Sum) and self.argument(variable.owner.inputs[0], scalar.Exp) is not None

    def is_shifted(self, x):
        """Whether the greatest of x was taken off, so that no exponential of it overflows and not all vanish."""
        if comes_from(x, scalar.Sub):
            taken, rest = x.owner.inputs[1], x.owner.inputs[0]
            while has_op(taken, DimShuffle | ViewOp) or comes_from(taken, scalar.Identity):
                taken = taken.owner.inputs[0]
            return _is_greatest(taken) and self.canonical(taken.owner.inputs[0]) is self.canonical(rest)
        return False


_ELEMENTWISE = (
    ((scalar.Identity, scalar.Cast), Forms._same),
    (scalar.Neg, Forms._negative),
    ((scalar_math.Sigmoid, scalar.Exp, scalar.Abs), Forms._unary),
    (scalar.Sub, Forms._difference),
    (scalar.Add, Forms._sum),
    (scalar.Mul, Forms._product),
    (scalar.TrueDivide, Forms._quotient),
    (scalar.Reciprocal, Forms._reciprocal),
    (scalar.Sqrt, Forms._root),
    (scalar.Pow, Forms._power),
)


def _is_like(found, variable):
    return (found.type.dtype, found.type.broadcastable) == (variable.type.dtype, variable.type.broadcastable)


def _axes(axis, ndim):
    return tuple(range(ndim)) if axis is None else tuple(sorted(one % ndim for one in axis))


def _is_greatest(variable):
    return has_op(variable, MaxAndArgmax) or (
        has_op(variable, CAReduce) and isinstance(variable.owner.op.scalar_op, scalar.ScalarMaximum)
    )
