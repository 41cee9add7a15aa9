"""Runs from their command line to their last line, and every command line that must be refused."""

import json
import math
import shutil

import h5py
import numpy as np
import pytest
from msgspec.structs import replace

from crmn_legacy import archive
from crmn_legacy.archive import golden
from crmn_legacy.archive.record import Plan, RunRecord
from crmn_legacy.data.files.faces import write_faces
from crmn_legacy.options import Options
from crmn_legacy.training import run
from tests.training.runs import (
    TINY,
    assert_one_line,
    bits_of,
    contents,
    faces,
    refuse_tiny,
    run_tiny,
)


@pytest.fixture
def refuse(capsys, monkeypatch, tmp_path):
    """Refused in one line, and nothing written anywhere below the test's folder."""

    def check(*arguments):
        before = contents(tmp_path)
        line = refuse_tiny(capsys, monkeypatch, *arguments)
        assert contents(tmp_path) == before
        return line

    return check


# --- data that will not do


def absent(path):
    path.unlink()


def a_folder(path):
    path.unlink()
    path.mkdir()


def a_picture(path):
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(500))


def cut_off(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def of_another_version(path):
    with h5py.File(path, "r+") as file:
        file.attrs["crmn_legacy_format"] = "faces/2"


def of_wrong_shapes(path):
    with h5py.File(path, "r+") as file:
        del file["images"]
        file.create_dataset("images", data=np.zeros((24, 80, 80), np.uint8), compression="gzip")


def with_nan(path):
    with h5py.File(path, "r+") as file:
        file["keypoints"][3, 7, 0] = math.nan


def without_training(path):
    write_faces(path, faces(train=0, valid=4))


def without_validation(path):
    write_faces(path, faces(valid=0))


def with_less_than_a_batch(path):
    write_faces(path, faces(train=3))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (absent, "does not exist"),
        (a_folder, "folder"),
        (a_picture, "no HDF5 file or a damaged one"),
        (cut_off, "no HDF5 file or a damaged one"),
        (of_another_version, "'faces/2'; expected 'faces/1'"),
        (of_wrong_shapes, "'images'"),
        (with_nan, "not finite, first in picture 3"),
        (without_training, "no picture in its split 'train'"),
        (without_validation, "no picture in its split 'valid'"),
        (with_less_than_a_batch, "at least a batch of 4"),
    ],
)
def test_data_that_will_not_do_are_refused(refuse, tmp_path, spoil, said):
    write_faces(tmp_path / "faces.h5", faces())
    spoil(tmp_path / "faces.h5")
    assert said in refuse("--data", tmp_path / "faces.h5", "--out", tmp_path / "run")


# --- options that will not do


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--epo", "3"], "unrecognized arguments: --epo 3"),
        (["--dataa", "x.h5"], "unrecognized arguments"),
        (["surplus"], "unrecognized arguments: surplus"),
        (["--epochs", "0"], "got '0', expected a whole number of at least 1"),
        (["--epochs", "-1"], "at least 1"),
        (["--epochs", "2.5"], "at least 1"),
        (["--steps", "0"], "at least 1"),
        (["--devices", "0"], "at least 1"),
        (["--devices", "3"], "expected a divisor of the batch size 4"),
        (["--seed", "-1"], "from 0 to 2**64 - 1"),
        (["--seed", str(2**64)], "from 0 to 2**64 - 1"),
        (["--bits", "exact"], "invalid choice: 'exact'"),
        (["--precision", "half"], "invalid choice: 'half'"),
        (["--precision", "tf32"], "add --device cuda"),
        (["--precision", "bfloat16", "--backend", "c"], "expected --backend xla"),
        (["--backend", "c", "--devices", "2"], "expected --device cpu --devices 1"),
        (["--backend", "c", "--device", "cuda"], "expected --device cpu --devices 1"),
        (["--data"], "expected one argument"),
    ],
)
def test_options_that_will_not_do_are_refused(refuse, tmp_path, data, options, said):
    assert said in refuse("--data", data, "--out", tmp_path / "run", *options)


def test_a_device_that_is_not_there_is_refused(tmp_path, data):
    child = run_tiny("--data", data, "--out", tmp_path / "run", "--device", "cuda", CUDA_VISIBLE_DEVICES="")
    assert "--device cuda got no such device" in assert_one_line(child)
    assert not (tmp_path / "run").exists()


def test_a_limit_of_memory_under_which_xla_would_wait_for_ever_is_refused(tmp_path, data):
    limit = "resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))\n"
    child = run_tiny("--data", data, "--out", tmp_path / "run", before=limit)
    assert "got a limit of 1024 MB on this process's memory (ulimit -v)" in assert_one_line(child)
    assert not (tmp_path / "run").exists()


def not_empty(path):
    path.mkdir()
    (path / "notes.txt").write_text("mine")
    return path


def a_file(path):
    path.write_text("mine")
    return path


