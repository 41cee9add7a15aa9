"""A study's queue: skips what is finished, goes on with what was stopped, and trusts no folder of another run."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from crmn_legacy import archive
from crmn_legacy.errors import UserError
from crmn_legacy.study import Study, StudyRun, queue
from crmn_legacy.study.keeping import Places

ROOT = Path(__file__).parents[2]
PLACES = Places(Path("runs"), Path("kept"))
RECIPE = """
import json, os, pathlib, signal, sys, time

words = sys.argv[1:]
told = {"--seed": "1"} | dict(zip(words[::2], words[1::2]))
folder = pathlib.Path(told.get("--out") or told["--resume"])
folder.mkdir(parents=True, exist_ok=True)
with open(folder.parent / "told.txt", "a") as log:
    log.write(" ".join(words) + "\\n")
with open(folder.parent / "cores.txt", "a") as log:
    log.write(f"{sorted(os.sched_getaffinity(0))}\\n")
if told["--seed"] == "9":
    sys.exit(1)
options = {"network": {}, "set": {}, "epochs": int(told["--epochs"]), "seed": int(told["--seed"])}
record = {"row": "own", "options": options}
(folder / "run.json").write_text(json.dumps(record))
if told["--seed"] == "8" and "--out" in told:
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(143))
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        sys.exit(130)
(folder / "MANIFEST.sha256").write_text("")
"""


class OwnRun(StudyRun):
    """A run of a recipe that only writes what the queue looks at."""

    def script(self):
        return Path(self.row).with_name("own.py")


def runs_of(folder, *seeds):
    (folder / "own.py").write_text(RECIPE)
    return [OwnRun("own", "own", {}, epochs=2, seed=seed) for seed in seeds]


def kept_empty(run, places, data):
    """In place of `queue.keep`, which wants a run that verifies."""
    light = places.light(run)
    light.mkdir(parents=True)
    for name in ("run.json", "MANIFEST.sha256"):
        (light / name).write_text((places.run(run) / name).read_text())


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.setattr(queue, "keep", kept_empty)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    return lambda *seeds: runs_of(tmp_path, *seeds)


def told():
    path = Path("runs/told.txt")
    return path.read_text().splitlines() if path.exists() else []


def test_runs_are_trained_in_order_and_once(study):
    runs = study(3, 1)
    assert queue.train(runs, "faces.h5", PLACES) == 0
    assert queue.train(runs, "faces.h5", PLACES) == 0
    assert told() == [
        "--data faces.h5 --epochs 2 --seed 3 --out runs/own_seed3",
        "--data faces.h5 --epochs 2 --out runs/own_seed1",
    ]


def test_what_was_begun_goes_on(study):
    runs = study(1)
    queue.train(runs, "faces.h5", PLACES)
    Path("runs/own_seed1", archive.MANIFEST).unlink()
    shutil.rmtree("kept")
    assert runs[0].state("runs/own_seed1") == "begun"
    queue.train(runs, "faces.h5", PLACES)
    assert told()[1].endswith("--resume runs/own_seed1")


def test_a_folder_of_another_run_is_refused_before_anything_is_trained(study):
    queue.train(study(1), "faces.h5", PLACES)
    shutil.rmtree("kept")
    record = json.loads(Path("runs/own_seed1/run.json").read_text())
    record["options"]["set"] = {"schedule.rate": 0.2}
    Path("runs/own_seed1/run.json").write_text(json.dumps(record))
    with pytest.raises(UserError, match=r"set {'schedule.rate': 0.2}; expected 'own', set {}: remove the folder"):
        queue.train(study(2, 1), "faces.h5", PLACES)
    assert len(told()) == 1


def test_a_run_that_fails_ends_the_queue_with_its_name(study):
    with pytest.raises(UserError, match="status 1 of the run 'own_seed9'"):
        queue.train(study(9, 1), "faces.h5", PLACES)
    assert len(told()) == 1


def interrupted(process):
    os.killpg(process.pid, signal.SIGINT)


def terminated(process):
    process.terminate()


@pytest.mark.parametrize("stop, status", [(interrupted, 130), (terminated, 143)])
def test_a_signal_stops_the_run_and_the_queue_which_go_on_later(stop, status, study):
    runs = study(8, 1)
    code = (
        "from tests.study.test_queue import *\n"
        "runs = [OwnRun('own', 'own', {}, epochs=2, seed=seed) for seed in (8, 1)]\n"
        "queue.keep = kept_empty\n"
        "sys.exit(queue.train(runs, 'faces.h5', PLACES))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], env={"PYTHONPATH": str(ROOT)}, start_new_session=True)
    while not Path("runs/own_seed8/run.json").exists():
        time.sleep(0.05)
    time.sleep(0.5)
    stop(process)
    assert process.wait(30) == status
    assert not Path("runs/own_seed1").exists()
    queue.train(runs, "faces.h5", PLACES)
    assert [PLACES.state(run) for run in runs] == ["kept", "kept"]


def test_a_run_that_was_kept_is_not_trained_where_its_folder_is_gone(study):
    runs = study(1)
    queue.train(runs, "faces.h5", PLACES)
    shutil.rmtree("runs/own_seed1")
    queue.train(runs, "faces.h5", PLACES)
    assert len(told()) == 1


def test_a_finished_run_is_kept_where_the_queue_had_not_come_to_it(study):
    runs = study(1)
    queue.train(runs, "faces.h5", PLACES)
    shutil.rmtree("kept")
    queue.train(runs, "faces.h5", PLACES)
    assert len(told()) == 1 and PLACES.state(runs[0]) == "kept"


two_cores = pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one core")


@two_cores
def test_jobs_share_the_cores(study):
    queue.train(study(1, 2, 3), "faces.h5", PLACES, jobs=2)
    shares = {frozenset(json.loads(line)) for line in Path("runs/cores.txt").read_text().splitlines()}
    assert len(told()) == 3 and len(shares) == 2 and not frozenset.intersection(*shares)
    assert frozenset.union(*shares) == os.sched_getaffinity(0)


def test_jobs_are_no_more_than_cores(study):
    with pytest.raises(UserError, match="--jobs got 100000; expected 1 to"):
        queue.train(study(1), "faces.h5", PLACES, jobs=100_000)


@two_cores
def test_the_others_are_stopped_where_a_run_fails(study):
    with pytest.raises(UserError, match="status 1 of the run 'own_seed9'"):
        queue.train(study(8, 9, 1), "faces.h5", PLACES, jobs=2)
    # It may not even have come to its first line.
    assert PLACES.state(study(8)[0]) in ("new", "begun") and not Path("runs/own_seed1").exists()


def test_a_study_has_a_name_for_each_run_and_chooses_by_it():
    runs = tuple(runs_of_names("a", "b", "c"))
    assert [run.variant for run in Study("s", runs).chosen(["c_seed1", "a_seed1"])] == ["a", "c"]
    with pytest.raises(UserError, match="--only got 'd'; expected some of a_seed1, b_seed1, c_seed1"):
        Study("s", runs).chosen(["d"])
    with pytest.raises(ValueError, match="two runs called a_seed1"):
        Study("s", (*runs, runs[0]))


def runs_of_names(*names):
    return [StudyRun(name, "table1_crmn", {"n": 1}, epochs=1, set={"schedule.rate": 0.2}) for name in names]


def test_the_command_line_of_a_run():
    (run,) = runs_of_names("a")
    assert run.options("f.h5").as_words() == [
        "--data",
        "f.h5",
        "--epochs",
        "1",
        "--network",
        "n=1",
        "--set",
        "schedule.rate=0.2",
    ]
    assert run.script().name == "table1_crmn.py"
