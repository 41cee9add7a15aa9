"""`rerun` repeats a run from its folder alone, and tells where it parted if it did."""

import json
import os
import shutil
import signal
import subprocess
import sys

import pytest
from msgspec.structs import replace

from crmn_legacy import archive
from crmn_legacy.archive import replay
from crmn_legacy.archive.compare import RunOnDisk
from crmn_legacy.commands.rerun import parting
from crmn_legacy.data.files.faces import write_faces
from tests.folders import rewrite, rewrite_json, write_run
from tests.training.runs import contents, environment, faces


@pytest.fixture
def light(traced, tmp_path):
    """The traced run without its arrays, as golden ones are kept."""
    archive.lighten(traced, tmp_path / "light")
    return tmp_path / "light"


@pytest.fixture
def unlike(traced, tmp_path):
    """A light folder that says its run had the lower rate's result: the recipe, run again, will part from it."""

    def make(source):
        folder = tmp_path / "unlike"
        archive.lighten(source, folder)
        rewrite(folder, archive.RECIPE, (traced / archive.RECIPE).read_bytes())
        return folder

    return make


def test_a_folder_without_arrays_is_repeated_to_the_same_bits_from_a_read_only_place(light, tmp_path):
    place, again = tmp_path / "locked", tmp_path / "again"
    place.mkdir()
    place.chmod(0o555)
    # What somebody has added is no problem, and nothing of it is imported in the place of a library.
    (light / "resume.log").write_text("epoch 1/3\n")
    for name in ("numpy.py", "json.py", "crmn_legacy.py"):
        (light / name).write_text("raise SystemExit('imported')")
    before = contents(light)
    words = [sys.executable, "-m", "crmn_legacy", "rerun", str(light), "--out", str(again)]
    done = subprocess.run(words, cwd=place, env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[-1] == "identical"
    assert any(line.startswith("epoch 3/3: ") for line in lines)
    assert contents(light) == before and list(place.iterdir()) == []
    assert archive.verify(again) == []
    assert archive.read_record(again).options.trace
    assert (again / archive.TRACE).read_bytes() == (light / archive.TRACE).read_bytes()


def test_its_first_epochs_alone_are_held_against_those_of_the_folder(
    command, refused, light, unlike, lowered, tmp_path
):
    done = command("rerun", light, "--epochs", "2", "--out", tmp_path / "again")
    assert (done.status, done.out.splitlines()[-1]) == (0, "identical so far: 2 of 3 epochs")
    assert len(archive.read_curve(tmp_path / "again")) == 2
    done = command("rerun", unlike(lowered), "--epochs", "2", "--out", tmp_path / "parted")
    assert done.status == 1 and done.out.splitlines()[-1].startswith("parted: epoch 2, step 1")
    for epochs in ("0", "4"):
        line = refused("rerun", light, "--epochs", epochs, "--out", tmp_path / "more")
        assert f"--epochs got {epochs}, expected 1 to 3" in line


def test_where_it_parted_is_the_last_line(command, unlike, lowered, tmp_path):
    folder = unlike(lowered)
    rewrite_json(folder, archive.RUN, lambda record: record.update(platform_key="xla/elsewhere"))
    done = command("rerun", folder, "--out", tmp_path / "again")
    assert done.status == 1
    *before, last = done.out.splitlines()
    assert last.startswith("parted: epoch 2, step 1 (update 4): 4 of ")
    assert last.endswith("output.W, output.W.velocity, output.b, output.b.velocity")
    assert any(line.startswith("another platform, the probable reason: xla/elsewhere | xla/cpu/") for line in before)


def test_data_that_were_moved_are_given_anew_and_must_be_the_same(command, refused, light, data, tmp_path, monkeypatch):
    called = []
    monkeypatch.setattr(replay, "call", lambda words, aside: called.append(words) or (7, ""))
    moved = tmp_path / "moved.h5"
    shutil.copy(data, moved)
    rewrite_json(light, archive.RUN, lambda record: record["options"].update(data=str(tmp_path / "gone.h5")))
    assert "--data FILE says where the data are now" in refused("rerun", light, "--out", tmp_path / "again")
    write_faces(tmp_path / "other.h5", faces(seed=1))
    line = refused("rerun", light, "--data", tmp_path / "other.h5", "--out", tmp_path / "again")
    assert "the data of the run: give them by --data" in line
    assert called == []
    done = command("rerun", light, "--data", moved, "--out", tmp_path / "again")
    assert f"--data {moved}" in " ".join(called[0])
    assert done.status == 7 and done.out == "the rerun did not come to its end: nothing to compare\n"


def test_json_tells_what_the_lines_tell_and_the_run_prints_aside(light, unlike, lowered, tmp_path):
    status, said = as_json(light, tmp_path / "again")
    assert status == 0
    assert said.pop("platforms")[0] == archive.read_record(light).platform_key
    assert said == {
        "run": str(light),
        "out": str(tmp_path / "again"),
        "status": 0,
        "identical": True,
        "epochs": {"run": 3, "rerun": 3},
        **dict.fromkeys(["problem", "differences", "epoch", "update", "ends", "results"]),
    }
    folder = unlike(lowered)
    rewrite_json(folder, archive.RUN, lambda record: record.update(platform_key="xla/elsewhere"))
    status, said = as_json(folder, tmp_path / "other")
    assert status == 1 and not said["identical"]
    assert (said["epoch"]["epoch"], said["update"]["epoch"], said["update"]["step"]) == (2, 2, 1)
    assert said["update"]["tensors"] == ["output.W", "output.W.velocity", "output.b", "output.b.velocity"]
    (key,) = (entry for entry in said["differences"] if entry["what"] == "platform key")
    assert key == {"what": "platform key", "name": None, "a": "xla/elsewhere", "b": said["platforms"][1]}


def as_json(folder, out):
    """The status and the object of a rerun, whose run prints elsewhere."""
    words = [sys.executable, "-m", "crmn_legacy", "rerun", str(folder), "--out", str(out), "--json"]
    done = subprocess.run(words, env=environment(), capture_output=True, text=True)
    assert "epoch 3/3: " in done.stderr
    (line,) = done.stdout.splitlines()
    return done.returncode, json.loads(line)


def test_json_tells_of_a_run_that_did_not_come_to_its_end(command, light, tmp_path, monkeypatch):
    monkeypatch.setattr(replay, "call", lambda words, aside: (130, ""))
    done = command("rerun", light, "--out", tmp_path / "again", "--json")
    said = json.loads(done.out)
    assert done.status == said["status"] == 130
    assert said["problem"] == "the rerun did not come to its end: nothing to compare" and not said["identical"]


@pytest.mark.parametrize("shorter", ["run", "rerun"])
def test_one_that_goes_on_where_the_other_ends_has_parted(tmp_path, shorter):
    runs = {name: write_run(tmp_path / name, trace=False) for name in ("run", "rerun")}
    lines = (runs[shorter] / archive.CURVE).read_text().splitlines(True)
    (runs[shorter] / archive.CURVE).write_text(lines[0])
    words, facts = parting(*map(RunOnDisk.read, runs.values()))
    assert words == "after 1 epochs one goes on" and facts == {"ends": {"run": shorter, "epoch": 1}}


@pytest.mark.slow
def test_ctrl_c_reaches_the_run_which_saves_and_says_how_to_go_on(light, tmp_path):
    words = [sys.executable, "-m", "crmn_legacy", "rerun", str(light), "--out", str(tmp_path / "again")]
    child = subprocess.Popen(words, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for line in child.stdout:
        if line.startswith("epoch 1/3"):
            break
    child.send_signal(signal.SIGINT)
    out, err = child.communicate()
    if child.returncode == 0:
        pytest.skip("the run was over before the signal came")
    assert child.returncode == 130
    assert "interrupted; go on with: " in err
    assert out.splitlines()[-1] == "the rerun did not come to its end: nothing to compare"
    assert archive.read_record(tmp_path / "again").status == "interrupted"


# --- what is not run


EVIL = b"import pathlib\npathlib.Path('was-run').touch()\n"


@pytest.fixture
def no_run(monkeypatch, tmp_path):
    """Nothing may be run, nor a recipe even be looked into."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(replay, "call", None)


def test_no_folder_and_no_run(refused, no_run, tmp_path):
    assert "does not exist" in refused("rerun", tmp_path / "nowhere")
    assert "does not exist" in refused("rerun", tmp_path)


def test_an_altered_recipe_is_not_run(refused, no_run, light):
    (light / archive.RECIPE).write_bytes(EVIL)
    assert "which does not verify (recipe.py: altered)" in refused("rerun", light)
    assert not os.path.exists("was-run")


def test_a_run_that_lies_there_already_is_not_taken_for_the_rerun(refused, no_run, light, traced, tmp_path):
    for out in (traced, light, light / archive.RUN):
        assert "expected a new folder" in refused("rerun", light, "--out", out)
    assert "expected a new folder" in refused("rerun", traced, "--out", traced)


@pytest.mark.parametrize("status", ["running", "interrupted", "failed"])
def test_an_unfinished_run_is_refused(refused, no_run, light, status):
    rewrite_json(light, archive.RUN, lambda record: record.update(status=status))
    assert f"a run that is '{status}', expected a finished one" in refused("rerun", light)
    (light / archive.MANIFEST).unlink()
    assert "expected a finished one" in refused("rerun", light)


def test_a_trace_that_is_cut_off_is_refused(refused, no_run, light):
    whole = (light / archive.TRACE).read_bytes()
    rewrite(light, archive.TRACE, whole[: len(whole) // 2])
    assert "cut off or altered in line" in refused("rerun", light)


@pytest.mark.parametrize(
    "change",
    [
        {"row": "table1_resnet_n5_fm4"},
        {"row": 3},
        {"options": None},
        {"options": {"data": None}},
        {"data_digest": "0" * 64},
    ],
    ids=str,
)
def test_an_altered_record_is_refused(refused, no_run, light, change):
    rewrite_json(light, archive.RUN, lambda record: record.update(change))
    refused("rerun", light)


@pytest.mark.parametrize("text", ["raise SystemExit(3)", "RECIPE = 1", "", "from crmn_legacy import absent", "(" * 300])
def test_a_recipe_that_this_version_cannot_read_is_told_in_one_line(refused, no_run, light, text):
    rewrite(light, archive.RECIPE, text.encode())
    assert "which does not give a recipe" in refused("rerun", light)


def test_data_for_a_run_on_the_sample_are_refused(refused, no_run, light, data):
    rewrite_json(light, archive.RUN, lambda record: record["options"].update(data=None))
    assert "a run on the embedded sample, expected none" in refused("rerun", light, "--data", data)


def test_the_options_of_the_run_are_given_again_and_no_others(light):
    record = archive.read_record(light)
    changes = {"seed": 7, "smoke": True, "trace": False, "epochs": 2, "bits": "fast"}
    record.options = replace(record.options, **changes, network={"n": 2, "name": "a b"}, set={"factors": (0.1, 0.5)})
    words = replay.command(light, record, "out", "faces.h5")
    assert words[:3] == [sys.executable, "-P", str(light / archive.RECIPE)]
    given = " ".join(words[3:])
    for flag in ("--out out", "--data faces.h5", "--seed 7", "--smoke", "--epochs 2", "--bits fast"):
        assert flag in given
    assert words[words.index("--network") + 1 :][:2] == ["n=2", "name='a b'"]
    assert words[words.index("--set") + 1] == "factors=(0.1, 0.5)"
    assert "--trace" not in given and "--backend" not in given and "True" not in given
    assert "--steps 5" in " ".join(replay.command(light, record, "out", None, steps=5, trace=True))


def test_a_child_that_dies_by_a_signal_is_told_by_its_status():
    words = [sys.executable, "-c", "import os, signal; print('x'); os.kill(os.getpid(), signal.SIGKILL)"]
    assert replay.call(words, quiet=True)[0] == 137
    words = [
        sys.executable,
        "-c",
        "import sys; print('first', flush=True); print('last', file=sys.stderr); sys.exit(5)",
    ]
    assert replay.call(words, quiet=True) == (5, "last")
