"""Turn an archive of CIFAR-10 or CIFAR-100 (python version) into a pictures file.

    python data_prep/cifar.py --root DIR --out FILE [--classes 10|100] [--no-checksum]

DIR is or holds cifar-10-batches-py/ or cifar-10-python.tar.gz, cifar-100-python/ or cifar-100-python.tar.gz, as
released. Of the 50,000 training pictures a tenth, drawn with a fixed seed, is for validation; statistics for
preprocessing, whitening among them, are of the other 45,000. The labels of CIFAR-100 are the fine ones.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import hashlib

import numpy as np

from crmn_legacy.data.files.labelled_pictures import Pictures, write_pictures
from crmn_legacy.data.randomness import Purpose, generator
from crmn_legacy.data.whitening import training_statistics
from crmn_legacy.errors import UserError, run
from crmn_legacy.parser import Parser
from data_prep.cifar_pickle import read_batch
from data_prep.cifar_release import find_release, read_files
from data_prep.script import check_out, show_stages

SPLIT_SEED = 0


def divide(train, test):
    """The split of each picture, training pictures first: a tenth of those, drawn at random, is for validation.

    Parameters
    ----------
    train, test : int
        How many pictures.

    Returns
    -------
    str array (train + test,)
    """
    splits = np.array(["train"] * train + ["test"] * test)
    splits[generator(SPLIT_SEED, Purpose.SPLIT).permutation(train)[train - train // 10 :]] = "valid"
    return splits


def prepare(root, classes=None, checked=True, begin=lambda stage: None):
    """Read the release at `root`.

    Parameters
    ----------
    root : pathlib.Path
    classes : int or None
        10 or 100; needed only where both releases are there.
    checked : bool
        Whether the MD5s must be the published ones.
    begin : callable
        Is told each of the three stages as it begins; see :func:`data_prep.script.show_stages`.

    Returns
    -------
    crmn_legacy.data.files.labelled_pictures.Pictures

    Raises
    ------
    UserError
    """
    begin("reading the files")
    release, place = find_release(root, classes)
    files = read_files(release, place, checked)
    begin("taking the pictures out of the files")
    records = {name: _record(release, place, name, content) for name, content in files.items()}
    batches = [records[name] for name in release.train + release.test]
    counts = [sum(len(records[name]["data"]) for name in names) for names in (release.train, release.test)]
    images = np.concatenate([batch["data"] for batch in batches]).reshape(-1, 3, 32, 32)
    split = divide(*counts)
    sources = hashlib.sha256()
    for name, content in files.items():
        sources.update(f"{name} {hashlib.sha256(content).hexdigest()}\n".encode())
    begin("statistics for preprocessing, of which whitening takes the longest")
    stored = training_statistics(images[split == "train"])
    return Pictures(
        images=images,
        labels=np.concatenate([batch[_key(release, "labels")] for batch in batches]).astype(np.uint8),
        split=split,
        name=np.array([name for file, batch in _named(release, records) for name in _picture_names(file, batch)]),
        classes=np.array(records[release.names][_key(release, "label_names")]),
        source=f"cifar{release.classes}",
        sources_digest=sources.hexdigest(),
        stored=stored,
    )


def _named(release, records):
    return [(name, records[name]) for name in release.train + release.test]


def _key(release, what):
    return what if release.classes == 10 else f"fine_{what.removeprefix('fine_')}"


def _record(release, place, name, content):
    """What the file `name` holds, if it is what belongs there."""
    try:
        record = read_batch(content)
    except UserError as error:
        raise UserError(f"'{place}/{name}': {error}") from None
    key = _key(release, "label_names" if name == release.names else "labels")
    if key not in record:
        raise UserError(
            f"got '{place}/{name}' without {key}; expected the file {name} of CIFAR-{release.classes}: "
            "unpack the archive anew"
        )
    return record


def _picture_names(file, batch):
    """What each picture is called: its file's name if that is told, else its place in the batch."""
    names = batch.get("filenames") or [f"{number:05d}" for number in range(len(batch["data"]))]
    return [f"{file}/{name}" for name in names]


def parser():
    """The parser of the command line (a `crmn_legacy.parser.Parser`)."""
    flags = Parser(__doc__)
    flags.add_argument("--root", required=True, metavar="DIR", type=Path, help="folder of the release, or archive")
    flags.add_argument("--out", required=True, metavar="FILE", help="the HDF5 file to write; must not exist")
    flags.add_argument("--classes", type=int, choices=(10, 100), help="which release, where both are there")
    flags.add_argument(
        "--no-checksum", action="store_true", help="take files whose MD5 is not the published one, such as re-made ones"
    )
    return flags


def main(arguments=None):
    """The command line; see the top of this file."""
    options = parser().parse_args(arguments)
    check_out(options.out)
    with show_stages(4) as begin:
        pictures = prepare(options.root, options.classes, not options.no_checksum, begin)
        begin("writing the file")
        write_pictures(options.out, pictures)
    counts = ", ".join(f"{(pictures.split == split).sum()} {split}" for split in ("train", "valid", "test"))
    checked = "MD5s not compared" if options.no_checksum else "MD5s as published"
    print(f"{pictures.source}: {len(pictures)} pictures of {len(pictures.classes)} classes ({counts}); {checked}")
    print(f"{options.out}: sha256:{hashlib.sha256(Path(options.out).read_bytes()).hexdigest()}")
    print(f"contents sha256:{pictures.digest}")


if __name__ == "__main__":
    run(main)
