"""Every reader of what comes from outside, as a function of the bytes of one file."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from msgspec import to_builtins

from crmn_legacy import archive
from crmn_legacy.archive import checkpoint
from crmn_legacy.archive.compare import RunOnDisk
from crmn_legacy.commands.tables import measured_results
from crmn_legacy.data import ChannelMeanStd
from crmn_legacy.data.boxes import crop_face
from crmn_legacy.data.files.face_boxes import read_boxes
from crmn_legacy.data.files.faces import read_faces
from crmn_legacy.data.files.labelled_pictures import read_pictures
from crmn_legacy.data.files.photographs import open_picture, read_points
from crmn_legacy.installation import RECIPES, load_recipe
from crmn_legacy.report import read_run, render
from crmn_legacy.training.run_plan import make_plan, merge_options, read_former
from crmn_legacy.training.schedules.rate_shifts import RateSchedule
from data_prep.cifar_pickle import read_batch
from data_prep.cifar_release import find_release, read_files
from tests.data_prep.cifar_folders import CIFAR10
from tests.fuzz import mutations, seeds

_PICTURE = np.zeros((100, 100), np.uint8)
_SCHEDULE = RateSchedule(rate=0.1, factors=(0.1, 0.5), minimum_epochs=1, patience=1)
_RECIPE = load_recipe(RECIPES / f"{seeds.ROW}.py")


@dataclass
class Target:
    """A format.

    Attributes
    ----------
    seeds : list of bytes
        Whole files, which `read` takes.
    strategy : hypothesis strategy of bytes
        Spoiled ones.
    read : callable
        Takes the path of the file, reads it and uses what it gives as the package does.
    name : str
        What the file is called; the other files of a run lie beside it.
    """

    seeds: list
    strategy: object
    read: object
    name: str = "input"

    def write(self, folder, content):
        """Put `content` where `read` finds it; returns its path."""
        path = Path(folder) / self.name
        path.write_bytes(content)
        return path


def _points(path):
    crop_face(_PICTURE, read_points(path))


def _boxes(path):
    for boxes in read_boxes(path).values():
        for box in boxes:
            crop_face(_PICTURE, np.reshape(box.corners, (2, 2)))


def _record(path):
    folder = path.parent
    seeds.write_manifest(folder)
    measured_results(folder.parent)
    former = read_former(_RECIPE, folder / archive.RECIPE, folder, None)
    options = merge_options({"epochs": 3}, former)
    make_plan(_RECIPE, options, former)


def _folder(path):
    """What commands do with a run's folder that somebody sent."""
    archive.verify(path.parent)
    render([read_run(path.parent)])
    RunOnDisk.read(path.parent)


def _curve(path):
    seeds.write_manifest(path.parent)
    _folder(path)
    archive.read_curve(path.parent)


def _arrays(path):
    archive.digest_tensors(archive.read_arrays(path))


def _progress(path):
    arrays = {**seeds.STATE, "progress": np.array(path.read_bytes().decode("utf-8", "replace"))}
    state, progress = checkpoint.unpack(arrays)
    checkpoint.require_like(state, seeds.STATE)
    # As the loop goes on, and ends.
    _SCHEDULE.rates(_SCHEDULE.after_epoch(progress.schedule, progress.epoch, 0.1))
    best = progress.curve[progress.schedule.best_epoch - 1].validation_loss if progress.curve else 0.0
    archive.digest_tensors({}, [*progress.losses, best], progress.bits)
    json.dumps(to_builtins(progress))


def _labelled(path):
    pictures = read_pictures(path)
    if (pictures.split == "train").any():
        ChannelMeanStd()(pictures.images[:1], pictures)


def _release(path):
    files = read_files(*find_release(path, None), checked=False)
    for content in files.values():
        read_batch(content)


def make(folder):
    """The targets by name; `folder` is where files are made."""
    stored, packed = seeds.arrays()
    place = Path(folder) / "seeds"
    place.mkdir()
    (faces,) = seeds.faces(place)
    labelled, release = seeds.labelled(place), seeds.release(place)
    lines, _ = seeds.curve()
    record, progress = seeds.record(), to_builtins(seeds.progress())
    batches = seeds.batches()
    operations = [mutations.pickle_operations(batch) for batch in batches]
    seeds.write_folder(place / "run")
    manifest = [(place / "run" / archive.MANIFEST).read_bytes()]
    spoiled = mutations.spoiled_bytes
    return {
        "pts": Target(seeds.points(), spoiled(seeds.points()), _points),
        "boxes.csv": Target(seeds.boxes_csv(), spoiled(seeds.boxes_csv()), _boxes, "boxes.csv"),
        "boxes.json": Target(
            *_text([json.dumps(entry).encode() for entry in seeds.boxes()], seeds.boxes()[0]), _boxes, "boxes.json"
        ),
        "picture": Target(
            seeds.pictures(), st.one_of(spoiled(seeds.pictures()), mutations.spoiled_png()), open_picture
        ),
        "hdf5": Target([faces], st.one_of(spoiled([faces], 3), mutations.spoiled_faces(faces)), read_faces),
        "labelled": Target(labelled, spoiled(labelled, 3), _labelled),
        "release": Target(release, spoiled(release), _release, CIFAR10.archive),
        "npz": Target(stored, st.one_of(spoiled(stored + packed), mutations.spoiled_archive()), _arrays),
        "run.json": Target(*_text([json.dumps(record).encode()], record), _record, archive.RUN),
        "curve.jsonl": Target(
            [seeds.lines_of(lines).encode()],
            st.one_of(spoiled([seeds.lines_of(lines).encode()]), mutations.as_lines(lines)),
            _curve,
            archive.CURVE,
        ),
        "folder": Target(*_text([json.dumps(record).encode()], record), _curve, archive.RUN),
        "manifest": Target(manifest, spoiled(manifest), _folder, archive.MANIFEST),
        "progress": Target(*_text([json.dumps(progress).encode()], progress), _progress),
        "cifar": Target(batches, st.one_of(spoiled(batches), mutations.spoiled_pickle(operations)), read_batch),
    }


def _text(files, value):
    fields = mutations.spoiled_json(value).map(lambda value: json.dumps(value).encode())
    return files, st.one_of(mutations.spoiled_bytes(files), fields, fields)
