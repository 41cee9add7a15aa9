"""Files as Python 2 opened them: text or bytes, what is read is a string, and both kinds may be written."""

import builtins
import io
import sys

from crmn_legacy.backend.python2.runtime import ENCODING, ERRORS, as_bytes, as_text


def open(name, mode="r", buffering=-1):
    """Open a file; Python 2's ``open`` and ``file``.

    Parameters
    ----------
    name : str
    mode : str
        ``r``, ``w``, ``a``, with ``b``, ``+``, ``U`` as they were.
    buffering : int

    Returns
    -------
    TextFile or BinaryFile
        The latter with ``b`` in `mode`.
    """
    newline = None if "U" in mode else "\n"
    plain = mode.replace("U", "").replace("b", "").replace("t", "") or "r"
    if not plain.startswith(("r", "w", "a", "x")):
        plain = "r" + plain
    stream = builtins.open(name, f"{plain}b", buffering if buffering != 1 else -1)  # noqa: SIM115 - what is opened is returned
    kind = BinaryFile if "b" in mode else TextFile
    return kind(stream, mode, newline)


class TextFile(io.TextIOWrapper):
    """A file of lines, each byte of which is kept: its strings are as `runtime.as_text` makes them."""

    def __init__(self, stream, mode, newline):
        super().__init__(stream, encoding=ENCODING, errors=ERRORS, newline=newline)
        self.mode = mode

    def write(self, text):
        """Write a string, of text or of bytes."""
        return super().write(as_text(text))

    def writelines(self, lines):
        """Write each of `lines`."""
        for line in lines:
            self.write(line)

    def xreadlines(self):
        """The file: an iterator of its lines."""
        return self

    def next(self):
        """The next line."""
        return self.__next__()


class BinaryFile:
    """A file of bytes, which converted code reads as strings wherever they are text.

    Python 2 had one type for both, and programs split and join what they read in binary mode. To all other code it is
    the file of bytes that it stands for.
    """

    def __init__(self, stream, mode, newline=None):
        self._stream = stream
        self.mode = mode

    def __getattr__(self, name):
        return getattr(self._stream, name)

    def read(self, *size):
        """Read at most so many bytes."""
        data = self._stream.read(*size)
        # A single byte is one of a text that is read so, or is looked up as a string.
        return _shown(data, _asked_by_converted_code(), short=size == (1,))

    def readline(self, *size):
        """Read up to the end of a line."""
        return _shown(self._stream.readline(*size), _asked_by_converted_code(), short=True)

    def readlines(self, *hint):
        """All lines that are left."""
        asked = _asked_by_converted_code()
        return [_shown(line, asked, short=True) for line in self._stream.readlines(*hint)]

    def __iter__(self):
        return self

    xreadlines = __iter__

    def __next__(self):
        line = self._stream.readline()
        if not line:
            raise StopIteration
        return _shown(line, _asked_by_converted_code(), short=True)

    next = __next__

    def write(self, text):
        """Write a string, of text or of bytes."""
        return self._stream.write(as_bytes(text))

    def writelines(self, lines):
        """Write each of `lines`."""
        for line in lines:
            self.write(line)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._stream.close()


io.IOBase.register(BinaryFile)


def _asked_by_converted_code():
    """Whether what called the caller, but for Python 2's builtins, is converted code."""
    from crmn_legacy.backend.python2.names import BUILTINS

    frame = sys._getframe(2)
    while frame is not None and frame.f_globals.get("__package__") == __package__:
        frame = frame.f_back
    return frame is not None and frame.f_builtins is BUILTINS


def _shown(data, asked, short):
    """`data` as a string, if converted code asks, and it is text (or `short`: a line, a byte)."""
    if not asked or data is None:
        return data
    if short:
        return as_text(data)
    if b"\0" in data:
        return data
    try:
        return data.decode(ENCODING)
    except UnicodeDecodeError:
        return data
