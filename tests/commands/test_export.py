"""`export`: programs that JAX and NumPy alone can run, with the results of `evaluate`, `predict` and the run itself."""

import json
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from crmn_legacy import archive
from crmn_legacy.backend.programs.reading import ProgramStep, open_bundle
from crmn_legacy.backend.programs.run_program import Bundle
from crmn_legacy.data.files.faces import read_faces
from crmn_legacy.errors import UserError
from crmn_legacy.training import bundle_writing
from tests.training.runs import TINY, assert_one_line, assert_same_run, bits_of, contents, environment, run_tiny

# Of coordinates in [0, 1]: another program computes the same network.
TOLERANCE = 1e-6

# Where nothing of these can be imported.
WITHOUT = """
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
"""
WITHOUT_FRAMEWORK = WITHOUT.format(absent=("aesara", "lasagne", "theano"))
WITHOUT_ALL = WITHOUT.format(absent=("aesara", "lasagne", "theano", "crmn_legacy", "scipy", "h5py", "PIL", "msgspec"))


@pytest.fixture(scope="module")
def exported(finished, tmp_path_factory):
    """The bundle of the finished run."""
    folder = tmp_path_factory.mktemp("exported") / "bundle"
    words = ["export", str(finished[0]), "--recipe", str(TINY), "--out", str(folder)]
    done = subprocess.run(
        [sys.executable, "-m", "crmn_legacy", *words], capture_output=True, text=True, env=environment()
    )
    assert done.returncode == 0, done.stderr
    return folder


def run_program(folder, *words):
    """The bundle's own program in a process that has JAX and NumPy only; its lines."""
    prelude = (
        f"import runpy, sys\n{WITHOUT_ALL}\nsys.argv = sys.argv[1:]\nrunpy.run_path(sys.argv[0], run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", prelude, str(folder / "run_program.py"), *map(str, words)],
        capture_output=True,
        text=True,
        env=environment(PYTHONPATH=None),
    )
    return done.returncode, done.stdout, done.stderr


def test_its_program_needs_jax_and_numpy_only_and_gives_the_losses_that_are_told(exported):
    status, out, err = run_program(exported, "check")
    assert status == 0, err
    told = json.loads((exported / "program.json").read_text())["check_losses"]
    np.testing.assert_allclose([float(line) for line in out.split()], told, rtol=1e-5)
    assert len((exported / "run_program.py").read_text().splitlines()) <= 150


def test_its_program_evaluates_and_trains_on_batches(exported, data, tmp_path, finished):
    bundle = Bundle(exported)
    batch = bundle.arrays("check.npz")
    np.savez(tmp_path / "batches.npz", **{name: np.concatenate([a, a[::-1]]) for name, a in batch.items()})
    status, out, err = run_program(exported, "evaluate", tmp_path / "batches.npz")
    assert status == 0, err
    one, two = (float(line) for line in out.split())
    assert one == pytest.approx(two, rel=1e-5)
    words = ("--updates", 5, "--rate", "resnet=0.001", "lstm=0.001", "output=0.001", "--out", tmp_path / "state.npz")
    status, out, err = run_program(exported, "train", tmp_path / "batches.npz", *words)
    assert status == 0 and len(out.split()) == 5, err
    trained = np.load(tmp_path / "state.npz")
    first = bundle.initial_state()
    assert trained.keys() == first.keys() and trained["stem.conv.W"].shape == first["stem.conv.W"].shape
    assert np.abs(trained["stem.conv.W"] - first["stem.conv.W"]).max() > 0
    status, out, _ = run_program(exported, "evaluate", tmp_path / "batches.npz", "--state", tmp_path / "state.npz")
    assert status == 0 and float(out.split()[0]) != one


def test_it_predicts_what_predict_does(exported, command, finished, data, tmp_path):
    picture = np.pad(read_faces(data).images[0], ((10, 30), (5, 50)))
    Image.fromarray(picture).save(tmp_path / "face.png")
    box = (30.0, 40.0, 140.5, 150.25)
    (told,) = command("predict", finished[0], tmp_path / "face.png", "--json", "--box", *box).json
    bundle = Bundle(exported)
    program = bundle.program("predict")
    held = program.put(bundle.initial_state() | bundle.arrays("weights.npz"))
    found = program(state=held, batch={"pictures": picture, "box": np.float32(box)})["outputs"]["points"]
    # Some of a crop's pixels lie between two gray values, and a float's last bit decides.
    np.testing.assert_allclose(found, told["points"], atol=0.02)
    np.save(tmp_path / "face.npy", picture)
    status, out, err = run_program(exported, "predict", tmp_path / "face.npy", "--box", *box)
    assert status == 0 and "points" in out, err


