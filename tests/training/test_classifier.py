"""Runs of a classifier: the same bits after any interruption, random inference that can be repeated."""

import json
import runpy
import signal
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from crmn_legacy import archive, samples
from crmn_legacy.backend.programs.run_program import Bundle
from crmn_legacy.data.files.labelled_pictures import read_pictures, write_pictures
from crmn_legacy.errors import UserError
from crmn_legacy.inference.predictors import load
from tests.commands.conftest import command, refused
from tests.training.runs import TINY, assert_one_line, assert_same_run, bits_of, run_tiny
from tests.training.test_resume import AFTER_UPDATE

__all__ = ["command", "refused"]

CLASSIFIER = TINY.parent / "table3_swapout.py"
STEPS_PER_EPOCH = 4


@pytest.fixture(scope="module")
def shapes():
    return samples.path("rendered_shapes10.h5")


@pytest.fixture(scope="module")
def whole(tmp_path_factory, compiled, shapes):
    """The folder and the last line of a run of two epochs that nothing interrupted."""
    folder = tmp_path_factory.mktemp("classifier") / "run"
    return folder, bits_of(run_tiny("--data", shapes, "--out", folder, script=CLASSIFIER))


def test_a_run_ends_with_its_accuracy_and_its_random_state(whole):
    folder, _ = whole
    record, curve = archive.read_record(folder), archive.read_curve(folder)
    assert archive.verify(folder) == []
    assert 0 <= record.result.test["all"].mean <= 1 and record.result.test["all"].pictures == 70
    state = archive.read_arrays(folder / "checkpoint.npz").keys()
    assert {"stem.half.rng", "stem.dropout.rng", "stem.conv.W.velocity"} <= state
    assert not [name for name in archive.read_arrays(folder / "weights.npz") if name.endswith(".rng")]
    # The error is below 2 from the first on: the window is full at update 3, update 5 is the first at the full rate.
    assert [line.rates["network"] for line in curve] == pytest.approx([0.01, 0.01])
    assert [line.shifts for line in curve] == [0, 1]


@pytest.mark.parametrize("update", [2, 3, 5])
def test_a_run_that_was_stopped_goes_on_to_the_same_bits(tmp_path, whole, shapes, update):
    before = AFTER_UPDATE.format(update=update, signal="SIGTERM")
    stopped = run_tiny("--data", shapes, "--out", tmp_path / "run", before=before, script=CLASSIFIER)
    assert stopped.returncode == 128 + signal.SIGTERM, stopped.stderr
    resumed = run_tiny("--resume", tmp_path / "run", script=CLASSIFIER)
    assert bits_of(resumed) == whole[1]
    assert_same_run(tmp_path / "run", whole[0])


def test_a_program_is_given_the_probabilities_that_predict_prints(command, whole, shapes, tmp_path):
    pictures = read_pictures(shapes).images[:2]
    for place, picture in enumerate(pictures):
        Image.fromarray(picture.transpose(1, 2, 0)).save(tmp_path / f"{place}.png")
    words = [tmp_path / "0.png", tmp_path / "1.png", "--json", "--recipe", CLASSIFIER]
    printed = command("predict", whole[0], *words).json
    network = load(whole[0], CLASSIFIER)
    assert network.classes == list(printed[0]["probabilities"])
    found = network.predict(pictures)
    np.testing.assert_array_equal(found, [list(one["probabilities"].values()) for one in printed])
    assert network.predict(pictures[0]).shape == (10,) and network.predict(pictures[:0]).shape == (0, 10)
    for wrong in (pictures.astype(float), pictures[0, 0], pictures.transpose(0, 2, 3, 1)):
        with pytest.raises(UserError, match=r"expected uint8 \(3, 32, 32\) or \(pictures, 3, 32, 32\)"):
            network.predict(wrong)


def test_weights_stay_within_their_constraint(whole):
    weights = archive.read_arrays(whole[0] / "weights.npz")["stem.conv.W"]
    assert np.sqrt((weights**2).sum(axis=(1, 2, 3))).max() <= 0.5 + 1e-5


def test_evaluate_repeats_the_random_inference_of_the_run(command, whole, shapes):
    report = command("evaluate", whole[0], "--data", shapes, "--json").json
    (found,) = report["results"].values()
    expected = archive.read_record(whole[0]).result.test["all"]
    assert report["metric"] == "accuracy"
    assert found["percent"] == pytest.approx(100 * expected.mean, abs=1e-9)
    # No printed number is of rendered shapes.
    assert found["printed"] is None and found["complete"]
    shown = command("evaluate", whole[0], "--data", shapes).out
    assert "all" in shown and "no data" not in shown


def test_the_printed_number_stands_beside_a_part_of_the_release_that_is_told_as_one(command, whole, shapes, tmp_path):
    write_pictures(tmp_path / "cifar.h5", replace(read_pictures(shapes), source="cifar10"))
    call = ("evaluate", whole[0], "--data", tmp_path / "cifar.h5")
    found = command(*call, "--json").json["results"]["all"]
    assert (found["printed"], found["released"], found["complete"]) == (95.24, 10_000, False)
    assert f"(a part of the set is missing: {found['pictures']} of 10,000)" in command(*call).out


