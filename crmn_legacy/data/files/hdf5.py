"""Arrays of equal length as an HDF5 file, and read back without trust.

A file has the attribute ``crmn_legacy_format``, such as ``faces/1``, and a gzip-compressed dataset for each
column. Before any memory is taken for a dataset its link, dtype, shape, filters and stored size are checked.
"""

import errno
import io
import mmap
import os
import stat
import struct
from dataclasses import dataclass

import numpy as np

from crmn_legacy.data.files.unfetched import check_link, check_stub
from crmn_legacy.errors import UserError, shown

# HDF5 would load code from a folder of plugins for a filter that a file names; read when the library starts.
os.environ["HDF5_PLUGIN_PRELOAD"] = "::"
# Files are read only, and written whole in one step, so that a lock guards nothing; many network file systems have
# none. The variable goes before what a program asks for, so asking alone would not do.
os.environ["HDF5_USE_FILE_LOCKING"] = "FALSE"

import h5py

# About three times what the largest data set here needs.
_MOST_PICTURES = 200_000
_LARGEST_COLUMN = 2**30
_LARGEST_CHUNK = 2**26
# A file's name, at most 255 bytes on Linux, after that of its folder.
_LONGEST_NAME = 300
# A heap holds the texts of attributes; its head is its signature, version 1 and three zeros, and its size.
_HEAP = b"GCOL\x01\0\0\0"
_MOST_HEAPS = 16
_LARGEST_HEAP = 2**20
# Deflate cannot do better, so a dataset that declares more than this much of what is stored for it lies.
_BEST_COMPRESSION = 1100
# What the system says of places that no file has, which a damaged one may name. All else it says of itself.
_DAMAGE = {errno.EINVAL, errno.EOVERFLOW, errno.ERANGE, errno.EFBIG}


class BadContentError(Exception):
    """What is wrong with a file, without its name: ``has ...; expected ...``."""


@dataclass(frozen=True)
class Column:
    """What a dataset must look like.

    Attributes
    ----------
    dtype : str
        A NumPy dtype, or ``S`` for names.
    shape : tuple
        After the first axis.
    choices : tuple of str
        What names may be; empty for anything.
    rows : tuple of int
        What the first axis may be, for what is not one entry a picture; empty for one entry a picture.
    optional : bool
        Whether a file may lack it.
    """

    dtype: str
    shape: tuple = ()
    choices: tuple = ()
    rows: tuple = ()
    optional: bool = False


def columns_to_bytes(version, arrays, columns, attributes):
    """An HDF5 file of format `version` as bytes; equal arrays and attributes give equal bytes.

    Parameters
    ----------
    version : str
        Such as ``faces/1``.
    arrays : dict of str to array
        One for each of `columns`, but for optional ones.
    columns : dict of str to Column
    attributes : dict of str to str

    Raises
    ------
    BadContentError
        If an array is not as its column says.
    """
    check_columns(arrays, columns)
    memory = io.BytesIO()
    with h5py.File(memory, "w", track_order=True) as file:
        file.attrs["crmn_legacy_format"] = version
        for key, value in attributes.items():
            file.attrs[key] = value
        for name, column in columns.items():
            if name not in arrays and column.optional:
                continue
            array = encode(arrays[name]) if column.dtype == "S" else arrays[name]
            # A picture a chunk; of what is small, as much as makes a chunk worth its header.
            rows = 1 if array[:1].nbytes >= 1024 else min(len(array), 1024)
            file.create_dataset(name, data=array, chunks=(rows, *column.shape), compression="gzip")
    return memory.getvalue()


