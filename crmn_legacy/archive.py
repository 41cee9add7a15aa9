"""A run's folder: written once, digested, verified. Reads and writes files; knows no model.

::

    run.json         row, argv, seed, data, versions, platform key, times, result, bits
    recipe.py        the script as run         curve.jsonl   a line an epoch
    weights.npz      best validation           weights_initial.npz
    checkpoint.npz   the whole state, and checkpoint.previous.npz, the one before
    MANIFEST.sha256  of all the above, written when the run is finished
"""

import fcntl
import hashlib
import io
import json
import math
import os
import struct
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from crmn_legacy.errors import UserError
from crmn_legacy.formats import write_whole

MANIFEST = "MANIFEST.sha256"
RUN, CURVE, RECIPE = "run.json", "curve.jsonl", "recipe.py"
WEIGHTS, INITIAL_WEIGHTS = "weights.npz", "weights_initial.npz"
CHECKPOINT, FORMER_CHECKPOINT = "checkpoint.npz", "checkpoint.previous.npz"
MARK = "sha256:"

# Kinds of what `read_record` answers for.
_RECORD = {"row": str, "status": str, "seed": int, "data_digest": str, "started": str, "plan": dict, "options": dict}
_PLAN = {"kind": str, "arguments": dict, "batch_size": int, "epochs": int, "steps": int | None}
_OPTIONS = dict.fromkeys(("backend", "device", "precision", "bits"), str)
_OPTIONS |= {"data": str | None, "epochs": int | None, "steps": int | None, "seed": int, "devices": int, "smoke": bool}

# What no finished run is without.
_WHOLE = {RUN, RECIPE, CURVE, WEIGHTS, INITIAL_WEIGHTS, CHECKPOINT}


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


def write_json(path, record):
    """Write `record` as JSON, whole or not at all."""
    write_whole(path, (json.dumps(record, indent=2, sort_keys=True) + "\n").encode())


def write_arrays(path, arrays):
    """Write a dict of arrays as ``.npz``, whole or not at all; equal arrays give equal bytes."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    write_whole(path, buffer.getbuffer())


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
            f"got '{path}', which is cut off or altered ({error}); expected a run's arrays (.npz)"
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
        record = json.loads(path.read_text(encoding="utf-8"))
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
    for part, kinds in ((record, _RECORD), (record.get("plan"), _PLAN), (record.get("options"), _OPTIONS)):
        for name, kind in kinds.items():
            if not isinstance(part, dict) or name not in part or not isinstance(part[name], kind):
                raise UserError(
                    f"got '{path}', whose {name!r} is missing or altered; expected what this version writes"
                )
    return record


def read_curve(folder):
    """The epochs of a run, a dict a line of ``curve.jsonl``; `UserError` if it is missing or altered."""
    path = Path(folder) / CURVE
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError) as error:
        raise UserError(f"got '{path}', which cannot be read ({error}); expected a JSON object a line") from None


class RunFolder:
    """A run's folder, held by one process at a time.

    Parameters
    ----------
    path : path
        Of the folder.
    new : bool
        True: it must not exist, or be empty. False: it must hold a run.

    Raises
    ------
    UserError
        It is not as `new` says, cannot be written, or another process is running in it.
    """

    def __init__(self, path, new):
        self.path = Path(path)
        if new:
            self._create()
        elif not (self.path / RUN).is_file():
            raise UserError(f"got '{self.path}', which holds no {RUN}; expected the folder of a run")
        self._lock()
        self._sweep()
        self._newest_is_whole = True

    def _create(self):
        mend = "give another --out, or remove it"
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if any(self.path.iterdir()):
                raise UserError(f"got '{self.path}', which exists and is not empty; expected a new folder: {mend}")
        except OSError as error:
            raise UserError(
                f"got '{self.path}', which cannot be made a folder ({error.strerror}); expected a writable place: "
                "give another --out"
            ) from None

    def _lock(self):
        # The kernel drops the lock with the process, however that ends.
        self._handle = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._handle)
            raise UserError(
                f"got '{self.path}', in which another process is running; expected a folder of one run: "
                "wait for it to end, or give another --out"
            ) from None

    def _sweep(self):
        """Remove what a process that was killed while it wrote has left."""
        for pattern in ("*.part", "*.spare"):
            for path in self.path.glob(pattern):
                path.unlink()

    def close(self):
        """Let other processes have the folder."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def write_record(self, record):
        """Write ``run.json``; the folder is unfinished from here on until `finish`."""
        (self.path / MANIFEST).unlink(missing_ok=True)
        write_json(self.path / RUN, record)

    def write_curve(self, lines):
        """Write ``curve.jsonl``, a JSON object an epoch."""
        write_whole(self.path / CURVE, "".join(json.dumps(line) + "\n" for line in lines).encode())

    def write_checkpoint(self, arrays):
        """Write ``checkpoint.npz`` and keep the one before as ``checkpoint.previous.npz``."""
        newest, former = self.path / CHECKPOINT, self.path / FORMER_CHECKPOINT
        # One that is damaged must not take the place of the one that the run went on from.
        if newest.exists() and self._newest_is_whole:
            # A second name for the same bytes: at no moment is there none.
            spare = former.with_suffix(".spare")
            try:
                spare.unlink(missing_ok=True)
                os.link(newest, spare)
                os.replace(spare, former)
            except OSError:  # no room for a name, or a file system without such names
                write_whole(former, newest.read_bytes())
        write_arrays(newest, arrays)
        self._newest_is_whole = True

    def read_checkpoint(self):
        """The newest checkpoint that is whole, and its file's name.

        Raises
        ------
        UserError
            None is whole.
        """
        problems = []
        for name in (CHECKPOINT, FORMER_CHECKPOINT):
            try:
                arrays = read_arrays(self.path / name)
            except UserError as error:
                problems.append(str(error))
            else:
                self._newest_is_whole = name == CHECKPOINT
                return arrays, name
        raise UserError(f"got '{self.path}' without a whole checkpoint ({'; '.join(problems)}); start the run anew")

    def finish(self, record):
        """Write the last ``run.json`` and the manifest: from here on the folder can be verified."""
        self.write_record(record)
        names = sorted(p.name for p in self.path.iterdir() if p.is_file() and p.name != MANIFEST)
        lines = [f"{_file_digest(self.path / name)}  {name}\n" for name in names]
        write_whole(self.path / MANIFEST, "".join(lines).encode())


