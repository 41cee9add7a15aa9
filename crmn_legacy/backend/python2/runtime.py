"""What converted Python 2 programs call in place of operators and methods that Python 3 has otherwise.

Each function does as Python 2 did with what was built in, and else what the object does itself.
"""

import binascii
import builtins
import codecs
import contextlib
import operator
import sys
import types
from collections.abc import MappingView
from functools import cmp_to_key

slice = builtins.slice

# Strings of bytes are text here, their bytes decoded so that each can be had back.
ENCODING, ERRORS = "utf-8", "surrogateescape"


def as_text(value):
    """Bytes as converted code has them; all else as it is."""
    return value.decode(ENCODING, ERRORS) if isinstance(value, bytes | bytearray) else value


def as_bytes(value):
    """The bytes that a string stands for; all else as it is."""
    return value.encode(ENCODING, ERRORS) if isinstance(value, str) else value


# Division.


def divide(left, right):
    """``left / right``: whole numbers give a whole number, rounded down."""
    if type(left) is int and type(right) is int:
        return left // right
    if type(left) is float or type(right) is float:
        return left / right
    return _division(left, right, operator.truediv, operator.floordiv)


def divide_in_place(left, right):
    """What ``left /= right`` leaves in `left`."""
    return _division(left, right, operator.itruediv, operator.ifloordiv)


def divide_attribute(place, name, right):
    """``place.name /= right``."""
    setattr(place, name, divide_in_place(getattr(place, name), right))


def divide_item(place, index, right):
    """``place[index] /= right``."""
    place[index] = divide_in_place(place[index], right)


def _division(left, right, true, floor):
    if _is_symbolic(left) or _is_symbolic(right):
        return _symbolic_division(left, right)
    return (floor if _is_whole(left) and _is_whole(right) else true)(left, right)


def _is_whole(value):
    dtype = getattr(value, "dtype", None)
    return isinstance(value, int) if dtype is None else getattr(dtype, "kind", "f") in "iub"


def _is_symbolic(value):
    if "aesara" not in sys.modules:
        return False
    from aesara.graph.basic import Variable

    return isinstance(value, Variable)


def _symbolic_division(left, right):
    """As ``theano.config.int_division`` says of whole numbers: ``int`` (the default), ``floatX`` or ``raise``."""
    from crmn_legacy.backend.theano_config import config

    def is_whole(value):
        dtype = getattr(getattr(value, "type", value), "dtype", None)
        return _is_whole(value) if dtype is None else str(dtype).startswith(("int", "uint", "bool"))

    if not (is_whole(left) and is_whole(right)):
        return operator.truediv(left, right)
    if config.int_division == "raise":
        raise TypeError("With `config.int_division` set to 'raise', dividing two integer types with '/' is forbidden.")
    return (operator.floordiv if config.int_division == "int" else operator.truediv)(left, right)


# Order: of what cannot be compared, None comes first, then numbers, then the rest by their types' names.


def cmp(left, right):
    """-1, 0 or 1: how `left` compares with `right`."""
    return 0 if left == right else -1 if lt(left, right) else 1


def _order(compare):
    def ordered(left, right):
        try:
            return compare(left, right)
        except TypeError:
            if left is not None and _rank(left) == _rank(right):
                raise
            return compare(_rank(left), _rank(right))

    return ordered


def _rank(value):
    if value is None:
        return 0, ""
    return (1, "") if isinstance(value, int | float) else (2, type(value).__name__)


lt, le, gt, ge = (_order(getattr(operator, name)) for name in ("lt", "le", "gt", "ge"))


def sorted(iterable, cmp=None, key=None, reverse=False):
    """``sorted`` with the comparison that Python 2's took."""
    result = list(iterable)
    sort(result, cmp, key, reverse)
    return result


def sort(place, *arguments, **named):
    """``place.sort(cmp, key, reverse)`` of a list; of anything else its own method."""
    if not isinstance(place, list):
        return place.sort(*arguments, **named)
    given = dict(zip(("cmp", "key", "reverse"), arguments, strict=False)) | named
    compare, key, reverse = given.get("cmp") or cmp, given.get("key"), bool(given.get("reverse"))
    if given.get("cmp") is None:
        # What has no order in Python 3 is left as it is, and compared as Python 2 did.
        with contextlib.suppress(TypeError):
            return place.sort(key=key, reverse=reverse)
    in_order = cmp_to_key(compare)
    place.sort(key=in_order if key is None else lambda value: in_order(key(value)), reverse=reverse)
    return None


# Mappings and iterators.


def _listed(name):
    def method(place):
        result = getattr(place, name)()
        return list(result) if isinstance(result, MappingView) else result

    return method


def _iterated(name):
    def method(place):
        own = getattr(place, f"iter{name}", None)
        return iter(getattr(place, name)()) if own is None else own()

    return method


def _viewed(name):
    def method(place):
        own = getattr(place, f"view{name}", None)
        return getattr(place, name)() if own is None else own()

    return method


