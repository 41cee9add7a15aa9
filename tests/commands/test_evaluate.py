"""`evaluate`: the stored weights on data, and predictions from which anybody can reckon the printed error."""

import json
import shutil

import numpy as np
import pytest

from crmn_legacy import archive
from crmn_legacy.data.files.faces import read_faces, write_faces
from crmn_legacy.layers.peephole_lstm import STATES
from crmn_legacy.metrics import interocular_error
from tests.oracles import local_contrast
from tests.training.runs import contents, faces


def test_gives_the_error_that_the_run_ended_with(command, finished, data):
    report = command("evaluate", finished[0], "--data", data, "--json").json
    ended = archive.read_record(finished[0]).result.test["rendered"]
    assert report["row"] == "table1_crmn" and report["split"] == "test" and report["metric"] == "error"
    assert report["results"] == {
        "rendered": {"percent": 100 * ended.mean, "pictures": 4, "complete": True, "printed": None}
    }


def test_predictions_reproduce_the_printed_error_and_show_what_the_network_reads(command, finished, data, tmp_path):
    file = tmp_path / "predictions.npz"
    report = command("evaluate", finished[0], "--data", data, "--json", "--predictions", file).json
    with np.load(file, allow_pickle=False) as stored:
        found = {name: stored[name] for name in stored.files}
    expected = {
        "pictures": ("uint8", (4, 1, 16, 16)),
        "stem_input": ("float32", (4, 1, 16, 16)),
        "predicted": ("float32", (4, 136)),
        "target": ("float32", (4, 136)),
    }
    assert {name: (found[name].dtype.name, found[name].shape) for name in expected} == expected
    assert set(found["sources"]) == {"rendered"} and len(set(found["names"])) == 4
    predicted, target = (found[name].astype(float).reshape(4, 68, 2) for name in ("predicted", "target"))
    left, right = (target[:, corners].mean(axis=1) for corners in ((36, 39), (42, 45)))
    errors = np.linalg.norm(predicted - target, axis=2).mean(axis=1) / np.linalg.norm(left - right, axis=1)
    assert report["results"]["rendered"]["percent"] == pytest.approx(100 * errors.mean(), rel=1e-12)
    for picture, read in zip(found["pictures"], found["stem_input"], strict=True):
        np.testing.assert_allclose(read[0], local_contrast.normalise(picture[0].astype(float)), rtol=0, atol=1e-5)


def test_predictions_hold_the_memory_of_which_they_are_made(command, finished, data, tmp_path):
    file = tmp_path / "predictions.npz"
    command("evaluate", finished[0], "--data", data, "--predictions", file)
    found, weights = archive.read_arrays(file), archive.read_arrays(finished[0] / archive.WEIGHTS)
    hidden = found["memory.hidden.single"]
    units = hidden.shape[2]
    sums = found["memory.from_memory"] + found["memory.from_pool"] + weights["output.b"]
    np.testing.assert_allclose(1 / (1 + np.exp(-sums)), found["predicted"], rtol=0, atol=1e-5)
    by_hand = hidden[:, -1] @ weights["output.W"][:units]
    np.testing.assert_allclose(by_hand, found["memory.from_memory"][found["memory.chosen"]], rtol=0, atol=1e-5)
    for name in STATES:
        shape = found[f"memory.{name}.mean"].shape
        assert shape == hidden.shape[1:] == found[f"memory.{name}.deviation"].shape
        assert found[f"memory.{name}.single"].shape == (3, *shape)
    errors = interocular_error(found["predicted"], found["target"])
    best, _, worst = found["memory.chosen"]
    assert (errors[best], errors[worst]) == (errors.min(), errors.max())


def of_sources(path, sources):
    """Test pictures that say they are of these sources."""
    made = faces(test=len(sources))
    source = made.source.astype("<U8")
    source[made.split == "test"] = sources
    write_faces(path, type(made)(**{**vars(made), "source": source}))
    return path


def test_test_sets_are_pooled_over_pictures_beside_the_printed_numbers(command, finished, tmp_path):
    path = of_sources(tmp_path / "faces.h5", ["helen", "helen", "helen", "lfpw", "ibug"])
    results = command("evaluate", finished[0], "--data", path, "--json").json["results"]
    assert {name: scored["pictures"] for name, scored in results.items()} == {
        "helen": 3,
        "lfpw": 1,
        "common": 4,
        "ibug": 1,
    }
    pooled = (3 * results["helen"]["percent"] + results["lfpw"]["percent"]) / 4
    assert results["common"]["percent"] == pytest.approx(pooled)
    assert {name: scored["printed"] for name, scored in results.items()} == {
        "helen": None,
        "lfpw": None,
        "common": 5.04,
        "ibug": 8.92,
    }
    said = command("evaluate", finished[0], "--data", path).out
    assert [line.split()[0] for line in said.splitlines()[2:-1]] == ["helen", "lfpw", "common", "ibug"]
    (common,) = (line for line in said.splitlines() if line.startswith("common"))
    assert common.split()[1:4] == ["4", f"{results['common']['percent']:.2f}", "5.04"]


