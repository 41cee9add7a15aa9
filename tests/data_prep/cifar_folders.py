"""Small releases of CIFAR for tests, laid out and pickled as the official ones."""

import io
import pickle
import tarfile

import numpy as np

from data_prep.cifar_release import RELEASES

CIFAR10, CIFAR100 = RELEASES
# Enough of each class for every class to be there.
PICTURES = {10: 20, 100: 100}


def labels_of(classes, place, count):
    """Labels of batch number `place`: every class comes, in an order of its own."""
    return np.random.default_rng((classes, place)).permutation(count) % classes


def batch(release, place, count=None):
    """A batch as the archive holds it, keys and texts as bytes."""
    count = count or PICTURES[release.classes]
    labels = labels_of(release.classes, place, count)
    pixels = np.random.default_rng(place).integers(0, 256, size=(count, 3072), dtype=np.uint8)
    record = {
        b"batch_label": b"batch %d" % place,
        b"data": pixels,
        b"filenames": [b"picture_%d_%d.png" % (place, number) for number in range(count)],
    }
    if release.classes == 10:
        return {**record, b"labels": labels.tolist()}
    return {**record, b"fine_labels": labels.tolist(), b"coarse_labels": (labels // 5).tolist()}


def contents(release):
    """The bytes of each file of a small release."""
    batches = {name: batch(release, place) for place, name in enumerate(release.train + release.test)}
    names = [b"class %d" % number for number in range(release.classes)]
    if release.classes == 10:
        meta = {b"label_names": names, b"num_cases_per_batch": 10_000, b"num_vis": 3072}
    else:
        meta = {b"fine_label_names": names, b"coarse_label_names": [b"group %d" % number for number in range(20)]}
    return {name: pickle.dumps(record, protocol=2) for name, record in {**batches, release.names: meta}.items()}


def make_folder(root, release):
    """Write a small release's folder below `root`; its path."""
    folder = root / release.folder
    folder.mkdir(parents=True)
    for name, content in contents(release).items():
        (folder / name).write_bytes(content)
    (folder / "readme.html").write_text("as the official one has")
    return folder


def member(name, content=b"", kind=tarfile.REGTYPE, link=""):
    """A member of an archive and its content."""
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = len(content), kind, link
    return info, content


def make_archive(root, release, more=(), without=()):
    """Write a small release's archive below `root`, with the members `more` at its end; its path."""
    members = [member(release.folder, kind=tarfile.DIRTYPE)]
    members += [member(f"{release.folder}/{name}", content) for name, content in contents(release).items()]
    path = root / release.archive
    with tarfile.open(path, "w:gz") as archive:
        for info, content in [*members, *more]:
            if info.name.rpartition("/")[2] not in without:
                archive.addfile(info, io.BytesIO(content))
    return path
