"""Whole files to begin from, one or more a format; all are made by code."""

import hashlib
import io
import json
import math
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
from msgspec import convert
from PIL import Image

from crmn_legacy import archive
from crmn_legacy.archive import checkpoint
from crmn_legacy.archive.checkpoint import ScheduleState
from crmn_legacy.archive.record import Epoch
from crmn_legacy.data.files.faces import write_faces
from crmn_legacy.data.files.labelled_pictures import write_pictures
from crmn_legacy.data.whitening import training_statistics
from tests.data.faces import plain_faces, points_text
from tests.data.labelled import plain_pictures
from tests.data_prep.cifar_folders import CIFAR10, make_archive

STATE = {"stem.conv.W": np.arange(6, dtype=np.float32).reshape(1, 2, 3), "updates": np.array(4, np.int64)}
ROW = "table1_crmn"


def points():
    """A ``.pts`` file."""
    turn = np.linspace(0, 2 * np.pi, 68)
    return [points_text(np.column_stack([50 + 30 * np.cos(turn), 50 + 30 * np.sin(turn)])).encode()]


def boxes_csv():
    """Boxes a line a face, with a header and without."""
    lines = 'a.jpg,10,20,60.5,80\n"b, c.png",5,5,95,95\na.jpg,1e1,30,7e1,90\n'
    return [lines.encode(), b"\xef\xbb\xbfpicture,x0,y0,x1,y1\r\n" + lines.replace("\n", "\r\n").encode()]


def boxes():
    """Boxes as `predict --json` prints them, and by picture."""
    first, second = [10.0, 20, 60.5, 80], [5, 5, 95, 95]
    printed = [
        {"picture": "a.jpg", "box": first, "points": [[1.5, 2.0]]},
        {"picture": "b.jpg", "faces": [{"box": first, "score": 3}, {"box": second}]},
        {"picture": "c.jpg", "error": "no face"},
    ]
    return [printed, {"a.jpg": [first, second], "b.jpg": []}]


