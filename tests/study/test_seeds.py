"""`--seeds`: a run for each seed in a folder of its own, skipped or gone on with when told again, and their mean."""

import shutil
import signal
import statistics
import subprocess
import sys

import pytest

from crmn_legacy import archive
from crmn_legacy.cli import parser as command_line
from crmn_legacy.data.files.faces import write_faces
from crmn_legacy.errors import UserError
from crmn_legacy.installation import load_recipe
from crmn_legacy.options import Options
from crmn_legacy.recipe import run_recipe
from crmn_legacy.study import seeds as module
from tests.folders import rewrite_json, write_run
from tests.training.runs import ROOT, TINY, bits_of, command_of, environment, faces, run_tiny


@pytest.fixture(scope="module")
def trained(tmp_path_factory, data):
    """The folder of the runs of three seeds, and what was said."""
    place = tmp_path_factory.mktemp("seeds") / "runs of three"
    done = run_tiny("--data", data, "--seeds", "1,2, 7", "--out", place)
    assert done.returncode == 0, done.stderr
    return place, done.stdout.splitlines()


def results(place, *seeds):
    return [archive.read_record(place / f"seed{seed}").result for seed in seeds]


def test_each_seed_has_an_ordinary_run_of_its_own(trained, finished):
    place, said = trained
    assert sorted(path.name for path in place.iterdir()) == ["seed1", "seed2", "seed7"]
    assert [line for line in said if line.startswith("seed ")] == [
        f"seed {seed} ({number} of 3): begins" for number, seed in enumerate((1, 2, 7), 1)
    ]
    records = [archive.read_record(place / f"seed{seed}") for seed in (1, 2, 7)]
    assert [record.seed for record in records] == [1, 2, 7]
    assert all(archive.verify(place / f"seed{seed}") == [] for seed in (1, 2, 7))
    # One alone comes to the same bits.
    assert f"bits: {records[0].bits}" == finished[1] and len({record.bits for record in records}) == 3
    assert "--seeds" not in records[1].argv and records[1].argv[records[1].argv.index("--seed") + 1] == "2"


def test_the_table_has_the_mean_and_the_deviation_of_what_came_out(trained):
    place, said = trained
    head, *rows = said[-4:]
    assert head.split() == ["seed", "1", "seed", "2", "seed", "7", "mean", "±", "deviation"]
    table = {row.rpartition("%")[0] or "validation loss": row.split() for row in rows}
    assert list(table) == ["validation loss", "validation error, ", "test rendered, "]
    found = results(place, 1, 2, 7)
    for name, values in (
        ("validation error, ", [100 * result.validation_error for result in found]),
        ("test rendered, ", [100 * result.test["rendered"].mean for result in found]),
    ):
        *single, mean, _, deviation = table[name][-6:]
        assert [float(value) for value in single] == [pytest.approx(value, abs=0.006) for value in values]
        assert float(mean) == pytest.approx(statistics.fmean(values), rel=0.05)
        assert float(deviation) == pytest.approx(statistics.stdev(values), rel=0.06)


