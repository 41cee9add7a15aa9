"""Theano 0.7's comparisons: int8, so that they add and are negated. For programs of the time, by `install`.

Aesara's are Booleans, as Theano's have been since 0.9. Here a comparison is Aesara's, cast to int8; all that follows
from its dtype is then as in Theano 0.7, ``~`` included, which turns the bits of an int8 around.

Where only true or false is asked for, a number that comes from comparisons means what the comparisons say, as in
Theano 1.0: ``x[x > 0]`` selects by a mask, ``~`` is a *not* there, and so it is in ``nonzero``, ``switch``, ``ifelse``,
``all``, ``any``, ``until`` and assertions. (In Theano 0.7 the first was an index, and the others held always.) A cast
makes a number of it for good.
"""

import functools
import sys

from crmn_legacy.backend import aesara_patches, theano_names


def install():
    """Give all programs of this process Theano 0.7's comparisons; idempotent.

    Theano's names are answered by the functions of this module. The operators and methods of Aesara's variables are
    patched, now or when Aesara is imported.
    """
    names = {name: f"{__name__}:{name}" for name in _NAMES}
    for module in ("theano.tensor", "theano.tensor.basic"):
        theano_names.MODULES[module][1].update(names)
        if module in sys.modules:
            for name in _NAMES:
                # What was looked up before stands in the module.
                vars(sys.modules[module]).pop(name, None)
    for module, mend in _MENDS.items():
        mends = aesara_patches.MENDS.get(module, ())
        if mend not in mends:
            aesara_patches.MENDS[module] = (*mends, mend)
            if module in sys.modules:
                mend(sys.modules[module])


def eq(a, b):
    """``a == b`` in int8."""
    return _compared("eq", a, b)


def neq(a, b):
    """``a != b`` in int8."""
    return _compared("neq", a, b)


def lt(a, b):
    """``a < b`` in int8."""
    return _compared("lt", a, b)


def gt(a, b):
    """``a > b`` in int8."""
    return _compared("gt", a, b)


def le(a, b):
    """``a <= b`` in int8."""
    return _compared("le", a, b)


def ge(a, b):
    """``a >= b`` in int8."""
    return _compared("ge", a, b)


def and_(a, b):
    """``a & b``, of integers or of comparisons."""
    return _combined("and_", a, b)


def or_(a, b):
    """``a | b``, of integers or of comparisons."""
    return _combined("or_", a, b)


def xor(a, b):
    """``a ^ b``, of integers or of comparisons."""
    return _combined("xor", a, b)


bitwise_and, bitwise_or, bitwise_xor = and_, or_, xor


def isnan(a):
    """Tell in int8 where `a` is not a number."""
    return _compared("isnan", a)


def isinf(a):
    """Tell in int8 where `a` is infinite."""
    return _compared("isinf", a)


def isclose(a, b, rtol=1.0e-5, atol=1.0e-8, equal_nan=False):
    """Tell in int8 where `a` and `b` differ by at most ``atol + rtol * abs(b)``."""
    return _compared("isclose", a, b, rtol, atol, equal_nan)


def allclose(a, b, rtol=1.0e-5, atol=1.0e-8, equal_nan=False):
    """Tell in int8 whether `isclose` holds everywhere."""
    return _compared("allclose", a, b, rtol, atol, equal_nan)


def any(x, axis=None, keepdims=False):
    """Tell in int8 whether `x` holds anywhere, or anywhere along `axis`."""
    return _compared("any", x, axis=axis, keepdims=keepdims)


def all(x, axis=None, keepdims=False):
    """Tell in int8 whether `x` holds everywhere, or everywhere along `axis`."""
    return _compared("all", x, axis=axis, keepdims=keepdims)


def switch(cond, ift, iff):
    """`ift` where `cond` holds, else `iff`."""
    from aesara.tensor.basic import switch

    return switch(truth(cond), ift, iff)


where = switch


def cast(x, dtype):
    """Turn `x` into numbers of `dtype`, which are no mask any more; bool asks what is true."""
    from aesara.tensor import basic

    as_bool = str(dtype) == "bool"
    result = basic.cast(truth(x) if as_bool else x, dtype)
    return basic.tensor_copy(result) if not as_bool and truth(result) is not result else result


def _compared(name, *arguments, **options):
    from aesara.tensor import basic, math

    return basic.cast(getattr(math, name)(*arguments, **options), "int8")


def _combined(name, *arguments):
    """Combine integers; Booleans, which Theano 0.7 did not know, count as comparisons beside what is none."""
    from aesara.tensor import basic, math

    arguments = [basic.as_tensor_variable(argument) for argument in arguments]
    if len({argument.type.dtype == "bool" for argument in arguments}) == 2:
        arguments = [basic.cast(a, "int8") if a.type.dtype == "bool" else a for a in arguments]
    return getattr(math, name)(*arguments)


