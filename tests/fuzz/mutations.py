"""Hypothesis strategies that spoil whole files: anywhere, and where their format has its joints."""

import copy
import io
import json
import math
import pickletools
import struct
import zipfile
import zlib

import h5py
import numpy as np
from hypothesis import strategies as st

from tests.fuzz.seeds import ODD_VALUES

_PLACES = st.integers(0, 2**20)
_NUMBERS = [0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 2**24, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**63 - 1, 2**64 - 1]
_PIECES = st.one_of(
    st.binary(max_size=12),
    st.sampled_from([b"\x00" * 64, b"\xff" * 64, b"A" * 5000, b"{" * 3000, b"[" * 100_000, b"9" * 6000, b"\x1b[2J"]),
    st.builds(
        lambda number, code: struct.pack(code[0], number % 2 ** code[1]),
        st.sampled_from(_NUMBERS),
        st.sampled_from([("<H", 16), (">H", 16), ("<I", 32), (">I", 32), ("<Q", 64), (">Q", 64)]),
    ),
)
_EDITS = st.tuples(
    st.sampled_from(["flip", "write", "insert", "cut", "end", "repeat", "splice"]), _PLACES, _PLACES, _PIECES
)


@st.composite
def spoiled_bytes(draw, seeds, most=4):
    """One of `seeds` (list of bytes) after one to `most` edits, or bytes of no format at all."""
    if draw(st.integers(0, 40)) == 0:
        return draw(st.binary(max_size=300))
    content = bytearray(draw(st.sampled_from(seeds)))
    for kind, place, other, piece in draw(st.lists(_EDITS, min_size=1, max_size=most)):
        at = place % (len(content) + 1)
        if kind == "flip" and content:
            content[at % len(content)] ^= 1 << other % 8
        elif kind == "write":
            content[at : at + len(piece)] = piece
        elif kind == "insert":
            content[at:at] = piece
        elif kind == "cut":
            del content[at : at + 1 + other % 64]
        elif kind == "end":
            del content[at:]
        elif kind == "repeat":
            content[at:at] = content[at : at + 1 + other % 256] * (1 + other % 7)
        elif kind == "splice":
            donor = seeds[other % len(seeds)]
            content[at:] = donor[other % (len(donor) + 1) :]
    return bytes(content)


@st.composite
def spoiled_json(draw, value):
    """`value` (as JSON gives it) with one to three of its fields replaced, removed or added; returns it."""
    value = copy.deepcopy(value)
    for _ in range(draw(st.integers(1, 3))):
        parent, key = draw(st.sampled_from(_fields(value)))
        if (isinstance(parent, list) and key >= len(parent)) or (isinstance(parent, dict) and key not in parent):
            continue
        kind = draw(st.sampled_from(["replace", "replace", "replace", "remove", "rename"]))
        if kind == "replace":
            parent[key] = copy.deepcopy(draw(st.sampled_from(ODD_VALUES)))
        elif kind == "remove":
            del parent[key]
        elif isinstance(parent, dict):
            parent[draw(st.sampled_from(["", "x", "\x1b[2J", "epoch", "mean"]))] = parent.pop(key)
        if not _fields(value):
            break
    return value


