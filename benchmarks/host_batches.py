"""Pictures a second that the host prepares for training: faces jittered, CIFAR's preprocessed, cropped and mirrored.

    python benchmarks/host_batches.py                    on 2 cores, a thread each
    python benchmarks/host_batches.py --only faces cifar-ChannelMeanStd --workers 0

Nothing is trained. Batches of a data set of random pixels are taken as fast as they come, an epoch a turn. The first
is told by itself, for what is costly is kept for the others; of those the fastest counts, as nothing but other work
makes one slow. The host's libraries are pinned as in a
run. Progress goes to the standard error; the last line of the standard output is the entry as one JSON object, which
`--json` appends to a file.
"""

import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import entries, machine
from crmn_legacy.backend.determinism import pin_host
from crmn_legacy.errors import run
from crmn_legacy.parser import Parser

# What the published rows prepare their pictures by: preprocessing and its arguments, padding and its mode.
CIFAR = {
    "ChannelMeanStd": ({}, 4, "zero"),
    "PixelMean": ({}, 4, "zero"),
    "PixelMeanGlobalStd": ({}, 4, "zero"),
    "GlobalContrast": ({"scale": 30.0, "then_mean_image": True}, 8, "zero"),
    "GlobalContrastZCA": ({}, 4, "reflect"),
}
CONTENDERS = ("faces", *(f"cifar-{name}" for name in CIFAR))


def parse(argv):
    parser = Parser(__doc__, parents=[entries.options()])
    parser.add_argument("--only", nargs="+", choices=CONTENDERS, default=list(CONTENDERS), metavar="WHAT")
    parser.add_argument("--faces", type=int, default=1024, help="faces in an epoch")
    parser.add_argument("--pictures", type=int, default=8192, help="CIFAR's pictures in an epoch")
    parser.add_argument("--batch-size", type=int, help="default: 64 faces, 128 of CIFAR's pictures")
    parser.add_argument("--workers", type=int, help="threads that prepare batches; default: as in a run")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2, help="cores to run on")
    return parser.parse_args(argv)


def faces(count, batch_size):
    """Batches of random faces, jittered as the rows of Table 1 have it."""
    import numpy as np

    from crmn_legacy.data import FaceAugmentation, FaceBatches
    from crmn_legacy.data.files.faces import Faces

    random = np.random.default_rng(1)
    turn = np.linspace(0, 2 * np.pi, 68, endpoint=False)
    ring = 0.5 + 0.25 * np.column_stack([np.cos(turn), np.sin(turn)])
    data = Faces(
        images=random.integers(0, 256, (count, 160, 160), np.uint8),
        keypoints=(ring + random.uniform(-0.02, 0.02, (count, 68, 2))).astype(np.float32),
        visible=np.ones((count, 68), bool),
        box=np.tile(np.array([0, 0, 160, 160], np.float32), (count, 1)),
        split=np.full(count, "train"),
        source=np.full(count, "rendered"),
        name=np.arange(count).astype(str),
    )
    return FaceBatches(data, "train", batch_size, FaceAugmentation(), seed=1)


def cifar(name, count, batch_size):
    """Batches of random pictures of 32 x 32 pixels, prepared by an entry of `CIFAR`."""
    import numpy as np

    from crmn_legacy import data
    from crmn_legacy.data.files.labelled_pictures import Pictures

    random = np.random.default_rng(1)
    pictures = Pictures(
        images=random.integers(0, 256, (count, 3, 32, 32), np.uint8),
        labels=random.integers(0, 10, count, np.uint8),
        split=np.full(count, "train"),
        name=np.arange(count).astype(str),
        classes=np.arange(10).astype(str),
        source="rendered",
        # A product with it takes as long as with any matrix.
        stored={"contrast_mean": np.zeros(3072), "whitening": np.eye(3072)},
    )
    arguments, padding, mode = CIFAR[name]
    preprocessing, augmentation = getattr(data, name)(**arguments), data.CropFlip(padding, mode)
    return data.PictureBatches(pictures, "train", batch_size, preprocessing, augmentation, seed=1)


def measure(what, options):
    """Pictures a second of one contender (dict)."""
    if what == "faces":
        batches = faces(options.faces, options.batch_size or 64)
    else:
        batches = cifar(what.removeprefix("cifar-"), options.pictures, options.batch_size or 128)
    speeds = []
    for epoch in range(1, options.turns + 2):
        began = time.perf_counter()
        for _ in batches.epoch(epoch, workers=options.workers):
            pass
        speeds.append(batches.steps_per_epoch * batches.batch_size / (time.perf_counter() - began))
    first, *others = speeds
    found = {"first": round(first), "most": round(max(others)), "median": round(statistics.median(others))}
    words = ", ".join(f"{name} {speed:,}" for name, speed in found.items())
    print(f"{what}, pictures a second: {words}", file=sys.stderr, flush=True)
    return {"what": what, "batch_size": batches.batch_size, **found}


def main(argv=None):
    options = parse(argv)
    names = ("only", "faces", "pictures", "batch_size", "workers", "turns", "threads")
    entry = entries.begin(options, __file__, argv, {name: getattr(options, name) for name in names})
    machine.use_cores(options.threads)
    pin_host()
    entries.finish(options, entry, {"rows": [measure(what, options) for what in options.only]})


if __name__ == "__main__":
    run(main)
