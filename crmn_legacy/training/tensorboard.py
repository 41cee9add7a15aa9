"""What TensorBoard shows of a run while it goes on: event files, written by an optional extra, tensorboardX.

They lie in two folders, each with steps of its own: ``updates``, with the loss of every update, and ``epochs``, with
the numbers of ``curve.csv`` and a few faces of the validation part.
"""

import contextlib
import importlib.util
import io
import os
import time

import numpy as np

from crmn_legacy.archive.curve_csv import scalars
from crmn_legacy.archive.layout import TENSORBOARD
from crmn_legacy.errors import UserError
from crmn_legacy.overlays import overlay

_UPDATES, _EPOCHS = "updates", "epochs"
# What an epoch's line says of its place; the step tells it.
_PLACES = ("epoch", "updates")
_MOST_FACES = 4
# Seconds after which losses can be seen, in an epoch that takes longer.
_INTERVAL = 10.0


def is_installed():
    """Whether the extra is there."""
    return importlib.util.find_spec("tensorboardX") is not None


def require_installed():
    """Refuse to write event files without the extra.

    Raises
    ------
    UserError
    """
    if not is_installed():
        raise UserError(
            "--tensorboard got no tensorboardX, which writes for TensorBoard, expected it: install what "
            "requirements-tensorboard.lock names (`make tensorboard`), or leave --tensorboard out"
        )


class EventFiles:
    """Writes for TensorBoard what it sees of a run (`crmn_legacy.training.protocols.Observer`).

    A run that goes on adds files to the same folders. What the former ones have beyond the state that it goes on from,
    TensorBoard is told to forget; where there are none, the curve up to there is written first.

    Parameters
    ----------
    folder : Path
        Of the run.
    progress : crmn_legacy.archive.checkpoint.Progress
        Where it stands.
    with_faces : bool
        Whether keypoints of faces are predicted, which are drawn.
    """

    def __init__(self, folder, progress, with_faces):
        self._with_faces, self._faces = with_faces, []
        self._updates = _EventFile(folder / TENSORBOARD / _UPDATES, progress.updates + 1)
        self._epochs = _EventFile(folder / TENSORBOARD / _EPOCHS, progress.epoch)
        # How many losses of the epoch under way are written.
        self._written, self._flushed = len(progress.losses), time.monotonic()
        if not self._updates.goes_on:
            for line in progress.curve:
                self._write_losses(line.losses[:-1], line.updates)
            self._write_losses(progress.losses, progress.updates)
        if not self._epochs.goes_on:
            for line in progress.curve:
                self._write_numbers(line)

    def updated(self, progress):
        """Write the losses that have become known."""
        known = progress.losses[self._written :]
        self._written += len(known)
        self._write_losses(known, progress.updates - progress.step + self._written)
        if time.monotonic() - self._flushed > _INTERVAL:
            self.flush()

    def validated(self, batch, predicted, count):
        """Keep the first faces of the validation part, as they are predicted."""
        if self._with_faces:
            for place in range(min(count, _MOST_FACES - len(self._faces))):
                counts = batch["mask"][place] > 0
                self._faces.append((batch["images"][place, 0], predicted[place], batch["keypoints"][place][counts]))

    def ended(self, line):
        """Write an epoch: its numbers, and its faces."""
        self._write_numbers(line)
        for number, (picture, predicted, true) in enumerate(self._faces, 1):
            self._epochs.add(line.epoch, f"faces/{number}", image=_drawn(picture, predicted, true))
        self._faces, self._written = [], 0

    def flush(self):
        """Let be seen what was written."""
        self._updates.flush()
        self._epochs.flush()
        self._flushed = time.monotonic()

    def close(self):
        """Write what is left, and nothing more."""
        self._updates.close()
        self._epochs.close()

    def _write_losses(self, losses, last):
        """Write the losses of updates that follow each other; `last` is the last one's number."""
        for update, loss in enumerate(losses, last - len(losses) + 1):
            self._updates.add(update, "update/loss", simple_value=loss)

    def _write_numbers(self, line):
        for name, number in scalars(line).items():
            if name not in _PLACES:
                tag = name.replace(".", "/", 1) if "." in name else f"epoch/{name}"
                self._epochs.add(line.epoch, tag, simple_value=number)


def _drawn(picture, predicted, true):
    """A face with its points, as an event file holds a picture (dict).

    Parameters
    ----------
    picture : uint8 array (height, width)
    predicted, true : array (2 * points,)
        x0, y0, x1, y1, ... in [0, 1] of the picture; of the true ones those that are known.
    """
    size = np.array(picture.shape[::-1], np.float64)
    # An untrained network may be off by any number; what cannot be on the picture need not be far from it.
    points = [np.clip(np.nan_to_num(each), -1, 2).reshape(-1, 2) * size for each in (predicted, true)]
    image, encoded = overlay(picture, [tuple(points)]), io.BytesIO()
    image.save(encoded, "PNG")
    return {
        "height": image.height,
        "width": image.width,
        "colorspace": len(image.getbands()),
        "encoded_image_string": encoded.getvalue(),
    }


class _EventFile:
    """An event file, made when there is something to write.

    One that cannot be written is done without: nobody's run ends because it cannot be watched.

    Parameters
    ----------
    place : Path
        Its folder.
    first : int
        The first step that is to be written. What files of former processes have from there on is overwritten.
    """

    def __init__(self, place, first):
        self._place, self._first, self._writer, self._fault = place, first, None, None
        self._former = len(list(place.glob("events.out.tfevents.*")))

    @property
    def goes_on(self):
        """Whether former processes have left files."""
        return self._former > 0

    def add(self, step, tag, **value):
        """Write a value (of one kind, as a `Summary.Value` has it) under a tag."""
        self._attempt(lambda: self._write(step=step, summary={"value": [{"tag": tag, **value}]}))

    def flush(self):
        """Hand all to the system."""
        self._attempt(lambda: self._writer and self._writer.flush())

    def close(self):
        """Close the file."""
        self._attempt(lambda: self._writer and self._writer.close())

    def _write(self, **event):
        from tensorboardX.proto.event_pb2 import Event

        if self._writer is None:
            self._open(Event)
        self._writer.write_event(Event(wall_time=time.time(), **event))

    def _open(self, event):
        from tensorboardX.event_file_writer import EventsWriter
        from tensorboardX.proto.event_pb2 import SessionLog

        self._place.mkdir(parents=True, exist_ok=True)
        # A number of its own, since the name tells seconds only, and files are read in the order of their names. An
        # absolute path, since "s3:" and the like at its beginning are taken for a service.
        self._writer = EventsWriter(os.path.abspath(self._place / "events"), f".{self._former:04d}")
        if self.goes_on:
            start = SessionLog(status=SessionLog.START)
            self._writer.write_event(event(wall_time=time.time(), step=self._first, session_log=start))

    def _attempt(self, action):
        if self._fault is not None:
            return
        try:
            action()
        except OSError as error:
            self._fault = error
            with contextlib.suppress(OSError):
                print(f"note: nothing more is written for TensorBoard ({error.strerror}); the run goes on", flush=True)
