"""The arrays of a run's folder: written as ``.npz`` without pickles, read without trust, and digested."""

import hashlib
import io
import math
import os
import struct
import zipfile
from pathlib import Path

import numpy as np

from crmn_legacy.errors import UserError
from crmn_legacy.files import write_whole

MARK = "sha256:"


def digest_tensors(tensors, losses=(), before=""):
    """The `bits` of a state: one link of a chain over the epochs.

    Parameters
    ----------
    tensors : dict of str to array
        Everything that makes the state; digested in name order: name, dtype, shape, little-endian bytes.
    losses : iterable of float
        The epoch's losses, as float64.
    before : str
        The link before, ``sha256:<hex>``, or nothing.

    Returns
    -------
    str
        ``sha256:<64 hex>``.
    """
    sha = hashlib.sha256(before.encode())
    for name in sorted(tensors):
        array = np.asarray(tensors[name])
        little = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<"), copy=False))
        sha.update(f"{name} {array.dtype.name} {array.shape}\n".encode())
        sha.update(little.reshape(-1).view(np.uint8))
    for loss in losses:
        sha.update(struct.pack("<d", loss))
    return MARK + sha.hexdigest()


def write_arrays(path, arrays):
    """Write a dict of arrays as ``.npz``, whole or not at all; equal arrays give equal bytes."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    write_whole(path, buffer.getbuffer())


def read_arrays(path):
    """Arrays of an ``.npz`` file by name, without pickles.

    Parameters
    ----------
    path : path

    Returns
    -------
    dict of str to array

    Raises
    ------
    UserError
        The file is missing, cut off, altered, or claims more than memory should give.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"got '{path}', which is no file; expected arrays (.npz) as a run writes them")
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            # One altered byte in the directory can hide a member; the end of the file counts them.
            if archive.comment or _members_declared(path) != len(members):
                raise ValueError("its directory is incomplete")
            # Arrays are stored as they are, so they cannot claim more than the file has: no bomb unpacks.
            if sum(member.file_size for member in members) > path.stat().st_size:
                raise ValueError("it claims more than it stores")
            return {member.filename.removesuffix(".npy"): _read_member(archive, member) for member in members}
    except Exception as error:  # zipfile raises nearly anything on damaged files
        raise UserError(
            f"got '{path}', which is cut off or altered ({str(error)[:200]}); expected a run's arrays (.npz)"
        ) from None


def _members_declared(path):
    """How many members the last record of an archive without a comment counts."""
    with open(path, "rb") as file:
        file.seek(-zipfile.sizeEndCentDir, os.SEEK_END)
        return struct.unpack(zipfile.structEndArchive, file.read())[4]


def _read_member(archive, member):
    """One array, its header held against the bytes that are there."""
    with archive.open(member) as file:
        if np.lib.format.read_magic(file) != (1, 0):
            raise ValueError("an array of another version of the format")
        shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(file)
        if dtype.hasobject:
            raise ValueError("an array of pickled objects")
        # Read to the end, where the checksum is compared.
        content = bytearray(file.read())
    if math.prod(shape) * dtype.itemsize != len(content):
        raise ValueError(f"an array of {len(content)} bytes that claims {dtype} {shape}")
    return np.frombuffer(content, dtype).reshape(shape, order="F" if fortran_order else "C")
