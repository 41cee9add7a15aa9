"""Products in which something cancels, even far apart: what the gradients of losses are full of.

Where ``g / s`` became part of a sum, was reshaped or put among zeros, and is multiplied by `s` only then, no rule that
looks at two nodes sees it. So each variable knows by what it was divided and multiplied on the way: its `Keys`.
"""

from typing import NamedTuple

from aesara.graph.basic import Variable
from aesara.scalar import basic as scalar
from aesara.scalar import math as scalar_math
from aesara.tensor import math
from aesara.tensor.basic import Join, ones_like
from aesara.tensor.elemwise import DimShuffle
from aesara.tensor.nnet.basic import CrossentropyCategorical1HotGrad
from aesara.tensor.special import Softmax

from .expressions import MOVING, comes_from, has_op, is_real
from .passages import passages
from .shares import share

# A variable has so many keys at most, each come through so many nodes at most: the work for a node is bounded.
_MOST_KEYS = 12
_FARTHEST = 64
_NEAR = 6
_SUMS = (scalar.Add, scalar.Sub)


class Key(NamedTuple):
    """A factor that a variable has: what it is in the input that has it, and through how many nodes it came."""

    inner: Variable | None
    distance: int


class Keys(NamedTuple):
    """Factors of a variable: by what it is divided, by what multiplied.

    A sum has its terms' divisors all and their exponentials, but of what else multiplies them only what all terms have.
    """

    divisors: dict[Variable, Key]
    multipliers: dict[Variable, Key]

    def of(self, power):
        """Those of power -1 or 1."""
        return self.divisors if power == -1 else self.multipliers


class Meeting(NamedTuple):
    """A factor of a variable that another one meets: its power, and what both make together (None: 1)."""

    key: Variable
    power: int
    makes: Variable | None


_NO_KEYS = Keys({}, {})
_HERE = Key(None, 0)


