"""What is put in the place of a node's output, by its op."""

import itertools

from aesara.scalar import basic as scalar
from aesara.scalar import math as scalar_math
from aesara.tensor import math
from aesara.tensor.basic import arange, zeros_like
from aesara.tensor.elemwise import Elemwise
from aesara.tensor.nnet.basic import CrossentropyCategorical1Hot, crossentropy_softmax_argmax_1hot_with_bias
from aesara.tensor.special import Softmax, SoftmaxGrad

from .cancellation import Cancellation
from .expressions import comes_from, has_op, is_real
from .forms import Forms
from .logarithms import Logarithms

# So many times something may cancel in one product.
_MOST_CANCELLED = 16
# Of sums and products of more parts none are compared.
_MOST_TERMS = 8
_LOGARITHMS = (scalar.Log, scalar.Log1p, scalar.Log2, scalar.Log10)
# What may be infinite, or no number, of finite arguments.
_RISKY = (scalar.TrueDivide, scalar.Reciprocal, scalar.Exp, scalar.Expm1, scalar.Pow, scalar.Sqrt, *_LOGARITHMS)
_LINEAR = (scalar.Add, scalar.Sub, scalar.Neg, scalar.Mul)


class Rules:
    """Finds what stands for a node's output.

    Parameters
    ----------
    expressions : crmn_legacy.backend.stabilization.expressions.Expressions
    """

    def __init__(self, expressions):
        self.expressions = expressions
        self.forms = Forms(expressions)
        self.cancellation = Cancellation(self.forms)
        self.logarithms = Logarithms(self.cancellation)
        # Variables in which something cancelled, beside which all is written exactly, and those that may be infinite.
        self._cancelled, self._risky = set(), set()

    def replacement(self, node):
        """A variable to be computed instead of a node's first output, of the same type; None to leave it.

        Parameters
        ----------
        node : aesara.graph.basic.Apply
            Its inputs are final.
        """
        output = node.outputs[0]
        rule = self._rule(node.op)
        if rule is None or not is_real(output):
            return None
        found = rule(self, output, *node.inputs)
        found = None if found is None else self.expressions.fitted(found, output.type)
        if found is not None and rule in _PRODUCTS:
            self._cancelled.add(found)
        return found

    def _rule(self, op):
        if isinstance(op, Elemwise):
            return _ELEMENTWISE.get(type(op.scalar_op))
        return _OTHERS.get(type(op))

    def learn(self, node):
        """Keep what is asked about a node that stays, before nodes that read it ask."""
        for output in node.outputs:
            self.cancellation.keys(output)
            if not isinstance(node.op, Elemwise):
                continue
            if comes_from(output, _RISKY) or any(x in self._risky for x in node.inputs):
                self._risky.add(output)
            if comes_from(output, _LINEAR) and any(x in self._cancelled for x in node.inputs):
                self._cancelled.add(output)

    def _log(self, output, x):
        return self.logarithms.of(x) or self.logarithms.near_one(x)

    def _log2(self, output, x):
        found = self.logarithms.of(x)
        return None if found is None else self.logarithms.of_base(2, found)

    def _log10(self, output, x):
        found = self.logarithms.of(x)
        return None if found is None else self.logarithms.of_base(10, found)

    def _log1p(self, output, x):
        return self.logarithms.of_one_plus(x)

    def _sub(self, output, x, y):
        """``exp(x) - 1`` and ``1 - exp(y)``."""
        if self.expressions.constant_value(y) == 1:
            return self._expm1(x)
        if self.expressions.constant_value(x) == 1:
            found = self._expm1(y)
            return None if found is None else self.expressions.negative(found)
        return self._sum(output)

    def _add(self, output, *terms):
        for one, other in (terms, terms[::-1]) if len(terms) == 2 else ():
            if self.expressions.constant_value(one) == -1:
                return self._expm1(other)
        return self._sum(output)

    def _sum(self, output):
        """Where something cancelled: ``a - a sigmoid(x)`` as ``a sigmoid(-x)``: a may be great."""
        if not any(term in self._cancelled for term in output.owner.inputs):
            return None
        terms = [(output, False)]
        while terms is not None:
            found = self._with_complements([self.expressions.negative(x) if minus else x for x, minus in terms])
            if found is not None:
                return found[0] if len(found) == 1 else self.expressions.elementwise(math.add, *found)
            terms = self._finer(terms)
        return None

    def _finer(self, terms):
        """Terms and whether they are subtracted, those that are sums taken apart once; None if none is, or too many."""
        finer = []
        for x, minus in terms:
            while comes_from(x, scalar.Neg):
                x, minus = x.owner.inputs[0], not minus
            if comes_from(x, (scalar.Add, scalar.Sub)):
                first, *others = x.owner.inputs
                finer += [(first, minus), *((other, minus != comes_from(x, scalar.Sub)) for other in others)]
            else:
                finer.append((x, minus))
        return finer if len(terms) < len(finer) <= _MOST_TERMS else None

    def _with_complements(self, terms):
        """Terms of which some make one with another; None if none does."""
        changed = False
        for one, other in itertools.permutations(range(len(terms)), 2):
            if terms[one] is not None and terms[other] is not None:
                complement = self._complement_between(*(self.forms.products.of(terms[x]) for x in (one, other)))
                if complement is not None:
                    terms[one] = self.cancellation.multiplied(terms[one], complement)
                    terms[other], changed = None, True
        return [term for term in terms if term is not None] if changed else None

    def _complement_between(self, one, other):
        """1 minus a logistic, where another product is the negative of the one times this logistic; else None."""
        negative, factors = self._without_ones(one)
        other_negative, rest = self._without_ones(other)
        if negative == other_negative or len(rest) != len(factors) + 1:
            return None
        for factor in factors:
            if factor not in rest:
                return None
            rest.remove(factor)
        return self._complement_of(rest)

    def _without_ones(self, product):
        """The sign and the factors of a product, but of 1 and -1."""
        values = [self.expressions.constant_value(factor) for factor, _ in product.factors]
        factors = [factor for factor, value in zip(product.factors, values, strict=True) if value not in (1, -1)]
        return product.negative != (values.count(-1) % 2 == 1), factors

    def _complement_of(self, factors):
        """1 minus the one logistic that these factors are, else None."""
        if len(factors) != 1 or factors[0][1] != 1:
            return None
        x = self.forms.argument(factors[0][0], scalar_math.Sigmoid)
        return None if x is None else self.forms.logistic(self.expressions.negative(x))

    def _expm1(self, exponential):
        if not comes_from(exponential, scalar.Exp):
            return None
        return self.expressions.apply(math.expm1, exponential.owner.inputs[0])

    def _root(self, output, *inputs):
        found = self.forms.canonical(output)
        return found if comes_from(found, scalar.Abs) else None

    def _mul(self, output, *factors):
        if any(self.expressions.constant_value(factor) == 0 for factor in factors):
            return self._zero(output, factors)
        items = list(factors)
        cancelled = False
        for _ in range(_MOST_CANCELLED):
            pair = self._pair_that_cancels(items)
            if pair is None:
                break
            one, other, found = pair
            items = [item for place, item in enumerate(items) if place not in (one, other)] + found
            cancelled = True
        if cancelled:
            return self._product_of(items)
        return self._exactly(factors) or self._behind_switch(output, factors)

    def _product_of(self, items):
        return items[0] if len(items) == 1 else self.expressions.elementwise(math.mul, *items)

    def _pair_that_cancels(self, items):
        """Two places of a product, and what stands for them both."""
        if len(items) > _MOST_TERMS:
            return None
        for place, other in itertools.permutations(range(len(items)), 2):
            product = self.forms.products.of(items[place])
            for index, (factor, power) in enumerate(product.factors):
                if is_real(factor) and is_real(items[other]):
                    act = self.cancellation.times if power == 1 else self._over_special
                    found = act(items[other], factor)
                    if found is not None:
                        return place, other, [found, *self._rest(product, index)]
        return None

    def _over_special(self, variable, divisor):
        special = divisor in self.cancellation.keys(variable).multipliers
        return self.cancellation.without(variable, divisor, 1) if special else None

    def _rest(self, product, index):
        """What else a product has, as a list, which is empty where it has nothing."""
        if len(product.factors) == 1 and not product.negative:
            return []
        return [self.cancellation.built(product, index, like=product.factors[index][0])]

    def _exactly(self, factors):
        """Beside what cancelled, ``1 - sigmoid(x)`` as ``sigmoid(-x)``, which does not vanish before its time."""
        if not any(factor in self._cancelled for factor in factors):
            return None
        exact = [self.forms.canonical(x) if comes_from(x, (scalar.Sub, scalar.Add)) else x for x in factors]
        return None if exact == list(factors) else self._product_of(exact)

    def _zero(self, output, factors):
        """Zero times what may not be finite."""
        others = [factor for factor in factors if self.expressions.constant_value(factor) is None]
        if not any(factor in self._risky for factor in others):
            return None
        found = self.expressions.number(0, output)
        for factor in others:
            found = self.expressions.filled(found, factor)
        return found

    def _behind_switch(self, output, factors):
        """Zero of a branch that was not taken, times what need not be finite there."""
        for place, factor in enumerate(factors):
            rest = [other for index, other in enumerate(factors) if index != place]
            if comes_from(factor, scalar.Switch) and any(self._is_risky_factor(other) for other in rest):
                found = self._in_branches(factor, lambda branch, rest=rest: self._product_of([branch, *rest]))
                if found is not None:
                    return found
        return None

    def _is_risky_factor(self, variable):
        return any(
            comes_from(factor, _RISKY) or (power == -1 and self.expressions.constant_value(factor) is None)
            for factor, power in self.forms.products.of(variable).factors
        )

    def _in_branches(self, choice, function):
        condition, *branches = choice.owner.inputs
        zeros = [self.expressions.constant_value(branch) == 0 for branch in branches]
        if sum(zeros) != 1:
            return None
        branches = [branch if zero else function(branch) for branch, zero in zip(branches, zeros, strict=True)]
        return self.expressions.chosen(condition, *branches)

    def _true_div(self, output, x, y):
        found = self.forms.canonical(output)
        if found is not self.expressions.representative(output):
            return None if has_op(found, Softmax) and self.forms.is_shifted(found.owner.inputs[0]) else found
        found = self._divided(x, y)
        if found is not None or not comes_from(x, scalar.Switch) or self.expressions.constant_value(y) is not None:
            return found
        return self._in_branches(x, lambda branch: self.expressions.elementwise(math.true_divide, branch, y))

    def _reciprocal(self, output, y):
        found = self.forms.canonical(output)
        if found is not self.expressions.representative(output):
            return found
        return self._divided(self.expressions.number(1, output), y)

    def _divided(self, x, y):
        """``x / y`` where factors of y cancel, or are better multiplied by; else None."""
        product = self.forms.products.of(y)
        found, left = x, []
        for factor, power in product.factors:
            act = self._over if power == 1 else self._times_inverse
            without = act(found, factor) if is_real(factor) and is_real(found) else None
            if without is None:
                left.append((factor, power))
            else:
                found = without
        if found is x and not self._is_complement(y):
            return None
        if left:
            rest = product._replace(negative=False, factors=tuple(left))
            divisor = self.cancellation.built(rest, None, like=left[0][0])
            found = self.expressions.elementwise(math.true_divide, found, divisor)
        return self.expressions.negative(found) if product.negative else found

    def _over(self, x, divisor):
        if self.expressions.constant_value(divisor) is not None:
            return None
        found = self.cancellation.over(x, divisor)
        exponent = self.forms.argument(divisor, scalar.Exp) if found is None else None
        if exponent is None:
            return found
        return self.cancellation.times(x, self.forms.exponential(self.expressions.negative(exponent)))

    def _times_inverse(self, x, factor):
        """Instead of a division by ``1 + exp(y)``, or by a quotient of what x is divided by."""
        if self.forms.argument(factor, scalar_math.Sigmoid) is not None:
            return self.cancellation.multiplied(x, factor)
        return self.cancellation.times(x, factor)

    def _is_complement(self, variable):
        """Whether a variable is ``1 - sigmoid(x)``, or such a factor is in it."""
        if comes_from(variable, scalar.Mul):
            return any(self._is_complement(factor) for factor in variable.owner.inputs)
        written = comes_from(variable, (scalar.Sub, scalar.Add))
        return written and self.forms.canonical(variable) is not self.expressions.representative(variable)

    def _softmax_gradient(self, output, gradient, probabilities):
        softmax = self.forms.canonical(probabilities)
        product = self.cancellation.times(gradient, softmax) if has_op(softmax, Softmax) else None
        if product is None:
            return None
        axis = output.owner.op.axis
        total = math.sum(product, axis=axis, keepdims=True)
        weighted = self.expressions.elementwise(math.mul, total, probabilities)
        return self.expressions.elementwise(math.sub, product, weighted)

    def _crossentropy(self, output, probabilities, targets):
        softmax = self.forms.canonical(probabilities)
        if has_op(softmax, Softmax) and softmax.owner.op.axis == -1:
            x = softmax.owner.inputs[0]
            return crossentropy_softmax_argmax_1hot_with_bias(x, zeros_like(x[0]), targets)[0]
        logarithms = self.logarithms.of(probabilities)
        return None if logarithms is None else -logarithms[arange(targets.shape[0]), targets]


_PRODUCTS = (Rules._add, Rules._sub, Rules._mul, Rules._true_div, Rules._reciprocal)
_ELEMENTWISE = {
    scalar.Log: Rules._log,
    scalar.Log2: Rules._log2,
    scalar.Log10: Rules._log10,
    scalar.Log1p: Rules._log1p,
    scalar.Sub: Rules._sub,
    scalar.Add: Rules._add,
    scalar.Sqrt: Rules._root,
    scalar.Pow: Rules._root,
    scalar.Mul: Rules._mul,
    scalar.TrueDivide: Rules._true_div,
    scalar.Reciprocal: Rules._reciprocal,
}
_OTHERS = {SoftmaxGrad: Rules._softmax_gradient, CrossentropyCategorical1Hot: Rules._crossentropy}
