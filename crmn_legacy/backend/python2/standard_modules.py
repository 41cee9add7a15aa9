"""Python 2's standard modules, for converted code: by their old names, with what has moved, and taking its strings."""

import importlib
from types import ModuleType

from crmn_legacy.backend.python2.runtime import as_bytes, as_text

# Old name -> where its names are looked for now.
_RENAMED = {
    "BaseHTTPServer": ("http.server",),
    "CGIHTTPServer": ("http.server",),
    "ConfigParser": ("configparser",),
    "Cookie": ("http.cookies",),
    "HTMLParser": ("html.parser",),
    "Image": ("PIL.Image",),
    "ImageDraw": ("PIL.ImageDraw",),
    "ImageFilter": ("PIL.ImageFilter",),
    "ImageFont": ("PIL.ImageFont",),
    "ImageOps": ("PIL.ImageOps",),
    "Queue": ("queue",),
    "SimpleHTTPServer": ("http.server",),
    "SimpleXMLRPCServer": ("xmlrpc.server",),
    "SocketServer": ("socketserver",),
    "Tkinter": ("tkinter",),
    "UserDict": ("collections",),
    "UserList": ("collections",),
    "UserString": ("collections",),
    "anydbm": ("dbm",),
    "commands": ("subprocess",),
    "cookielib": ("http.cookiejar",),
    "copy_reg": ("copyreg",),
    "dbhash": ("dbm",),
    "dummy_thread": ("_thread",),
    "dummy_threading": ("threading",),
    "exceptions": ("builtins",),
    "future_builtins": ("builtins",),
    "htmlentitydefs": ("html.entities",),
    "httplib": ("http.client",),
    "md5": ("hashlib",),
    "repr": ("reprlib",),
    "robotparser": ("urllib.robotparser",),
    "sha": ("hashlib",),
    "thread": ("_thread",),
    "urllib": ("urllib.request", "urllib.parse", "urllib.error", "urllib"),
    "urllib2": ("urllib.request", "urllib.error", "urllib.parse"),
    "urlparse": ("urllib.parse",),
    "xmlrpclib": ("xmlrpc.client",),
}

_made = {}


def replaced(name):
    """The module that answers for Python 2's standard module `name`; None where today's of that name does."""
    if name not in _made:
        if name in _RENAMED:
            _made[name] = _Renamed(name, _RENAMED[name], {})
        elif name in _OWN:
            sources, make = _OWN[name]
            _made[name] = _Renamed(name, sources, make())
        else:
            return None
    return _made[name]


class _Renamed(ModuleType):
    """A module whose names are found in others."""

    def __init__(self, name, sources, names):
        super().__init__(name)
        vars(self).update(names)
        self._sources = sources

    def __getattr__(self, name):
        for source in self._sources:
            try:
                return getattr(importlib.import_module(source), name)
            except AttributeError:
                continue
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")

    def __dir__(self):
        found = set(vars(self))
        for source in self._sources:
            found.update(vars(importlib.import_module(source)))
        return sorted(found)


def _raw(file):
    """The file of bytes behind one that converted code has opened, in whichever mode."""
    return getattr(file, "_stream", None) or getattr(file, "buffer", file)


def _pickling():
    """Python 2's pickles: what they hold as strings is text here, NumPy's arrays whole, and text mode is no matter.

    What a program unpickles is its own affair, as it was.
    """
    import pickle

    def load(file):
        return pickle.load(_raw(file), encoding="latin1")

    def loads(data):
        return pickle.loads(as_bytes(data), encoding="latin1")

    def dump(value, file, protocol=2):
        pickle.dump(value, _Writer(file), protocol)

    def dumps(value, protocol=2):
        return pickle.dumps(value, protocol)

    class Unpickler(pickle.Unpickler):
        def __init__(self, file):
            super().__init__(_raw(file), encoding="latin1")
            self._file = file  # which would else be closed, being held by nobody

    class Pickler(pickle.Pickler):
        def __init__(self, file, protocol=2):
            super().__init__(_Writer(file), protocol)

    return {"load": load, "loads": loads, "dump": dump, "dumps": dumps, "Unpickler": Unpickler, "Pickler": Pickler}


