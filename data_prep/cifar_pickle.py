"""The pickles of the CIFAR archives (Krizhevsky, 2009, "python version"), read without trusting them.

A pickle is a program, and Python's `pickle` imports and calls whatever it names. Here the few names by which NumPy, in
any of its versions, writes an array of bytes get stand-ins, and all others are refused. Files of protocol 2, which
Python 2 wrote the archives with, to 5 are read.
"""

import functools
import io
import os
import pickle
import pickletools
import warnings

import numpy as np

from crmn_legacy.errors import UserError, shown

# The largest file of the archives, CIFAR-100's training set, has 155 MB and about 350,000 operations.
_LARGEST_FILE = 2**28
_MOST_OPERATIONS = 2_000_000
_LARGEST_NUMBER = 2**32
_MOST_LOOSE_TUPLES = 8
_PIXELS = 3 * 32 * 32

_PUTS = {"BINPUT", "LONG_BINPUT", "MEMOIZE"}
_TUPLES = {"TUPLE1", "TUPLE2", "TUPLE3", "TUPLE"}
_OPERATIONS = {"PROTO", "FRAME", "STOP", "MARK", "BINGET", "LONG_BINGET", "GLOBAL", "STACK_GLOBAL", "REDUCE", "BUILD"}
_OPERATIONS |= {"NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2", "LONG1", "EMPTY_TUPLE", "EMPTY_LIST"}
_OPERATIONS |= {"APPEND", "APPENDS", "EMPTY_DICT", "SETITEM", "SETITEMS", "BINSTRING", "SHORT_BINSTRING", "BINUNICODE"}
_OPERATIONS |= {"SHORT_BINUNICODE", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"} | _PUTS | _TUPLES

# Names that NumPy 1 and Python 3's protocol 2 write; NumPy 2 has _core for core.
_NAMES = {"numpy.core.multiarray._reconstruct", "numpy.core.numeric._frombuffer", "numpy.ndarray", "numpy.dtype"}
_NAMES |= {"_codecs.encode"}

# What a file must hold, by the list of names that tells its kind: labels or names, and how many classes there are.
_BATCHES = {"labels": {"labels": 10}, "fine_labels": {"fine_labels": 100, "coarse_labels": 20}}
_METAS = {"label_names": {"label_names": 10}, "fine_label_names": {"fine_label_names": 100, "coarse_label_names": 20}}
_BATCH_TEXT, _META_NUMBERS = {"batch_label", "filenames"}, {"num_cases_per_batch", "num_vis"}

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
        ``num_vis``, int.

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
    __hash__ = None

    def __init__(self, name, value=None):
        self.name, self.value = name, value

    def __call__(self, *arguments):
        match self.name, *arguments:
            case "_codecs.encode", str(text), "latin1":
                return self.value(text)
            case "numpy.dtype", "u1" | "|u1" | b"u1" | b"|u1", 0, 1:
                return _StandIn("dtype")
            case "numpy.core.multiarray._reconstruct", _StandIn(name="numpy.ndarray"), (0,), b"b":
                return _StandIn("array")
            case "numpy.core.numeric._frombuffer", content, _StandIn(name="dtype"), shape, "C":
                return _StandIn("array", _pictures(content, shape))
        raise _BadPickleError(f"makes with {self.name} other than an array of bytes")

    def __setstate__(self, state):
        match self.name, state:
            case "array", (1, shape, _StandIn(name="dtype"), False, content):
                self.value = _pictures(content, shape)
            case "dtype", tuple() if not any(isinstance(part, tuple) for part in state):
                pass  # Order and alignment, which bytes do not have.
            case _:
                raise _BadPickleError("builds other than an array of bytes in rows")


def _pictures(content, shape):
    """The uint8 array (pictures, 3072), read-only, that is in `content`."""
    match content, shape:
        case bytes() | bytearray(), (int(count), 3072) if len(content) == count * _PIXELS > 0:
            pictures = np.frombuffer(content, np.uint8).reshape(count, _PIXELS)
            pictures.flags.writeable = False
            return pictures
    raise _BadPickleError(f"has an array that is not (pictures, {_PIXELS}) of bytes")


def _check(record):
    """`record` with its keys as str and its lists as arrays, if it is a batch or names of classes."""
    if type(record) is not dict:
        raise _BadPickleError("holds no dict")
    record = {_text(key, "a key"): value for key, value in record.items()}
    for sign, lists in _BATCHES.items():
        if sign in record:
            _require(record, {"data", *lists}, _BATCH_TEXT)
            return _batch(record, lists)
    for sign, lists in _METAS.items():
        if sign in record:
            _require(record, set(lists), _META_NUMBERS)
            return _meta(record, lists)
    raise _BadPickleError("holds neither labels nor names of classes")


def _require(record, needed, possible):
    missing, foreign = sorted(needed - record.keys()), sorted(record.keys() - needed - possible)
    if missing or foreign:
        raise _BadPickleError(f"lacks {missing[0]!r}" if missing else f"holds {shown(foreign[0])}")


def _batch(record, lists):
    data = getattr(record["data"], "value", None)
    if not isinstance(data, np.ndarray):
        raise _BadPickleError("holds 'data' of no array")
    checked = {"data": data}
    for key, classes in lists.items():
        labels = record[key]
        if type(labels) is not list or len(labels) != len(data):
            raise _BadPickleError(f"holds {key!r} other than a list of {len(data)} labels")
        if not all(type(label) is int and 0 <= label < classes for label in labels):
            raise _BadPickleError(f"holds {key!r} beyond 0 to {classes - 1}")
        checked[key] = np.array(labels, np.int64)
    if "filenames" in record:
        checked["filenames"] = _texts(record, "filenames", len(data))
    if "batch_label" in record:
        checked["batch_label"] = _text(record["batch_label"], "'batch_label'")
    return checked


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
