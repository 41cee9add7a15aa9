"""A run's folder as the page shows it: what is there, what is missing, whether it holds."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from crmn_legacy import archive
from crmn_legacy.archive.record import Epoch, RunRecord, read_epochs
from crmn_legacy.errors import UserError, printable
from crmn_legacy.report.formatting import text
from crmn_legacy.report.predictions import Predictions

WHOLE, UNFINISHED, ALTERED = "whole", "unfinished", "altered"

_MOST_COMPONENTS = 16


@dataclass(frozen=True)
class Run:
    """A run as the page shows it.

    Attributes
    ----------
    name : str
        Of its folder.
    folder : Path
    record : RunRecord
        Its ``run.json``, as far as it goes.
    epochs : list of Epoch
        As far as they go.
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
    folder: Path
    record: RunRecord
    epochs: list[Epoch]
    metric: str
    verdict: str
    problems: list
    manifest_digest: str | None = None
    notes: list = field(default_factory=list)
    predictions: Predictions | None = None

    @property
    def row(self):
        """The row's name, or None."""
        return self.record.row

    @property
    def kind(self):
        """``training``, ``rehearsal`` or ``smoke``, or None."""
        return self.record.plan and self.record.plan.kind

    @property
    def best(self):
        """The epoch of the lowest validation loss, or None."""
        scored = [epoch for epoch in self.epochs if epoch.validation_loss is not None]
        return min(scored, key=lambda epoch: epoch.validation_loss, default=None)

    def test(self):
        """Test set -> its `Score`, as far as recorded; its mean is there."""
        found = (self.record.result and self.record.result.test) or {}
        return {text(name): scored for name, scored in found.items() if scored.mean is not None}


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
    for name in (archive.RUN, archive.CURVE):
        _require_file(folder / name)
    record = archive.read_record(folder, required=())
    notes = []
    epochs = _read_epochs(folder, notes)
    metric = "accuracy" if any(epoch.validation_accuracy is not None for epoch in epochs) else "error"
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
        verdict = ALTERED if record.status == "finished" else UNFINISHED
    if verdict == WHOLE and archive.left_out(folder):
        notes.append("A light folder: the weights and checkpoints were left out; their digests are in run.json.")
    name = printable(folder.resolve().name) or "/"
    problems = [text(problem) for problem in problems]
    return Run(name, folder, record, epochs, metric, verdict, problems, digest, notes, predictions)


def _require_file(path):
    """Refuse what would be waited for without end; what is missing is told where it is read."""
    if path.exists() and not path.is_file():
        raise UserError(f"got '{path}', which is no ordinary file; expected one, as a run writes it")


def _read_epochs(folder, notes):
    """The epochs of a curve in their order; what cannot be read becomes a note."""
    if not (folder / archive.CURVE).exists():
        notes.append(f"{archive.CURVE} is missing or cannot be read: no curve is shown.")
        return []
    epochs, left_out = read_epochs(folder)
    if left_out:
        notes.append(f"{left_out} of {archive.CURVE}'s lines cannot be read and are left out.")
    return [
        replace(
            epoch,
            rates={text(name): rate for name, rate in list((epoch.rates or {}).items())[:_MOST_COMPONENTS]},
            bits=text(epoch.bits),
        )
        for epoch in epochs
    ]
