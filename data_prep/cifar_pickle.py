"""The pickles of the CIFAR archives (Krizhevsky, 2009, "python version"), read without trusting them.

Python's own unpickler reads them, on two conditions. Before it begins, every operation is looked at: only those that a
batch of protocol 2 (Python 2 wrote the archives with it) to 5 needs, and not too many. While it reads, no name is
looked up: the few by which NumPy, in any of its versions, writes an array of bytes are answered by stand-ins.
"""

import io
import math
import os
import pickle
import pickletools
import warnings
from functools import partial

import numpy as np

from crmn_legacy.errors import UserError, shown

# The largest file of the archives, CIFAR-100's training set, has 155 MB and about 350,000 operations.
_LARGEST_FILE = 2**28
_MOST_OPERATIONS = 2_000_000
_LARGEST_NUMBER = 2**32
_PIXELS = 3 * 32 * 32

_NUMBERS = {"BININT", "BININT1", "BININT2", "LONG1"}
_TUPLES = {"TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"}
_KEEPING = {"BINPUT", "LONG_BINPUT", "MEMOIZE"}
_TAKING = {"BINGET", "LONG_BINGET"}
_OPERATIONS = _NUMBERS | _TUPLES | _KEEPING | _TAKING
_OPERATIONS |= {"PROTO", "FRAME", "STOP", "MARK", "NONE", "NEWTRUE", "NEWFALSE", "GLOBAL", "STACK_GLOBAL", "REDUCE"}
_OPERATIONS |= {"BUILD", "EMPTY_TUPLE", "EMPTY_LIST", "EMPTY_DICT", "APPEND", "APPENDS", "SETITEM", "SETITEMS"}
_OPERATIONS |= {"BINSTRING", "SHORT_BINSTRING", "BINUNICODE", "SHORT_BINUNICODE", "BINBYTES", "SHORT_BINBYTES"}
_OPERATIONS |= {"BINBYTES8", "BYTEARRAY8"}

# What a file must hold, by the list of names that tells its kind: labels or names, and how many classes there are.
_BATCHES = {"labels": {"labels": 10}, "fine_labels": {"fine_labels": 100, "coarse_labels": 20}}
_METAS = {"label_names": {"label_names": 10}, "fine_label_names": {"fine_label_names": 100, "coarse_label_names": 20}}
_BATCH_TEXT, _META_NUMBERS = {"batch_label", "filenames"}, {"num_cases_per_batch", "num_vis"}


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
        if len(content) > _LARGEST_FILE:
            raise _BadPickleError(f"has more than {_LARGEST_FILE} bytes")
        with warnings.catch_warnings():
            # `pickletools` decodes escapes of old strings, which are refused then, and may complain of them.
            warnings.simplefilter("ignore")
            _look_through(content)
        return _check(_Unpickler(io.BytesIO(content), encoding="bytes").load())
    except _BadPickleError as error:
        problem = str(error)
    except Exception:  # a damaged pickle makes Python's unpickler raise nearly anything
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


def _look_through(content):
    """Refuse a pickle that asks for other than a batch needs, or for what would take for ever or fill the memory."""
    stream, kept, tuples, former = io.BytesIO(content), 0, set(), None
    for number, (operation, argument, place) in enumerate(pickletools.genops(stream)):
        name = operation.name
        if number >= _MOST_OPERATIONS:
            raise _BadPickleError(f"has more than {_MOST_OPERATIONS} operations")
        if number == 0 and not (name == "PROTO" and 2 <= argument <= 5):
            raise _BadPickleError("is no pickle of protocol 2 to 5")
        if name not in _OPERATIONS:
            raise _BadPickleError(f"asks for the operation {name} at byte {place}, which no CIFAR batch needs")
        if name in _NUMBERS and abs(argument) > _LARGEST_NUMBER:
            raise _BadPickleError("has a number beyond all measure")
        if name in _KEEPING:
            index = kept if name == "MEMOIZE" else argument
            # The unpickler makes room for all places up to this one.
            if index > number:
                raise _BadPickleError("keeps what it has not put")
            kept += 1
            if former in _TUPLES:
                tuples.add(index)
        # The hash of a tuple of tuples of tuples, each taken twice, would take for ever.
        if name in _TAKING and argument in tuples:
            raise _BadPickleError("takes a tuple again")
        former = name
    if stream.tell() != len(content):
        raise _BadPickleError("goes on after its end")