def test_its_evaluation_gives_what_evaluate_does(exported, command, finished, data, tmp_path):
    told = command("evaluate", finished[0], "--data", data, "--json", "--predictions", tmp_path / "predictions.npz")
    assert told.status == 0, told.err
    predictions = archive.read_arrays(tmp_path / "predictions.npz")
    program = Bundle(exported).program("evaluate")
    held = program.put(archive.read_arrays(finished[0] / archive.WEIGHTS))
    batch = {"images": predictions["pictures"][:4], "keypoints": predictions["target"][:4]}
    batch["mask"] = np.ones_like(batch["keypoints"])
    found = program(state=held, batch=batch)["outputs"]["predicted"]
    assert predictions["predicted"].std() > 0.01
    np.testing.assert_allclose(found, predictions["predicted"][:4], atol=TOLERANCE)


def test_a_run_of_its_programs_comes_to_the_same_bits_without_aesara(exported, finished, data, tmp_path):
    words = ("--data", data, "--out", tmp_path / "run", "--programs", exported)
    assert bits_of(run_tiny(*words, before=WITHOUT_FRAMEWORK)) == finished[1]
    assert_same_run(tmp_path / "run", finished[0])
    digest = archive.read_record(tmp_path / "run").programs
    assert len(digest) == 64 and archive.read_record(finished[0]).programs is None


def test_a_run_of_programs_is_repeated_after_they_are_gone(exported, data, tmp_path, command):
    shutil.copytree(exported, tmp_path / "programs")
    words = ("--data", data, "--out", tmp_path / "run", "--epochs", 1, "--programs", tmp_path / "programs")
    bits_of(run_tiny(*words))
    shutil.rmtree(tmp_path / "programs")
    done = command("rerun", tmp_path / "run", "--out", tmp_path / "again")
    assert done.status == 0 and done.out.splitlines()[-1] == "identical", done.out + done.err


def test_it_serves_any_seed_and_a_run_of_it_goes_on(exported, data, tmp_path):
    ours = run_tiny("--data", data, "--out", tmp_path / "graph", "--seed", 2, "--epochs", 2)
    begun = run_tiny("--data", data, "--out", tmp_path / "run", "--seed", 2, "--epochs", 1, "--programs", exported)
    assert begun.returncode == 0, begun.stderr
    resumed = run_tiny("--resume", tmp_path / "run", "--epochs", 2)
    assert bits_of(resumed) == bits_of(ours)


def test_a_bundle_of_a_recipe_begins_without_a_run(command, data, tmp_path, finished):
    done = command("export", TINY, "--out", tmp_path / "bundle")
    assert done.status == 0, done.err
    assert not (tmp_path / "bundle" / "weights.npz").exists()
    child = run_tiny("--data", data, "--out", tmp_path / "run", "--programs", tmp_path / "bundle")
    assert bits_of(child) == finished[1]


@pytest.mark.slow
def test_numbers_of_64_bits_travel_too(command, data, tmp_path):
    wide = ("--precision", "float64")
    done = command("export", TINY, *wide, "--out", tmp_path / "bundle")
    assert done.status == 0, done.err
    status, out, err = run_program(tmp_path / "bundle", "check")
    assert status == 0 and len(out.split()) == 3, err
    graph = run_tiny("--data", data, "--out", tmp_path / "graph", "--epochs", 1, *wide)
    programs = ("--out", tmp_path / "run", "--programs", tmp_path / "bundle")
    assert bits_of(run_tiny("--data", data, *programs, "--epochs", 1, *wide)) == bits_of(graph)


@pytest.mark.parametrize(
    "words, problem",
    [
        (("--smoke",), 'network {}, expected {"num_filters": 1}'),
        (("--set", "batch_size=2"), "batch_size 4, expected 2"),
        (("--set", "momentum=0.5"), "got a bundle with optimizer"),
        (("--precision", "bfloat16"), 'precision "float32", expected "bfloat16"'),
        (("--devices", "2"), "expected --backend xla --devices 1"),
    ],
)
def test_a_run_of_another_kind_is_refused(exported, data, tmp_path, words, problem):
    child = run_tiny("--data", data, "--out", tmp_path / "run", "--programs", exported, *words)
    assert problem in assert_one_line(child)


def altered(exported, tmp_path, name, change):
    folder = tmp_path / "altered"
    shutil.copytree(exported, folder)
    (folder / name).write_bytes(change((folder / name).read_bytes()))
    return folder


def flip(content):
    return content[:100] + bytes([content[100] ^ 1]) + content[101:]


@pytest.mark.parametrize(
    "name, change, problem",
    [
        ("train.cpu.stablehlo", flip, "train.cpu.stablehlo' with sha256"),
        ("weights.npz", flip, "weights.npz' with sha256"),
        ("program.json", lambda content: content[:500], "program.json', which is altered"),
        ("program.json", lambda content: content.replace(b"programs 1", b"programs 9"), "which is altered (format"),
        ("program.json", lambda content: content.replace(b'"check.npz"', b'"../check.npz"'), "names without folders"),
        ("program.json", lambda content: content.replace(b'"normal"', b'"nothing"'), "is drawn from"),
        ("program.json", lambda content: content.replace(b'"inputs"', b'"input"'), "which will not do"),
        ("program.json", lambda content: b"[]", "which is altered"),
    ],
)
def test_an_altered_bundle_is_refused(exported, tmp_path, name, change, problem):
    with pytest.raises(UserError) as told:
        ProgramStep(open_bundle(altered(exported, tmp_path, name, change)), "train", "cpu", seed=1)
    assert problem in str(told.value)


