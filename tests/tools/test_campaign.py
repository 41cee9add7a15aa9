"""The campaign on a lent card: what it does in which order, what it leaves out for time, and what comes home."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tools import campaign

ROOT = Path(__file__).parents[2]
JOBS = [["table1_crmn", "float32"], ["table1_crmn", "tf32"], ["table1_resnet_n5_fm4", "float32"]]


@pytest.fixture
def there(tmp_path, monkeypatch):
    """A packed folder, and every command that is given in it; each takes what `answers` says of its first word."""
    plan = {"rows": ["table1_crmn", "table1_resnet_n5_fm4"], "jobs": JOBS, "network": ["n=1"]}
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    monkeypatch.setattr(campaign, "__file__", str(tmp_path / "campaign.py"))
    given = []

    def program(self, *words, most=None):
        given.append(list(map(str, words)))
        if words[0] == "campaign_step.py":
            return 0, ['{"milliseconds": 1.0}']
        place = Path(words[words.index("--out" if "--out" in words else "--resume") + 1])
        place.mkdir(parents=True, exist_ok=True)
        for name in ("run.json", "weights.npz"):
            (place / name).write_bytes(b"0123456789")
        return 0, ["golden: none", "bits: sha256:1"]

    monkeypatch.setattr(campaign.Campaign, "program", program)
    return given


def run(tmp_path, minutes=10):
    words = ["run", "--minutes", str(minutes), "--out", str(tmp_path / "home"), "--device", "cpu"]
    return campaign.run(campaign.parse(words))


def test_it_measures_then_trains_and_brings_home(there, tmp_path, monkeypatch):
    monkeypatch.setattr(campaign, "PIECE", 4)
    assert run(tmp_path) == 0
    found = json.loads((tmp_path / "home" / "results.json").read_text())
    assert found["twice"]["same"] and found["trained table1_crmn"]["finished"]
    assert {
        f"step table1_crmn {kind} {who}" for kind in ("float32", "tf32") for who in campaign.CONTENDERS
    } < found.keys()
    assert not any(name.startswith("step table1_resnet_n5_fm4") for name in found)
    trained = [words for words in there if words[0].startswith("recipes/") and "--steps" not in words]
    assert [words[0] for words in trained] == ["recipes/table1_crmn.py", "recipes/table1_resnet_n5_fm4.py"]
    assert "--programs" in trained[0] and trained[0][-2:] == ["--network", "n=1"]
    pieces = sorted((tmp_path / "home" / "table1_crmn").glob("weights.npz.part*"))
    assert [len(piece.read_bytes()) for piece in pieces] == [4, 4, 2]


def test_it_does_nothing_twice_and_goes_on_with_what_was_begun(there, tmp_path):
    assert run(tmp_path) == 0
    results = tmp_path / "work" / "results.json"
    done = json.loads(results.read_text())
    done["trained table1_crmn"]["finished"] = False
    results.write_text(json.dumps(done))
    there.clear()
    assert run(tmp_path) == 0
    (again,) = there
    assert again[:2] == ["recipes/table1_crmn.py", "--resume"]


def test_without_time_it_begins_nothing_that_takes_long(there, tmp_path):
    assert run(tmp_path, minutes=1) == 0
    assert [words[1] for words in there] == ["machine"]


def test_pieces_are_joined_and_an_altered_one_is_told(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(campaign, "PIECE", 4)
    (tmp_path / "weights.npz").write_bytes(b"0123456789")
    home = tmp_path / "home" / "row"
    home.mkdir(parents=True)
    campaign.split(tmp_path / "weights.npz", home)
    (home / "MANIFEST.sha256").write_text("the run's own\n")
    assert campaign.join(SimpleNamespace(folder=tmp_path / "home")) == 0
    assert (home / "weights.npz").read_bytes() == b"0123456789"
    (home / "weights.npz.part001").write_bytes(b"4657")
    assert campaign.join(SimpleNamespace(folder=tmp_path / "home")) == 1
    assert "pieces are missing or altered" in capsys.readouterr().out


def test_a_folder_that_is_there_is_not_packed_into(tmp_path):
    with pytest.raises(SystemExit, match="which exists, expected a new folder"):
        campaign.pack(campaign.parse(["pack", str(tmp_path), "--data", "faces.h5"]))


def test_a_wheel_of_other_bytes_is_refused(tmp_path, monkeypatch):
    def download(words, check):
        place = Path(words[-1])
        place.mkdir()
        (place / "msgspec.whl").write_bytes(b"other")

    monkeypatch.setattr(campaign.subprocess, "run", download)
    with pytest.raises(SystemExit, match=f"expected {campaign.WHEEL_SHA256}"):
        campaign._unpack_wheel(tmp_path)
    assert hashlib.sha256(b"other").hexdigest() != campaign.WHEEL_SHA256


def test_only_measured_rows_are_packed_in_every_number_format():
    assert campaign._precisions("table1_crmn", ["float32", "tf32"]) == ["float32", "tf32"]
    assert campaign._precisions("table1_resnet_n18_fm4", ["float32", "tf32"]) == ["float32"]


@pytest.mark.slow
def test_a_packed_folder_measures_and_trains_without_the_checkout(tmp_path):
    """Needs the package index, for a wheel of 0.2 MB that Python 3.11 cannot use: it finds its own."""
    from crmn_legacy import samples

    words = [
        "pack",
        str(tmp_path / "packed"),
        "--data",
        str(samples.path("rendered_faces.h5")),
        "--rows",
        "table1_crmn",
    ]
    words += ["--network", "n=1", "fm=1", "--precisions", "float32"]
    subprocess.run([sys.executable, ROOT / "tools" / "campaign.py", *words], cwd=ROOT, check=True)
    shutil.rmtree(tmp_path / "packed" / "msgspec")
    words = ["run", "--minutes", "8", "--out", tmp_path / "home", "--device", "cpu", "--epochs", "1"]
    # A variable of the kind that is set aside: other machines have theirs.
    environment = os.environ | {"OPENBLAS_L2_SIZE": "512"}
    command = [sys.executable, tmp_path / "packed" / "campaign.py", *words]
    subprocess.run(command, cwd=tmp_path, env=environment, check=True)
    found = json.loads((tmp_path / "home" / "results.json").read_text())
    assert found["twice"]["same"] and found["trained table1_crmn"]["finished"]
    assert found["step table1_crmn float32 ours"]["milliseconds"] > 0
