"""The CIFAR preparation: archives as released in, one pictures file out, and bad input refused in one line."""

import hashlib
import io
import os
import pickle
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from crmn_legacy.data.files.labelled_pictures import read_pictures
from crmn_legacy.data.whitening import STORED, Statistics
from data_prep import cifar
from data_prep.cifar_release import RELEASES
from tests.data_prep.cifar_folders import CIFAR10, CIFAR100, PICTURES, batch, contents, make_archive, make_folder
from tests.data_prep.program import run_main, run_script

SCRIPT = Path(cifar.__file__)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Within this process, one statistic for all: whitening takes the most time."""
    monkeypatch.setattr(cifar, "training_statistics", lambda images: {"pixel_mean": Statistics(images).pixel_mean})


@pytest.fixture
def prepare(capsys):
    """Run the script's main in this process, given its arguments."""
    return lambda *arguments: run_main(capsys, cifar.main, *arguments)


@pytest.fixture
def release(tmp_path):
    """A small CIFAR-10 folder."""
    return make_folder(tmp_path / "data", CIFAR10)


def refused(prepare, root, out, *more):
    """The line with which the script refuses `root`; nothing may be written."""
    done = prepare("--root", root, "--out", out, *more)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert "expected" in done.stderr
    assert not out.exists()
    return done.stderr


@pytest.mark.parametrize("which", RELEASES, ids=lambda release: release.folder)
@pytest.mark.parametrize("make", [make_folder, make_archive])
def test_release_becomes_one_file(prepare, tmp_path, which, make):
    make(tmp_path, which)
    done = prepare("--root", tmp_path, "--out", tmp_path / "out.h5", "--no-checksum")
    assert (done.returncode, done.stderr) == (0, "")
    pictures = read_pictures(tmp_path / "out.h5")
    count = PICTURES[which.classes]
    train = count * len(which.train)
    assert {split: int((pictures.split == split).sum()) for split in ("train", "valid", "test")} == {
        "train": train - train // 10,
        "valid": train // 10,
        "test": count,
    }
    assert pictures.source == f"cifar{which.classes}"
    assert pictures.classes.tolist() == [f"class {number}" for number in range(which.classes)]
    for place, file in enumerate(which.train + which.test):
        expected, rows = batch(which, place), slice(place * count, (place + 1) * count)
        np.testing.assert_array_equal(pictures.images[rows].reshape(count, -1), expected[b"data"])
        labels = expected.get(b"labels") or expected[b"fine_labels"]
        assert pictures.labels[rows].tolist() == labels
        assert pictures.name[rows][3] == f"{file}/picture_{place}_3.png"
    assert set(pictures.split[-count:]) == {"test"}
    assert hashlib.sha256((tmp_path / "out.h5").read_bytes()).hexdigest() in done.stdout
    assert pictures.digest in done.stdout
    assert "MD5s not compared" in done.stdout


def test_script_runs_from_anywhere_and_stores_all_statistics(release, tmp_path):
    done = run_script(SCRIPT, "--root", release, "--out", tmp_path / "out.h5", "--no-checksum", folder="/")
    assert (done.returncode, done.stderr) == (0, "")
    pictures = read_pictures(tmp_path / "out.h5")
    assert tuple(pictures.stored) == STORED


def test_a_terminal_is_told_the_stages(release, tmp_path, monkeypatch):
    told = io.StringIO()
    told.isatty = lambda: True
    monkeypatch.setattr("sys.stderr", told)
    cifar.main(["--root", str(release), "--out", str(tmp_path / "out.h5"), "--no-checksum"])
    assert re.findall(r"stage (\d) of 4: (\w+)", told.getvalue()) == [
        ("1", "reading"), ("2", "taking"), ("3", "statistics"), ("4", "writing"), ("4", "writing")
    ]  # fmt: skip


def test_statistics_are_of_the_training_part_alone(release, tmp_path):
    cifar.main(["--root", str(release), "--out", str(tmp_path / "out.h5"), "--no-checksum"])
    pictures = read_pictures(tmp_path / "out.h5")
    training = pictures.images[pictures.split == "train"]
    np.testing.assert_allclose(pictures.stored["pixel_mean"], training.mean(axis=0), rtol=1e-14)


def test_folder_and_archive_give_the_same_bytes(tmp_path):
    for place, make in (("one", make_folder), ("two", make_archive)):
        (tmp_path / place).mkdir()
        make(tmp_path / place, CIFAR10)
        cifar.main(["--root", str(tmp_path / place), "--out", str(tmp_path / f"{place}.h5"), "--no-checksum"])
    assert (tmp_path / "one.h5").read_bytes() == (tmp_path / "two.h5").read_bytes()