def truth(value):
    """What a number that comes from comparisons means.

    Parameters
    ----------
    value : object
        Mostly a variable.

    Returns
    -------
    object
        A Boolean variable if `value` is one, or is int8 and made of comparisons by ``& | ^ ~ *`` and by what moves
        elements about; else `value`.

    Examples
    --------
    >>> x = theano.tensor.vector()  # doctest: +SKIP
    >>> truth(~(x > 0)).dtype  # doctest: +SKIP
    'bool'
    """
    if str(getattr(getattr(value, "type", None), "dtype", None)) != "int8" or value.owner is None:
        return value
    found = _truth(value)
    return value if found is None else found


def _truth(variable):
    """The Boolean behind `variable`, None if there is none."""
    from aesara.scalar import AND, OR, XOR, Cast, Invert, Mul
    from aesara.tensor import math
    from aesara.tensor.elemwise import DimShuffle, Elemwise
    from aesara.tensor.shape import Reshape, SpecifyShape, Unbroadcast
    from aesara.tensor.subtensor import AdvancedSubtensor, AdvancedSubtensor1, Subtensor

    moving = DimShuffle, Reshape, SpecifyShape, Unbroadcast, Subtensor, AdvancedSubtensor, AdvancedSubtensor1
    if variable.type.dtype == "bool":
        return variable
    if variable.owner is None or variable.type.dtype != "int8":
        return None
    op, inputs = variable.owner.op, variable.owner.inputs
    if isinstance(op, Elemwise) and isinstance(op.scalar_op, Cast):
        return inputs[0] if inputs[0].type.dtype == "bool" else None
    if isinstance(op, moving):
        moved = _truth(inputs[0])
        return None if moved is None else op(moved, *inputs[1:])
    combine = {AND: math.and_, OR: math.or_, XOR: math.xor, Invert: math.invert, Mul: math.and_}.get(
        type(getattr(op, "scalar_op", None))
    )
    parts = [_truth(part) for part in inputs] if combine else [None]
    return None if None in parts else combine(parts[0]) if len(parts) == 1 else functools.reduce(combine, parts)


def _asking_truth(owner, name, first=0, count=None):
    """Give a method the truth of its arguments from the `first` on, `count` of them or all."""
    original = getattr(owner, name)

    @functools.wraps(original)
    def method(self, *arguments, **options):
        asked = slice(first, None if count is None else first + count)
        arguments = list(arguments)
        arguments[asked] = map(truth, arguments[asked])
        return original(self, *arguments, **options)

    setattr(owner, name, method)


def _mend_variables(module):
    """Let the operators and methods of variables compare as the functions here do, and select by masks."""
    variables = module._tensor_py_operators

    def comparing(compare):
        def method(self, other):
            result = compare(self, other)
            # Python would take a < b < c for (a < b) and (b < c).
            result._is_nonzero = False
            return result

        return method

    for name, compare in {"__lt__": lt, "__le__": le, "__gt__": gt, "__ge__": ge}.items():
        setattr(variables, name, comparing(compare))
    for name, combine in {"and": and_, "or": or_, "xor": xor}.items():
        setattr(variables, f"__{name}__", lambda self, other, combine=combine: combine(self, other))
        setattr(variables, f"__r{name}__", lambda self, other, combine=combine: combine(other, self))
    variables.any, variables.all, variables.astype = any, all, cast
    select = variables.__getitem__

    def selecting(self, args):
        return select(self, tuple(map(truth, args)) if isinstance(args, tuple) else truth(args))

    variables.__getitem__ = functools.wraps(select)(selecting)


def _mend_not(module):
    """Let *not* be *not* where Aesara 2.9.4 computes in Python: of Python's True, ``~`` makes -2, which is true."""
    module.Invert.impl = lambda self, x: not x if isinstance(x, bool) else ~x


# Module of Aesara -> what of it asks whether something holds.
_MENDS = {
    "aesara.ifelse": lambda module: _asking_truth(module.IfElse, "make_node", count=1),
    "aesara.raise_op": lambda module: _asking_truth(module.CheckAndRaise, "make_node", first=1),
    "aesara.scalar.basic": _mend_not,
    "aesara.scan.utils": lambda module: _asking_truth(module.until, "__init__", count=1),
    "aesara.tensor.basic": lambda module: _asking_truth(module.Nonzero, "make_node"),
    "aesara.tensor.math": lambda module: [_asking_truth(op, "make_node") for op in (module.All, module.Any)],
    "aesara.tensor.var": _mend_variables,
}
_NAMES = ("eq", "neq", "lt", "gt", "le", "ge", "isnan", "isinf", "isclose", "allclose", "any", "all")
_NAMES += ("switch", "where", "cast", "and_", "or_", "xor", "bitwise_and", "bitwise_or", "bitwise_xor")