def test_predict_gives_class_probabilities(command, whole, shapes, tmp_path):
    pictures = read_pictures(shapes)
    for number in range(2):
        picture = Image.fromarray(pictures.images[number].transpose(1, 2, 0))
        picture.resize((64 * (1 + number), 64)).save(tmp_path / f"{number}.png")
    found = command("predict", whole[0], tmp_path / "0.png", tmp_path / "1.png", "--json").json
    assert [one["picture"] for one in found] == [str(tmp_path / f"{number}.png") for number in range(2)]
    for one in found:
        assert list(one["probabilities"]) == [str(name) for name in pictures.classes]
        assert sum(one["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    said = command("predict", whole[0], tmp_path / "0.png").out
    assert said.startswith(f"{tmp_path / '0.png'}: ") and said.count("%") == 5


def test_predict_refuses_what_is_for_faces(refused, whole, tmp_path):
    Image.new("RGB", (32, 32)).save(tmp_path / "one.png")
    for words in (["--points"], ["--box", "0", "0", "9", "9"], ["--out", tmp_path / "new"]):
        assert "a classifier, expected one on faces" in refused("predict", whole[0], tmp_path / "one.png", *words)


def test_other_data_than_the_row_is_about_is_refused_in_one_line(compiled, tmp_path):
    hundred = run_tiny("--data", samples.path("rendered_shapes100.h5"), "--out", tmp_path / "a", script=CLASSIFIER)
    assert "with 100 classes, expected 10: give the file that" in assert_one_line(hundred)
    faces = run_tiny("--data", samples.path("rendered_faces.h5"), "--out", tmp_path / "b", script=CLASSIFIER)
    assert "faces" in assert_one_line(faces)
    assert not (tmp_path / "a").exists() and not (tmp_path / "b").exists()


def test_the_description_names_every_part():
    described = json.loads(json.dumps(runpy.run_path(str(CLASSIFIER))["RECIPE"].describe()))
    assert described["augmentation"]["preprocessing"] == {"name": "ChannelMeanStd"}
    assert described["augmentation"]["augmentation"]["name"] == "CropFlip"
    assert described["augmentation"]["samples"] == 3
    assert described["weight_decay"] == {"coefficient": 1e-3, "of": "all", "multipliers": []}
    assert described["constraints"] == [{"parameters": "stem.conv.W", "norm": 0.5}]
    assert described["schedule"]["warm_up"]["training_error"] == 2.0


def test_exported_programs_take_raw_pictures_and_give_probabilities(command, whole, shapes, tmp_path):
    done = command("export", whole[0], "--out", tmp_path / "bundle")
    assert done.status == 0, done.err
    bundle = Bundle(tmp_path / "bundle")
    data = read_pictures(shapes)
    assert bundle.described["classes"] == list(data.classes)
    assert command("evaluate", whole[0], "--data", shapes, "--predictions", tmp_path / "p.npz").status == 0
    with np.load(tmp_path / "p.npz") as stored:
        averaged = stored["predicted"][:5]
    program = bundle.program("predict")
    held = program.put(bundle.initial_state() | bundle.arrays("weights.npz"))
    batch = {"pictures": data.images[data.split == "test"][:5], **bundle.arrays("statistics.npz")}
    found = np.asarray(program(state=held, batch=batch)["outputs"]["probabilities"])
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)
    # Random passes scatter around the deterministic one.
    np.testing.assert_allclose(found, averaged, atol=0.2)
    assert abs(found - averaged).max() > 1e-6


def test_a_run_of_programs_with_random_numbers_comes_to_the_same_bits(command, whole, shapes, tmp_path):
    assert command("export", whole[0], "--out", tmp_path / "bundle").status == 0
    programs = json.loads((tmp_path / "bundle" / "program.json").read_text())["programs"]
    assert {"streams.cpu", "test.cpu", "train.cuda"} <= programs.keys()
    words = ("--data", shapes, "--out", tmp_path / "run", "--programs", tmp_path / "bundle")
    assert bits_of(run_tiny(*words, script=CLASSIFIER)) == whole[1]
    assert_same_run(tmp_path / "run", whole[0])


def test_predict_rounds_as_evaluate_does(command, whole, shapes, tmp_path):
    pictures = read_pictures(shapes)
    rows = np.flatnonzero(pictures.split == "test")[:3]
    for row in rows:
        Image.fromarray(pictures.images[row].transpose(1, 2, 0)).save(tmp_path / f"{row}.png")
    command("evaluate", whole[0], "--data", shapes, "--predictions", tmp_path / "found.npz")
    kind = archive.read_arrays(tmp_path / "found.npz")["predicted"].dtype
    for one in command("predict", whole[0], *(tmp_path / f"{row}.png" for row in rows), "--json").json:
        probabilities = list(one["probabilities"].values())
        # Means of several passes, in the format that the network computes in.
        assert probabilities == np.array(probabilities, kind).astype(float).tolist()
