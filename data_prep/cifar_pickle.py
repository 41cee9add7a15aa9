"""The pickles of the CIFAR archives (Krizhevsky, 2009, "python version"), read without trusting them.

A pickle is a program for a small machine, and Python's own machine runs whatever the program names. The one here
knows as much as a CIFAR batch needs: numbers, text, lists, dicts with text as keys, and the few calls by which
NumPy, in any of its versions, writes an array of bytes. Nothing that a file names is imported or called. Files of
protocol 2, which Python 2 wrote the archives with, to 5 are read.
"""

import io
import math
import os
import pickletools
import warnings

import numpy as np

from crmn_legacy.errors import UserError, shown

# The largest file of the archives, CIFAR-100's training set, has 155 MB and about 350,000 operations.
_LARGEST_FILE = 2**28
_MOST_OPERATIONS = 2_000_000
_LARGEST_NUMBER = 2**32
_PIXELS = 3 * 32 * 32

# Names by which NumPy (1 and 2) and Python 3's protocol 2 make arrays and bytes.
_ARRAY = {"numpy.core.multiarray _reconstruct", "numpy._core.multiarray _reconstruct"}
_BUFFER = {"numpy.core.numeric _frombuffer", "numpy._core.numeric _frombuffer"}
_DTYPE, _NDARRAY, _ENCODE = "numpy dtype", "numpy ndarray", "_codecs encode"
_KNOWN = _ARRAY | _BUFFER | {_DTYPE, _NDARRAY, _ENCODE}
_BYTES = ("u1", "|u1")

# What a file must hold, by the list of names that tells its kind: labels or names, and how many classes there are.
_BATCHES = {"labels": {"labels": 10}, "fine_labels": {"fine_labels": 100, "coarse_labels": 20}}
_METAS = {"label_names": {"label_names": 10}, "fine_label_names": {"fine_label_names": 100, "coarse_label_names": 20}}
_BATCH_TEXT, _META_NUMBERS = {"batch_label", "filenames"}, {"num_cases_per_batch", "num_vis"}