def test_split_of_the_official_numbers():
    split = cifar.divide(50_000, 10_000)
    assert [int((split == name).sum()) for name in ("train", "valid", "test")] == [45_000, 5_000, 10_000]
    assert set(split[50_000:]) == {"test"}
    np.testing.assert_array_equal(split, cifar.divide(50_000, 10_000))
    # Drawn from all batches alike.
    parts = (split[:50_000].reshape(5, -1) == "valid").sum(axis=1)
    np.testing.assert_allclose(parts, 1000, atol=100)


def test_pictures_without_file_names_are_numbered(release, tmp_path):
    record = batch(CIFAR10, 5)
    del record[b"filenames"]
    (release / "test_batch").write_bytes(pickle.dumps(record, protocol=2))
    cifar.main(["--root", str(release), "--out", str(tmp_path / "out.h5"), "--no-checksum"])
    assert read_pictures(tmp_path / "out.h5").name[-1] == "test_batch/00019"


def test_md5s_are_compared_unless_told_otherwise(prepare, release, tmp_path):
    assert CIFAR10.md5s["data_batch_1"] in refused(prepare, release, tmp_path / "out.h5")


def test_truncated_batch_is_refused_and_named(prepare, release, tmp_path):
    path = release / "data_batch_2"
    path.write_bytes(path.read_bytes()[:30_000])
    said = refused(prepare, release, tmp_path / "out.h5", "--no-checksum")
    assert "data_batch_2" in said and "cut off" in said


class Evil:
    def __reduce__(self):
        return os.system, ("touch evil",)


def test_foreign_global_is_refused_and_named_and_not_run(prepare, release, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    record = batch(CIFAR10, 1)
    record[b"labels"] = Evil()
    (release / "data_batch_4").write_bytes(pickle.dumps(record, protocol=2))
    said = refused(prepare, release, tmp_path / "out.h5", "--no-checksum")
    assert "data_batch_4" in said and "system" in said
    assert not (tmp_path / "evil").exists()


def test_file_of_the_other_release_is_refused(prepare, release, tmp_path):
    (release / "data_batch_1").write_bytes(contents(CIFAR100)["train"])
    said = refused(prepare, release, tmp_path / "out.h5", "--no-checksum")
    assert "data_batch_1' without labels; expected the file data_batch_1 of CIFAR-10" in said


def test_names_in_place_of_a_batch_are_refused(prepare, release, tmp_path):
    shutil.copy(release / "batches.meta", release / "test_batch")
    assert "test_batch' without labels" in refused(prepare, release, tmp_path / "out.h5", "--no-checksum")


def test_batch_in_place_of_the_names_is_refused(prepare, release, tmp_path):
    shutil.copy(release / "data_batch_1", release / "batches.meta")
    assert "batches.meta' without label_names" in refused(prepare, release, tmp_path / "out.h5", "--no-checksum")


def test_other_release_than_asked_for_is_refused(prepare, release, tmp_path):
    said = refused(prepare, release.parent, tmp_path / "out.h5", "--no-checksum", "--classes", "100")
    assert "holds CIFAR-10; expected cifar-100-python/" in said


def test_both_releases_need_a_choice(prepare, release, tmp_path):
    make_archive(release.parent, CIFAR100)
    root, out = release.parent, tmp_path / "out.h5"
    assert "--classes 10 or 100" in refused(prepare, root, out, "--no-checksum")
    assert prepare("--root", root, "--out", out, "--no-checksum", "--classes", "100").returncode == 0
    assert read_pictures(out).source == "cifar100"


def test_existing_out_is_refused_and_kept(prepare, release, tmp_path):
    (tmp_path / "out.h5").write_text("mine")
    done = prepare("--root", release, "--out", tmp_path / "out.h5")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert (tmp_path / "out.h5").read_text() == "mine"


@pytest.mark.parametrize(
    "more", [["--out"], ["--out", "y", "--classes", "20"], ["--out", "y", "--fast"], ["--out", "y", "--no-check"], []]
)
def test_wrong_options_are_one_line(prepare, more):
    done = prepare("--root", "x", *more)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("error: ")


def test_help_is_given(prepare):
    done = prepare("--help")
    assert done.returncode == 0
    assert "--no-checksum" in done.stdout
