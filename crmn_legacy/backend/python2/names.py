"""The builtins of converted Python 2 code."""

import ast
import builtins
import functools
import importlib
import importlib.util
import itertools
import operator
import os
import string
import sys
import types
from decimal import ROUND_HALF_UP, Decimal

from crmn_legacy.backend.python2 import files, runtime, standard_modules
from crmn_legacy.backend.python2.conversion import code, converted


def range(*arguments):
    """A list of whole numbers."""
    return list(xrange(*arguments))


def xrange(*arguments):
    """Whole numbers one after another; a float was taken for the whole number below it."""
    return builtins.range(*(int(value) if isinstance(value, float) else value for value in arguments))


def map(function, *sequences):
    """A list of what `function` gives; None pairs up, and what is short is filled up with None."""
    rows = zip(*sequences) if len(sequences) == 1 else list(itertools.zip_longest(*sequences))
    if function is None:
        return [row[0] if len(row) == 1 else row for row in rows]
    return [function(*row) for row in rows]


def zip(*sequences):
    """A list of tuples."""
    return list(builtins.zip(*sequences, strict=False))


def filter(function, sequence):
    """What of a sequence `function` holds for: a text of a text, a tuple of a tuple, else a list."""
    found = builtins.filter(function, sequence)
    if isinstance(sequence, str):
        return "".join(found)
    return tuple(found) if type(sequence) is tuple else list(found)


def min(*arguments, **named):
    """The least, in Python 2's order."""
    return _extreme(builtins.min, False, arguments, named)


def max(*arguments, **named):
    """The greatest, in Python 2's order."""
    return _extreme(builtins.max, True, arguments, named)


def _extreme(native, greatest, arguments, named):
    if len(arguments) == 1:
        arguments = (list(arguments[0]),)
    try:
        return native(*arguments, **named)
    except TypeError:
        found = runtime.sorted(*arguments if len(arguments) == 1 else (arguments,), **named, reverse=greatest)
        if not found:
            raise
        return found[0]


def round(number, ndigits=0):
    """Round halves away from zero, to a float."""
    if not isinstance(number, int | float):
        return builtins.round(number, ndigits)
    if number != number or number in (float("inf"), float("-inf")):
        return float(number)
    return float(Decimal(number).quantize(Decimal(1).scaleb(-ndigits), ROUND_HALF_UP))


def raw_input(prompt=""):
    """A line of the standard input."""
    return builtins.input(prompt)


def input(prompt=""):
    """The value of an expression on the standard input."""
    caller = sys._getframe(1)
    return builtins.eval(_compiled(builtins.input(prompt).strip(), "eval"), caller.f_globals, caller.f_locals)


def eval(source, globals=None, locals=None):
    """The value of an expression of Python 2."""
    return _evaluated(builtins.eval, source, "eval", globals, locals)


def exec_(source, globals=None, locals=None):
    """Run Python 2 code; the ``exec`` statement."""
    _evaluated(builtins.exec, source, "exec", globals, locals)


def _evaluated(native, source, kind, names, locals):
    caller = sys._getframe(2)
    if names is None:
        names, locals = caller.f_globals, caller.f_locals if locals is None else locals
    names.setdefault("__builtins__", BUILTINS)
    source = _compiled(source, kind) if isinstance(source, str | bytes) else source
    return native(source, names, names if locals is None else locals)


def _compiled(source, kind):
    if kind == "eval":
        # On a line of its own, so that what follows may be a comment.
        tree, _ = converted(f"(\n{runtime.as_text(source).strip()}\n)", "<string>")
        return code(ast.Expression(tree.body[0].value), "<string>", "eval")
    tree, _ = converted(source, "<string>")
    return code(tree, "<string>")


def execfile(name, globals=None, locals=None):
    """Run the Python 2 file of that name, in the caller's names."""
    with builtins.open(name, "rb") as file:
        tree, _ = converted(file.read(), name)
    _evaluated(builtins.exec, code(tree, name), "exec", globals, locals)


def print_(*values, **options):
    """Print, with strings of bytes as text."""
    builtins.print(*(runtime.as_text(value) for value in values), **options)


def chr_(number):
    """The string of one byte."""
    return runtime.as_text(bytes([number]))


def ord_(character):
    """The number of a byte, or of a character."""
    found = ord(character)
    # A byte that is no text by itself stands there as half of a pair.
    return found - 0xDC00 if 0xDC80 <= found <= 0xDCFF else found


def apply(function, arguments=(), named=None):
    """Call a function with a sequence of arguments."""
    return function(*arguments, **(named or {}))


def reload(module):
    """Run a module again; ``sys``, of which programs wanted ``setdefaultencoding``, is left alone."""
    return module if module is sys else importlib.reload(module)


class _TextKind(type):
    """Says of every text that it is an instance, and of ``str`` that it is the same type."""

    def __instancecheck__(cls, value):
        return isinstance(value, str)

    def __subclasscheck__(cls, kind):
        return issubclass(kind, str)

    def __eq__(cls, other):
        return other is str or other is cls

    def __hash__(cls):
        return hash(str)


