"""Names that Python's library, NumPy and SciPy have dropped since 2018, given back to the programs of before.

Only the door installs them: a program of that time is not to end on ``collections.Iterable`` or ``numpy.float``.
"""

import collections
import collections.abc
import fractions
import functools
import inspect
import math
import threading
import time

from crmn_legacy.backend import aesara_patches, six_names

_ABSTRACT = """
AsyncGenerator AsyncIterable AsyncIterator Awaitable ByteString Callable Collection Container Coroutine Generator
Hashable ItemsView Iterable Iterator KeysView Mapping MappingView MutableMapping MutableSequence MutableSet Reversible
Sequence Set Sized ValuesView
"""

ArgSpec = collections.namedtuple("ArgSpec", "args varargs keywords defaults")


def getargspec(function):
    """Names and defaults of a function's parameters; ``inspect.getargspec``, which knew none by keyword alone."""
    found = inspect.getfullargspec(function)
    if found.kwonlyargs:
        raise ValueError("Function has keyword-only parameters: use inspect.signature() API")
    return ArgSpec(found.args, found.varargs, found.varkw, found.defaults)


def install():
    """Give the modules that are here their old names back, NumPy and SciPy theirs once they are imported, and six."""
    six_names.install()
    for name in _ABSTRACT.split():
        _give(collections, name, getattr(collections.abc, name, None))
    _give(inspect, "getargspec", getargspec)
    _give(time, "clock", time.process_time)
    _give(fractions, "gcd", math.gcd)
    _give(threading.Thread, "isAlive", threading.Thread.is_alive)
    aesara_patches.mend_when_imported("numpy", _mend_numpy)
    aesara_patches.mend_when_imported("scipy.misc", _mend_scipy_misc)
    aesara_patches.mend_when_imported("scipy.ndimage", _mend_scipy_ndimage)
    aesara_patches.mend_when_imported("base64", _mend_base64)
    aesara_patches.mend_when_imported("cgi", _mend_cgi)


def _give(module, name, value):
    # A plain hasattr would ask a module that answers each dropped name with a warning, or an error of its own.
    if name not in vars(module) and value is not None:
        setattr(module, name, value)


def _mend_numpy(numpy):
    names = {
        "bool": bool, "int": int, "float": float, "complex": complex, "object": object, "str": str, "long": int,
        "unicode": str, "asscalar": lambda value: value.item(), "rank": numpy.ndim, "typeDict": numpy.sctypeDict,
        "alen": lambda value: len(numpy.atleast_1d(value)), "product": numpy.prod, "cumproduct": numpy.cumprod,
        "sometrue": numpy.any, "alltrue": numpy.all,
        "row_stack": numpy.vstack, "msort": lambda value: numpy.sort(value, axis=0), "infty": numpy.inf,
    }  # fmt: skip
    for name, value in names.items():
        _give(numpy, name, value)

    for name in ("linspace", "logspace", "geomspace"):
        setattr(numpy, name, _with_whole_count(getattr(numpy, name)))


def _with_whole_count(function):
    """A function of NumPy's to which a count was a float, ``1e3``, until NumPy 1.18."""

    @functools.wraps(function)
    def counting(start, stop, num=50, *arguments, **named):
        return function(start, stop, int(num), *arguments, **named)

    return counting


def _mend_base64(base64):
    _give(base64, "encodestring", base64.encodebytes)
    _give(base64, "decodestring", base64.decodebytes)


def _mend_cgi(cgi):
    import html

    _give(cgi, "escape", lambda text, quote=False: html.escape(text, quote))


def _mend_scipy_misc(module):
    from crmn_legacy.backend import scipy_misc

    for name in scipy_misc.NAMES:
        _give(module, name, getattr(scipy_misc, name))


def _mend_scipy_ndimage(module):
    from crmn_legacy.backend import scipy_misc

    _give(module, "imread", scipy_misc.imread)