class Cancellation:
    """Multiplies and divides variables so that what can cancel does.

    Parameters
    ----------
    forms : crmn_legacy.backend.stabilization.forms.Forms
    """

    def __init__(self, forms):
        self.forms, self.expressions = forms, forms.expressions
        self._keys, self._passages = {}, {}

    def keys(self, variable):
        """The `Keys` of a variable."""
        found = self._keys.get(variable)
        if found is None:
            found = self._keys[variable] = self._found_keys(variable) if is_real(variable) else _NO_KEYS
        return found

    def _found_keys(self, variable):
        product = self.forms.products.of(variable)
        divisors = {factor: _HERE for factor, power in product.factors if power == -1 and self._is_divisor(factor)}
        multipliers = {factor: _HERE for factor, power in product.factors if power == 1 and self._is_special(factor)}
        for factor, power in product.factors:
            if power == 1 and is_real(factor):
                inner = self._structural_keys(factor) if _is_alone(product) else self.keys(factor)
                divisors, multipliers = inner.divisors | divisors, inner.multipliers | multipliers
        return Keys(_nearest(divisors), _nearest(multipliers)) if divisors or multipliers else _NO_KEYS

    def _structural_keys(self, variable):
        """Keys of what is no product, from its inputs."""
        node = variable.owner
        if node is None:
            return _NO_KEYS
        if comes_from(variable, _SUMS):
            return self._keys_of_sum([self.keys(term) for term in node.inputs if not self._is_zero(term)])
        if isinstance(node.op, CrossentropyCategorical1HotGrad):
            return Keys({self.forms.canonical(node.inputs[1]): _HERE}, {})
        passed = [self._passed(variable, way) for way in self._ways(variable)]
        return passed[0] if len(passed) == 1 else self._keys_of_sum(passed)

    def _keys_of_sum(self, terms):
        terms = [Keys(*(_farther(keys) for keys in term)) for term in terms]
        divisors, multipliers = {}, dict(terms[0].multipliers) if terms else {}
        for term in terms:
            divisors.update((key, found) for key, found in term.divisors.items() if self._is_dangerous(key))
            multipliers = {key: found for key, found in multipliers.items() if key in term.multipliers}
        for term in terms:
            multipliers.update((key, found) for key, found in term.multipliers.items() if self._is_exponential(key))
        return Keys(divisors, multipliers)

    def _passed(self, variable, way):
        """Keys of an input as those of the output."""
        return Keys(*(self._passed_keys(way, keys) for keys in self.keys(variable.owner.inputs[way.index])))

    def _passed_keys(self, way, keys):
        passed = {}
        for key, (_, distance) in keys.items():
            outer = way.factor(key) if distance < _FARTHEST and self._is_dangerous(key) else None
            if outer is not None:
                passed.setdefault(self.forms.canonical(outer), Key(key, distance + 1))
        return passed

    def _ways(self, variable):
        """Passages to a variable, but of zeros."""
        found = self._passages.get(variable)
        if found is None:
            ways = passages(self.expressions, variable)
            found = [way for way in ways if not self._is_zero(variable.owner.inputs[way.index])]
            self._passages[variable] = found
        return found

    def _is_zero(self, variable):
        return self.expressions.constant_value(variable) == 0

    def _is_divisor(self, factor):
        """Whether a divisor may be met again: numbers and sizes are not."""
        if self.expressions.constant_value(factor) is not None:
            return False
        if has_op(factor, DimShuffle):
            factor = factor.owner.inputs[0]
        return is_real(factor) and not (comes_from(factor, scalar.Cast) and not is_real(factor.owner.inputs[0]))

    def _is_special(self, variable):
        """Whether a canonical variable is an exponential, a logistic or a softmax, its elements moved about or not."""
        for _ in range(_NEAR):
            if has_op(variable, MOVING):
                variable = variable.owner.inputs[0]
        return has_op(variable, Softmax) or comes_from(variable, (scalar_math.Sigmoid, scalar.Exp))

    def _is_exponential(self, variable):
        return self.forms.argument(variable, scalar.Exp) is not None

    def _is_dangerous(self, variable, depth=_NEAR):
        """Whether a factor may vanish or overflow where the whole does not: only such go through other ops."""
        if self._is_special(variable) or comes_from(variable, (scalar.Abs, scalar.Expm1)):
            return True
        if self.forms.exponents(variable) is not None or self.forms.is_sum_of_exponentials(variable):
            return True
        if variable.owner is None or not is_real(variable) or depth == 0:
            return False
        inputs = [variable.owner.inputs[way.index] for way in self._ways(variable)]
        if has_op(variable, Join):
            inputs = variable.owner.inputs[1:]
        return any(self._is_dangerous(self.forms.canonical(one), depth - 1) for one in inputs)

    def meeting(self, variable, factor):
        """How a canonical factor meets one that a variable has, else None."""
        keys = self.keys(variable)
        if not keys.divisors and not keys.multipliers:
            return None
        if factor in keys.divisors:
            return Meeting(factor, -1, None)
        return self._meeting_of_exponential(keys, factor) or self._meeting_of_others(keys, factor)

    def _meeting_of_exponential(self, keys, factor):
        x = self.forms.argument(factor, scalar.Exp)
        if x is None:
            return None
        inverse = self.forms.logistic(self.expressions.negative(x))
        if inverse in keys.multipliers:
            return Meeting(inverse, 1, self.forms.logistic(x))
        inverse = self.forms.exponential(self.expressions.negative(x))
        if inverse in keys.multipliers:
            return Meeting(inverse, 1, None)
        for total in keys.divisors:
            makes = self._share(x, total, keys.divisors)
            if makes is not None:
                return Meeting(total, -1, makes)
        return None

    def _share(self, x, total, divisors):
        """What an exponential makes with a total; of one that cannot overflow only where that goes on to cancel."""
        found = share(self.forms, x, total)
        return found if found in divisors or not self.forms.is_shifted(x) else None

    def _meeting_of_others(self, keys, factor):
        x = self.forms.argument(factor, scalar_math.Sigmoid)
        if x is not None:
            x = self.expressions.negative(x)
            exponential = self.forms.exponential(x)
            return Meeting(exponential, 1, self.forms.logistic(x)) if exponential in keys.multipliers else None
        for key in keys.divisors:
            if comes_from(key, scalar.Abs) and self.forms.canonical(key.owner.inputs[0]) is factor:
                return Meeting(key, -1, self.expressions.apply(math.sgn, factor))
        return None

    def times(self, variable, factor):
        """``variable * factor`` where the canonical factor meets one, else None."""
        meeting = self.meeting(variable, factor)
        if meeting is None:
            return None
        product = self.forms.products.of(variable)
        if _is_alone(product):
            core = product.factors[0][0]
            if core is not meeting.key and comes_from(core, _SUMS):
                terms = [self.multiplied(term, factor) for term in core.owner.inputs]
                return self.expressions.elementwise(core.owner.op, *terms)
        elif (meeting.key, meeting.power) not in product.factors:
            for index, (part, power) in enumerate(product.factors):
                inner = self.times(part, factor) if power == 1 else None
                if inner is not None:
                    return self.built(product, index, inner)
        found = self.without(variable, meeting.key, meeting.power)
        return found if found is None or meeting.makes is None else self.multiplied(found, meeting.makes)

    def multiplied(self, variable, factor):
        """``variable * factor``, by a factor that meets another one or by any."""
        found = self.times(variable, factor)
        return self.expressions.elementwise(math.mul, variable, factor) if found is None else found

    def over(self, variable, divisor):
        """``variable / divisor`` where the canonical divisor cancels, else None."""
        if divisor in self.keys(variable).multipliers and not self._is_exponential(divisor):
            return self.without(variable, divisor, 1)
        product = self.forms.products.of(variable)
        for index, (part, power) in enumerate(product.factors):
            if power == 1 and is_real(part):
                if part is divisor:
                    return self.built(product, index, like=divisor)
                makes = self._quotient(variable, part, divisor)
                if makes is not None:
                    return self._with(product, index, makes)
        return None

    def _with(self, product, index, instead):
        """A product with a factor replaced by one that may cancel."""
        if len(product.factors) == 1:
            return self.expressions.negative(instead) if product.negative else instead
        return self.multiplied(self.built(product, index, like=instead), instead)

    def _quotient(self, variable, part, divisor):
        """Exponentials over their sum, a logistic over that of the negative, what is over its absolute value."""
        x = self.forms.argument(part, scalar.Exp)
        if x is not None:
            return self._share(x, divisor, self.keys(variable).divisors)
        x = self.forms.argument(part, scalar_math.Sigmoid)
        if x is not None and self.forms.logistic(self.expressions.negative(x)) is divisor:
            return self.forms.exponential(x)
        if comes_from(divisor, scalar.Abs) and self.forms.canonical(divisor.owner.inputs[0]) is part:
            return self.expressions.apply(math.sgn, part)
        return None

    def without(self, variable, key, power):
        """A variable without a factor that it has among its keys; None if that cannot be.

        Terms of a sum that were not divided by it are multiplied.
        """
        product = self.forms.products.of(variable)
        if (key, power) in product.factors:
            return self.built(product, product.factors.index((key, power)), like=key)
        if _is_alone(product):
            core = product.factors[0][0]
            way = self._sum_without if comes_from(core, _SUMS) else self._passed_without
            return way(core, key, power)
        for index, (part, exponent) in enumerate(product.factors):
            if exponent == 1 and key in self.keys(part).of(power):
                found = self.without(part, key, power)
                return None if found is None else self.built(product, index, found)
        return None

    def _sum_without(self, variable, key, power):
        terms = [self._term_without(term, key, power) for term in variable.owner.inputs]
        return None if None in terms else self.expressions.elementwise(variable.owner.op, *terms)

    def _term_without(self, term, key, power):
        if key in self.keys(term).of(power):
            return self.without(term, key, power)
        if self._is_zero(term):
            return term
        return self.expressions.elementwise(math.mul, term, key) if power == -1 else None

    def _passed_without(self, variable, key, power):
        """Of an op that factors pass through: without the factor where it came from."""
        node = variable.owner
        if isinstance(node.op, CrossentropyCategorical1HotGrad):
            gradient, probabilities, targets = node.inputs
            return node.op(gradient, ones_like(probabilities), targets)
        inputs = list(node.inputs)
        for way in self._ways(variable):
            given = node.inputs[way.index]
            inner = self._passed(variable, way).of(power).get(key)
            found = self._term_without(given, key if inner is None else inner.inner, power)
            inputs[way.index] = None if found is None else self.expressions.fitted(found, given.type)
        return None if None in inputs else self.expressions.apply(node.op, *inputs, output=variable.index)

    def built(self, product, index, instead=None, like=None):
        """A product as an expression, with a factor replaced, or left out if there is none instead.

        Parameters
        ----------
        product : crmn_legacy.backend.stabilization.products.Product
        index : int
            Of the factor.
        instead, like : aesara.graph.basic.Variable, optional
            What the factor is replaced by; what gives a factor that is left out its shape.
        """
        factors = [factor for place, factor in enumerate(product.factors) if place != index]
        negative = product.negative
        if instead is not None:
            inner = self.forms.products.of(instead)
            negative, factors = negative != inner.negative, factors + list(inner.factors)
        shapes = [] if like is None else [like]
        for factor, _ in [one for one in factors if one[1] == 1]:
            if (factor, 1) in factors and (factor, -1) in factors and is_real(factor):
                factors.remove((factor, 1))
                factors.remove((factor, -1))
                shapes.append(factor)
        found = self._quotient_of(factors, product.dtype, like=(shapes or [instead])[0])
        for shape in shapes:
            found = self.expressions.filled(found, shape)
        return self.expressions.negative(found) if negative else found

    def _quotient_of(self, factors, dtype, like):
        above, below = ([factor for factor, power in factors if power == sign] for sign in (1, -1))
        found = (
            self._product_of(above, dtype) if above else self.expressions.cast(self.expressions.number(1, like), dtype)
        )
        return self.expressions.elementwise(math.true_divide, found, self._product_of(below, dtype)) if below else found

    def _product_of(self, factors, dtype):
        """Factors that were put together otherwise before are multiplied in the dtype that the whole had."""
        needed = [factor for factor in factors if not self._is_one(factor)] or factors[:1]
        needed = [self.expressions.cast(factor, dtype) for factor in needed]
        return needed[0] if len(needed) == 1 else self.expressions.elementwise(math.mul, *needed)

    def _is_one(self, factor):
        return all(factor.type.broadcastable) and self.expressions.constant_value(factor) == 1


def _is_alone(product):
    return len(product.factors) == 1 and not product.negative and product.factors[0][1] == 1


def _farther(keys):
    """Keys of a term as those of a sum."""
    return {key: Key(None, distance + 1) for key, (_, distance) in keys.items() if distance < _FARTHEST}


def _nearest(keys):
    if len(keys) <= _MOST_KEYS:
        return keys
    return dict(sorted(keys.items(), key=lambda item: item[1].distance)[:_MOST_KEYS])