def _fields(value):
    """Every place in `value` that can be replaced, as (parent, key)."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = []
    for key, child in pairs:
        found.append((value, key))
        found += _fields(child)
    return found


# What no batch has: names of functions, state of objects, places and sizes without measure, tuples of tuples.
_FOREIGN = [
    b"cos\nsystem\n", b"cbuiltins\neval\n", b"\x8c\x02os\x8c\x06system\x93", b"X\x04\x00\x00\x00echo\x85R", b"R",
    b"b", b"o",
    b"i__main__\nf\n", b"\x81", b"\x92", b"Ppid\n", b"Q", b"\x82\x01", b"\x84\xff\xff\xff\x7f", b"r\xff\xff\xff\xff",
    b"j\xff\xff\xff\xff", b"h\x00", b"0", b"1", b"2", b"(", b"t", b"\x85", b"\x86", b"\x87", b"2\x86" * 60,
    b"2\x87" * 40,
    b"\x8b\xff\xff\xff\x7f", b"\x8b\x00\x10\x00\x00" + b"\xff" * 4096, b"\x8a\xff" + b"\x7f" * 255, b"I999999999999\n",
    b"I" + b"9" * 5000 + b"\n", b"L1L\n", b"F1e999\n", b"G" + b"\xff" * 8, b"V\\ud800\n", b"S'a'\n", b"N", b"\x88",
    b"]", b"}",
    b"\x8f", b"\x90", b"\x91", b"a", b"e", b"s", b"u", b".", b"\x8e" + b"\xff" * 7 + b"\x7f",
    b"\x8d" + b"\xff" * 7 + b"\x7f",
    b"B\xff\xff\xff\x7f", b"T\xff\xff\xff\x7f", b"T\xff\xff\xff\xff", b"\x95" + b"\xff" * 8, b"\x80\x05", b"\x80\xff",
    b"\x97", b"\x98",
    b"cnumpy\ndtype\nU\x02O8\x85R", b"cnumpy\nndarray\n", b"c_codecs\nencode\n", b"K\x00" * 3000, b"(" * 3000,
]  # fmt: skip


@st.composite
def spoiled_pickle(draw, seeds):
    """A pickle whose operations were removed, repeated, exchanged, or mixed with foreign ones."""
    operations = list(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(1, 4))):
        at, other = (draw(_PLACES) % len(operations) for _ in range(2))
        kind = draw(st.sampled_from(["insert", "insert", "replace", "remove", "repeat", "exchange", "argument"]))
        if kind == "insert":
            operations.insert(at, draw(st.sampled_from(_FOREIGN)))
        elif kind == "replace":
            operations[at] = draw(st.sampled_from(_FOREIGN))
        elif kind == "remove" and len(operations) > 1:
            del operations[at]
        elif kind == "repeat":
            operations[at:at] = operations[at : at + 1 + other % 5] * (1 + other % 3)
        elif kind == "exchange":
            operations[at], operations[other] = operations[other], operations[at]
        else:
            operations[at] = operations[at][:1] + draw(st.binary(min_size=0, max_size=8))
    return b"".join(operations)


def pickle_operations(content):
    """A pickle as a list of its operations, each as its bytes."""
    places = [place for _, _, place in pickletools.genops(content)]
    return [content[start:end] for start, end in zip(places, [*places[1:], len(content)], strict=True)]


_HEADERS = st.fixed_dictionaries(
    {
        "descr": st.sampled_from(
            ["<f4", "|u1", "|O", "<U9999999", "|S0", "|V8", "<f16", ">f8", "<M8[ns]", [("a", "<f4")], [("a", "|O")],
            "", "x", 7]
        ),
        "fortran_order": st.sampled_from([False, True, None, "x"]),
        "shape": st.sampled_from([(), (2,), (0,), (10**12,), (2**62, 4), (-1,), (0, 2**63), (1,) * 40, "x", [2],
        (2.5,)]),
    }
)  # fmt: skip


@st.composite
def spoiled_archive(draw):
    """An ``.npz`` file of which one array has an odd header, name, or way to be stored."""
    memory = io.BytesIO()
    header = repr(draw(_HEADERS)) + draw(st.sampled_from(["", " " * 20, "#", "(" * 500, "\x00"]))
    version = draw(st.sampled_from([(1, 0), (1, 0), (2, 0), (3, 0), (9, 9)]))
    size = len(header) + draw(st.sampled_from([1, 1, 0, 60_000]))
    length = struct.pack("<H" if version == (1, 0) else "<I", size % 2**16)
    body = b"\x93NUMPY" + bytes(version) + length + header.encode() + b"\n" + draw(st.binary(max_size=16))
    name = draw(st.sampled_from(["a.npy", "../a.npy", "/a", "a\x1b[2J.npy", "x" * 3000, "a/"]))
    method = draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]))
    with zipfile.ZipFile(memory, "w") as archive:
        archive.writestr(name, body, method)
        if draw(st.booleans()):
            archive.writestr("bomb.npy", bytes(2**20), zipfile.ZIP_DEFLATED)
    return memory.getvalue()


@st.composite
def spoiled_png(draw):
    """A PNG whose chunks are in good order but say odd things."""
    size = st.sampled_from([0, 1, 17, 8000, 65_535, 100_000, 2**31 - 1, 2**32 - 1])
    depth, colour = draw(st.sampled_from([1, 8, 16, 3])), draw(st.sampled_from([0, 2, 3, 4, 6, 1]))
    header = struct.pack(">IIBBBBB", draw(size), draw(size), depth, colour, 0, 0, draw(st.sampled_from([0, 1, 7])))
    bomb = zlib.compress(bytes(2**21))
    extra = st.sampled_from(
        [
            (b"zTXt", b"key\0\0" + bomb), (b"iTXt", b"key\0\1\0\0\0" + bomb), (b"iCCP", b"key\0\0" + bomb), (b"tEXt",
            b"k"),
            (b"PLTE", b"\0" * 7), (b"tRNS", b"\0" * 300), (b"IHDR", header), (b"pHYs", b"\0"), (b"gAMA", b""),
            (b"cHRM", b"\1"),
            (b"eXIf", b"MM\0*\xff\xff\xff\xff"), (b"acTL", struct.pack(">II", 2**31, 0)), (b"fcTL", b"\0" * 26),
            (b"fdAT", b"\0"),
            (b"IDAT", bomb), (b"sRGB", b""), (b"\xff\xfe\xfd\xfc", b""), (b"IEND", b"x"),
        ]
    )  # fmt: skip
    chunks = [
        (b"IHDR", header),
        *draw(st.lists(extra, max_size=4)),
        (b"IDAT", zlib.compress(bytes(300))),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


@st.composite
def spoiled_faces(draw, seed):
    """A faces file, whole for HDF5, in which one dataset or attribute is of another make."""
    memory = io.BytesIO(seed)
    with h5py.File(memory, "r+") as file:
        name = draw(st.sampled_from(list(file)))
        kind = draw(st.sampled_from(["dataset", "values", "link", "attribute", "remove"]))
        if kind == "values":
            values = file[name][()]
            values.reshape(-1).view(np.uint8)[: draw(st.integers(1, 40))] = draw(st.integers(0, 255))
            file[name][...] = values
        elif kind == "attribute":
            odd = [
                b"",
                1,
                1.5,
                "faces/2",
                "x" * 5000,
                np.zeros((3, 3)),
                h5py.Empty("f4"),
                ["faces/1"],
                np.bytes_(b"\xff\xfe"),
            ]
            attribute = draw(st.sampled_from(["crmn_legacy_format", "sources_sha256"]))
            file.attrs[attribute] = draw(st.sampled_from(odd))
        else:
            del file[name]
            if kind == "link":
                outside = [h5py.SoftLink("/box"), h5py.SoftLink(f"/{name}"), h5py.ExternalLink("/etc/passwd", "/x")]
                file[name] = draw(st.sampled_from(outside))
            elif kind == "dataset":
                _odd_dataset(draw, file, name)
    return memory.getvalue()


def _odd_dataset(draw, file, name):
    shape = draw(
        st.sampled_from(
            [(), (0,), (4,), (4, 160, 160), (4, 68, 2), (4, 68), (4, 4), (10**6,), (190_000, 160, 160), (2**40, 4)]
        )
    )
    small = math.prod(shape) < 10**6
    options = draw(
        st.sampled_from([{}, {"compression": "lzf"}, {"shuffle": True}, {"fletcher32": True}, {"compression": "gzip"}])
    )
    dtype = draw(
        st.sampled_from(
            ["u1", "f4", "f8", "bool", "S5", "S70000", "c8", h5py.string_dtype(), h5py.ref_dtype, [("a", "f4"), ("b",
            "S9")],
             h5py.vlen_dtype("u1"), h5py.enum_dtype({"a": 1}), "V3"]
        )
    )  # fmt: skip
    if shape and not small:
        options = {**options, "chunks": tuple(min(side, 160) for side in shape)}
    if not shape:
        options = {}
    elif draw(st.integers(0, 4)) == 0:
        options = {"external": [("/etc/passwd", 0, h5py.h5f.UNLIMITED)]}
    try:
        file.create_dataset(name, shape, dtype, **options)
    except (ValueError, TypeError, OSError):  # what HDF5 itself does not allow
        file.create_dataset(name, (4,), "u1")


def as_lines(lines):
    """Strategy: a JSON object a line, as bytes, of `lines` with spoiled fields."""
    return spoiled_json(lines).map(lambda value: "".join(json.dumps(line) + "\n" for line in value).encode())
