"""What TensorBoard shows of a run: read back from its event files, whatever happened to the run on the way."""

import io
import itertools
import os
import signal
import struct
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from crmn_legacy import archive
from crmn_legacy.archive import replay
from crmn_legacy.archive.checkpoint import Progress
from crmn_legacy.errors import UserError
from crmn_legacy.options import Options
from crmn_legacy.training import tensorboard as module
from tests.folders import write_run
from tests.training.runs import FILES, assert_one_line, assert_same_run, bits_of, refuse_tiny, run_tiny
from tests.training.test_loop import (
    EPOCHS,
    STEPS,
    Arithmetic,
    Killed,
    begin,
    beginning,
    kill,
    send,
    stored,
    training,
)
from tests.training.test_resume import AFTER_UPDATE

UNINSTALLED = "sys.modules['tensorboardX'] = None\n"


@pytest.fixture(scope="module")
def installed():
    pytest.importorskip("tensorboardX", reason="no tensorboardX: make tensorboard")


def checksum(data, table=[]):  # noqa: B006 - made once
    """CRC-32C, bit by bit as its polynomial has it, masked as the format of records wants it."""
    if not table:
        for value in range(256):
            for _ in range(8):
                value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
            table.append(value)
    crc = 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 255] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def events(path):
    """The events of a file, each held against its checksums; what is cut off at the end is left out."""
    from tensorboardX.proto.event_pb2 import Event

    content, found = path.read_bytes(), []
    while len(content) >= 12:
        head, crc = content[:8], content[8:12]
        assert struct.unpack("<I", crc) == (checksum(head),)
        (size,) = struct.unpack("<Q", head)
        data, crc, content = content[12 : 12 + size], content[12 + size : 16 + size], content[16 + size :]
        if len(crc) < 4:
            break
        assert struct.unpack("<I", crc) == (checksum(data),)
        found.append(Event.FromString(data))
    return found


def shown(place):
    """Tag -> [(step, value)] of a folder, as TensorBoard has it once it forgot what it is told to forget."""
    series = defaultdict(list)
    for path in sorted(place.glob("*tfevents*")):
        for event in events(path):
            if event.session_log.status == 1:
                for tag, points in series.items():
                    series[tag] = [point for point in points if point[0] < event.step]
            for value in event.summary.value:
                series[value.tag].append((event.step, value))
    return dict(series)


def numbers(place):
    return {
        tag: [(step, value.simple_value) for step, value in points]
        for tag, points in shown(place).items()
        if not tag.startswith("faces/")
    }


def of_curve(curve):
    """What has to be shown of the epochs of a curve, by update and by epoch."""
    losses = [loss for line in curve for loss in line.losses[:-1]]
    updates = {"update/loss": list(enumerate(map(np.float32, losses), 1))}
    epochs = defaultdict(list)
    for line in curve:
        said = {f"rates/{name}": rate for name, rate in line.rates.items()}
        for name in ("train_loss", "validation_loss", "validation_error", "shifts", "seconds", "waited_seconds"):
            said[f"epoch/{name}"] = getattr(line, name)
        said["epoch/best"] = line.weights is not None
        for tag, number in said.items():
            epochs[tag].append((line.epoch, np.float32(number)))
    return updates, dict(epochs)


def assert_shows(folder, curve):
    updates, epochs = of_curve(curve)
    assert numbers(folder / archive.TENSORBOARD / "updates") == updates
    # An epoch that was begun again took another time.
    ours = numbers(folder / archive.TENSORBOARD / "epochs")
    assert ours.keys() == epochs.keys()
    assert {tag: points for tag, points in ours.items() if "seconds" not in tag} == {
        tag: points for tag, points in epochs.items() if "seconds" not in tag
    }


def watched(folder, state, progress, step=None, **changes):
    """Run the loop from a state with event files; its progress."""
    files = module.EventFiles(folder.path, progress, with_faces=False)
    try:
        return training(folder, step, observers=[files], **changes).run(state, progress)
    finally:
        files.close()


# --- by itself


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(1, STEPS * EPOCHS), st.booleans()), max_size=3, unique_by=lambda stop: stop[0]))
def test_every_loss_is_shown_once_wherever_the_run_was_stopped_or_killed(installed, stops):
    with tempfile.TemporaryDirectory() as place:
        folder = archive.RunFolder(Path(place) / "run", new=True)
        begin(folder)
        for at, saved in [*stops, (None, True)]:
            step = Arithmetic(after=send(signal.SIGINT, at) if saved else kill(at))
            try:
                progress = watched(folder, *stored(folder), step)
            except (KeyboardInterrupt, Killed):
                assert at is not None
        assert_shows(folder.path, progress.curve)
        folder.close()