class _Writer:
    """Takes bytes for a file, whatever kind it is of."""

    def __init__(self, file):
        self._file, self.write = file, _raw(file).write


def _string_io():
    import io

    class StringIO:
        """A file in memory that takes text and bytes, and gives what was put in."""

        def __new__(cls, content=None):
            return (_BytesIO if isinstance(content, bytes) else _StringIO)(*() if content is None else (content,))

    class _StringIO(io.StringIO):
        def __init__(self, content=""):
            super().__init__(content, newline="\n")

        def write(self, text):
            return super().write(as_text(text))

        next = io.StringIO.__next__

    class _BytesIO(io.BytesIO):
        def write(self, data):
            return super().write(as_bytes(data))

        next = io.BytesIO.__next__

    return {"StringIO": StringIO, "InputType": io.IOBase, "OutputType": io.IOBase}


def _taking_text(module, *names):
    """Functions of a module that take bytes, made to take strings for them."""

    def made():
        found = importlib.import_module(module)
        return {name: _with_bytes(getattr(found, name)) for name in names if hasattr(found, name)}

    return (module,), made


def _with_bytes(function):
    def taking_text(*arguments, **named):
        return function(*(as_bytes(value) for value in arguments), **named)

    return taking_text


def _unpacking():
    import struct

    def unpack(form, data):
        return struct.unpack(form, as_bytes(data))

    def unpack_from(form, data, offset=0):
        return struct.unpack_from(form, as_bytes(data), offset)

    return {"unpack": unpack, "unpack_from": unpack_from}


def _encoding():
    import base64

    found = {name: _with_bytes(getattr(base64, name)) for name in dir(base64) if name.endswith(("encode", "decode"))}
    found["encodestring"], found["decodestring"] = _with_bytes(base64.encodebytes), _with_bytes(base64.decodebytes)
    return {name: (lambda *given, _call=call: as_text(_call(*given))) for name, call in found.items()}


def _tables():
    """``csv`` of files that are open in binary mode, as Python 2 asked for."""
    import csv

    def reader(lines, *arguments, **named):
        return csv.reader((as_text(line) for line in lines), *arguments, **named)

    class DictReader(csv.DictReader):
        def __init__(self, lines, *arguments, **named):
            super().__init__((as_text(line) for line in lines), *arguments, **named)

        def next(self):
            return next(self)

    return {"reader": reader, "DictReader": DictReader}


def _sets():
    return {"Set": set, "ImmutableSet": frozenset}


def _builtin():
    from crmn_legacy.backend.python2.names import BUILTINS

    return BUILTINS


# Old name -> (where the other names are looked for, what makes those that are ours).
_OWN = {
    "StringIO": (("io",), _string_io),
    "__builtin__": (("builtins",), _builtin),
    "base64": (("base64",), _encoding),
    "cPickle": (("pickle",), _pickling),
    "cStringIO": (("io",), _string_io),
    "csv": (("csv",), _tables),
    "hashlib": _taking_text("hashlib", "md5", "sha1", "sha224", "sha256", "sha384", "sha512"),
    "pickle": (("pickle",), _pickling),
    "sets": ((), _sets),
    "struct": (("struct",), _unpacking),
    "zlib": _taking_text("zlib", "adler32", "compress", "crc32", "decompress"),
}


def install():
    """Let NumPy read numbers out of strings, once it is imported."""
    from crmn_legacy.backend import aesara_patches

    aesara_patches.mend_when_imported("numpy", _mend_numpy)


def _mend_numpy(numpy):
    for name in ("fromstring", "frombuffer"):
        setattr(numpy, name, _reading_text(getattr(numpy, name)))


def _reading_text(function):
    def reading(string, *arguments, **named):
        # A separator says that the numbers are written out.
        return function(string if named.get("sep") else as_bytes(string), *arguments, **named)

    reading.__wrapped__ = function
    return reading