def read_columns(path, version, columns, check):
    """Read an HDF5 file of format `version`.

    Parameters
    ----------
    path : path
    version : str
        Such as ``faces/1``.
    columns : dict of str to Column
    check : callable
        Takes the dict of arrays; raises `BadContentError` if they will not do.

    Returns
    -------
    arrays : dict of str to array
    sources_digest : str
        The attribute ``sources_sha256``; empty if there is none.

    Raises
    ------
    UserError
        If the file is missing, damaged, of another format or version, or holds what it must not.
    """
    kind = version.split("/")[0]
    mend = "prepare it anew with this version's data_prep"
    expected = f"an HDF5 file of {kind}, made by data_prep"
    _check_regular(path, expected)
    try:
        with open(path, "rb") as file:
            check_stub(file.read(100), path, expected)
        _check_heaps(path)
        with h5py.File(path, "r", locking=False) as file:
            found = _text_attribute(file, "crmn_legacy_format")
            if found != version:
                raise BadContentError(f"has format {shown(found)}; expected '{version}'")
            sources_digest = _text_attribute(file, "sources_sha256") or ""
            present = {name: column for name, column in columns.items() if name in file or not column.optional}
            for name in present:
                _check_declared(file, name, columns, os.path.getsize(path))
            arrays = {name: _read_array(file[name], column) for name, column in present.items()}
        check_columns(arrays, columns)
        check(arrays)
    except UserError:
        raise
    except BadContentError as error:
        raise UserError(f"got '{path}', which {error}: {mend}") from None
    except OSError as error:
        if error.errno is not None and error.errno not in _DAMAGE:
            raise _unreadable(path, error) from None
        raise _damaged(path, kind, mend) from None
    except MemoryError:
        raise UserError(f"got '{path}', for which the memory does not suffice; expected a smaller file") from None
    except Exception:  # h5py raises nearly anything on damaged files
        raise _damaged(path, kind, mend) from None
    return arrays, sources_digest


def format_of(path):
    """The attribute ``crmn_legacy_format`` of the file at `path`; None if it has none or is no HDF5 file.

    Parameters
    ----------
    path : path

    Returns
    -------
    str or None
    """
    if not os.path.isfile(path):
        return None
    try:
        _check_heaps(path)
        with h5py.File(path, "r", locking=False) as file:
            return _text_attribute(file, "crmn_legacy_format")
    except Exception:  # h5py raises nearly anything on damaged files
        return None


def check_columns(arrays, columns):
    """Raise `BadContentError` for arrays that are not what `columns` say, not of one length, or empty."""
    count = min(len(array) for name, array in arrays.items() if not columns[name].rows)
    if count == 0:
        raise BadContentError("holds no picture; expected at least one")
    for name, column in columns.items():
        if name not in arrays and column.optional:
            continue
        array = arrays[name]
        kind = array.dtype.kind == "U" if column.dtype == "S" else array.dtype == np.dtype(column.dtype)
        if not kind or array.shape not in [(rows, *column.shape) for rows in column.rows or (count,)]:
            shape = (" or ".join(map(str, column.rows)) or count, *column.shape)
            raise BadContentError(f"holds '{name}' as {array.dtype} {array.shape}; expected {column.dtype} {shape}")
        if column.choices:
            unknown = sorted(set(array.tolist()) - set(column.choices))
            if unknown:
                raise BadContentError(f"has {name} {shown(unknown[0])}; expected one of {', '.join(column.choices)}")


def encode(names):
    """A str array as UTF-8 bytes of fixed length."""
    return np.char.encode(names, "utf-8")


def _check_regular(path, expected):
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        if isinstance(error, FileNotFoundError):
            check_link(path, expected)
        raise UserError(f"got '{path}', which does not exist; expected {expected}") from None
    except OSError as error:
        raise _unreadable(path, error) from None
    if stat.S_ISDIR(mode):
        raise UserError(f"got the folder '{path}'; expected {expected}")
    if not stat.S_ISREG(mode):
        raise UserError(f"got '{path}', which is no regular file; expected {expected}")


def _unreadable(path, error):
    """What to tell of a file that may be whole, but that the system does not give."""
    reason = os.strerror(error.errno)
    if "unable to lock" in str(error):
        return UserError(f"got '{path}', which cannot be locked ({reason}); expected a file that no program holds")
    if isinstance(error, PermissionError):
        return UserError(f"got '{path}', which may not be read ({reason}); expected a readable file")
    return UserError(f"got '{path}', which the system does not give ({reason}); expected a readable file: try again")


def _damaged(path, kind, mend):
    return UserError(
        f"got '{path}', which is no HDF5 file or a damaged one (cut off, or still being written); "
        f"expected a whole file of {kind}: {mend}"
    )