@pytest.fixture
def folder(tmp_path):
    made = archive.RunFolder(tmp_path / "run", new=True)
    begin(made)
    yield made
    made.close()


def test_an_epoch_that_was_written_and_not_saved_is_shown_once(installed, folder, monkeypatch):
    with monkeypatch.context() as changed:
        changed.setattr(archive.RunFolder, "write_checkpoint", lambda *_: (_ for _ in ()).throw(Killed))
        with pytest.raises(Killed):
            watched(folder, *beginning())
    assert numbers(folder.path / archive.TENSORBOARD / "epochs")["epoch/best"] == [(1, 1)]
    progress = watched(folder, *stored(folder))
    assert_shows(folder.path, progress.curve)


def test_a_run_that_is_watched_from_the_middle_on_shows_its_whole_curve(installed, folder):
    with pytest.raises(KeyboardInterrupt):
        training(folder, Arithmetic(after=send(signal.SIGINT, 2 * STEPS + 1))).run(*beginning())
    progress = watched(folder, *stored(folder))
    assert_shows(folder.path, progress.curve)


def test_observers_move_nothing(installed, folder, tmp_path):
    bits = watched(folder, *beginning()).bits
    with archive.RunFolder(tmp_path / "plain", new=True) as plain:
        begin(plain)
        assert training(plain).run(*beginning()).bits == bits


def test_losses_of_a_long_epoch_can_be_seen_while_it_goes_on(installed, tmp_path, monkeypatch):
    seconds = itertools.count(step=module._INTERVAL / 2)
    monkeypatch.setattr(module.time, "monotonic", lambda: next(seconds))
    files = module.EventFiles(tmp_path, Progress(), with_faces=False)
    seen = []
    for step in range(1, 9):
        # The loss of an update is known after the next.
        files.updated(Progress(step=step, updates=step, losses=[0.5] * (step - 1)))
        place = tmp_path / archive.TENSORBOARD / "updates"
        seen.append(len(numbers(place).get("update/loss", [])) if place.exists() else 0)
    assert seen[-1] >= 5 and sorted(seen) == seen
    files.close()


def test_nothing_is_made_where_nothing_happens(installed, tmp_path):
    files = module.EventFiles(tmp_path, Progress(), with_faces=True)
    files.flush()
    files.close()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told_once_and_the_run_goes_on(installed, folder, capsys):
    (folder.path / archive.TENSORBOARD).write_text("in its place")
    assert len(watched(folder, *beginning()).curve) == EPOCHS
    notes = [line for line in capsys.readouterr().out.splitlines() if line.startswith("note: ")]
    assert notes == ["note: nothing more is written for TensorBoard (Not a directory); the run goes on"] * 2


def test_a_full_disk_is_told_and_the_run_goes_on(installed, folder, capsys, monkeypatch):
    from tensorboardX import event_file_writer

    def fail(self):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(event_file_writer.EventsWriter, "flush", fail)
    assert len(watched(folder, *beginning()).curve) == EPOCHS
    assert capsys.readouterr().out.count("(No space left on device); the run goes on") == 2


@pytest.mark.parametrize("side", [16, 80])
def test_four_faces_at_most_are_drawn_where_their_points_are(installed, tmp_path, side):
    files = module.EventFiles(tmp_path, Progress(), with_faces=True)
    pictures = np.full((6, 1, side, side), 60, np.uint8)
    true = np.stack([0.1 + 0.8 * np.arange(68) / 68, np.full(68, 0.2)], axis=1).reshape(-1)
    mask = np.ones((6, 136), np.float32)
    mask[1, :2] = 0
    batch = {"images": pictures, "keypoints": np.tile(true, (6, 1)), "mask": mask}
    predicted = np.full((6, 136), np.nan)
    predicted[0], predicted[1] = true + 0.5 * (np.arange(136) % 2), 1e30
    files.validated(batch, predicted, 3)
    files.validated(batch, predicted, 6)
    (line, _) = archive.read_curve(write_run(tmp_path / "other"))
    files.ended(line)
    files.close()
    found = shown(tmp_path / archive.TENSORBOARD / "epochs")
    faces = {tag: points for tag, points in found.items() if tag.startswith("faces/")}
    assert list(faces) == ["faces/1", "faces/2", "faces/3", "faces/4"]
    images = []
    for ((step, value),) in faces.values():
        images.append(Image.open(io.BytesIO(value.image.encoded_image_string)))
        assert step == 1 and images[-1].size == (value.image.width, value.image.height)
    pixels = [np.asarray(image) for image in images]
    zoom = images[0].width / side
    x, y = np.round(true.reshape(68, 2)[-1] * side * zoom).astype(int)
    assert tuple(pixels[0][y, x]) == (255, 255, 255)
    assert tuple(pixels[0][y + round(0.5 * side * zoom), x]) == (235, 130, 220)  # the mouth's
    # The first point of the second face is hidden.
    x, y = np.round(true.reshape(68, 2)[0] * side * zoom).astype(int)
    assert tuple(pixels[0][y, x]) == (255, 255, 255) and tuple(pixels[1][y, x]) != (255, 255, 255)