keys, values, items = map(_listed, ("keys", "values", "items"))
iterkeys, itervalues, iteritems = map(_iterated, ("keys", "values", "items"))
viewkeys, viewvalues, viewitems = map(_viewed, ("keys", "values", "items"))


def has_key(place, *arguments, **named):
    """``place.has_key(key)``."""
    own = getattr(place, "has_key", None)
    return own(*arguments, **named) if own is not None else arguments[0] in place


def next(place):
    """``place.next()``."""
    own = getattr(place, "next", None)
    return own() if own is not None else builtins.next(place)


def xreadlines(place):
    """``place.xreadlines()``: the lines of a file."""
    own = getattr(place, "xreadlines", None)
    return own() if own is not None else iter(place)


# Strings.


def decode(text, *arguments, **named):
    """``text.decode(encoding, errors)``; of neither text nor bytes, its own method."""
    if not isinstance(text, str | bytes):
        return text.decode(*arguments, **named)
    encoding, errors = _encoding(*arguments, **named)
    if encoding in _TRANSFORMS:
        return as_text(_TRANSFORMS[encoding][1](as_bytes(text)))
    return as_bytes(text).decode(encoding, errors)


def encode(text, *arguments, **named):
    """``text.encode(encoding, errors)``, a string of bytes; of neither text nor bytes, its own method."""
    if not isinstance(text, str | bytes):
        return text.encode(*arguments, **named)
    encoding, errors = _encoding(*arguments, **named)
    if encoding in _TRANSFORMS:
        return as_text(_TRANSFORMS[encoding][0](as_bytes(text)))
    if codecs.lookup(encoding).name == ENCODING:
        return as_text(text)
    return as_text(as_text(text).encode(encoding, errors))


def _encoding(encoding="ascii", errors="strict"):
    name = encoding.lower().replace("_", "-")
    return (name if name in _TRANSFORMS else encoding), errors


def _unescaped(value):
    return value.decode("unicode_escape").encode("latin-1")


_TRANSFORMS = {
    "hex": (binascii.hexlify, binascii.unhexlify),
    "base64": (binascii.b2a_base64, binascii.a2b_base64),
    "string-escape": (lambda value: value.decode("latin-1").encode("unicode_escape"), _unescaped),
    "zlib": (lambda value: codecs.encode(value, "zlib"), lambda value: codecs.decode(value, "zlib")),
    "rot13": (lambda value: codecs.encode(value.decode("latin-1"), "rot13").encode("latin-1"),) * 2,
}


def translate(text, *arguments, **named):
    """``text.translate(table, deletechars)``."""
    if not isinstance(text, str) or len(arguments) != 2:
        return text.translate(*arguments, **named)
    table, gone = arguments
    left = text.translate({ord(character): None for character in gone})
    return left if table is None else left.translate(table)


# Attributes and classes.

_NOW = {
    "func_name": "__name__",
    "func_code": "__code__",
    "func_defaults": "__defaults__",
    "func_closure": "__closure__",
    "func_dict": "__dict__",
    "func_doc": "__doc__",
    "func_globals": "__globals__",
    "im_func": "__func__",
    "im_self": "__self__",
}


def attribute(place, name):
    """``place.name`` for a name that functions, methods or errors once had."""
    try:
        return getattr(place, name)
    except AttributeError:
        if isinstance(place, BaseException) and name == "message":
            return place.args[0] if len(place.args) == 1 else ""
        if name == "im_class" and isinstance(place, types.MethodType):
            return type(place.__self__)
        if name in _NOW and isinstance(place, types.FunctionType | types.MethodType | types.BuiltinFunctionType):
            return getattr(place, _NOW[name])
        raise


_SPECIAL = {
    "next": "__next__",
    "__nonzero__": "__bool__",
    "__div__": "__truediv__",
    "__rdiv__": "__rtruediv__",
    "__idiv__": "__itruediv__",
}


def adapted(kind):
    """A class with the special methods that it defines by their names of now, too."""
    for old, new in _SPECIAL.items():
        method = vars(kind).get(old)
        if new not in vars(kind) and isinstance(method, types.FunctionType):
            setattr(kind, new, method)
    if "__cmp__" in vars(kind):
        for name in ("lt", "le", "gt", "ge", "eq", "ne"):
            if f"__{name}__" not in vars(kind):
                setattr(kind, f"__{name}__", _by_cmp(getattr(operator, name)))
        if vars(kind).get("__hash__") is None:
            kind.__hash__ = object.__hash__
    elif "__eq__" in vars(kind) and vars(kind).get("__hash__") is None:
        # Python 3 takes the hash of a class away that says what equals it.
        kind.__hash__ = next_hash(kind)
    return kind


def next_hash(kind):
    """The hash that a class would inherit."""
    return builtins.next(vars(base)["__hash__"] for base in kind.__mro__[1:] if vars(base).get("__hash__") is not None)


def _by_cmp(compare):
    def method(self, other):
        return compare(self.__cmp__(other), 0)

    return method