def test_rerun_takes_up_one_of_them(trained, tmp_path):
    place, _ = trained
    words = [sys.executable, "-m", "crmn_legacy", "rerun", str(place / "seed2"), "--out", str(tmp_path / "again")]
    done = subprocess.run(words, env=environment(), capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "identical", done.stderr


def test_given_again_it_trains_nothing_and_says_the_same(trained, data):
    place, said = trained
    before = {path: path.stat().st_mtime_ns for path in place.rglob("*")}
    done = run_tiny("--data", data, "--seeds", "1,2, 7", "--out", place)
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[:3] == [
        f"seed {seed} ({n} of 3): is finished in '{place / f'seed{seed}'}'" for n, seed in enumerate((1, 2, 7), 1)
    ]
    assert lines[3:] == said[-4:]
    assert {path: path.stat().st_mtime_ns for path in place.rglob("*")} == before


def test_ctrl_c_saves_tells_one_line_for_all_and_that_goes_on(tmp_path, data):
    place, epochs = tmp_path / "out here", 60
    words = command_of("--data", data, "--seeds", "3,4", "--epochs", epochs, "--out", place)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    child = subprocess.Popen(words, cwd=ROOT, env=environment(), text=True, **pipes)
    for line in child.stdout:
        if line.startswith("seed 4"):
            break
    for line in child.stdout:
        if line.startswith("epoch 2/"):
            break
    child.send_signal(signal.SIGINT)
    _, err = child.communicate()
    if child.returncode == 0:
        pytest.skip("the runs were over before the signal came")
    assert child.returncode == 130
    assert archive.read_record(place / "seed4").status == "interrupted"
    *_, last = err.splitlines()
    said, _, command = last.partition(" by: ")
    assert said == "interrupted; go on with all seeds"
    done = subprocess.run(command, shell=True, cwd=ROOT, env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("seed 3 (1 of 2): is finished") and lines[1] == "seed 4 (2 of 2): goes on"
    assert any(line.startswith("resumed at epoch ") for line in lines)
    alone = run_tiny("--data", data, "--seed", "4", "--epochs", epochs, "--out", tmp_path / "alone")
    assert bits_of(alone) == f"bits: {archive.read_record(place / 'seed4').bits}"


# --- without a network


@pytest.fixture
def told(monkeypatch, tmp_path):
    """Runs the tiny recipe's command line with children that only leave a finished folder; what they were told."""
    monkeypatch.chdir(tmp_path)
    words, statuses = [], {}
    recipe = load_recipe(TINY)

    def call(given):
        words.append(given)
        seed = int(given[given.index("--seed") + 1]) if "--seed" in given else None
        status = statuses.get(seed, 0)
        if status < 2:
            place = tmp_path / given[given.index("--out") + 1]
            value = 1 + (seed or 0)
            result = {"best_epoch": 1, "epochs": 2, "updates": 4, "validation_loss": value, "validation_error": value}
            write_run(place, seed=seed, options=Options(seed=seed), result=result)
            shutil.copy(TINY, place / archive.RECIPE)
        return status, ""

    monkeypatch.setattr(module, "call", call)

    def run(*given):
        return run_recipe(recipe, TINY, list(given))

    run.words, run.statuses = words, statuses
    return run


def test_the_options_go_to_each_run_and_the_default_place_is_one_for_all(told, tmp_path, capsys):
    assert told("--seeds", "5,6", "--smoke", "--network", "num_filters=3", "--trace") == 0
    (place,) = (tmp_path / "runs").iterdir()
    assert place.name.startswith("table1_crmn-") and {path.name for path in place.iterdir()} == {"seed5", "seed6"}
    options = ["--smoke", "--network", "num_filters=3", "--trace"]
    assert [words[-8:] for words in told.words] == [
        ["--out", f"runs/{place.name}/seed{seed}", "--seed", str(seed), *options][-8:] for seed in (5, 6)
    ]
    assert all(words[:2] == [sys.executable, str(TINY)] for words in told.words)
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.split()[2:] == ["%", "600.00", "700.00", "650", "±", "71"]


@pytest.mark.parametrize(
    ("statuses", "status", "trained"),
    [({2: 1}, 1, 3), ({2: 2}, 2, 2), ({1: 1, 2: 130}, 130, 2), ({3: 143}, 143, 3)],
)
def test_the_worst_status_is_that_of_all_and_one_that_the_next_would_meet_ends_it(
    told, capsys, statuses, status, trained
):
    told.statuses.update(statuses)
    assert told("--seeds", "1,2,3", "--out", "here") == status
    assert len(told.words) == trained
    said = capsys.readouterr()
    assert ("mean ± deviation" in said.out) == (status < 128)
    assert ("interrupted; go on with all seeds by: " in said.err) == (status >= 128)


def test_the_command_to_go_on_names_the_place_that_was_chosen(told, capsys):
    told.statuses[1] = 130
    told("--seeds", "1,2")
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.endswith(" --seeds 1,2 --out runs/" + line.rpartition("/")[2]) and "table1_crmn-" in line


def test_a_run_that_was_finished_with_another_digest_than_the_golden_one_counts(told, monkeypatch):
    told("--seeds", "1,2", "--out", "here")
    monkeypatch.setattr(module, "golden_bits", lambda record: "sha256:other" if record.seed == 2 else None)
    assert told("--seeds", "1,2", "--out", "here") == 1
    assert len(told.words) == 2


def test_one_seed_has_no_deviation(told, capsys):
    told("--seeds", "4")
    assert capsys.readouterr().out.splitlines()[-1].split()[-2:] == ["500.00", "500"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--seeds", "1,2", "--seed", "3"], "--seeds got --seed as well"),
        (["--seeds", "1,2", "--resume", "runs/x"], "--seeds got --resume as well"),
        (["--seeds", "1,2", "--coordinator", "auto"], "--seeds got --coordinator as well"),
        (["--seeds", "1,1"], "expected no seed twice"),
        (["--seeds", "1,,2"], "got '', expected a whole number from 0"),
        (["--seeds", "1,-2"], "got '-2', expected a whole number from 0"),
        (["--seeds", ""], "got '', expected a whole number from 0"),
    ],
)
def test_what_does_not_go_together_is_refused_before_anything_is_made(told, tmp_path, words, message):
    with pytest.raises(UserError, match=message):
        told(*words)
    assert told.words == [] and list(tmp_path.iterdir()) == []


def test_folders_of_other_runs_are_refused_before_anything_is_trained(told, data, tmp_path):
    told("--seeds", "1,2", "--out", "here")
    number = len(told.words)
    with pytest.raises(UserError, match=r"seed1' with a run of 'table1_crmn', epochs None; expected .*, epochs 5: "):
        told("--seeds", "3,1", "--out", "here", "--epochs", "5")
    with pytest.raises(UserError, match="seed1' with a run on other data than "):
        told("--seeds", "3,1", "--out", "here", "--data", str(data))
    (tmp_path / "here" / "seed2" / archive.RECIPE).write_text("RECIPE = 2\n")
    with pytest.raises(UserError, match="seed2' with a run of another recipe than "):
        told("--seeds", "3,2", "--out", "here")
    assert len(told.words) == number and not (tmp_path / "here" / "seed3").exists()


def test_data_that_were_moved_are_the_same_and_others_are_refused(told, trained, data, tmp_path):
    place, _ = trained
    moved = tmp_path / "moved.h5"
    shutil.copy(data, moved)
    assert told("--seeds", "1,2", "--out", str(place), "--data", str(moved)) == 0
    write_faces(tmp_path / "other.h5", faces(seed=1))
    with pytest.raises(UserError, match="seed1' with a run on other data than "):
        told("--seeds", "1,2", "--out", str(place), "--data", str(tmp_path / "other.h5"))
    assert told.words == []


def test_what_was_begun_goes_on_with_what_may_change_alone(told, tmp_path):
    told("--seeds", "1", "--out", "here", "--set", "schedule.factors=(0.1, 0.5)")
    folder, literals = tmp_path / "here" / "seed1", {"schedule.factors": [0.1, 0.5]}
    rewrite_json(folder, archive.RUN, lambda record: record["options"].update(set=literals))
    (folder / archive.MANIFEST).unlink()
    told.statuses[None] = 2
    assert told("--seeds", "1", "--out", "here", "--set", "schedule.factors=(0.1, 0.5)", "--devices", "2") == 2
    assert told.words[-1][2:] == ["--resume", "here/seed1", "--devices", "2"]


def test_the_command_train_takes_them_too(monkeypatch):
    given = command_line().parse_args(["train", "table1_crmn", "--seeds", "1,2", "--out", "x"])
    assert given.options == ["--seeds", "1,2", "--out", "x"]
    from crmn_legacy.commands import train

    called = []
    monkeypatch.setattr(module, "train_each", lambda recipe, script, given, words: called.append((given, words)) or 0)
    assert train.train(given) == 0
    assert called[0][0]["seeds"] == [1, 2] and called[0][1] == given.options