_MARK = object()
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_NUMBERS = {"BININT", "BININT1", "BININT2", "LONG1"}
# `pickletools` gives a string of Python 2 as Latin-1 text: its bytes, whatever their meaning was.
_OLD_STRINGS = {"BINSTRING", "SHORT_BINSTRING"}
_STRINGS = {"BINUNICODE", "SHORT_BINUNICODE", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"}
_SHORT_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


class _BadPickleError(Exception):
    """What is wrong with a pickle, without its name."""


class _Global:
    """A name that a pickle gave, ``module name``; nothing is imported."""

    def __init__(self, name):
        if name not in _KNOWN:
            raise _BadPickleError(f"names {shown(name.replace(' ', '.'))}, which no CIFAR batch needs")
        self.name = name


class _Dtype:
    """NumPy's dtype of bytes; there is no other."""


class _Array:
    """An array of bytes, empty until its state comes."""

    value = None


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
            return _check(_Machine().run(content))
    except _BadPickleError as error:
        problem = str(error)
    except (ValueError, IndexError, UnicodeError):  # as `pickletools` tells a bad operation
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


class _Machine:
    """Carries out a pickle's operations on plain data."""

    def __init__(self):
        self.stack, self.memo, self.encoded = [], {}, 0

    def run(self, content):
        """What the pickle `content` leaves."""
        stream = io.BytesIO(content)
        for number, (operation, argument, place) in enumerate(pickletools.genops(stream)):
            name = operation.name
            if number >= _MOST_OPERATIONS:
                raise _BadPickleError(f"has more than {_MOST_OPERATIONS} operations")
            if number == 0 and not (name == "PROTO" and 2 <= argument <= 5):
                raise _BadPickleError("is no pickle of protocol 2 to 5")
            if name == "STOP":
                if stream.tell() != len(content) or len(self.stack) != 1:
                    raise _BadPickleError("goes on after its end")
                return self.stack[0]
            self._carry_out(name, argument, place)
        raise _BadPickleError("has no end")

    def _carry_out(self, name, argument, place):
        if name in _NUMBERS:
            if abs(argument) > _LARGEST_NUMBER:
                raise _BadPickleError("has a number beyond all measure")
            self.stack.append(argument)
        elif name in _OLD_STRINGS:
            self.stack.append(argument.encode("latin-1"))
        elif name in _STRINGS:
            self.stack.append(bytes(argument) if name == "BYTEARRAY8" else argument)
        elif name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name])
        elif name in _SHORT_TUPLES:
            self._push_tuple(self._pop(_SHORT_TUPLES[name]))
        elif (method := _METHODS.get(name)) is not None:
            method(self, argument)
        elif name not in ("PROTO", "FRAME"):
            raise _BadPickleError(f"asks for the operation {name} at byte {place}, which no CIFAR batch needs")

    def _pop(self, count):
        if count > len(self.stack):
            raise _BadPickleError("takes what it has not put")
        taken = self.stack[len(self.stack) - count :]
        del self.stack[len(self.stack) - count :]
        if any(item is _MARK for item in taken):
            raise _BadPickleError("takes what it has not put")
        return taken

    def _pop_to_mark(self):
        count = 0
        while count < len(self.stack) and self.stack[-1 - count] is not _MARK:
            count += 1
        taken = self._pop(count)
        if not self.stack:
            raise _BadPickleError("takes what it has not put")
        self.stack.pop()
        return taken

    def _top(self, kind):
        if not self.stack or type(self.stack[-1]) is not kind:
            raise _BadPickleError("puts a part where none belongs")
        return self.stack[-1]

    def _mark(self, _):
        self.stack.append(_MARK)

    def _empty_list(self, _):
        self.stack.append([])

    def _empty_dict(self, _):
        self.stack.append({})

    def _tuple(self, _):
        self._push_tuple(self._pop_to_mark())

    def _push_tuple(self, items):
        # Of arrays, whose state has at most eight parts, and of their calls.
        if len(items) > 8:
            raise _BadPickleError("has a longer tuple than any CIFAR batch")
        self.stack.append(tuple(items))

    def _append(self, _):
        items = self._pop(1)
        self._top(list).extend(items)

    def _appends(self, _):
        items = self._pop_to_mark()
        self._top(list).extend(items)

    def _set_item(self, _):
        self._set(self._pop(2))

    def _set_items(self, _):
        self._set(self._pop_to_mark())

    def _set(self, items):
        target = self._top(dict)
        if len(items) % 2:
            raise _BadPickleError("has a key without a value")
        for key, value in zip(items[::2], items[1::2], strict=True):
            # Text alone: the hash of a tuple of tuples of tuples can take for ever.
            target[_text(key, "a key")] = value

    def _remember(self, index):
        # The index names a place, so that a huge one takes no room.
        self.memo[index] = self._last()

    def _remember_next(self, _):
        self.memo[len(self.memo)] = self._last()

    def _last(self):
        if not self.stack or self.stack[-1] is _MARK:
            raise _BadPickleError("keeps what it has not put")
        return self.stack[-1]

    def _recall(self, index):
        if index not in self.memo:
            raise _BadPickleError("takes what it has not kept")
        self.stack.append(self.memo[index])

    def _global(self, name):
        self.stack.append(_Global(name))

    def _stacked_global(self, _):
        module, name = self._pop(2)
        self.stack.append(_Global(f"{_text(module, 'a module')} {_text(name, 'a name')}"))

    def _call(self, _):
        function, arguments = self._pop(2)
        if type(function) is not _Global or type(arguments) is not tuple:
            raise _BadPickleError("calls what is no function")
        self.stack.append(self._encoded(arguments) if function.name == _ENCODE else _call(function.name, arguments))

    def _encoded(self, arguments):
        """Bytes as Python 3 writes them in protocol 2."""
        if len(arguments) != 2 or arguments[1] != "latin1" or type(arguments[0]) is not str:
            raise _BadPickleError("encodes other than bytes")
        # The same text may be taken again and again.
        self.encoded += len(arguments[0])
        if self.encoded > _LARGEST_FILE:
            raise _BadPickleError(f"has more than {_LARGEST_FILE} bytes")
        return arguments[0].encode("latin-1")

    def _build(self, _):
        (state,) = self._pop(1)
        target = self.stack[-1] if self.stack else None
        if type(state) is not tuple or type(target) not in (_Array, _Dtype):
            raise _BadPickleError("builds other than an array")
        if type(target) is _Array:
            if len(state) != 5 or state[0] != 1 or type(state[2]) is not _Dtype or state[3] is not False:
                raise _BadPickleError("has an array whose state is no array of bytes in rows")
            target.value = _array(state[4], state[1])


_METHODS = {
    "MARK": _Machine._mark,
    "EMPTY_LIST": _Machine._empty_list,
    "EMPTY_DICT": _Machine._empty_dict,
    "TUPLE": _Machine._tuple,
    "APPEND": _Machine._append,
    "APPENDS": _Machine._appends,
    "SETITEM": _Machine._set_item,
    "SETITEMS": _Machine._set_items,
    "BINPUT": _Machine._remember,
    "LONG_BINPUT": _Machine._remember,
    "MEMOIZE": _Machine._remember_next,
    "BINGET": _Machine._recall,
    "LONG_BINGET": _Machine._recall,
    "GLOBAL": _Machine._global,
    "STACK_GLOBAL": _Machine._stacked_global,
    "REDUCE": _Machine._call,
    "BUILD": _Machine._build,
}


def _call(name, arguments):
    """What the function `name` gives for `arguments`, as far as a batch needs it."""
    if name == _DTYPE and arguments and _is_bytes_dtype(arguments[0]):
        return _Dtype()
    if name in _ARRAY and arguments and type(arguments[0]) is _Global and arguments[0].name == _NDARRAY:
        return _Array()
    if name in _BUFFER and len(arguments) == 4 and type(arguments[1]) is _Dtype and arguments[3] == "C":
        array = _Array()
        array.value = _array(arguments[0], arguments[2])
        return array
    raise _BadPickleError(f"makes with {name.replace(' ', '.')} other than an array of bytes")


def _is_bytes_dtype(name):
    return isinstance(name, str | bytes) and _text(name, "a dtype") in _BYTES


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
