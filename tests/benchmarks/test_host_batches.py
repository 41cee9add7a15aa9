"""The host's batches are measured, and those of every published row are among them."""

import subprocess
import sys

import pytest

from benchmarks import entries, host_batches
from crmn_legacy import data

SMALL = ("--faces", "8", "--pictures", "8", "--batch-size", "4", "--turns", "2", "--threads", "1")


def run(*words):
    command = [sys.executable, entries.ROOT / "benchmarks" / "host_batches.py", *SMALL, *words]
    return subprocess.run(command, cwd=entries.ROOT, capture_output=True, text=True)


def test_what_is_measured_is_appended(tmp_path):
    path = tmp_path / "host.json"
    chosen = ("faces", "cifar-ChannelMeanStd", "cifar-GlobalContrast")
    done = run("--anyway", "--json", path, "--only", *chosen)
    assert done.returncode == 0, done.stderr
    (entry,) = entries.read(path)
    assert [row["what"] for row in entry["numbers"]["rows"]] == list(chosen)
    assert all(row["batch_size"] == 4 and 0 < row["median"] <= row["most"] for row in entry["numbers"]["rows"])
    assert [line.partition(",")[0] for line in done.stderr.splitlines()] == list(chosen)


def test_what_could_not_be_appended_is_refused_before_it_is_measured(tmp_path):
    done = run("--anyway", "--json", tmp_path / "none" / "file.json")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1 and "expected a file in a folder that exists" in done.stderr


@pytest.mark.parametrize("name", host_batches.CIFAR)
def test_pictures_are_prepared_by_the_preprocessing_of_their_name(name):
    batches = host_batches.cifar(name, 8, 4)
    assert type(batches.preprocessing) is getattr(data, name)
    batch = next(batches.epoch(1))
    assert batch["images"].shape == (4, 3, 32, 32) and batch["labels"].shape == (4,)
    assert batch["images"].std() > 0


def test_rows_that_crop_and_mirror_are_measured_as_they_are_published():
    published = set()
    for path in (entries.ROOT / "recipes").glob("table[23]_*.py"):
        text = path.read_text()
        if "CropFlip" in text:
            published.add(next(name for name in (*host_batches.CIFAR, "none") if f"data.{name}(" in text))
    assert published == set(host_batches.CIFAR)