def test_the_error_in_the_distance_of_the_outer_corners_stands_beside_no_printed_number(command, finished, tmp_path):
    path, file = of_sources(tmp_path / "faces.h5", ["helen", "ibug"]), tmp_path / "predictions.npz"
    call = ("evaluate", finished[0], "--data", path)
    by_centres = command(*call, "--json", "--predictions", file).json
    by_corners = command(*call, "--json", "--normalise", "outer-corners").json
    with np.load(file, allow_pickle=False) as stored:
        predicted, target = (stored[name].astype(float).reshape(2, 68, 2) for name in ("predicted", "target"))
    distances = np.linalg.norm(predicted - target, axis=2).mean(axis=1)
    errors = distances / np.linalg.norm(target[:, 36] - target[:, 45], axis=1)
    found = [by_corners["results"][name]["percent"] for name in ("helen", "ibug")]
    assert found == pytest.approx(100 * errors)
    assert (by_centres["normalise"], by_corners["normalise"]) == ("eye-centres", "outer-corners")
    assert {scored["printed"] for scored in by_corners["results"].values()} == {None}
    assert (
        "in percent of the distance between the outer corners of the eyes"
        in command(*call, "--normalise", "outer-corners").out
    )
    assert "in percent of the inter-ocular distance (between the eyes' centres)" in command(*call).out


def test_a_distance_that_is_none_is_refused(refused, finished, data):
    line = refused("evaluate", finished[0], "--data", data, "--normalise", "pupils")
    assert "--normalise got 'pupils', expected one of eye-centres, outer-corners" in line


def test_the_run_s_own_validation_is_told_apart(command, finished, data):
    said = command("evaluate", finished[0], "--data", data, "--split", "valid").out
    assert "without jitter; the run's own validation, which chose the weights, is of jittered pictures" in said
    assert "jitter" not in command("evaluate", finished[0], "--data", data).out


def test_a_run_that_is_not_as_published_is_told(command, finished, data):
    unlike = archive.read_record(finished[0]).unlike
    assert unlike[0] == "a recipe of its own" and "batch_size 4 (the row's 64)" in unlike
    assert "14 training pictures of rendered (the release's 0)" not in unlike[:1] and len(unlike) > 5
    assert command("evaluate", finished[0], "--data", data, "--json").json["unlike"] == unlike
    said = command("evaluate", finished[0], "--data", data).out
    assert f"the run is not as published: {'; '.join(unlike)}" in said


def test_weights_that_are_of_no_use_give_no_number(refused, finished, data, tmp_path):
    shutil.copytree(finished[0], tmp_path / "run")
    weights = archive.read_arrays(tmp_path / "run" / archive.WEIGHTS)
    weights["output.b"] = np.full_like(weights["output.b"], np.nan)
    archive.write_arrays(tmp_path / "run" / archive.WEIGHTS, weights)
    line = refused("evaluate", tmp_path / "run", "--data", data, "--json")
    assert "got predictions of 4 of 4 pictures that are not finite" in line


def test_an_altered_folder_is_told(command, finished, data, tmp_path):
    shutil.copytree(finished[0], tmp_path / "run")
    (tmp_path / "run" / archive.CURVE).write_text("")
    done = command("evaluate", tmp_path / "run", "--data", data)
    assert done.status == 0 and "note: the run's folder is not whole (curve.jsonl: altered)" in done.err


def test_a_missing_set_is_named_and_a_part_is_no_whole(command, finished, tmp_path):
    path = of_sources(tmp_path / "faces.h5", ["helen", "helen"])
    results = command("evaluate", finished[0], "--data", path, "--json").json["results"]
    assert not results["common"]["complete"] and not results["helen"]["complete"]
    assert results["helen"]["released"] == 330
    said = command("evaluate", finished[0], "--data", path).out
    assert "(a part of the set is missing: 2 of 330)" in said
    assert "(a part of the set is missing: 2 of 554)" in said
    assert [line.split() for line in said.splitlines() if "no data" in line] == [
        ["lfpw", "no", "data"],
        ["ibug", "no", "data"],
    ]