def _check_declared(file, name, columns, file_size):
    """Refuse a dataset by what it declares, before a byte of it is read."""
    column = columns[name]
    link = file.get(name, getlink=True)
    if link is None:
        raise BadContentError(f"has no dataset '{name}'; expected {', '.join(columns)}")
    if not isinstance(link, h5py.HardLink) or not isinstance(file[name], h5py.Dataset):
        raise BadContentError(f"holds '{name}' as a link or a group; expected a dataset of its own")
    dataset = file[name]
    if dataset.external is not None or dataset.is_virtual:
        raise BadContentError(f"keeps dataset '{name}' in another file; expected it inside")
    plist = dataset.id.get_create_plist()
    filters = [plist.get_filter(i)[0] for i in range(plist.get_nfilters())]
    if any(number != h5py.h5z.FILTER_DEFLATE for number in filters):
        raise BadContentError(f"filters dataset '{name}' with {filters}; expected gzip alone")
    kind = dataset.dtype.kind == "S" if column.dtype == "S" else dataset.dtype == np.dtype(column.dtype)
    if not kind or dataset.shape is None or dataset.shape[1:] != column.shape or len(dataset.shape) < 1:
        expected = "names of fixed length" if column.dtype == "S" else np.dtype(column.dtype)
        shape = " x ".join(["N", *map(str, column.shape)])
        raise BadContentError(
            f"holds '{name}' as {shown(str(dataset.dtype))} {dataset.shape}; expected {expected} {shape}"
        )
    if dataset.shape[0] == 0:
        raise BadContentError("holds no picture; expected at least one")
    if dataset.shape[0] > _MOST_PICTURES or (column.dtype == "S" and dataset.dtype.itemsize > _LONGEST_NAME):
        raise BadContentError(
            f"declares '{name}' with {dataset.shape[0]} entries of {dataset.dtype.itemsize} bytes; "
            f"expected at most {_MOST_PICTURES} and names of at most {_LONGEST_NAME}"
        )
    chunk = int(np.prod(dataset.chunks or (1,), dtype=object)) * dataset.dtype.itemsize
    # A file can say of several chunks that they lie in the same place.
    stored = min(dataset.id.get_storage_size(), file_size)
    if chunk > _LARGEST_CHUNK or dataset.nbytes > min(_BEST_COMPRESSION * stored, _LARGEST_COLUMN):
        raise BadContentError(
            f"declares {dataset.nbytes} bytes for '{name}' in chunks of {chunk} and stores {stored}; "
            f"expected the one to fit the other, at most {_LARGEST_COLUMN} in chunks of at most {_LARGEST_CHUNK}"
        )
    if dataset.id.get_storage_size() > file_size:
        raise BadContentError(f"says that '{name}' takes more than the whole file; expected less")


def _read_array(dataset, column):
    array = dataset[()]
    if column.dtype == "bool":
        # HDF5 keeps a bool as a byte, which may hold more than 0 and 1.
        return array.view(np.uint8) != 0
    if column.dtype == "S":
        return np.char.decode(array, "utf-8")
    return array


def _check_heaps(path):
    """Refuse a heap whose parts do not fill it: HDF5 2.0.0 adds up their sizes past 2**64 and never comes to an end."""
    if os.path.getsize(path) == 0:
        return
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        heaps, place = 0, content.find(_HEAP)
        while place >= 0:
            heaps += 1
            if heaps > _MOST_HEAPS or not _is_heap(content, place):
                raise BadContentError("has a heap that no writer makes; expected whole ones, and few")
            place = content.find(_HEAP, place + 1)


def _is_heap(content, place):
    """Whether the heap at `place` is made of parts, each with a head of 16 bytes, that end where it ends."""
    head, size = 16, int.from_bytes(content[place + 8 : place + 16], "little")
    end = place + size
    if not head <= size <= _LARGEST_HEAP or end > len(content):
        return False
    place += head
    while end - place >= head:
        number, length = struct.unpack("<H6xQ", content[place : place + head])
        # The part numbered 0 is the room that is left, its own head included.
        length = length if number == 0 else head + -(-length // 8) * 8
        if not head <= length <= end - place:
            return False
        place += length
    return True


def _text_attribute(file, name):
    if name not in file.attrs:
        return None
    identifier = file.attrs.get_id(name)
    text = isinstance(identifier.get_type(), h5py.h5t.TypeStringID)
    if not text or identifier.shape != () or identifier.get_storage_size() > 1024:
        return "something else than a short text"
    value = file.attrs[name]
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)[:1024]
