"""A run's folder as the page shows it: what is there, what is missing, whether it holds."""

import hashlib
import json
import stat
from dataclasses import dataclass, field
from pathlib import Path

from crmn_legacy import archive
from crmn_legacy.errors import UserError
from crmn_legacy.report.values import at, number, printable, text, whole

WHOLE, UNFINISHED, ALTERED = "whole", "unfinished", "altered"

METRICS = ("error", "accuracy")

# Ten times what the longest published run writes; more is no run's.
_LARGEST_RECORD = 4 * 2**20
_LARGEST_CURVE = 256 * 2**20
_LAST_EPOCH = 10**6
_MOST_COMPONENTS = 16


@dataclass(frozen=True)
class Epoch:
    """A line of ``curve.jsonl``; what it lacks is None.

    Attributes
    ----------
    number, updates : int
    train_loss, validation_loss : float
    score : float
        Of the validation pictures, a fraction.
    rates : dict of str to float
        The learning rate of each component of the network.
    seconds : float
    bits : str
    """

    number: int
    updates: int | None
    train_loss: float | None
    validation_loss: float | None
    score: float | None
    rates: dict
    seconds: float | None
    bits: str


@dataclass(frozen=True)
class Run:
    """A run as the page shows it.

    Attributes
    ----------
    name : str
        Of its folder.
    record : dict
        Its ``run.json``, not trusted.
    epochs : list of Epoch
    metric : str
        ``error`` or ``accuracy``.
    verdict : str
        `WHOLE`, `UNFINISHED` or `ALTERED`.
    problems : list of str
        What `archive.verify` found.
    manifest_digest : str or None
        SHA-256 of the manifest: one digest for the whole folder.
    notes : list of str
        What could not be read.
    predictions : crmn_legacy.report.predictions.Predictions or None
    """

    name: str
    record: dict
    epochs: list
    metric: str
    verdict: str
    problems: list
    manifest_digest: str | None = None
    notes: list = field(default_factory=list)
    predictions: object = None

    def get(self, *path):
        """What stands at `path` in the record, or None."""
        return at(self.record, *path)

    @property
    def row(self):
        """The row's name, or None."""
        row = self.get("row")
        return row if isinstance(row, str) else None

    @property
    def best(self):
        """The epoch of the lowest validation loss, or None."""
        scored = [epoch for epoch in self.epochs if epoch.validation_loss is not None]
        return min(scored, key=lambda epoch: epoch.validation_loss, default=None)

    def test(self):
        """Test set -> (mean as a fraction, pictures, whether it is complete), as far as recorded."""
        found = self.get("result", "test")
        sets = {}
        for name, scored in found.items() if isinstance(found, dict) else ():
            mean = number(at(scored, "mean"))
            if mean is not None:
                sets[text(name)] = mean, whole(at(scored, "pictures")), at(scored, "complete") is not False
        return sets


def read_run(folder, predictions=None):
    """Read and verify a run's folder.

    Parameters
    ----------
    folder : path
    predictions : crmn_legacy.report.predictions.Predictions, optional
        What its weights gave.

    Returns
    -------
    Run

    Raises
    ------
    UserError
        It holds no ``run.json``, one that is no JSON object, or a file too large to be a run's.
    """
    folder = Path(folder)
    _require_size(folder / archive.RUN, _LARGEST_RECORD)
    record = archive.read_json(folder / archive.RUN)
    notes = []
    epochs, metric = _read_epochs(folder / archive.CURVE, notes)
    try:
        problems = archive.verify(folder)
    except OSError as error:
        raise UserError(
            f"got '{folder}', which cannot be read ({error.strerror}); expected a run's folder whose files are readable"
        ) from None
    digest = None
    if (folder / archive.MANIFEST).is_file():
        digest = hashlib.sha256((folder / archive.MANIFEST).read_bytes()).hexdigest()
        verdict = ALTERED if problems else WHOLE
    else:
        # Without a manifest nothing is proved; a record that claims to be finished is not believed.
        verdict = ALTERED if record.get("status") == "finished" else UNFINISHED
    if verdict == WHOLE and archive.left_out(folder):
        notes.append("A light folder: the weights and checkpoints were left out; their digests are in run.json.")
    name = printable(folder.resolve().name) or "/"
    problems = [text(problem) for problem in problems]
    return Run(name, record, epochs, metric, verdict, problems, digest, notes, predictions)


def _require_size(path, most):
    try:
        found = path.stat()
    except OSError:
        return  # told where it is read
    if not stat.S_ISREG(found.st_mode):
        raise UserError(f"got '{path}', which is no ordinary file; expected one, as a run writes it")
    size = found.st_size
    if size > most:
        raise UserError(f"got '{path}' of {size:,} bytes, expected at most {most:,}: it is no run's")


def _read_epochs(path, notes):
    """The epochs of a curve in their order, and the metric that they have; what cannot be read becomes a note."""
    _require_size(path, _LARGEST_CURVE)
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError:
        notes.append(f"{archive.CURVE} is missing or cannot be read: no curve is shown.")
        return [], METRICS[0]
    found, unreadable = {}, 0
    metric = METRICS[0]
    for line in lines:
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            entry = None
        place = whole(at(entry, "epoch"))
        if place is None or not 1 <= place <= _LAST_EPOCH or place in found:
            unreadable += 1
            continue
        metric = next((name for name in METRICS if f"validation_{name}" in entry), metric)
        found[place] = _epoch(entry, place, metric)
    if unreadable:
        notes.append(f"{unreadable} of {archive.CURVE}'s lines cannot be read and are left out.")
    return [found[place] for place in sorted(found)], metric


def _epoch(entry, place, metric):
    rates = entry.get("rates")
    rates = list(rates.items())[:_MOST_COMPONENTS] if isinstance(rates, dict) else []
    return Epoch(
        number=place,
        updates=whole(entry.get("updates")),
        train_loss=number(entry.get("train_loss")),
        validation_loss=number(entry.get("validation_loss")),
        score=number(entry.get(f"validation_{metric}")),
        rates={text(name): value for name, rate in rates if (value := number(rate)) is not None},
        seconds=number(entry.get("seconds")),
        bits=text(entry.get("bits")),
    )
