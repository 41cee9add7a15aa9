"""Exponentials over what they are part of, in a form that does not overflow: logistics and softmaxes."""

from aesara.scalar import basic as scalar
from aesara.tensor import math
from aesara.tensor.elemwise import DimShuffle

from .expressions import comes_from, has_op


def share(forms, x, total):
    """``exp(x) / total`` in a form that does not overflow, where `exp(x)` is part of the total.

    Parameters
    ----------
    forms : crmn_legacy.backend.stabilization.forms.Forms
    x, total : aesara.graph.basic.Variable
        x in its canonical form.

    Returns
    -------
    aesara.graph.basic.Variable or None
    """
    total = forms.canonical(total)
    exponents = forms.exponents(total)
    if exponents is not None:
        return _share_of_terms(forms, x, exponents) if x in exponents else None
    if comes_from(total, scalar.Expm1) and forms.canonical(total.owner.inputs[0]) is x:
        return forms.expressions.negative(_one_over(forms, total.owner.op, forms.expressions.negative(x)))
    if comes_from(total, scalar.Sub):
        return _share_of_difference(forms, x, *(forms.argument(term, scalar.Exp) for term in total.owner.inputs))
    summed = forms.summed_exponent(total)
    if summed is not None and summed[0] is x:
        return _share_of_sum(forms, x, total, summed[1])
    return _share_transposed(forms, x, total)


def _share_transposed(forms, x, total):
    """The share of what was transposed, in a total of what was not."""
    order = x.owner.op.new_order if has_op(x, DimShuffle) else ()
    if sorted(order, key=str) != list(range(x.type.ndim)) or total.type.ndim != x.type.ndim:
        return None
    back = [order.index(place) for place in range(len(order))]
    found = share(forms, x.owner.inputs[0], forms.expressions.dimshuffle(total, back))
    return None if found is None else forms.expressions.dimshuffle(found, order)


def _share_of_terms(forms, x, exponents):
    others = [other for other in exponents if other is not x]
    if len(others) == len(exponents) - 1 == 1:
        zero = forms.expressions.constant_value(others[0]) == 0
        return forms.logistic(x if zero else forms.expressions.elementwise(math.sub, x, others[0]))
    ratios = [forms.exponential(forms.expressions.elementwise(math.sub, other, x)) for other in others]
    ratios += [forms.expressions.number(len(exponents) - len(others), x)]
    return _one_over(forms, math.add, *ratios)


def _share_of_difference(forms, x, one, other):
    """``exp(x) / (exp(x) - exp(y))``, or of the other one."""
    if one is None or other is None or (x is one) == (x is other):
        return None
    found = _one_over(forms, math.expm1, forms.expressions.elementwise(math.sub, other if x is one else one, x))
    return forms.expressions.negative(found) if x is one else found


def _share_of_sum(forms, x, total, axes):
    if len(axes) in (1, x.type.ndim):
        return forms.softmax(x, axes[0] if len(axes) == 1 else None)
    greatest = forms.expressions.keeping_dimensions(math.max(x, axis=axes), axes, x.type.ndim)
    shifted = forms.exponential(forms.expressions.elementwise(math.sub, x, greatest))
    total_op = total.owner.inputs[0].owner.op
    summed = forms.expressions.keeping_dimensions(forms.expressions.apply(total_op, shifted), axes, x.type.ndim)
    return forms.expressions.elementwise(math.true_divide, shifted, summed)


def _one_over(forms, op, *arguments):
    total = forms.expressions.elementwise(op, *arguments)
    return forms.expressions.elementwise(math.true_divide, forms.expressions.number(1, total), total)
