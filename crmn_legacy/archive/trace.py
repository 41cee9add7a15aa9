"""A run's trace: the digest of every tensor of its state after every update, a line an update in ``trace.jsonl``.

A line is ``{"epoch", "step", "update", "loss", "tensors": {name: SHA-256}}``; line 0 is the state before the first
update. A tensor's digest is `records.digest_tensors` of it alone. The lines hold nothing but what the run computed, so
that equal runs have equal files.
"""

import json
import math
import os
from dataclasses import dataclass
from pathlib import Path

from crmn_legacy.archive.arrays import MARK, digest_tensors
from crmn_legacy.archive.layout import TRACE
from crmn_legacy.errors import UserError
from crmn_legacy.files import sync

# The largest network of the tables has some thousand tensors, of about a hundred bytes a line each.
_LONGEST_LINE = 2**22
_MEND = "leave it as the run wrote it"


@dataclass(frozen=True)
class Line:
    """One update of a trace.

    Attributes
    ----------
    epoch, step, update : int
        From 1; all 0 for the state before the first update.
    loss : float, str or None
        Of the update; ``nan`` or ``inf`` as text; None before the first.
    tensors : dict of str to str
        Name -> 64 hexadecimal digits.
    """

    epoch: int
    step: int
    update: int
    loss: float | str | None
    tensors: dict


def digests(state):
    """The digest of each tensor of a state (dict of str to array), in name order."""
    return {name: digest_tensors({name: state[name]}).removeprefix(MARK) for name in sorted(state)}


class Trace:
    """The trace of a run under way.

    Each line is written when its update is done, and is safe once `keep` was called, so a kill loses what no
    checkpoint holds either.

    Parameters
    ----------
    folder : path
        Of the run.

    Raises
    ------
    UserError
        It cannot be written.
    """

    def __init__(self, folder):
        self.path = Path(folder) / TRACE
        try:
            self._file = open(self.path, "ab", buffering=0)  # noqa: SIM115 - lives as long as the run
        except OSError as error:
            raise self._unwritable(error) from None

    def add(self, state, epoch=0, step=0, update=0, loss=None):
        """Add a line: `state` (dict of str to array) as it is after this update."""
        if loss is not None and not math.isfinite(loss):
            loss = str(loss)
        line = {"epoch": epoch, "step": step, "update": update, "loss": loss, "tensors": digests(state)}
        content = memoryview((json.dumps(line, allow_nan=False) + "\n").encode())
        try:
            while content:
                content = content[self._file.write(content) :]
        except OSError as error:
            raise self._unwritable(error) from None

    def keep(self):
        """Make what was written outlast a loss of power."""
        try:
            sync(self._file.fileno())
        except OSError as error:
            raise self._unwritable(error) from None

    def cut(self, update, state):
        """Take the trace up after `update` updates, where a checkpoint holds `state`; what follows is dropped.

        Raises
        ------
        UserError
            Lines up to there are missing or altered, or are of another state.
        """
        length = 0
        for line, end in _lines(self.path):
            if line.update == update:
                length = end
                break
        if not length or line.tensors != digests(state):
            problem = "is of another state at" if length else "ends before"
            raise UserError(
                f"got '{self.path}', which {problem} update {update}, where the checkpoint is; expected the run's own "
                "trace: restore it, or start the run anew"
            )
        try:
            os.truncate(self.path, length)
        except OSError as error:
            raise self._unwritable(error) from None
        self.keep()

    def close(self):
        """Close the file."""
        self._file.close()

    def _unwritable(self, error):
        return UserError(
            f"got '{self.path}', which cannot be written ({error.strerror}); "
            "expected a file in an existing, writable folder with space left"
        )


def read_trace(folder):
    """The lines of a run's trace, one after the other (an iterator of `Line`).

    Raises
    ------
    UserError
        The trace is missing, cut off or altered.
    """
    return (line for line, _ in _lines(Path(folder) / TRACE))


def _lines(path):
    """Each line of a trace and where in the file it ends."""
    try:
        with open(path, "rb") as file:
            number = 0
            while text := file.readline(_LONGEST_LINE):
                yield _parse(path, number, text), file.tell()
                number += 1
    except OSError as error:
        raise UserError(f"got '{path}', which cannot be read ({error.strerror}); expected a run's trace") from None
    if not number:
        raise UserError(f"got '{path}', which is empty; expected a run's trace: {_MEND}")


def _parse(path, number, text):
    """Line `number` of a trace."""
    try:
        if not text.endswith(b"\n"):
            raise ValueError("no end")
        line = Line(**json.loads(text))
        places = (line.epoch, line.step, line.update)
        if not all(type(place) is int and place >= 0 for place in places) or line.update != number:
            raise ValueError("no update in turn")
        if not all(isinstance(digest, str) and len(digest) == 64 for digest in line.tensors.values()):
            raise ValueError("no digests")
        if not (line.loss is None) == (number == 0) or not isinstance(line.loss, float | int | str | None):
            raise ValueError("no loss")
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise UserError(
            f"got '{path}', which is cut off or altered in line {number + 1}; expected a run's trace: {_MEND}"
        ) from None
    return line