def test_its_program_tells_an_altered_file_in_one_line(exported, tmp_path):
    status, out, err = run_program(altered(exported, tmp_path, "train.cpu.stablehlo", flip), "check")
    assert status == 1 and out == "" and err.startswith("error: got '") and len(err.splitlines()) == 1


def test_no_bundle(data, tmp_path):
    child = run_tiny("--data", data, "--out", tmp_path / "run", "--programs", tmp_path)
    assert "without program.json, expected a bundle" in assert_one_line(child)


def test_its_description_says_where_it_comes_from(exported, finished):
    told, record = json.loads((exported / "program.json").read_text()), archive.read_record(finished[0])
    assert told["run"]["bits"] == record.bits == finished[1].removeprefix("bits: ")
    assert told["run"]["data_digest"] == record.data_digest and told["run"]["whole"] is True
    assert told["row"] == "table1_crmn" and told["parameters"] == record.parameters
    assert told["files"].keys() == {path.name for path in exported.iterdir()} - {"program.json"}
    assert (exported / "weights.npz").read_bytes() == (finished[0] / "weights.npz").read_bytes()
    # Every first weight is one number or a draw: a line, not an array.
    assert all("fill" in how or "draw" in how for how in told["state"].values())


def test_the_same_run_gives_the_same_bytes_without_paths(command, exported, finished, tmp_path, root):
    shutil.copytree(finished[0], tmp_path / "elsewhere")
    assert command("export", tmp_path / "elsewhere", "--out", tmp_path / "again").status == 0
    for path in exported.iterdir():
        content = path.read_bytes()
        assert (tmp_path / "again" / path.name).read_bytes() == content, path.name
        if path.suffix == ".stablehlo":
            assert b".py" not in content and str(root).encode() not in content


def test_existing_files_and_folders_are_refused(refused, finished, tmp_path):
    (tmp_path / "one").write_text("mine")
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "mine").write_text("mine")
    before = contents(tmp_path)
    for name in ("one", "two"):
        assert "exists, expected a new or empty folder" in refused("export", finished[0], "--out", tmp_path / name)
    assert contents(tmp_path) == before


def test_a_runs_folder_is_no_place_for_it(refused, finished):
    before = contents(finished[0])
    assert "in a run's folder" in refused("export", finished[0], "--out", finished[0] / "bundle")
    assert contents(finished[0]) == before


def test_a_run_keeps_the_options_that_it_had(refused, finished, tmp_path):
    assert "of a run all is as it was trained" in refused("export", finished[0], "--seed", 3, "--out", tmp_path / "b")


def test_a_run_without_weights(refused, finished, tmp_path):
    shutil.copytree(finished[0], tmp_path / "run")
    (tmp_path / "run" / archive.WEIGHTS).unlink()
    assert "weights.npz', which is no file" in refused("export", tmp_path / "run", "--out", tmp_path / "bundle")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]


def test_an_altered_folder_is_told_and_its_names_reach_no_terminal(command, finished, tmp_path):
    shutil.copytree(finished[0], tmp_path / "run")
    record = json.loads((tmp_path / "run" / archive.RUN).read_text())
    record.update(bits="\x1b[31m", data_digest="\x1b[31m", status="\x1b[31m")
    (tmp_path / "run" / archive.RUN).write_text(json.dumps(record))
    done = command("export", tmp_path / "run", "--out", tmp_path / "bundle")
    assert done.status == 0 and "note: the run's folder is not whole" in done.err
    text = (tmp_path / "bundle" / "program.json").read_text()
    assert all(letter.isprintable() or letter == "\n" for letter in done.out + done.err + text)
    said = json.loads(text)["run"]
    assert said["whole"] is False and said["bits"] is None


@pytest.mark.parametrize("full", ["train.cpu.stablehlo", "program.json"])
def test_a_full_disk_is_told_in_one_line_and_leaves_nothing(refused, finished, tmp_path, monkeypatch, full):
    write_whole = bundle_writing.write_whole

    def write(path, content):
        former = resource.getrlimit(resource.RLIMIT_FSIZE)
        if Path(path).name == full:
            resource.setrlimit(resource.RLIMIT_FSIZE, (16, former[1]))
        try:
            write_whole(path, content)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, former)

    monkeypatch.setattr(bundle_writing, "write_whole", write)
    line = refused("export", finished[0], "--out", tmp_path / "bundle")
    assert f"{full}', which cannot be written (File too large)" in line
    assert list(tmp_path.iterdir()) == []


def test_out_is_required(refused, finished):
    assert "required: --out" in refused("export", finished[0])