class unicode(str, metaclass=_TextKind):  # noqa: N801 - the name of the type
    """Python 2's type of text; what it makes is a ``str``."""

    def __new__(cls, value="", encoding=None, errors="strict"):
        if encoding is not None or isinstance(value, bytes):
            return runtime.decode(value, encoding or "ascii", errors)
        method = getattr(type(value), "__unicode__", None)
        return str(value) if method is None else method(value)


class _FileKind(type):
    """Says of every open file that it is an instance."""

    def __instancecheck__(cls, value):
        import io

        return isinstance(value, io.IOBase)


class file(metaclass=_FileKind):  # noqa: N801 - the name of the type
    """Python 2's type of files; calling it opens one."""

    def __new__(cls, name, mode="r", buffering=-1):
        return files.open(name, mode, buffering)


def import_(name, globals=None, locals=None, fromlist=(), level=0):
    """Import as Python 2 did: of a package first what lies beside, and the standard library under its old names."""
    if level <= 0:
        module = standard_modules.replaced(name)
        if module is not None:
            if fromlist:
                return module
            return standard_modules.replaced(name.partition(".")[0]) or module
        package = (globals or {}).get("__package__")
        absolute = level == 0 and "absolute_import" in (globals or {})
        if package and not absolute and _is_beside(package, name.partition(".")[0]):
            return builtins.__import__(name, globals, locals, fromlist, 1)
    return builtins.__import__(name, globals, locals, fromlist, builtins.max(level, 0))


def _is_beside(package, name):
    try:
        return importlib.util.find_spec(f"{package}.{name}") is not None
    except (ImportError, ValueError):
        return False


BUILTINS = {
    **vars(builtins),
    "__import__": import_,
    "__python2__": runtime,
    "StandardError": Exception,
    "apply": apply,
    "basestring": unicode,
    "buffer": memoryview,
    "chr": chr_,
    "cmp": runtime.cmp,
    "coerce": lambda left, right: (type(left + right)(left), type(left + right)(right)),
    "eval": eval,
    "exec": exec_,
    "execfile": execfile,
    "file": file,
    "filter": filter,
    "input": input,
    "intern": sys.intern,
    "long": int,
    "map": map,
    "max": max,
    "min": min,
    "open": files.open,
    "ord": ord_,
    "print": print_,
    "range": range,
    "raw_input": raw_input,
    "reduce": functools.reduce,
    "reload": reload,
    "round": round,
    "sorted": runtime.sorted,
    "unichr": chr,
    "unicode": unicode,
    "xrange": xrange,
    "zip": zip,
}

_OF_STR = """
capitalize count expandtabs find index ljust lower lstrip replace rfind rindex rjust rstrip strip swapcase translate
upper zfill
"""
_ADDED = {
    itertools: {
        "izip": builtins.zip, "imap": builtins.map, "ifilter": builtins.filter, "izip_longest": itertools.zip_longest,
        "ifilterfalse": itertools.filterfalse,
    },
    operator: {
        "div": runtime.divide, "isCallable": callable, "sequenceIncludes": operator.contains, "repeat": operator.mul,
        "isSequenceType": lambda value: hasattr(value, "__getitem__"),
        "isMappingType": lambda value: hasattr(value, "keys"),
        "isNumberType": lambda value: isinstance(value, int | float | complex),
    },
    os: {"getcwdu": os.getcwd, "errno": importlib.import_module("errno")},
    string: {
        "letters": string.ascii_letters, "lowercase": string.ascii_lowercase, "uppercase": string.ascii_uppercase,
        "maketrans": str.maketrans, "join": lambda words, sep=" ": sep.join(words), "joinfields": None,
        "atoi": int, "atol": int, "atof": float, "split": lambda text, *rest: text.split(*rest),
        **{name: getattr(str, name) for name in _OF_STR.split()},
    },
    sys: {
        "maxint": sys.maxsize, "setdefaultencoding": lambda name: None, "exc_clear": lambda: None,
        "subversion": ("CPython", "", ""),
    },
    types: {
        "BooleanType": bool, "BufferType": memoryview, "ClassType": type, "ComplexType": complex, "DictType": dict,
        "DictionaryType": dict, "EllipsisType": type(...), "FileType": file, "FloatType": float, "InstanceType": object,
        "IntType": int, "ListType": list, "LongType": int, "NoneType": type(None), "ObjectType": object,
        "SliceType": slice, "StringType": str, "StringTypes": (str, unicode), "TupleType": tuple, "TypeType": type,
        "UnboundMethodType": types.FunctionType, "UnicodeType": unicode, "XRangeType": builtins.range,
    },
}  # fmt: skip
_ADDED[string]["joinfields"] = _ADDED[string]["join"]


def install():
    """Give modules that have kept their names what Python 3 took from them."""
    for module, names in _ADDED.items():
        for name, value in names.items():
            if not hasattr(module, name):
                setattr(module, name, value)
    standard_modules.install()
