"""Logarithms of what may vanish or overflow, computed without it."""

import math as numbers

from aesara.compile.ops import ViewOp
from aesara.raise_op import CheckAndRaise
from aesara.scalar import basic as scalar
from aesara.scalar import math as scalar_math
from aesara.tensor import math
from aesara.tensor.basic import Alloc, Join
from aesara.tensor.math import Sum
from aesara.tensor.shape import SpecifyShape
from aesara.tensor.special import LogSoftmax, Softmax

from .expressions import MOVING, comes_from, is_real

# Through so many ops at most a logarithm is taken to where it can be had.
_FARTHEST = 16
# Beside ops that move elements about: these put out their first input's elements, too.
_PASSING = (Alloc, ViewOp, CheckAndRaise, SpecifyShape)


class Logarithms:
    """Takes logarithms.

    Parameters
    ----------
    cancellation : crmn_legacy.backend.stabilization.cancellation.Cancellation
    """

    def __init__(self, cancellation):
        self.cancellation, self.forms = cancellation, cancellation.forms
        self.expressions = self.forms.expressions

    def of(self, variable, depth=_FARTHEST):
        """``log(variable)`` where it can be had without computing the variable, else None."""
        variable = self.forms.canonical(variable)
        if variable.owner is None or depth == 0 or not is_real(variable):
            return None
        return self._of_moved(variable, depth) or self._of_form(variable) or self._of_product(variable, depth)

    def _of_moved(self, variable, depth):
        """Of what has the elements of one of its inputs, the same done to their logarithms."""
        node = variable.owner
        if comes_from(variable, scalar.Switch) or isinstance(node.op, Join):
            return self._of_parts(node, depth)
        is_filled = comes_from(variable, scalar.Second)
        if not (is_filled or comes_from(variable, scalar.Cast) or isinstance(node.op, MOVING + _PASSING)):
            return None
        place, inputs = int(is_filled), list(node.inputs)
        found = self.of(inputs[place], depth - 1)
        inputs[place] = None if found is None else self.expressions.fitted(found, inputs[place].type)
        return None if inputs[place] is None else self.expressions.apply(node.op, *inputs)

    def _of_parts(self, node, depth):
        """Of parts that were joined, or are chosen among, the logarithm of each, as far as one has its own."""
        found = [self.of(part, depth - 1) for part in node.inputs[1:]]
        if all(one is None for one in found):
            return None
        parts = []
        for part, logarithm in zip(node.inputs[1:], found, strict=True):
            logarithm = self.expressions.apply(math.log, part) if logarithm is None else logarithm
            parts.append(self.expressions.fitted(logarithm, part.type) if is_real(part) else logarithm)
        return None if None in parts else self.expressions.apply(node.op, node.inputs[0], *parts)

    def _of_form(self, variable):
        expressions, node = self.expressions, variable.owner
        if comes_from(variable, scalar_math.Sigmoid):
            return self._negative_softplus(expressions.negative(node.inputs[0]))
        if comes_from(variable, scalar.Exp):
            return node.inputs[0]
        if isinstance(node.op, Softmax):
            return expressions.apply(LogSoftmax(node.op.axis), node.inputs[0])
        if isinstance(node.op, Sum):
            x = self.forms.argument(node.inputs[0], scalar.Exp)
            return None if x is None or self.forms.is_shifted(x) else self._of_sum(x, node.op)
        if comes_from(variable, scalar.Sub):
            return self._of_difference(*node.inputs)
        x = self.forms.softplus_argument(variable)
        if x is not None:
            return expressions.apply(math.softplus, x)
        exponents = self.forms.exponents(variable)
        return None if exponents is None else self._of_terms(exponents)

    def _negative_softplus(self, x):
        return self.expressions.apply(math.neg, self.expressions.apply(math.softplus, x))

    def _of_difference(self, one, other):
        """``log(1 - exp(x))`` and ``log(exp(x) - exp(y))``."""
        y = self.forms.argument(other, scalar.Exp)
        if y is None:
            return None
        if self.expressions.constant_value(one) == 1:
            return self.expressions.apply(math.log1mexp, y)
        x = self.forms.argument(one, scalar.Exp)
        if x is None:
            return None
        rest = self.expressions.apply(math.log1mexp, self.expressions.elementwise(math.sub, y, x))
        return self.expressions.elementwise(math.add, x, rest)

    def _of_terms(self, exponents):
        """``log(exp(x) + exp(y) + ...)``: the greatest is taken off."""
        greatest = exponents[0]
        for x in exponents[1:]:
            greatest = self.expressions.elementwise(math.maximum, greatest, x)
        shares = [self._exponential_of_difference(x, greatest) for x in exponents]
        total = self.expressions.elementwise(math.add, *shares)
        return self._unless_infinite(greatest, total)

    def _of_sum(self, x, op):
        """``log(sum(exp(x)))``: the greatest is taken off."""
        axes = list(range(x.type.ndim)) if op.axis is None else [axis % x.type.ndim for axis in op.axis]
        if not axes:
            return None
        greatest = math.max(x, axis=tuple(axes) if len(axes) > 1 else axes[0])
        kept = self.expressions.keeping_dimensions(greatest, axes, x.type.ndim)
        total = self.expressions.apply(op, self._exponential_of_difference(x, kept))
        return self._unless_infinite(greatest, total)

    def _exponential_of_difference(self, x, y):
        return self.expressions.apply(math.exp, self.expressions.elementwise(math.sub, x, y))

    def _unless_infinite(self, greatest, total):
        """Beside what is infinite nothing else counts."""
        found = self.expressions.elementwise(math.add, greatest, self.expressions.apply(math.log, total))
        return self.expressions.chosen(self.expressions.apply(math.isinf_, greatest), greatest, found)

    def _of_product(self, variable, depth):
        """A sum, where one factor has its own logarithm: being positive, it does not touch the others' sign."""
        if comes_from(variable, scalar.Sqrt):
            found = self.of(variable.owner.inputs[0], depth - 1)
            return None if found is None else self._times(0.5, found)
        if comes_from(variable, scalar.Pow):
            found = self.of(variable.owner.inputs[0], depth - 1)
            return None if found is None else self.expressions.elementwise(math.mul, variable.owner.inputs[1], found)
        product = self.forms.products.of(variable)
        if len(product.factors) < 2:
            return None
        found, rest = [], []
        for factor, power in product.factors:
            logarithm = self.of(factor, depth - 1) if is_real(factor) else None
            if logarithm is None:
                rest.append((factor, power))
            else:
                found.append(logarithm if power == 1 else self.expressions.apply(math.neg, logarithm))
        if not found:
            return None
        if rest or product.negative:
            rest = self.cancellation.built(product._replace(factors=tuple(rest)), None, like=variable)
            found.append(self.expressions.apply(math.log, rest))
        return found[0] if len(found) == 1 else self.expressions.elementwise(math.add, *found)

    def _times(self, number, variable):
        return self.expressions.elementwise(math.mul, self.expressions.number(number, variable), variable)

    def of_one_plus(self, x):
        """``log(1 + x)``, else None."""
        canonical = self.forms.canonical(x)
        exponent = self.forms.argument(canonical, scalar.Exp)
        if exponent is not None:
            return self.expressions.apply(math.softplus, exponent)
        if not comes_from(canonical, scalar.Neg):
            return None
        argument = self.forms.argument(canonical.owner.inputs[0], scalar_math.Sigmoid)
        if argument is not None:
            return self._negative_softplus(argument)
        exponent = self.forms.argument(canonical.owner.inputs[0], scalar.Exp)
        return None if exponent is None else self.expressions.apply(math.log1mexp, exponent)

    def near_one(self, variable):
        """``log1p(x)`` for the logarithm of ``1 + x`` and ``1 - y``, else None."""
        for kinds, sign in ((scalar.Add, 1), (scalar.Sub, -1)):
            if comes_from(variable, kinds) and len(variable.owner.inputs) == 2:
                one, other = variable.owner.inputs
                if sign == 1 and self.expressions.constant_value(one) != 1:
                    one, other = other, one
                if self.expressions.constant_value(one) == 1 and is_real(other):
                    return self.expressions.apply(math.log1p, other if sign == 1 else self.expressions.negative(other))
        return None

    def of_base(self, base, logarithm):
        """A natural logarithm as one to another base."""
        return self._times(1 / numbers.log(base), logarithm)
