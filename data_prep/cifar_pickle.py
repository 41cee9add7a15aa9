"""The pickles of the CIFAR archives (Krizhevsky, 2009, "python version"), read without trusting them.

A pickle is a program, and Python's `pickle` imports and calls whatever it names. Here the few names by which NumPy, in
any of its versions, writes integers and arrays of them get stand-ins, and all others are refused. Files of protocol 2,
which Python 2 wrote the archives with, to 5 are read; so are files made anew, whose labels may be NumPy's integers.
"""

import functools
import io
import math
import os
import pickle
import pickletools
import re
import warnings

import numpy as np

from crmn_legacy.errors import UserError, shown

# The largest file of the archives, CIFAR-100's training set, has 155 MB and about 350,000 operations.
_LARGEST_FILE = 2**28
_MOST_OPERATIONS = 2_000_000
_LARGEST_NUMBER = 2**32
_MOST_LOOSE_TUPLES = 16
_PIXELS = 3 * 32 * 32

_PUTS = {"BINPUT", "LONG_BINPUT", "MEMOIZE"}
_TUPLES = {"TUPLE1", "TUPLE2", "TUPLE3", "TUPLE"}
_OPERATIONS = {"PROTO", "FRAME", "STOP", "MARK", "BINGET", "LONG_BINGET", "GLOBAL", "STACK_GLOBAL", "REDUCE", "BUILD"}
_OPERATIONS |= {"NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2", "LONG1", "EMPTY_TUPLE", "EMPTY_LIST"}
_OPERATIONS |= {"APPEND", "APPENDS", "EMPTY_DICT", "SETITEM", "SETITEMS", "BINSTRING", "SHORT_BINSTRING", "BINUNICODE"}
_OPERATIONS |= {"SHORT_BINUNICODE", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"} | _PUTS | _TUPLES

# Names that NumPy 1 and Python 3's protocol 2 write; NumPy 2 has _core for core.
_NAMES = {"numpy.core.multiarray._reconstruct", "numpy.core.numeric._frombuffer", "numpy.ndarray", "numpy.dtype"}
_NAMES |= {"numpy.core.multiarray.scalar", "_codecs.encode"}
# Integers of NumPy, and the orders of their bytes.
_INTEGERS = re.compile(r"[<>=|]?([iu][1248])")
_ORDERS = {"<", ">", "=", "|"}

# What a file must hold, by the list of names that tells its kind: labels or names, and how many classes there are.
_BATCHES = {"labels": {"labels": 10}, "fine_labels": {"fine_labels": 100, "coarse_labels": 20}}
_METAS = {"label_names": {"label_names": 10}, "fine_label_names": {"fine_label_names": 100, "coarse_label_names": 20}}
_META_NUMBERS = {"num_cases_per_batch", "num_vis"}

# What `pickletools` and `pickle` raise where operations do not fit together.
_MISFITS = (pickle.UnpicklingError, EOFError, ValueError, OverflowError, TypeError, LookupError)
_MISFITS += (AttributeError, BufferError)


class _BadPickleError(Exception):
    """What is wrong with a pickle, without its name."""


def read_batch(source):
    """Read a batch, or the names of the classes, of CIFAR-10 or CIFAR-100.

    Parameters
    ----------
    source : path or bytes
        ``data_batch_1``, ``test_batch``, ``train``, ``test``, ``batches.meta``, ``meta``; or the content of one.

    Returns
    -------
    dict
        Of a batch: ``data``, uint8 array (pictures, 3072), read-only, a picture's red, green and blue plane one after
        the other; ``labels``, or ``fine_labels`` and ``coarse_labels``, int64 arrays (pictures,); where the file has
        them, ``filenames``, list of str, and ``batch_label``, str. Of the class names: ``label_names``, or
        ``fine_label_names`` and ``coarse_label_names``, lists of str; the file's numbers ``num_cases_per_batch`` and
        ``num_vis``, int. What else a file has is left out.

    Raises
    ------
    UserError
        The file cannot be read, is larger than any of the archives', is cut off, names anything foreign, or holds
        other than a batch.
    """
    name = "a CIFAR batch" if isinstance(source, bytes) else f"'{source}'"
    content = source if isinstance(source, bytes) else _read_file(source)
    try:
        with warnings.catch_warnings():
            # `pickletools` decodes the escapes of old strings, which are refused then, and may complain of them.
            warnings.simplefilter("ignore")
            _survey(content)
        return _check(_Unpickler(content).load())
    except _BadPickleError as error:
        problem = str(error)
    except _MISFITS:
        problem = "is cut off or no pickle of protocol 2 to 5"
    raise UserError(
        f"got {name}, which {problem}; expected a whole file of the CIFAR-10 or CIFAR-100 archive (python version): "
        "unpack it anew"
    )


def _read_file(path):
    try:
        if not os.path.isfile(path):
            raise UserError(f"got '{path}', which is no file; expected one of the CIFAR archive (python version)")
        with open(path, "rb") as file:
            return file.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise UserError(
            f"got '{path}', which cannot be read ({error.strerror}); expected one of the CIFAR archive"
        ) from None


def _survey(content):
    """Refuse a pickle that does what no CIFAR batch needs, before anything is made of it."""
    if len(content) > _LARGEST_FILE:
        raise _BadPickleError(f"has more than {_LARGEST_FILE} bytes")
    stream, loose, previous = io.BytesIO(content), 0, None
    for number, (operation, argument, place) in enumerate(pickletools.genops(stream)):
        name = operation.name
        if number >= _MOST_OPERATIONS:
            raise _BadPickleError(f"has more than {_MOST_OPERATIONS} operations")
        if number == 0 and not (name == "PROTO" and 2 <= argument <= 5):
            raise _BadPickleError("is no pickle of protocol 2 to 5")
        if name not in _OPERATIONS:
            raise _BadPickleError(f"asks for the operation {name} at byte {place}, which no CIFAR batch needs")
        # Python makes room in its memo for every place below this one.
        if (name == "LONG1" and abs(argument) > _LARGEST_NUMBER) or (name == "LONG_BINPUT" and argument > number):
            raise _BadPickleError("has a number beyond all measure")
        if name in _PUTS or name == "FRAME":
            continue
        # Python hashes a dict's key through all tuples in tuples: deep ones end the process, and ones that share their
        # parts take for ever. So tuples go to a stand-in, which looks at their parts, or are few and short.
        if previous in _TUPLES and name not in ("REDUCE", "BUILD"):
            loose += 1
            if previous == "TUPLE" or loose > _MOST_LOOSE_TUPLES:
                raise _BadPickleError("has more tuples, or longer ones, than any CIFAR batch")
        previous = name
    if stream.tell() != len(content):
        raise _BadPickleError("goes on after its end")


class _Unpickler(pickle.Unpickler):
    """Python's own, but a name gets a stand-in, and nothing is imported."""

    def __init__(self, content):
        super().__init__(io.BytesIO(content), encoding="bytes")
        # A text that is encoded again and again takes room once.
        self._encode = functools.cache(functools.partial(str.encode, encoding="latin-1"))

    def find_class(self, module, name):
        known = f"{module}.{name}".replace("numpy._core.", "numpy.core.")
        if known not in _NAMES:
            raise _BadPickleError(f"names {shown(f'{module}.{name}')}, which no CIFAR batch needs")
        return _StandIn(known, self._encode)

    def persistent_load(self, identity):
        raise _BadPickleError("asks for what lies outside of it")


class _StandIn:
    """What a pickle gets as a function, dtype or array: it takes no attributes, and is no key of a dict."""

    __slots__ = ("name", "value")
    __match_args__ = __slots__
    __hash__ = None

    def __init__(self, name, value=None):
        self.name, self.value = name, value

    def __call__(self, *arguments):
        match self.name, *arguments:
            case "_codecs.encode", str(text), "latin1":
                return self.value(text)
            case "numpy.dtype", str() | bytes() as name, 0, 1:
                if found := _INTEGERS.fullmatch(_ascii(name)):
                    return _StandIn("dtype", np.dtype(found[0]))
            case "numpy.core.multiarray._reconstruct", _StandIn("numpy.ndarray"), (0,), b"b":
                return _StandIn("array")
            case "numpy.core.numeric._frombuffer", content, _StandIn(
                name="dtype", value=dtype
            ), shape, "C" | "F" as order:
                return _StandIn("array", _array(content, dtype, shape, order))
            case "numpy.core.multiarray.scalar", _StandIn("dtype", dtype), content:
                return int(_array(content, dtype, (), "C"))
        raise _BadPickleError(f"makes with {self.name} other than an array of bytes, or integers")

    def __setstate__(self, state):
        match self.name, state:
            case "array", (1, shape, _StandIn("dtype", dtype), bool(by_column), content):
                self.value = _array(content, dtype, shape, "F" if by_column else "C")
            case "dtype", tuple() if not any(isinstance(part, tuple) for part in state):
                # Version and the order of bytes; of one byte each there is none. What else follows is of no integer.
                order = _ascii(state[1]) if state[1:] else "|"
                if self.value.itemsize > 1:
                    if order not in _ORDERS:
                        raise _BadPickleError("has integers whose bytes are in no order")
                    self.value = self.value.newbyteorder(order)
            case _:
                raise _BadPickleError("builds other than an array of bytes, or integers, in rows or columns")


def _ascii(value):
    """Text of either Python; empty for anything else."""
    return value.decode("latin-1") if isinstance(value, bytes) else value if isinstance(value, str) else ""


def _array(content, dtype, shape, order):
    """The array of `shape`, read-only, whose bytes are `content`."""
    if type(content) not in (bytes, bytearray) or type(shape) is not tuple or len(shape) > 2:
        raise _BadPickleError("has an array that is not of bytes or integers")
    if not all(type(length) is int and length >= 0 for length in shape):
        raise _BadPickleError("has an array of a shape that cannot be")
    if math.prod(shape) * dtype.itemsize != len(content):
        raise _BadPickleError(f"has an array of {shape} {dtype} in {len(content)} bytes, which does not fit")
    array = np.frombuffer(content, dtype).reshape(shape, order=order)
    array.flags.writeable = False
    return array


def _check(record):
    """`record` with its keys as str and its lists as arrays, if it is a batch or names of classes."""
    if type(record) is not dict:
        raise _BadPickleError("holds no dict")
    named = {_text(key, "a key"): value for key, value in record.items()}
    if len(named) != len(record):
        raise _BadPickleError("has a key twice, as text and as bytes")
    signs = [sign for sign in (*_BATCHES, *_METAS) if sign in named]
    if len(signs) != 1:
        raise _BadPickleError(
            f"holds both {signs[0]!r} and {signs[1]!r}" if signs else "holds neither labels nor names"
        )
    [sign] = signs
    needed = {"data", *_BATCHES[sign]} if sign in _BATCHES else set(_METAS[sign])
    # What else there is was pickled as plainly, and is of no use here.
    if missing := sorted(needed - named.keys()):
        raise _BadPickleError(f"lacks {missing[0]!r}")
    return _batch(named, _BATCHES[sign]) if sign in _BATCHES else _meta(named, _METAS[sign])


def _batch(record, lists):
    data = getattr(record["data"], "value", None)
    if not isinstance(data, np.ndarray):
        raise _BadPickleError("holds 'data' of no array")
    if data.dtype != np.uint8 or data.ndim != 2 or data.shape[1] != _PIXELS or len(data) == 0:
        raise _BadPickleError(f"has 'data' as {data.dtype} {data.shape}, not (pictures, {_PIXELS}) of bytes")
    data = np.ascontiguousarray(data)
    data.flags.writeable = False
    checked = {"data": data}
    for key, classes in lists.items():
        checked[key] = _labels(record, key, len(data), classes)
    if "filenames" in record:
        checked["filenames"] = _texts(record, "filenames", len(data))
    if "batch_label" in record:
        checked["batch_label"] = _text(record["batch_label"], "'batch_label'")
    return checked


def _labels(record, key, count, classes):
    labels = record[key]
    array = getattr(labels, "value", None)
    if isinstance(array, np.ndarray) and array.shape in ((count,), (count, 1)):
        labels = array.ravel().tolist()
    if type(labels) is not list or len(labels) != count:
        raise _BadPickleError(f"holds {key!r} other than a list of {count} labels")
    if not all(type(label) is int and 0 <= label < classes for label in labels):
        raise _BadPickleError(f"holds {key!r} beyond 0 to {classes - 1}")
    return np.array(labels, np.int64)


def _meta(record, lists):
    checked = {key: _texts(record, key, count) for key, count in lists.items()}
    for key in _META_NUMBERS & record.keys():
        if type(record[key]) is not int:
            raise _BadPickleError(f"holds {key!r} that is no number")
        checked[key] = record[key]
    return checked


def _texts(record, key, count):
    texts = record[key]
    if type(texts) is not list or len(texts) != count:
        raise _BadPickleError(f"holds {key!r} other than a list of {count}")
    return [_text(text, f"{key!r}") for text in texts]


def _text(value, what):
    """Text of either Python; of Python 2 it is bytes."""
    if type(value) is bytes:
        value = value.decode("utf-8")
    # Half a character, which Python has as text, can be written to no file.
    if type(value) is not str or len(value) > 300 or not value.isprintable():
        raise _BadPickleError(f"has {what} that is no text of at most 300 characters")
    return value
