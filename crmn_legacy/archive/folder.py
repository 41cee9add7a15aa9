"""A run's folder: written once, digested, verified. Writes files and checks them; knows no model.

::

    run.json         row, argv, seed, data, versions, platform key, source, times, result, bits
    recipe.py        the script as run         curve.jsonl   a line an epoch; curve.csv, its scalars
    weights.npz      best validation           weights_initial.npz
    checkpoint.npz   the whole state, and checkpoint.previous.npz, the one before
    trace.jsonl      with --trace only: a line an update
    tensorboard/     with --tensorboard only: event files, which no digest covers
    MANIFEST.sha256  of all the above, written when the run is finished

Whatever else lies there, such as a log or what a file browser leaves, is not the run's: no digest covers it, and
nothing here removes it.

A light folder is a finished run's without some or all of its arrays, which it names with their digests under
``left_out`` in ``run.json``.
"""

import contextlib
import fcntl
import itertools
import os
import re
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from crmn_legacy.archive.arrays import read_arrays, write_arrays
from crmn_legacy.archive.curve_csv import as_csv
from crmn_legacy.archive.layout import (
    ARRAYS,
    CHECKPOINT,
    CURVE,
    CURVE_CSV,
    FORMER_CHECKPOINT,
    MANIFEST,
    RECIPE,
    RUN,
    TENSORBOARD,
    TRACE,
    WRITTEN,
)
from crmn_legacy.archive.record import read_json, write_curve, write_json, write_record
from crmn_legacy.archive.verification import file_digest, foreign, left_out, shown_names, verify
from crmn_legacy.errors import UserError
from crmn_legacy.files import UNSUPPORTED, write_whole

_SPARE = f"{Path(FORMER_CHECKPOINT).stem}.spare"
# What `write_whole` and `RunFolder.write_checkpoint` name their half of a file; another's download may end alike.
_LEFT = re.compile("|".join([*(rf"{re.escape(name)}\.[0-9a-f]{{8}}\.part" for name in (*WRITTEN, MANIFEST)), _SPARE]))


class RunFolder:
    """A run's folder, held by one process at a time.

    Parameters
    ----------
    path : path
        Of the folder.
    new : bool
        True: it must not exist, or be empty. False: it must hold a run.

    Attributes
    ----------
    unlocked : str or None
        Why the folder's file system keeps nobody else out of it, where it has no locks.

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
        try:
            # Not before: until then another process may have begun a run in it.
            if new:
                self._require_empty()
            self._sweep()
        except BaseException:
            self.close()
            raise
        self._newest_is_whole = True

    def _create(self):
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(
                f"got '{self.path}', which cannot be made a folder ({error.strerror}); expected a writable place: "
                "give another --out"
            ) from None

    def _require_empty(self):
        names = sorted(os.listdir(self.path))
        if names:
            raise UserError(
                f"got '{self.path}', which exists and is not empty (it holds {shown_names(names)}); expected a new "
                "folder: give another --out, or remove what lies there"
            )

    def _lock(self):
        # The kernel drops the lock with the process, however that ends.
        self._handle = self.unlocked = None
        try:
            self._handle = os.open(self.path, os.O_RDONLY)
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _holder(self._handle)
            self.close()
            raise UserError(
                f"got '{self.path}', in which another process is running{holder}; expected a folder of one run: "
                "wait for it to end, or give another --out"
            ) from None
        except OSError as error:
            if self._handle is not None and error.errno in UNSUPPORTED:
                self.unlocked = error.strerror
                return
            self.close()
            raise UserError(
                f"got '{self.path}', which cannot be locked ({error.strerror}); expected a folder that can be read "
                "and written: give another, or change its permissions"
            ) from None

    def _sweep(self):
        """Remove what a process that was killed while it wrote has left."""
        try:
            for name in filter(_LEFT.fullmatch, os.listdir(self.path)):
                (self.path / name).unlink()
        except OSError as error:
            raise UserError(
                f"got '{self.path}', in which nothing can be changed ({error.strerror}); expected a writable folder"
            ) from None

    def has_begun(self):
        """Whether anything to go on from was ever saved."""
        return any((self.path / name).exists() for name in (CHECKPOINT, FORMER_CHECKPOINT, CURVE))

    def require_own(self):
        """Refuse to write where another folder has taken the place of the one that is held, or none."""
        try:
            own = os.path.samestat(os.stat(self.path), os.fstat(self._handle))
        except OSError:
            own = False
        if not own:
            raise UserError(
                f"got '{self.path}', which was moved or removed while the run went on; expected it to stay: what was "
                "saved is where it was moved to"
            )

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self):
        """Let other processes have the folder."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def write_record(self, record):
        """Write ``run.json``; the folder is unfinished from here on until `finish`."""
        self.require_own()
        try:
            (self.path / MANIFEST).unlink(missing_ok=True)
        except OSError as error:
            raise UserError(
                f"got '{self.path}', in which nothing can be changed ({error.strerror}); expected a writable folder"
            ) from None
        write_record(self.path, record)

    def write_curve(self, epochs):
        """Write ``curve.jsonl`` (of a list of `Epoch`), and after it ``curve.csv``, which follows from it."""
        write_curve(self.path, epochs)
        write_whole(self.path / CURVE_CSV, as_csv(epochs).encode())

    def write_checkpoint(self, arrays):
        """Write ``checkpoint.npz`` and keep the one before as ``checkpoint.previous.npz``."""
        self.require_own()
        newest, former = self.path / CHECKPOINT, self.path / FORMER_CHECKPOINT
        # One that is damaged must not take the place of the one that the run went on from.
        if newest.exists() and self._newest_is_whole:
            # A second name for the same bytes: at no moment is there none.
            spare = self.path / _SPARE
            try:
                spare.unlink(missing_ok=True)
                os.link(newest, spare)
                os.replace(spare, former)
            except OSError:  # no room for a name, or a file system without such names
                write_whole(former, newest.read_bytes())
            finally:
                # It is still there after a failure, and where both names were of one file already: a kill, or a full
                # disk, between the two writes leaves that.
                with contextlib.suppress(OSError):
                    spare.unlink(missing_ok=True)
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
        _write_manifest(self.path)


