"""Pictures files survive the way to disk and back; whatever else is given is refused in one line."""

import os
from dataclasses import replace

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crmn_legacy.data.files.faces import read_faces, write_faces
from crmn_legacy.data.files.labelled_pictures import read_pictures, write_pictures
from crmn_legacy.data.whitening import STORED, Statistics, training_statistics
from tests.data.faces import plain_faces
from tests.data.files.test_faces import refused, replace_dataset
from tests.data.labelled import plain_pictures

PER_PICTURE = ("images", "labels", "split", "name")


@pytest.fixture(scope="module")
def statistics():
    """As data_prep stores them, of pictures of the right size."""
    pictures = plain_pictures()
    return training_statistics(pictures.images[pictures.split == "train"])


@pytest.fixture
def pictures_file(tmp_path):
    write_pictures(tmp_path / "pictures.h5", plain_pictures())
    return tmp_path / "pictures.h5"


@pytest.mark.parametrize("classes", [10, 100])
def test_pictures_come_back_as_they_were_written(tmp_path, classes):
    written = plain_pictures(classes=classes)
    write_pictures(tmp_path / "pictures.h5", written)
    read = read_pictures(tmp_path / "pictures.h5")
    for name in (*PER_PICTURE, "classes"):
        array = getattr(read, name)
        np.testing.assert_array_equal(array, getattr(written, name))
        assert array.dtype.kind == getattr(written, name).dtype.kind
    assert (read.source, read.sources_digest, read.stored) == ("rendered", "cd" * 32, {})
    assert read.digest == written.digest
    assert len(read) == 17


def test_statistics_come_back_and_are_used(tmp_path, statistics):
    written = replace(plain_pictures(), stored=statistics)
    write_pictures(tmp_path / "pictures.h5", written)
    read = read_pictures(tmp_path / "pictures.h5")
    assert tuple(read.stored) == STORED
    for name in STORED:
        np.testing.assert_array_equal(read.stored[name], statistics[name])
    assert read.digest == written.digest != plain_pictures().digest
    np.testing.assert_array_equal(read.statistics.whitening(), statistics["whitening"])


def test_statistics_that_are_not_stored_are_computed_of_the_training_pictures_alone(statistics):
    pictures = plain_pictures()
    changed = pictures.images.copy()
    changed[pictures.split != "train"] = 0
    for images in (pictures.images, changed):
        found = replace(pictures, images=images).statistics
        np.testing.assert_array_equal(found.channel_mean, statistics["channel_mean"])
        np.testing.assert_array_equal(found.contrast_mean(), statistics["contrast_mean"])
        np.testing.assert_array_equal(found.whitening(), statistics["whitening"])


def test_statistics_need_training_pictures():
    assert "no picture in its split 'train'" in refused(lambda: plain_pictures(train=0).statistics)


def test_statistics_are_made_once():
    pictures = plain_pictures()
    assert isinstance(pictures.statistics, Statistics)
    assert pictures.statistics is pictures.statistics
    assert pictures.statistics.whitening() is pictures.statistics.whitening()


def test_equal_pictures_give_equal_bytes(tmp_path, pictures_file):
    write_pictures(tmp_path / "again.h5", plain_pictures())
    assert (tmp_path / "again.h5").read_bytes() == pictures_file.read_bytes()


def test_file_names_its_version_and_is_gzip(pictures_file):
    with h5py.File(pictures_file) as file:
        assert file.attrs["crmn_legacy_format"] == "pictures/1"
        assert {dataset.compression for dataset in file.values()} == {"gzip"}


@pytest.mark.parametrize("name", [*PER_PICTURE, "classes"])
def test_digest_sees_every_array(name):
    pictures = plain_pictures()
    changed = getattr(pictures, name).copy()
    last = changed.reshape(-1)[-1:]
    last[:] = last + 1 if name in ("images", "labels") else "train"
    assert replace(pictures, **{name: changed}).digest != pictures.digest


def test_digest_sees_the_source():
    assert replace(plain_pictures(), source="cifar10").digest != plain_pictures().digest


@pytest.mark.parametrize(
    "change",
    [
        {"images": np.zeros((17, 3, 28, 28), np.uint8)},
        {"images": np.zeros((16, 3, 32, 32), np.uint8)},
        {"labels": np.zeros(17, np.int64)},
        {"labels": np.full(17, 10, np.uint8)},
        {"split": np.full(17, "training")},
        {"classes": np.array(["cat", "dog"])},
        {"classes": np.array(["cat"] * 10)},
        {"source": "mnist"},
        {"stored": {"channel_mean": np.zeros(4)}},
        {"stored": {"channel_std": np.zeros(3)}},
        {"stored": {"pixel_mean": np.full((3, 32, 32), np.nan)}},
    ],
)
def test_pictures_that_are_none_are_not_written(tmp_path, change):
    with pytest.raises(ValueError, match="pictures"):
        write_pictures(tmp_path / "pictures.h5", replace(plain_pictures(), **change))
    assert not list(tmp_path.iterdir())


