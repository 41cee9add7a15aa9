"""What answers for ``theano.compat.six``: Python's two dialects in one, of which there is only Python 3 here."""

import builtins
import functools
import io
import itertools
import operator
import sys
import types  # noqa: F401 - programs take it from six

PY2, PY3 = False, True
MAXSIZE = sys.maxsize

string_types, integer_types, class_types = (str,), (int,), (type,)
text_type, binary_type = str, bytes
StringIO, BytesIO = io.StringIO, io.BytesIO
Iterator = object
advance_iterator = next = builtins.next
callable, print_, exec_ = builtins.callable, builtins.print, builtins.exec
unichr, int2byte = chr, operator.methodcaller("to_bytes", 1, "big")
get_method_function, get_method_self = operator.attrgetter("__func__"), operator.attrgetter("__self__")
get_function_code, get_function_defaults = operator.attrgetter("__code__"), operator.attrgetter("__defaults__")
iterbytes, byte2int, indexbytes = iter, operator.itemgetter(0), operator.getitem
wraps = functools.wraps


def get_unbound_function(unbound):
    """The function itself."""
    return unbound


def b(s):
    """Text as bytes, Latin-1."""
    return s.encode("latin-1")


def u(s):
    """Text as it is."""
    return s


def iterkeys(d, **options):
    """An iterator of a dict's keys."""
    return iter(d.keys(**options))


def itervalues(d, **options):
    """An iterator of a dict's values."""
    return iter(d.values(**options))


def iteritems(d, **options):
    """An iterator of a dict's items."""
    return iter(d.items(**options))


def reraise(tp, value, tb=None):
    """Raise an error again, from where it came."""
    raise (tp() if value is None else value).with_traceback(tb)


def raise_from(value, from_value):
    """Raise an error because of another."""
    raise value from from_value


def with_metaclass(meta, *bases):
    """A base whose subclasses are made by `meta` and derive from `bases`."""

    class Temporary(meta):
        def __new__(cls, name, _bases, names):
            return meta(name, bases, names)

    return type.__new__(Temporary, "temporary_class", (), {})


def add_metaclass(metaclass):
    """A decorator that makes a class anew by `metaclass`."""

    def decorated(cls):
        names = {name: value for name, value in vars(cls).items() if name not in ("__dict__", "__weakref__")}
        return metaclass(cls.__name__, cls.__bases__, names)

    return decorated


def python_2_unicode_compatible(cls):
    """The class itself."""
    return cls


# ``six.moves``: name -> what it is now.
MOVES = {
    "cStringIO": "io:StringIO",
    "StringIO": "io:StringIO",
    "cPickle": "pickle",
    "builtins": "builtins",
    "configparser": "configparser",
    "copyreg": "copyreg",
    "filter": builtins.filter,
    "filterfalse": itertools.filterfalse,
    "input": builtins.input,
    "intern": sys.intern,
    "map": builtins.map,
    "queue": "queue",
    "range": builtins.range,
    "reduce": functools.reduce,
    "reload_module": "importlib:reload",
    "shlex_quote": "shlex:quote",
    "socketserver": "socketserver",
    "urllib": "urllib",
    "xrange": builtins.range,
    "zip": builtins.zip,
    "zip_longest": itertools.zip_longest,
}
