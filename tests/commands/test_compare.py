"""`compare` names the epoch, update and tensor where runs part, with numbers that are those of the runs."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from crmn_legacy import archive
from crmn_legacy.archive import replay
from crmn_legacy.archive.checkpoint import Progress, pack
from crmn_legacy.archive.compare import RunOnDisk
from crmn_legacy.options import Options
from tests.folders import rewrite_json, states, write_run

STEPS = 3


def test_two_runs_that_differ_by_a_rate_from_the_second_epoch_on(command, traced, lowered):
    done = command("compare", traced, lowered)
    assert done.status == 1
    lines = dict(line.split(": ", 1) for line in done.out.splitlines() if not line.startswith("  "))
    assert lines["recipe.py"].endswith("lines differ")
    assert lines["first differing epoch"].startswith("2 (of 3 | 3); rates: output 0.05 | 0.025; ")
    assert lines["first differing step"].startswith(f"epoch 2, step 1 (update {STEPS + 1}): ")
    # The rate of one component was halved, and no other tensor knows of it yet.
    assert "4 of " in lines["first differing step"]
    named = lines["first differing step"].split("tensors, ")[1].split(", ")
    assert named == ["output.W", "output.W.velocity", "output.b", "output.b.velocity"]
    numbers = lines["first differing tensor"]
    match = re.fullmatch(
        r"output\.W, ([\d,]+) ULP \(float32\) at \[(\d+), (\d+)\]: (\S+) \| (\S+); [\d,]+ of [\d,]+ elements differ",
        numbers,
    )
    assert match, numbers
    assert int(match[1].replace(",", "")) > 0 and match[2] != match[3]
    assert lines["numbers"] == "a from a replay to update 4, b from a replay to update 4"
    assert "replaying a to update 4" in done.err and "replaying b to update 4" in done.err


def test_numbers_that_both_folders_store_are_read_from_there(command, traced, tmp_path, monkeypatch):
    """The last update is disturbed: checkpoints of both have it, and nothing is run."""
    monkeypatch.setattr(replay, "call", None)
    ours, theirs = write_run(tmp_path / "ours"), write_run(tmp_path / "theirs", disturbed=4)
    done = command("compare", ours, theirs)
    assert done.status == 1 and done.err == ""
    last = done.out.splitlines()
    assert last[-4].startswith("first differing step: epoch 2, step 2 (update 4): 2 of 2 tensors, w, w.velocity")
    a, b = (archive.read_arrays(folder / archive.CHECKPOINT)["w"] for folder in (ours, theirs))
    apart = int(np.abs(a.view("i4").astype(int) - b.view("i4").astype(int)).max())
    assert (
        last[-3]
        == f"first differing tensor: w, {apart:,} ULP (float32) at [2]: {a[2]} | {b[2]}; 1 of 4 elements differ"
    )
    assert last[-2].startswith("farthest apart: w.velocity, ")
    assert last[-1] == "numbers: a from checkpoint.npz, b from checkpoint.npz"


def as_json(command, *arguments):
    done = command("compare", "--json", *arguments)
    (line,) = done.out.splitlines()
    return done.status, json.loads(line)


def test_json_tells_what_the_lines_tell(command, tmp_path):
    ours = write_run(tmp_path / "ours")
    theirs = write_run(tmp_path / "theirs", disturbed=4, options=Options(seed=2), packages={"numpy": "2.0.0"})
    status, said = as_json(command, ours, theirs)
    assert status == 1 and said["identical"] is False
    stored = RunOnDisk.read(ours), RunOnDisk.read(theirs)
    assert said["a"] == {
        "run": str(ours),
        "row": "table1_crmn",
        "status": "finished",
        "epochs": 2,
        "bits": stored[0].links[-1],
        "problems": [],
    }
    assert said["differences"] == [
        {"what": "options", "name": "seed", "a": 1, "b": 2},
        {"what": "packages", "name": "numpy", "a": "1.26.4", "b": "2.0.0"},
    ]
    losses = [run.curve[1].losses for run in stored]
    assert said["epoch"] == {
        "epoch": 2,
        "of": [2, 2],
        "rates": [],
        "step": 2,
        "losses": [losses[0][1], losses[1][1]],
    }
    update = {"epoch": 2, "step": 2, "update": 4, "tensors": ["w", "w.velocity"], "of": 2}
    assert {name: said["update"][name] for name in update} == update
    a, b = (archive.read_arrays(folder / archive.CHECKPOINT)["w"] for folder in (ours, theirs))
    apart = int(np.abs(a.view("i4").astype(int) - b.view("i4").astype(int)).max())
    values = [float(a[2]), float(b[2])]
    counted = {"unit": "ULP (float32)", "index": [2], "values": values, "elements": 1, "of": 4}
    assert said["tensor"] == {"name": "w", "apart": apart, **counted}
    assert said["farthest"]["name"] == "w.velocity" and said["farthest"]["apart"] > apart
    assert said["numbers"] == {"a": "checkpoint.npz", "b": "checkpoint.npz"}
    assert said["no_further"] is said["ends"] is said["results"] is None


def test_json_of_identical_runs_and_of_those_that_agree_in_part(command, tmp_path):
    ours, theirs = write_run(tmp_path / "ours"), write_run(tmp_path / "theirs")
    status, said = as_json(command, ours, theirs)
    found = {name for name, fact in said.items() if fact not in (None, [])}
    assert status == 0 and found == {"identical", "a", "b"} and said["identical"] is True
    other = write_run(tmp_path / "other", result={"best_epoch": 2})
    status, said = as_json(command, ours, other)
    assert (status, said["identical"]) == (1, False)
    assert [result["best_epoch"] for result in said["results"]] == [1, 2]
    (theirs / archive.CURVE).write_text((theirs / archive.CURVE).read_text().splitlines(True)[0])
    (theirs / archive.TRACE).unlink()
    status, said = as_json(command, ours, theirs)
    assert status == 1 and said["ends"] == {"run": "b", "epoch": 1}
    assert said["b"]["problems"] and not said["identical"]


def test_json_tells_why_it_goes_no_further_and_of_recipes_whole(command, traced, lowered):
    status, said = as_json(command, traced, lowered, "--no-replay")
    assert status == 1
    assert said["no_further"] == "a would have to be replayed to update 4: leave --no-replay out"
    (recipe,) = (entry for entry in said["differences"] if entry["what"] == "recipe.py")
    assert "+class Lowered(training.RateSchedule):" in recipe["lines"]
    assert said["epoch"]["rates"] == [{"what": "rates", "name": "output", "a": 0.05, "b": 0.025}]
    assert said["update"]["tensors"][0] == "output.W" and said["tensor"] is None


def test_a_run_and_its_copy_are_identical(command, traced, tmp_path):
    shutil.copytree(traced, tmp_path / "copy")
    done = command("compare", traced, tmp_path / "copy")
    assert done.status == 0 and done.err == ""
    assert done.out.splitlines()[-1] == "identical" and len(done.out.splitlines()) == 3


def test_a_trace_moves_no_bits(command, traced, finished):
    done = command("compare", traced, finished[0])
    assert done.status == 0 and done.out.splitlines()[-1] == "identical"


@pytest.mark.slow
def test_without_traces_both_are_replayed_for_them(command, finished, lowered, tmp_path):
    plain = tmp_path / "plain"
    archive.lighten(lowered, plain)
    (plain / archive.TRACE).unlink()
    kept = [line for line in (plain / archive.MANIFEST).read_text().splitlines(True) if archive.TRACE not in line]
    (plain / archive.MANIFEST).write_text("".join(kept))
    done = command("compare", finished[0], plain)
    assert done.status == 1
    assert f"first differing step: epoch 2, step 1 (update {STEPS + 1}): 4 of " in done.out
    assert "first differing tensor: output.W, " in done.out
    assert done.err.splitlines() == [
        "replaying a to update 6",
        "replaying b to update 6",
        "replaying a to update 4",
        "replaying b to update 4",
    ]


def test_without_replay_it_says_how_far_it_can_tell(command, traced, lowered, finished, monkeypatch):
    monkeypatch.setattr(replay, "call", None)
    done = command("compare", traced, lowered, "--no-replay")
    assert done.status == 1 and "first differing step: epoch 2, step 1" in done.out
    assert done.out.splitlines()[-1] == "no further: a would have to be replayed to update 4: leave --no-replay out"
    done = command("compare", finished[0], lowered, "--no-replay")
    assert "first differing step" not in done.out
    assert done.out.splitlines()[-1] == "no further: a would have to be replayed to update 6: leave --no-replay out"


@pytest.fixture
def replayed(monkeypatch):
    """Replays give what a test puts there: a state after update 3, and the platform they ran on."""
    given = {}

    def call(words, quiet):
        assert quiet
        out = Path(words[words.index("--out") + 1])
        write_run(out, platform_key=given["platform"])
        bits = archive.digest_tensors(given["states"][0])
        progress = Progress(step=1, losses=[1.0], updates=given.get("update", 3), bits=bits)
        archive.write_arrays(out / archive.CHECKPOINT, pack(given["states"][3], progress))
        return 0, ""

    monkeypatch.setattr(replay, "call", call)
    monkeypatch.setattr(replay, "data_of", lambda folder, record: None)
    return given


def test_a_replay_that_does_not_keep_to_the_trace_gives_no_numbers(command, tmp_path, replayed):
    ours, theirs = write_run(tmp_path / "ours"), write_run(tmp_path / "theirs", disturbed=3)
    replayed.update(states=states(), platform="xla/there")
    done = command("compare", ours, theirs)
    assert done.status == 1 and "ULP" not in done.out
    assert done.out.splitlines()[-1] == (
        "no further: b, by a replay to update 3, does not have the digests of its trace at update 3; "
        "another platform: xla/here | xla/there"
    )
    replayed.update(update=9)
    assert "no further: a, by a replay to update 3, does not have" in command("compare", ours, theirs).out


def test_unlike_seeds_part_before_the_first_update(command, tmp_path, monkeypatch):
    monkeypatch.setattr(replay, "call", None)
    ours, theirs = write_run(tmp_path / "ours"), write_run(tmp_path / "theirs")
    weights = {"w": np.float32([0, 1, 2, 4])}
    archive.write_arrays(theirs / archive.INITIAL_WEIGHTS, weights)
    digest = archive.digest_tensors(weights)
    rewrite_json(theirs, archive.TRACE, lambda lines: lines[0]["tensors"].update(w=digest.removeprefix("sha256:")))
    rewrite_json(theirs, archive.RUN, lambda record: record.update(initial_bits=digest))
    done = command("compare", ours, theirs)
    assert done.status == 1
    assert "does not verify" in done.out.splitlines()[1]
    assert "first differing epoch: before the first update: the initial states differ" in done.out
    assert "first differing tensor: w, 4,194,304 ULP (float32) at [3]: 3.0 | 4.0; 1 of 4 elements differ" in done.out


def test_a_run_and_one_that_ended_before_agree_as_far_as_both_go(command, tmp_path):
    ours, theirs = write_run(tmp_path / "ours", trace=False), write_run(tmp_path / "theirs", trace=False)
    curve = (theirs / archive.CURVE).read_text().splitlines(True)
    (theirs / archive.CURVE).write_text(curve[0])
    (theirs / archive.MANIFEST).unlink()
    done = command("compare", ours, theirs)
    assert done.status == 1 and done.out.splitlines()[-1] == "identical up to epoch 1, where b ends"


def test_results_that_differ_over_equal_weights_are_no_identity(command, tmp_path):
    ours, theirs = write_run(tmp_path / "ours"), write_run(tmp_path / "theirs", result={"best_epoch": 2})
    done = command("compare", ours, theirs)
    assert done.status == 1 and done.out.splitlines()[-1].startswith("equal weights, unequal results: ")


def test_a_folder_that_is_damaged_is_compared_and_none_is_run(command, traced, lowered, tmp_path, monkeypatch):
    monkeypatch.setattr(replay, "call", None)
    spoilt = tmp_path / "spoilt"
    shutil.copytree(lowered, spoilt)
    with open(spoilt / archive.RECIPE, "a") as file:
        file.write("raise SystemExit('this must not be run')\n")
    done = command("compare", traced, spoilt)
    assert done.status == 1
    assert "does not verify (recipe.py: altered)" in done.out.splitlines()[1]
    assert "which does not verify (recipe.py: altered)" in done.out.splitlines()[-1]
    assert "must not be run" not in done.err


def test_what_cannot_be_compared_is_refused(refused, traced, tmp_path):
    assert "does not exist" in refused("compare", traced, tmp_path)
    assert "expected" in refused("compare", traced)
    spoilt = tmp_path / "spoilt"
    shutil.copytree(traced, spoilt)
    whole = (spoilt / archive.TRACE).read_bytes()
    (spoilt / archive.RUN).write_text(json.dumps({"row": "table1_crmn"}))
    assert "missing or altered" in refused("compare", spoilt, traced)
    shutil.copy(traced / archive.RUN, spoilt)
    (spoilt / archive.TRACE).write_bytes(whole[: len(whole) // 2])
    assert "cut off or altered in line" in refused("compare", traced, spoilt)