def _holder(handle):
    """Which process has the lock of an open folder, for a message; nothing where the system doesn't tell."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        found = os.fstat(handle)
        device = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
        for line in Path("/proc/locks").read_text().splitlines():
            words = line.split()
            if words[1] == "FLOCK" and words[5] == device and int(words[4]) > 0:
                return f" (process {words[4]})"
    return ""


def _write_manifest(folder):
    names = sorted(name for name in WRITTEN if (folder / name).is_file())
    lines = [f"{file_digest(folder / name)}  {name}\n" for name in names]
    write_whole(folder / MANIFEST, "".join(lines).encode())


def lighten(source, target, keep=(), with_paths=True):
    """Write a finished run's folder anew without its arrays: what `rerun` needs, and little to keep.

    Parameters
    ----------
    source : path
        Of a finished run, whole.
    target : path
        Replaced, if it is a light folder.
    keep : tuple of str
        Of `ARRAYS`, those that the light folder has all the same: the weights, for a network to be put to use.
    with_paths : bool
        Whether paths in the record stay as they are. Otherwise only their last parts do: what is published need not say
        where on a machine its data lay, and `rerun` takes ``--data``.

    Raises
    ------
    UserError
        `source` does not verify, or is light itself; `target` is something else than a light folder.
    """
    source, target = Path(source), Path(target)
    problems = verify(source)
    if problems:
        raise UserError(f"got '{source}', which does not verify ({problems[0]}), expected a finished run, whole")
    if left_out(source):
        raise UserError(f"got '{source}', which is without its arrays already, expected the run's own folder")
    if target.exists() and not (left_out(target) or (target.is_dir() and not any(target.iterdir()))):
        raise UserError(f"got '{target}', which is no light folder of a run, expected one, or a new place")
    beside = foreign(target) + [TENSORBOARD] * (target / TENSORBOARD).exists() if left_out(target) else []
    if beside:
        raise UserError(
            f"got '{target}', which holds {shown_names(beside)} beside a run, expected a light folder alone: "
            "move that away"
        )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".light-") as place:
            made = Path(place) / target.name
            made.mkdir()
            for name in (RECIPE, CURVE, CURVE_CSV, TRACE, *keep):
                if (source / name).exists():
                    shutil.copyfile(source / name, made / name)
            gone = [name for name in ARRAYS if name not in keep and (source / name).exists()]
            digests = {name: file_digest(source / name) for name in gone}
            record = read_json(source / RUN)
            write_json(made / RUN, {**(record if with_paths else _without_folders(record)), "left_out": digests})
            _write_manifest(made)
            if target.exists():
                shutil.rmtree(target)
            os.replace(made, target)
    except OSError as error:
        raise UserError(
            f"got '{target}', which cannot be written ({error.strerror}), expected a writable place"
        ) from None


def _without_folders(value):
    """What JSON gave, with the last parts of absolute paths in place of them."""
    if isinstance(value, dict):
        return {name: _without_folders(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_without_folders(part) for part in value]
    return Path(value).name if isinstance(value, str) and value.startswith("/") else value


def dated_place(name):
    """A new folder ``runs/<name>-<UTC time>`` (Path), made."""
    stamp = now().replace("-", "").replace(":", "")
    first = Path("runs") / f"{name}-{stamp}"
    # Two runs may begin within a second, and a clock that is set back comes by the same second again.
    try:
        first.parent.mkdir(exist_ok=True)
        for number in itertools.count(1):
            path = first if number == 1 else first.with_name(f"{first.name}-{number}")
            with contextlib.suppress(FileExistsError):
                path.mkdir()
                return path
    except OSError:
        return first  # told where the folder is taken


def now():
    """UTC time, ISO 8601, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