def test_faces_given_to_a_classifier_are_refused(tmp_path):
    write_faces(tmp_path / "faces.h5", plain_faces())
    said = refused(read_pictures, tmp_path / "faces.h5")
    assert "holds faces with keypoints" in said and "data_prep/cifar.py" in said


def test_pictures_given_for_faces_are_refused(pictures_file):
    assert "has format 'pictures/1'; expected 'faces/1'" in refused(read_faces, pictures_file)


def test_what_is_no_file_of_pictures_is_refused(tmp_path):
    assert "does not exist" in refused(read_pictures, tmp_path / "none.h5")
    assert "folder" in refused(read_pictures, tmp_path)
    (tmp_path / "text.h5").write_text("not HDF5 at all")
    assert "no HDF5 file" in refused(read_pictures, tmp_path / "text.h5")
    os.mkfifo(tmp_path / "pipe.h5")
    assert "no regular file" in refused(read_pictures, tmp_path / "pipe.h5")


@pytest.mark.parametrize("version", ["pictures/2", "pictures", 1])
def test_another_version_is_refused(pictures_file, version):
    with h5py.File(pictures_file, "r+") as file:
        file.attrs["crmn_legacy_format"] = version
    assert "expected 'pictures/1'" in refused(read_pictures, pictures_file)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("images", {"data": np.zeros((17, 32, 32, 3), np.uint8)}),
        ("images", {"data": np.zeros((17, 3, 32, 32), np.float32)}),
        ("labels", {"data": np.zeros(17, np.int64)}),
        ("labels", {"data": np.zeros(16, np.uint8)}),
        ("classes", {"data": np.array([b"cat"] * 11)}),
        ("source", {"data": np.array([b"rendered"] * 2)}),
        ("source", {"data": np.array([b"other"])}),
        ("split", {"data": np.array([b"other"] * 17)}),
        ("channel_mean", {"data": np.zeros(3, np.float32)}),
        ("global_std", {"data": np.zeros(2)}),
        ("whitening", {"data": np.zeros((3, 3072), np.float32)}),
    ],
)
def test_wrong_shapes_and_dtypes_are_refused(pictures_file, name, options):
    with h5py.File(pictures_file, "r+") as file:
        file.pop(name, None)
        file.create_dataset(name, **options)
    refused(read_pictures, pictures_file)


@pytest.mark.parametrize("name", [*PER_PICTURE, "classes", "source"])
def test_missing_dataset_is_refused(pictures_file, name):
    with h5py.File(pictures_file, "r+") as file:
        del file[name]
    assert f"no dataset '{name}'" in refused(read_pictures, pictures_file)


def test_label_beyond_the_classes_is_refused(pictures_file):
    with h5py.File(pictures_file, "r+") as file:
        file["labels"][3] = 10
    assert "label 10 at picture 3 of 10 classes" in refused(read_pictures, pictures_file)


@pytest.mark.parametrize(("name", "value"), [("channel_std", 0.0), ("global_std", -1.0), ("contrast_mean", np.inf)])
def test_statistics_that_cannot_be_are_refused(pictures_file, statistics, name, value):
    changed = statistics[name].copy()
    changed[0] = value
    with h5py.File(pictures_file, "r+") as file:
        file.create_dataset(name, data=changed)
    assert name in refused(read_pictures, pictures_file)


@pytest.mark.parametrize("link", [h5py.SoftLink("/labels"), h5py.ExternalLink("other.h5", "/channel_mean")])
def test_optional_dataset_elsewhere_is_refused(pictures_file, link):
    with h5py.File(pictures_file, "r+") as file:
        file["channel_mean"] = link
    refused(read_pictures, pictures_file)


def test_dataset_that_declares_more_than_it_stores_is_refused_unread(pictures_file):
    replace_dataset(pictures_file, "images", shape=(190_000, 3, 32, 32), dtype="u1", chunks=(1, 3, 32, 32))
    refused(read_pictures, pictures_file)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(part=st.floats(0, 0.999))
def test_file_cut_off_anywhere_is_refused(pictures_file, part):
    content = pictures_file.read_bytes()
    cut = pictures_file.with_name("cut.h5")
    cut.write_bytes(content[: int(part * len(content))])
    refused(read_pictures, cut)