def below_a_file(path):
    return a_file(path) / "run"


@pytest.mark.parametrize(
    ("make", "said"),
    [(not_empty, "exists and is not empty"), (a_file, "File exists"), (below_a_file, "Not a directory")],
)
def test_a_place_for_the_folder_that_will_not_do_is_refused(refuse, tmp_path, data, make, said):
    assert said in refuse("--data", data, "--out", make(tmp_path / "out"))


def test_a_place_that_nobody_may_write_is_refused(refuse, data):
    line = refuse("--data", data, "--out", "/proc/crmn_legacy/run")
    assert "cannot be made a folder" in line and "give another --out" in line


# --- runs that cannot be resumed


@pytest.fixture
def stopped(tmp_path, finished):
    """A copy of a run that lacks its last file, the manifest."""
    folder = tmp_path / "run"
    shutil.copytree(finished[0], folder)
    (folder / archive.MANIFEST).unlink()
    return folder


def test_no_run_to_resume(refuse, tmp_path):
    (tmp_path / "empty").mkdir()
    assert "does not exist" in refuse("--resume", tmp_path / "empty")
    assert "does not exist" in refuse("--resume", tmp_path / "nowhere")


def test_a_finished_run_is_not_resumed(refuse, tmp_path, finished):
    shutil.copytree(finished[0], tmp_path / "run")
    assert "is finished (epoch 3)" in refuse("--resume", tmp_path / "run")
    assert "is finished (epoch 3)" in refuse("--resume", tmp_path / "run", "--epochs", "3")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--seed", "2"], "--seed 2, expected 1 as in the run"),
        (["--precision", "float64"], "--precision float64, expected float32"),
        (["--bits", "fast"], "--bits fast, expected portable"),
        (["--smoke"], "--smoke True, expected False"),
        (["--trace"], "--trace True, expected False"),
        (["--epochs", "2"], "--epochs 2, expected none"),
        (["--steps", "20"], "--steps 20, expected none"),
        (["--out", "elsewhere"], "--resume got --out as well"),
    ],
)
def test_a_run_is_not_resumed_as_another(refuse, stopped, options, said):
    assert said in refuse("--resume", stopped, *options)


def test_a_run_is_not_resumed_on_other_data(refuse, stopped, tmp_path):
    other = tmp_path / "other.h5"
    write_faces(other, faces(seed=1))
    line = refuse("--resume", stopped, "--data", other)
    assert "expected" in line and "the data that the run began with" in line


def change(folder, **changes):
    record = {**json.loads((folder / archive.RUN).read_text()), **changes}
    (folder / archive.RUN).write_text(json.dumps(record))


def test_a_run_is_not_resumed_by_another_recipe(refuse, stopped):
    change(stopped, row="table1_resnet_n5_fm4")
    assert "a run of 'table1_resnet_n5_fm4', expected one of 'table1_crmn'" in refuse("--resume", stopped)


def test_a_run_is_not_resumed_by_a_recipe_that_has_changed(refuse, stopped):
    kept = stopped / archive.RECIPE
    kept.write_text(kept.read_text().replace("rate=0.05", "rate=0.06"))
    assert "not as it was when the run began" in refuse("--resume", stopped)


def test_a_run_without_a_whole_checkpoint_is_not_resumed(stopped):
    for name in (archive.CHECKPOINT, archive.FORMER_CHECKPOINT):
        (stopped / name).write_bytes(b"PK\x03\x04")
    assert "without a whole checkpoint" in assert_one_line(run_tiny("--resume", stopped))


PLAN = Plan(kind="rehearsal", arguments={}, batch_size=4, epochs=1, steps=None)
OPTIONS = json.loads(
    '{"backend": "xla", "bits": "portable", "data": null, "device": "cpu", "devices": 1, "epochs": null,'
    '"precision": "float32", "seed": 1, "smoke": false, "steps": null}'
)


@pytest.mark.parametrize(
    "changes",
    [
        {"row": ["table1_crmn"]},
        {"plan": None},
        {"plan": {"epochs": 3}},
        {"options": {}},
        {"options": {**OPTIONS, "devices": 0}},
        {"options": {**OPTIONS, "devices": "2"}},
        {"options": {**OPTIONS, "backend": "gcc"}},
        {"options": {**OPTIONS, "data": 7}},
        {"options": {**OPTIONS, "data": "/nowhere/faces.h5"}},
        {"options": {**OPTIONS, "seed": -1}},
        {"data_digest": None},
        {"started": 3},
    ],
    ids=str,
)
def test_an_altered_record_is_refused(refuse, stopped, changes):
    change(stopped, **changes)
    assert refuse("--resume", stopped).startswith("error: ")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000, "\udc80"])
def test_a_record_that_is_no_json_object_is_refused(refuse, stopped, text):
    (stopped / archive.RUN).write_bytes(text.encode("utf-8", "surrogateescape"))
    assert f"{archive.RUN}', which" in refuse("--resume", stopped)


