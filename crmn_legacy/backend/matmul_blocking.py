"""The cache sizes by which XLA's matrix kernels cut their work into blocks, fixed.

On a processor XLA computes convolutions and matrix products with Eigen, which cuts them into blocks that fit the
caches. Where a block ends, rows are summed in another order, so the caches' sizes move bits, and with nothing else left
to the machine they are all that does. Eigen has a function to set them, `Eigen::setCpuCacheSizes`; jaxlib compiled it
in but gives it no name. What that function would write, one static array, is written here instead: it is found by its
name in the symbol table of the library that is loaded.
"""

import ctypes
import functools
import mmap
import os
import struct
from pathlib import Path

# What Eigen is told, in KiB: first, second and third level.
SIZES = (32, 512, 16384)

_LIBRARY = "libjax_common.so"
_ARRAY = b"_ZZN5Eigen8internal20manage_caching_sizesENS_6ActionEPlS2_S2_E12m_cacheSizes"
_GUARD = b"_ZGV" + _ARRAY.removeprefix(b"_Z")

# Of the ELF format, 64 bits: the file's header, a section's header, a symbol.
_SECTIONS = struct.Struct("<40xQ10xHH")
_SECTION = struct.Struct("<4xI16xQQI12x")
_SYMBOL = struct.Struct("<IBBHQQ")
_SYMBOL_TABLE, _LEAST, _MOST = 2, 1 << 10, 1 << 30


def pin(sizes=SIZES):
    """Have Eigen cut its work as on a processor with these caches, whatever the processor has.

    It may be called at any time; what runs later obeys. It loads JAX's library and starts nothing.

    Parameters
    ----------
    sizes : tuple of int
        Of the first, second and third level, in KiB.

    Returns
    -------
    bool
        False if this jaxlib keeps them elsewhere: then nothing was changed.
    """
    found = _find()
    if found is None:
        return False
    array, guard = found
    if guard[0] and not all(_LEAST <= size <= _MOST for size in array):
        return False  # in use, and no cache sizes
    array[:] = [size << 10 for size in sizes]
    # As the compiler marks a static value whose initialisation is over.
    guard[0] = 1
    return True


def words(sizes=SIZES):
    """`sizes` as a platform key names them: ``l1d32K-l2512K-l316384K``."""
    return "-".join(f"{level}{size}K" for level, size in zip(("l1d", "l2", "l3"), sizes, strict=True))


@functools.cache
def _find():
    """The array and its guard, in this process's memory; None where this jaxlib has no such."""
    try:
        import jaxlib._jax  # loads the library
    except ImportError:
        return None
    path, start = _loaded()
    if path is None:
        path, start = _linked(Path(jaxlib._jax.__file__).parent)
    symbols = _symbols(path, (_ARRAY, _GUARD)) if path else None
    if symbols is None:
        return None
    (array, array_size), (guard, guard_size) = symbols
    if (array_size, guard_size) != (ctypes.sizeof(ctypes.c_long * 3), 8):
        return None
    return (ctypes.c_long * 3).from_address(start + array), (ctypes.c_ubyte * 8).from_address(start + guard)


def _loaded():
    """Path of the library that this process has loaded, and where it begins."""
    try:
        lines = Path("/proc/self/maps").read_text().splitlines()
    except OSError:
        return None, 0
    for line in lines:
        parts = line.split(maxsplit=5)
        if len(parts) == 6 and Path(parts[5]).name == _LIBRARY and int(parts[2], 16) == 0:
            return parts[5], int(parts[0].partition("-")[0], 16)
    return None, 0


def _linked(folder):
    """The same where ``/proc`` is hidden: what the C library calls a handle begins with where the library begins."""
    path = folder / _LIBRARY
    try:
        handle = ctypes.CDLL(str(path), os.RTLD_NOLOAD | os.RTLD_NOW)._handle
    except OSError:
        return None, 0
    return str(path), ctypes.c_ulong.from_address(handle).value


def _symbols(path, names):
    """Offset and size of symbols of a library, each named once in its table; None if one is not, or there is none."""
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if content[:6] != b"\x7fELF\x02\x01":
            return None
        offset, size, number = _SECTIONS.unpack_from(content)
        sections = [_SECTION.unpack_from(content, offset + size * index) for index in range(number)]
        table = next((section for section in sections if section[0] == _SYMBOL_TABLE), None)
        if table is None:
            return None
        _, begin, length, linked = table
        _, text, text_length, _ = sections[linked]
        found = []
        for name in names:
            place = content.find(b"\0" + name + b"\0", text, text + text_length)
            if place < 0:
                return None
            hits = list(_entries(content, begin, begin + length, place + 1 - text))
            if len(hits) != 1:
                return None
            found.append(hits[0])
        return found


def _entries(content, begin, end, name):
    """Offset and size of every symbol of a table whose name lies at this place of the names."""
    wanted = struct.pack("<I", name)
    place = content.find(wanted, begin, end)
    while place >= 0:
        if (place - begin) % _SYMBOL.size == 0:
            *_, offset, size = _SYMBOL.unpack_from(content, place)
            yield offset, size
        place = content.find(wanted, place + 1, end)
