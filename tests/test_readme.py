"""Each command of README.md does what it says there, on as little as shows it."""

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from crmn_legacy import samples
from crmn_legacy.data.files.faces import read_faces
from crmn_legacy.data.files.photographs import read_points
from crmn_legacy.training import tensorboard
from tests.data_prep import cifar_folders
from tests.data_prep.cifar_folders import CIFAR10, make_folder

ROOT = Path(__file__).parents[1]
README, RUNS, OWN_ROWS, PROGRAMS = (
    (ROOT / name).read_text(encoding="utf-8")
    for name in ("README.md", "docs/RUNS.md", "docs/OWN_ROWS.md", "docs/PROGRAMS.md")
)
# A document's commands go on from those of the ones before.
DOCUMENTS = README + RUNS + OWN_ROWS + PROGRAMS

# A batch of the published size has 64 pictures; a tenth of those for training are held back for validation.
TRAINING_PICTURES = 72
TEST_PICTURES = 3

# Its status says whether Lasagne and Theano's name were there.
LASAGNE_PROGRAM = "import sys, lasagne, theano; sys.exit(lasagne.__version__ != '0.1')\n"


def commands(text):
    """Lines of the text's bash blocks, in order; a `\\` at its end joins a line to the next."""
    blocks = re.findall(r"^```bash\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [" ".join(line.split()) for line in lines if line.strip() and not line.startswith("#")]


COMMANDS = commands(DOCUMENTS)


def in_small(command):
    """The words that a command is tried with: itself, where it takes long with the shortest run added."""
    program, *arguments = shlex.split(command)
    if program == "make":
        # This very suite may be what `make test` runs: that the target can be made has to do.
        return ["make", "--dry-run", f"PYTHON={sys.executable}", *arguments]
    if program in ("docker", "cp", "sed"):
        return [program, *arguments]
    assert program == "python", f"a document has a command that nobody tries: {command}"
    small = []
    if arguments[0].endswith("recipe.py") or (arguments[0].startswith("recipes/") and "--describe" not in arguments):
        if "--resume" in arguments:
            small = ["--epochs", "2"]
        elif "--data" in arguments:
            small = ["--smoke", "--epochs", "1"]
        else:
            small = ["--smoke", "--steps", "1"]
    if arguments[0] == "data_prep/cifar.py":
        small = ["--no-checksum"]  # the release that is made up here has no published one
    return [sys.executable, *arguments, *small]


def write_release(folder):
    """Lay out rendered faces as 300-W is released: pictures with their `.pts` beside them."""
    faces = read_faces(samples.path("rendered_faces.h5"))
    sets = ["afw"] * TRAINING_PICTURES + ["helen/testset"] * TEST_PICTURES + ["ibug"] * TEST_PICTURES
    for number, name in enumerate(sets):
        (folder / name).mkdir(parents=True, exist_ok=True)
        write_picture(folder / name / f"{number:03d}.jpg", faces, number)


def write_picture(path, faces, number):
    image, keypoints = faces.images[number], faces.keypoints[number]
    Image.fromarray(image).save(path, quality=90)
    rows = "\n".join(f"{x:.3f} {y:.3f}" for x, y in keypoints * np.array(image.shape))
    path.with_suffix(".pts").write_text(f"version: 1\nn_points: {len(keypoints)}\n{{\n{rows}\n}}\n")


def why_not(command):
    """What a command needs that is not here, or None."""
    if "--tensorboard" in command and not tensorboard.is_installed():
        return "no tensorboardX: make tensorboard"
    if " completion " in command and importlib.util.find_spec("shtab") is None:
        return "no shtab: make completion"
    if not command.startswith("docker "):
        return None
    engine = shutil.which("docker") and subprocess.run(["docker", "info"], capture_output=True).returncode == 0
    if not engine:
        return "no Docker engine"
    archive = re.search(r"--input (\S+)", RUNS).group(1)
    return None if (ROOT / archive).is_file() else f"no {archive}: make image"


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """Command -> what became of it; all were run in order, in a folder that looks like a clone with its data."""
    clone = tmp_path_factory.mktemp("readme")
    for name in ("crmn_legacy", "data_prep", "recipes"):
        (clone / name).symlink_to(ROOT / name)
    for name in ("Makefile", "requirements.lock", "requirements-build.lock"):
        shutil.copy(ROOT / name, clone)
    if (ROOT / "dist").is_dir():
        (clone / "dist").symlink_to(ROOT / "dist")
    write_release(clone / "300w")
    with pytest.MonkeyPatch.context() as changed:
        changed.setitem(cifar_folders.PICTURES, 10, 40)  # so many that a published batch fits in
        make_folder(clone / "cifar", CIFAR10)
    write_picture(clone / "portrait.jpg", read_faces(samples.path("rendered_faces.h5")), -1)
    (clone / "script.py").write_text(LASAGNE_PROGRAM)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    environment = {**kept, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": ""}
    done = {
        command: subprocess.run(in_small(command), cwd=clone, env=environment, capture_output=True, text=True)
        for command in COMMANDS
        if not command.startswith("source ") and not why_not(command)
    }
    done["clone"] = clone
    return done


def test_the_first_two_commands_are_the_ones_to_start_with():
    assert COMMANDS[:2] == ["make reproduce", "make test"]


def test_the_shell_is_told_of_the_environment_that_make_builds():
    (folder,) = re.findall(r"^VENV := (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert [command for command in COMMANDS if command.startswith("source ")] == [f"source {folder}/bin/activate"]


@pytest.mark.parametrize("command", [command for command in COMMANDS if not command.startswith("source ")])
def test_a_command_of_the_readme_works(outcomes, command):
    if reason := why_not(command):
        pytest.skip(reason)
    done = outcomes[command]
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("command", [command for command in COMMANDS if command.startswith("make ")])
def test_what_make_calls_is_there(outcomes, command):
    called = outcomes[command].stdout
    assert [name for name in re.findall(r"\S+\.(?:py|lock)\b", called) if not (ROOT / name).is_file()] == []


def test_the_run_of_the_readme_is_the_one_it_goes_on_with(outcomes):
    curve = (outcomes["clone"] / "runs" / "faces" / "curve.jsonl").read_text().splitlines()
    assert len(curve) == 2


def test_the_prediction_of_the_readme_is_written(outcomes):
    points = read_points(outcomes["clone"] / "overlays" / "portrait.pts")
    assert points.shape == (68, 2)
    assert (outcomes["clone"] / "overlays" / "portrait.png").is_file()


def test_the_table_of_files_is_that_of_a_run(outcomes):
    section = RUNS.partition("## A run's folder")[2].partition("\n## ")[0]
    named = set(re.findall(r"`([\w.]+\.(?:json|jsonl|csv|npz|py|sha256))`", section))
    assert named == {path.name for path in (outcomes["clone"] / "runs" / "faces").iterdir()}


def test_the_results_are_what_tables_prints(outcomes):
    section = README.partition("## Results")[2].partition("\n## ")[0]
    blocks = re.findall(r"(?:^\|.*\n)+", section, re.MULTILINE)
    assert len(blocks) == 3
    printed = [re.split(r"\s{2,}", line) for line in outcomes["python -m crmn_legacy tables"].stdout.splitlines()]
    for number, block in enumerate(blocks, 1):
        title, dashes, *rows = ([cell.strip() for cell in line.split("|")[1:-1]] for line in block.splitlines())
        assert title in printed
        assert set("".join(dashes)) == {"-"}
        # What was measured depends on the runs at hand.
        known = [place for place, name in enumerate(title) if name not in ("our Common", "our iBug", "ours")]
        here = [line for line in printed if line[0].startswith(f"table{number}_") and len(line) > 1]
        assert len(rows) == len(here)
        table = {line[0]: [line[place] for place in known] for line in here}
        assert {row[0]: [row[place] for place in known] for row in rows} == table


def test_every_recipe_is_once_in_the_readme():
    assert sorted(re.findall(r"^\| (table\d\w+) +\|", README, re.MULTILINE)) == sorted(
        path.stem for path in ROOT.glob("recipes/*.py")
    )


def test_the_readme_is_short():
    assert len(README.splitlines()) <= 150


@pytest.mark.parametrize(
    "path", [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("benchmarks/*.md")], ids=lambda path: path.name
)
def test_links_to_files_lead_somewhere(path):
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_a_command_that_nobody_tries_is_noticed():
    with pytest.raises(AssertionError, match="nobody tries"):
        in_small("curl something")


def test_commands_are_read_from_bash_blocks_only():
    text = "```bash\n# first\npython a.py \\\n    --b\n```\n\n```\nno command\n```\n"
    assert commands(text) == ["python a.py --b"]