# --- of a run


@pytest.fixture(scope="module")
def run(installed, tmp_path_factory, data):
    """The folder of a run that was watched, and its last line."""
    folder = tmp_path_factory.mktemp("watched") / "run"
    return folder, bits_of(run_tiny("--data", data, "--out", folder, "--tensorboard"))


def test_a_watched_run_comes_to_the_same_bits_and_its_folder_holds(run, finished):
    folder, bits = run
    assert bits == finished[1]
    assert {path.name for path in folder.iterdir()} == FILES | {archive.TENSORBOARD}
    assert archive.verify(folder) == [] and archive.foreign(folder) == []
    assert_shows(folder, archive.read_curve(folder))
    faces = [points for tag, points in shown(folder / archive.TENSORBOARD / "epochs").items() if "faces" in tag]
    assert len(faces) == 4 and all([step for step, _ in points] == [1, 2, 3] for points in faces)


def test_a_killed_run_goes_on_in_the_same_folder(run, finished, tmp_path, data):
    folder = tmp_path / "run"
    stopped = run_tiny(
        "--data", data, "--out", folder, "--tensorboard", before=AFTER_UPDATE.format(update=5, signal="SIGKILL")
    )
    assert stopped.returncode == -signal.SIGKILL
    assert bits_of(run_tiny("--resume", folder)) == finished[1]
    assert_same_run(folder, run[0])
    assert_shows(folder, archive.read_curve(folder))


def test_where_the_writer_is_missing_a_run_is_refused_before_anything_is_made(monkeypatch, capsys, tmp_path, data):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    line = refuse_tiny(capsys, monkeypatch, "--data", data, "--out", tmp_path / "run", "--tensorboard")
    assert "--tensorboard got no tensorboardX" in line and "`make tensorboard`" in line
    assert not (tmp_path / "run").exists()
    with pytest.raises(UserError, match=r"requirements-tensorboard\.lock"):
        module.require_installed()


def test_a_run_that_is_resumed_where_the_writer_is_missing_goes_on_without(installed, finished, tmp_path, data):
    folder = tmp_path / "run"
    bits_of(run_tiny("--data", data, "--out", folder, "--tensorboard", "--epochs", "2"))
    done = run_tiny("--resume", folder, "--epochs", "3", before=UNINSTALLED)
    assert bits_of(done) == finished[1]
    assert "note: tensorboardX is not installed here" in done.stdout
    refused = run_tiny("--resume", folder, "--epochs", "4", "--tensorboard", before=UNINSTALLED)
    assert "got no tensorboardX" in assert_one_line(refused)


def test_a_rerun_is_not_watched(tmp_path):
    folder = write_run(tmp_path / "run", options=Options(tensorboard=True, trace=True))
    words = replay.command(folder, archive.read_record(folder), tmp_path / "again")
    assert "--trace" in words and "--tensorboard" not in words


def test_a_light_folder_that_somebody_watches_is_not_replaced(tmp_path):
    folder = write_run(tmp_path / "run")
    os.makedirs(folder / archive.TENSORBOARD / "updates")
    archive.lighten(folder, tmp_path / "light")
    assert not (tmp_path / "light" / archive.TENSORBOARD).exists()
    (tmp_path / "light" / archive.TENSORBOARD).mkdir()
    with pytest.raises(UserError, match="which holds tensorboard beside a run"):
        archive.lighten(folder, tmp_path / "light")