# --- runs that go through


def test_seed_and_data_move_the_bits_and_nothing_else_does(tmp_path, data, finished):
    folder = tmp_path / "a"
    same = run_tiny("--data", data.name, "--out", folder, cwd=data.parent, PYTHONHASHSEED="7", OMP_NUM_THREADS="3")
    assert bits_of(same) == finished[1]
    other_seed = run_tiny("--data", data, "--out", tmp_path / "b", "--seed", "2")
    assert bits_of(other_seed) != finished[1]
    # Found again from any other folder, the data being noted by their absolute path.
    assert archive.read_record(folder).options.data == str(data)


def test_rehearsal_goes_to_a_folder_named_by_row_and_time_and_says_what_it_is_worth(tmp_path, compiled):
    child = run_tiny("--steps", "2", cwd=tmp_path)
    bits_of(child)
    (folder,) = (tmp_path / "runs").iterdir()
    assert folder.name.startswith("table1_crmn-20") and folder.name.endswith("Z")
    assert "its numbers say nothing about the paper" in child.stdout.splitlines()[0]
    assert len(archive.read_curve(folder)) == 1
    assert archive.read_record(folder).result.updates == 2
    assert archive.read_record(folder).result.test is None
    assert archive.verify(folder) == []
    refused = run_tiny("--resume", folder, "--epochs", "2", cwd=tmp_path)
    # It ended within an epoch: more epochs would make it another run.
    assert_one_line(refused)
    assert archive.verify(folder) == []


def test_a_loss_that_is_nan_ends_the_run_with_status_1_and_one_line(tmp_path, data, finished):
    script = tmp_path / "table1_crmn.py"
    script.write_text(TINY.read_text().replace("rate=0.05", "rate=3e38"))
    child = run_tiny("--data", data, "--out", tmp_path / "run", script=script)
    line = assert_one_line(child, status=1)
    assert "the loss is nan at epoch 1, step " in line and str(tmp_path / "run") in line
    assert archive.read_record(tmp_path / "run").status == "failed"
    checkpoint = archive.read_arrays(tmp_path / "run" / archive.CHECKPOINT)
    assert json.loads(str(checkpoint["progress"]))["updates"] == 0


@pytest.mark.slow
def test_c_backend_trains_to_the_same_losses(tmp_path, data, finished):
    bits_of(run_tiny("--data", data, "--out", tmp_path / "run", "--backend", "c"))
    ours, theirs = archive.read_curve(tmp_path / "run"), archive.read_curve(finished[0])
    for line, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(line.losses, other.losses, rtol=1e-3)


# --- the golden digest


@pytest.fixture
def committed(tmp_path, monkeypatch):
    """What is committed for the row."""
    runs = [{"kind": "smoke", "platform_key": "xla/here", "bits": "sha256:11", "provenance": {}}]
    (tmp_path / "table1_crmn.json").write_text(json.dumps({"runs": runs}))
    monkeypatch.setattr(golden, "GOLDEN", tmp_path)


@pytest.mark.parametrize(
    ("changes", "options", "status", "line"),
    [
        ({}, {}, 0, "golden: match"),
        ({"bits": "sha256:22"}, {}, 1, "golden: differs"),
        ({"platform_key": "xla/there"}, {}, 0, "golden: none for xla/there"),
        ({"plan": PLAN}, {}, 0, "golden: none for xla/here"),
        ({"bits": "sha256:22"}, {"seed": 2}, 0, "golden: none for xla/here"),
        ({"bits": "sha256:22"}, {"network": {"n": 2}}, 0, "golden: none for xla/here"),
        ({"bits": "sha256:22"}, {"set": {"rate": 0.1}}, 0, "golden: none for xla/here"),
        ({}, {"trace": True, "remat": True}, 0, "golden: match"),
        # Of a changed copy of the row's recipe.
        ({"source": {"recipe_of_tree": False}, "bits": "sha256:22"}, {}, 0, "golden: none for xla/here"),
        ({"source": {"recipe_of_tree": False}}, {}, 0, "golden: match"),
        ({"source": {"recipe_of_tree": True}, "bits": "sha256:22"}, {}, 1, "golden: differs"),
        ({"row": "table1_resnet_n5_fm4"}, {}, 0, "golden: none for xla/here"),
    ],
)
def test_last_two_lines_hold_the_digest_against_the_golden_one(committed, capsys, changes, options, status, line):
    plan = replace(PLAN, kind="smoke")
    record = RunRecord(row="table1_crmn", plan=plan, platform_key="xla/here", bits="sha256:11")
    record = replace(record, options=Options(smoke=True, **options), **changes)
    assert run.print_last_lines(record) == status
    assert capsys.readouterr().out.splitlines() == [line, f"bits: {record.bits}"]