@pytest.mark.parametrize(("split", "pictures"), [("train", 14), ("valid", 6)])
def test_another_split_is_scored_as_a_whole_beside_no_printed_number(command, finished, data, split, pictures):
    report = command("evaluate", finished[0], "--data", data, "--split", split, "--json").json
    assert list(report["results"]) == ["all"]
    assert report["results"]["all"]["pictures"] == pictures
    assert report["results"]["all"]["printed"] is None


def test_reads_a_run_and_leaves_it_as_it_was(command, finished, data):
    before = contents(finished[0])
    command("evaluate", finished[0], "--data", data)
    assert contents(finished[0]) == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--data", "{data}", "--split", "all"], "--split got 'all', expected one of train, valid, test"),
        (["--data", "{data}", "--spl", "test"], "unrecognized arguments: --spl test"),
        (["--data", "/nowhere.h5"], "does not exist"),
        ([], "required: --data"),
        (["--data", "{data}", "--predictions", "{tmp}/x.npy"], "a new file that ends in .npz"),
        (["--data", "{data}", "--predictions", "{data}.npz"], "a new file that ends in .npz"),
        (["--data", "{data}", "--predictions", "{tmp}/no/x.npz"], "cannot be written"),
    ],
)
def test_command_lines_that_will_not_do(refused, finished, data, tmp_path, arguments, said):
    kept = data.with_name(data.name + ".npz")
    kept.write_bytes(b"mine")
    before = contents(tmp_path)
    line = refused("evaluate", finished[0], *(word.format(data=data, tmp=tmp_path) for word in arguments))
    assert said in line
    assert contents(tmp_path) == before and kept.read_bytes() == b"mine"


def test_a_split_without_pictures(refused, finished, tmp_path):
    write_faces(tmp_path / "faces.h5", faces(test=0))
    assert "no picture in its split 'test'" in refused("evaluate", finished[0], "--data", tmp_path / "faces.h5")


@pytest.fixture
def copied(finished, tmp_path):
    shutil.copytree(finished[0], tmp_path / "run")
    return tmp_path / "run"


def change(folder, place, **changes):
    record = json.loads((folder / archive.RUN).read_text())
    (record[place] if place else record).update(changes)
    (folder / archive.RUN).write_text(json.dumps(record))


@pytest.mark.parametrize(
    ("place", "changes", "said"),
    [
        (None, {"row": "table9"}, "got the row 'table9'"),
        (None, {"row": ["table1_crmn"]}, "'row' is missing or altered"),
        (None, {"row": "../table1_crmn"}, "got the row"),
        (None, {"row": "table3_maxout"}, "add --recipe FILE.py"),
        (None, {"plan": None}, "'plan' is missing or altered"),
        ("plan", {"arguments": {"num_filters": 10**6}}, "expected the arguments"),
        ("plan", {"arguments": {"num_filters": 1}}, "expected the arguments {}"),
        ("plan", {"batch_size": 10**12}, "at most 4096"),
        ("plan", {"batch_size": 0}, "at most 4096"),
        ("options", {"bits": "most"}, "'options' is missing or altered (Invalid enum value 'most'"),
        ("options", {"precision": 64}, "'options' is missing or altered (Expected `str`, got `int` - at `$.precision`"),
    ],
)
def test_an_altered_record_is_refused(refused, copied, data, place, changes, said):
    change(copied, place, **changes)
    assert said in refused("evaluate", copied, "--data", data)


@pytest.mark.parametrize("spoil", ["absent", "cut off", "other shape", "other type", "one less"])
def test_weights_that_will_not_do(refused, copied, data, spoil):
    path = copied / archive.WEIGHTS
    weights = archive.read_arrays(path)
    if spoil == "absent":
        path.unlink()
    elif spoil == "cut off":
        path.write_bytes(path.read_bytes()[:-100])
    else:
        name = "output.b"
        if spoil == "one less":
            del weights[name]
        else:
            weights[name] = weights[name][:-1] if spoil == "other shape" else weights[name].astype("U8")
        archive.write_arrays(path, weights)
    refused("evaluate", copied, "--data", data)


def test_the_targets_are_the_files_keypoints_brought_to_the_networks_box(command, finished, data, tmp_path):
    file = tmp_path / "predictions.npz"
    command("evaluate", finished[0], "--data", data, "--predictions", file)
    target = archive.read_arrays(file)["target"].reshape(4, 68, 2)
    stored = read_faces(data)
    keypoints = stored.keypoints[stored.split == "test"]
    for ours, theirs in zip(target, keypoints, strict=True):
        # A similarity without rotation: one scale for both axes, and a shift.
        (scale_x, _), (scale_y, _) = (np.polyfit(theirs[:, axis], ours[:, axis], 1) for axis in (0, 1))
        assert scale_x == pytest.approx(scale_y, rel=1e-4) and scale_x > 1
        assert ours.min() > 0 and ours.max() < 1
