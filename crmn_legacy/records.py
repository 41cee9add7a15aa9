"""What is read from a run's folder, without trust: its record, its curve, its arrays, and the digest of a state."""

import hashlib
import json
import math
import os
import struct
import zipfile
from pathlib import Path

import numpy as np

from crmn_legacy.errors import UserError

MANIFEST = "MANIFEST.sha256"
RUN, CURVE, RECIPE = "run.json", "curve.jsonl", "recipe.py"
WEIGHTS, INITIAL_WEIGHTS = "weights.npz", "weights_initial.npz"
CHECKPOINT, FORMER_CHECKPOINT = "checkpoint.npz", "checkpoint.previous.npz"
ARRAYS = (WEIGHTS, INITIAL_WEIGHTS, CHECKPOINT, FORMER_CHECKPOINT)
MARK = "sha256:"

# Far more than a run writes; JSON takes many times its size in memory.
_LARGEST_RECORD = 2**22
_LARGEST_CURVE = 2**28

# Kinds of what `read_record` answers for.
_RECORD = {"row": str, "status": str, "seed": int, "data_digest": str, "started": str, "plan": dict, "options": dict}
_PLAN = {"kind": str, "arguments": dict, "batch_size": int, "epochs": int, "steps": int | None}
_OPTIONS = dict.fromkeys(("backend", "device", "precision", "bits"), str)
_OPTIONS |= {"data": str | None, "epochs": int | None, "steps": int | None, "seed": int, "devices": int}
_OPTIONS |= {"smoke": bool, "trace": bool, "remat": bool}


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


def read_arrays(path):
    """Arrays of an ``.npz`` file by name, without pickles.

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


def read_json(path):
    """A JSON object from a file; `UserError` if it is missing or none."""
    path = Path(path)
    try:
        record = json.loads(bounded_text(path, _LARGEST_RECORD))
    except FileNotFoundError:
        raise UserError(f"got '{path}', which does not exist; expected the folder of a run, with {RUN}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"got '{path}', which is no JSON ({error}); expected what a run writes") from None
    if not isinstance(record, dict):
        raise UserError(f"got '{path}', which holds no JSON object; expected what a run writes")
    return record


def read_record(folder):
    """``run.json`` of a run's folder, held against what a run writes.

    Raises
    ------
    UserError
        The folder holds no run, or its record lacks what is needed to take the run up again.
    """
    path = Path(folder) / RUN
    record = read_json(path)
    if isinstance(record.get("options"), dict):
        # Runs from before there were these.
        record["options"].setdefault("trace", False)
        record["options"].setdefault("remat", False)
    for part, kinds in ((record, _RECORD), (record.get("plan"), _PLAN), (record.get("options"), _OPTIONS)):
        for name, kind in kinds.items():
            if not isinstance(part, dict) or name not in part or not _is(part[name], kind):
                raise UserError(
                    f"got '{path}', whose {name!r} is missing or altered; expected what this version writes"
                )
    return record


def read_curve(folder):
    """The epochs of a run, a dict a line of ``curve.jsonl``; `UserError` if it is missing or altered."""
    path = Path(folder) / CURVE
    try:
        lines = [json.loads(line) for line in bounded_text(path, _LARGEST_CURVE).splitlines()]
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"got '{path}', which cannot be read ({error}); expected a JSON object a line") from None
    if not all(isinstance(line, dict) for line in lines):
        raise UserError(f"got '{path}', which has a line that is no JSON object; expected one a line")
    return lines


def bounded_text(path, most):
    """The text of a file of at most `most` bytes; `ValueError` if it is larger, no UTF-8 or no file (a pipe, say)."""
    if Path(path).exists() and not Path(path).is_file():
        raise ValueError("it is no regular file")
    with open(path, "rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"it has more than {most} bytes")
    return content.decode("utf-8")


def _is(value, kind):
    """Whether a value out of JSON is of a kind; Python takes a truth value for a number."""
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