class _Unpickler(pickle.Unpickler):
    """Python's, with stand-ins for the names that a batch needs, and no way to any other."""

    def __init__(self, *arguments, **keywords):
        super().__init__(*arguments, **keywords)
        self._encoded = 0
        dtype, ndarray = _StandIn(partial(_made, "numpy.dtype", _dtype)), _StandIn(None)
        made = {
            "multiarray _reconstruct": partial(_made, "numpy's _reconstruct", partial(_reconstruct, ndarray)),
            "numeric _frombuffer": partial(_made, "numpy's _frombuffer", _frombuffer),
        }
        self._names = {"numpy dtype": dtype, "numpy ndarray": ndarray, "_codecs encode": _StandIn(self._encode)}
        for core in ("numpy.core", "numpy._core"):
            self._names |= {f"{core}.{name}": _StandIn(function) for name, function in made.items()}

    def find_class(self, module, name):
        """The stand-in for a name; nothing is imported."""
        try:
            return self._names[f"{module} {name}"]
        except KeyError:
            raise _BadPickleError(f"names {shown(f'{module}.{name}')}, which no CIFAR batch needs") from None

    def _encode(self, text, encoding):
        """Bytes as Python 3 writes them in protocol 2."""
        if _as_text(encoding) != "latin1" or type(text) is not str:
            raise _BadPickleError("encodes other than bytes")
        # The same text may be taken again and again.
        self._encoded += len(text)
        if self._encoded > _LARGEST_FILE:
            raise _BadPickleError(f"has more than {_LARGEST_FILE} bytes")
        return text.encode("latin-1")


class _StandIn:
    """What a name stands for: it can be called, and nothing of it can be set."""

    __slots__ = ("_function",)

    def __init__(self, function):
        self._function = function

    def __call__(self, *arguments):
        return self._function(*arguments)

    def __setstate__(self, state):
        raise _BadPickleError("builds other than an array")


class _Dtype:
    """NumPy's dtype of bytes; there is no other."""

    __slots__ = ()

    def __setstate__(self, state):
        """Byte order and alignment: of bytes they say nothing."""


class _Array:
    """An array of bytes, empty until its state comes."""

    __slots__ = ("value",)

    def __init__(self, value=None):
        self.value = value

    def __setstate__(self, state):
        version, shape, dtype, fortran_order, content = state
        if version != 1 or type(dtype) is not _Dtype or fortran_order is not False:
            raise _BadPickleError("has an array whose state is no array of bytes in rows")
        self.value = _array(content, shape)


def _made(name, function, *arguments):
    """What a stand-in makes of a pickle's arguments."""
    made = function(*arguments)
    if made is None:
        raise _BadPickleError(f"makes with {name} other than an array of bytes")
    return made


def _dtype(name, *_):
    return _Dtype() if _as_text(name) in ("u1", "|u1") else None


def _reconstruct(ndarray, kind, *_):
    return _Array() if kind is ndarray else None


def _frombuffer(content, dtype, shape, order):
    good = type(dtype) is _Dtype and order == "C"
    return _Array(_array(bytes(content), shape)) if good and isinstance(content, bytes | bytearray) else None


def _as_text(value):
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _array(content, shape):
    if not isinstance(content, bytes):
        raise _BadPickleError("has an array without bytes")
    if type(shape) is not tuple or not all(type(size) is int and size >= 0 for size in shape):
        raise _BadPickleError("has an array without a shape")
    if math.prod(shape) != len(content):
        raise _BadPickleError(f"has an array of shape {shown(shape)} in {len(content)} bytes")
    return np.frombuffer(content, np.uint8).reshape(shape)


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
    data = record["data"].value if type(record["data"]) is _Array else None
    if data is None or data.ndim != 2 or data.shape[1] != _PIXELS or not len(data):
        shape = "no array" if data is None else f"shape {shown(data.shape)}"
        raise _BadPickleError(f"holds 'data' of {shape}, not (pictures, {_PIXELS})")
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
    if isinstance(value, bytes):
        value = value.decode("utf-8")
    if type(value) is not str or len(value) > 300:
        raise _BadPickleError(f"has {what} that is no text of at most 300 characters")
    return value