def verify(path):
    """What is wrong with a finished run's folder.

    Parameters
    ----------
    path : path
        Of the folder.

    Returns
    -------
    list of str
        A line for each file that is missing, altered or added, and for a digest that does not hold; empty if the
        folder is whole.
    """
    path = Path(path)
    if not path.is_dir():
        raise UserError(f"got '{path}', which is no folder; expected the folder of a run")
    try:
        text = (path / MANIFEST).read_bytes().decode()
    except FileNotFoundError:
        return [f"{MANIFEST}: missing; the run is not finished"]
    except (OSError, UnicodeDecodeError) as error:
        return [f"{MANIFEST}: cannot be read ({error})"]
    listed, problems = {}, []
    if not text.endswith("\n"):
        problems.append(f"{MANIFEST}: cut off")
    # Not splitlines, which takes other characters for ends of lines too.
    for line in text.removesuffix("\n").split("\n"):
        digest, gap, name = line.partition("  ")
        if not gap or len(digest) != 64 or Path(name).name != name or not name.isprintable():
            problems.append(f"{MANIFEST}: altered: {ascii(line)[:80]}")
        else:
            listed[name] = digest
    present = {p.name for p in path.iterdir()} - {MANIFEST}
    problems += [f"{name}: missing" for name in sorted((listed.keys() | _WHOLE) - present)]
    problems += [f"{_printable(name)}: added" for name in sorted(present - listed.keys())]
    for name in sorted(present & listed.keys()):
        if _file_digest(path / name) != listed[name]:
            problems.append(f"{name}: altered")
    return problems or _verify_bits(path)


def _verify_bits(path):
    """Whether the last link of the chain of `bits` follows from the checkpoint and the curve."""
    try:
        record = read_json(path / RUN)
        curve = read_curve(path)
        arrays = read_arrays(path / CHECKPOINT)
        arrays.pop("progress", None)
        last = curve[-1]
        before = curve[-2]["bits"] if len(curve) > 1 else record["initial_bits"]
        found = digest_tensors(arrays, last["losses"], before)
    except (UserError, ValueError, LookupError, TypeError, struct.error) as error:
        return [f"{CURVE}: no chain of digests in it ({error})"]
    if not found == last["bits"] == record.get("bits"):
        return [f"{RUN}: bits {record.get('bits')} do not follow from {CHECKPOINT}, which gives {found}"]
    return []


def _printable(name):
    return name if name.isprintable() else ascii(name)


def _file_digest(path):
    if not path.is_file():
        return "not a file"
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def now():
    """UTC time, ISO 8601, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