def pictures():
    """Pictures in the ways that files store them."""
    random = np.random.default_rng(0)
    gray = random.integers(0, 256, (12, 17), dtype=np.uint8)
    colour = random.integers(0, 256, (12, 17, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a description"
    ways = [
        (gray, "PNG", {}),
        (random.integers(0, 2**16, (12, 17), dtype=np.uint16), "PNG", {}),
        (colour, "PNG", {"exif": exif.tobytes(), "dpi": (72, 72)}),
        (colour, "JPEG", {"exif": exif.tobytes()}),
        (gray, "JPEG", {"progressive": True}),
    ]
    files = [_saved(Image.fromarray(pixels), kind, **options) for pixels, kind, options in ways]
    files.append(_saved(Image.fromarray(colour).quantize(4), "PNG", transparency=1))
    return [*files, _saved(Image.fromarray(colour).convert("CMYK"), "JPEG")]


def _saved(image, kind, **options):
    memory = io.BytesIO()
    image.save(memory, kind, **options)
    return memory.getvalue()


def faces(folder):
    """A faces file; its pictures are black, so that it is small and most of it is what HDF5 reads as structure."""
    path = Path(folder) / "seed.h5"
    made = plain_faces(train=2, valid=1, test=1)
    write_faces(path, replace(made, images=np.zeros_like(made.images)))
    return [path.read_bytes()]


def labelled(folder):
    """A file of labelled pictures, black ones, with the small ones of its statistics."""
    path = Path(folder) / "labelled.h5"
    made = plain_pictures(train=2, valid=1, test=1)
    black = replace(made, images=np.zeros_like(made.images))
    found = training_statistics(made.images)
    stored = {name: value for name, value in found.items() if name != "whitening"}
    write_pictures(path, replace(black, stored=stored))
    return [path.read_bytes()]


def release(folder):
    """The archive of a small release of CIFAR-10."""
    return [make_archive(Path(folder), CIFAR10).read_bytes()]


def arrays():
    """Arrays as runs, and other programs, write them."""
    files = []
    for save in (np.savez, np.savez_compressed):
        memory = io.BytesIO()
        save(memory, **STATE, text=np.array("text"), empty=np.zeros((0, 3)))
        files.append(memory.getvalue())
    return files[:1], files[1:]


def batches():
    """CIFAR batches of one picture and names of classes, of both data sets and all protocols."""
    data = np.arange(3072, dtype=np.uint8).reshape(1, 3072)
    ten = {"batch_label": "one of 5", "labels": [7], "data": data, "filenames": ["a.png"]}
    hundred = {"batch_label": "train", "fine_labels": [99], "coarse_labels": [3], "data": data, "filenames": ["b.png"]}
    names = {"label_names": [f"class {k}" for k in range(10)], "num_vis": 3072, "num_cases_per_batch": 10000}
    more = {"fine_label_names": [f"f{k}" for k in range(100)], "coarse_label_names": [f"c{k}" for k in range(20)]}
    files = [pickle.dumps(record, protocol) for record in (ten, hundred) for protocol in (2, 3, 4, 5)]
    old = {key.encode(): value for key, value in hundred.items()} | {b"filenames": [b"b.png"], b"batch_label": b"x"}
    return [*files, pickle.dumps(old, 3), pickle.dumps(names, 2), pickle.dumps(more, 4), python_2_batch(1)]


def python_2_batch(count):
    """A CIFAR-10 batch in the operations that Python 2's cPickle wrote the archive with."""
    label = b"training batch 1 of 5"
    names = b"".join(b"U%cname_%02d" % (7, number % 100) for number in range(count))
    labels = b"".join(b"K%c" % (number % 10) for number in range(count))
    shape = b"M" + count.to_bytes(2, "little") + b"M\x00\x0c\x86"
    content = bytes(number % 251 for number in range(3072 * count))
    dtype = b"cnumpy\ndtype\nq\x08U\x02u1q\x09K\x00K\x01\x87q\x0aRq\x0b(K\x03U\x01|q\x0cNNN" + 2 * b"J\xff\xff\xff\xff"
    array = b"cnumpy.core.multiarray\n_reconstruct\nq\x05cnumpy\nndarray\nq\x06K\x00\x85U\x01bq\x07\x87R(K\x01"
    array += shape + dtype + b"K\x00tb\x89T" + len(content).to_bytes(4, "little") + content + b"tb"
    start = b"\x80\x02}q\x01(U\x0bbatch_labelq\x02U%c%bq\x03" % (len(label), label)
    return start + b"U\x06labels](" + labels + b"eU\x04data" + array + b"U\x09filenames](" + names + b"eu."


def curve():
    """The lines of a run of two epochs of two updates, and the chain's links, the first one's before all."""
    links, lines = [archive.digest_tensors(STATE)], []
    for epoch in (1, 2):
        losses = [0.5 / epoch, 0.25 / epoch, 0.4 / epoch]
        links.append(archive.digest_tensors(STATE, losses, links[-1]))
        lines.append(
            {
                "epoch": epoch,
                "updates": 2 * epoch,
                "rates": {"resnet": 0.1, "lstm": 0.1, "output": 0.1},
                "losses": losses,
                "train_loss": 0.375 / epoch,
                "validation_loss": 0.4 / epoch,
                "validation_error": 0.2,
                "shifts": 0,
                "seconds": 1.5,
                "waited_seconds": 0.25,
                "bits": links[-1],
            }
        )
    return lines, links


def progress():
    """Where that run stands after its end."""
    lines, links = curve()
    schedule = ScheduleState(best_loss=0.2, best_epoch=2)
    epochs = convert(lines, list[Epoch])
    return checkpoint.Progress(epoch=3, updates=4, schedule=schedule, curve=epochs, bits=links[-1])


def record():
    """``run.json`` of that run, as far as anything reads it."""
    scored = {"mean": 0.05, "pictures": 3, "complete": False}
    options = {"data": "/faces.h5", "epochs": 2, "steps": None, "seed": 1, "backend": "xla", "device": "cpu"}
    options |= {"devices": 1, "precision": "float32", "bits": "portable", "smoke": False, "trace": False}
    options["remat"] = False
    _, links = curve()
    return {
        "row": ROW,
        "status": "finished",
        "options": options,
        "plan": {"kind": "training", "arguments": {}, "batch_size": 64, "epochs": 2, "steps": None},
        "seed": 1,
        "data_digest": "ab" * 32,
        "data_path": "/faces.h5",
        "platform_key": "xla/cpu/avx2",
        "packages": {"jax": "0.7.1"},
        "initial_bits": links[0],
        "started": "2026-01-01T00:00:00Z",
        "stopped": "2026-01-01T00:01:00Z",
        "seconds": 60.0,
        "result": {
            "best_epoch": 2,
            "epochs": 2,
            "updates": 4,
            "validation_loss": 0.2,
            "validation_error": 0.2,
            "test": {"common": scored},
        },
        "bits": links[-1],
    }


def write_folder(folder):
    """Write that run's folder, whole."""
    folder = Path(folder)
    folder.mkdir()
    (folder / archive.RECIPE).write_text("RECIPE = None\n")
    archive.write_json(folder / archive.RUN, record())
    (folder / archive.CURVE).write_text(lines_of(curve()[0]))
    for name in (archive.WEIGHTS, archive.INITIAL_WEIGHTS):
        archive.write_arrays(folder / name, STATE)
    archive.write_arrays(folder / archive.CHECKPOINT, checkpoint.pack(STATE, progress()))
    write_manifest(folder)


def write_manifest(folder):
    """Digest the folder as it is, so that what reads it does not stop at the manifest."""
    names = sorted(path.name for path in folder.iterdir() if path.name != archive.MANIFEST)
    lines = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    (folder / archive.MANIFEST).write_text("".join(lines))


def lines_of(lines):
    """A JSON object a line."""
    return "".join(json.dumps(line) + "\n" for line in lines)


# What a field of JSON is replaced by: other kinds, numbers beyond all measure, text that a terminal would obey.
ODD_VALUES = (
    None, True, False, 0, 1, -1, 2, 64, 10**6, 2**31, 2**63, 2**64, -(2**64), 10**400, 0.5, -0.0, 1e308, 1e-320,
    math.nan, math.inf, -math.inf, "", "a", "\x1b[2J\n", "\ud800", "../../etc/passwd", "x" * 5000, "finished",
    "running",
    "sha256:" + "0" * 64, [], [[]], [1, 2], [math.nan], [None], {}, {"a": {}}, {"mean": "a"}, {"": []},
)  # fmt: skip
