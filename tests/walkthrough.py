"""What a document tells its reader to do, done: commands and programs in order, in a folder that looks like a clone.

Blocks of ``bash`` hold commands; those of ``console`` commands after a ``$``, each with what it prints, in which
``...`` stands for anything within a line, and on a line of its own for any number of lines; those of ``python`` are
programs.
"""

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

from crmn_legacy import samples
from crmn_legacy.data.files.faces import read_faces
from crmn_legacy.training import tensorboard
from tests.data_prep import cifar_folders
from tests.data_prep.cifar_folders import CIFAR10, make_folder

ROOT = Path(__file__).parents[1]

# The commands of each go on from those of the ones before.
README_AND_ITS_PAGES = ("README.md", "docs/RUNS.md", "docs/OWN_ROWS.md", "docs/PROGRAMS.md")

# A batch of the published size has 64 pictures; a tenth of those for training are held back for validation.
TRAINING_PICTURES = 72
TEST_PICTURES = 3

# Its status says whether Lasagne and Theano's name were there.
LASAGNE_PROGRAM = "import sys, lasagne, theano; sys.exit(lasagne.__version__ != '0.1')\n"


class Step(NamedTuple):
    """A command, or a program in Python, and what the document says that it prints; None where it says nothing."""

    text: str
    printed: str | None = None
    is_program: bool = False


def read(name):
    """The text of a document of the repository."""
    return (ROOT / name).read_text(encoding="utf-8")


def steps(text):
    """The steps of a document (list of Step), in order."""
    found = []
    for kind, block in re.findall(r"^```(bash|console|python)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        if kind == "python":
            found.append(Step(block, is_program=True))
        elif kind == "bash":
            lines = block.replace("\\\n", " ").splitlines()
            found += [Step(" ".join(line.split())) for line in lines if line.strip() and not line.startswith("#")]
        else:
            parts = re.split(r"^\$ ", block.replace("\\\n", " "), flags=re.MULTILINE)
            assert not parts[0], f"what prints {parts[0]!r}?"
            for part in parts[1:]:
                command, _, printed = part.partition("\n")
                found.append(Step(" ".join(command.split()), printed))
    return found


def commands(text):
    """The commands of a document (list of str), in order."""
    return [step.text for step in steps(text) if not step.is_program]


def in_small(command):
    """The words that a command is tried with: itself, where it takes long with the shortest run added."""
    program, *arguments = shlex.split(command)
    if program == "make":
        # This very suite may be what `make test` runs: that the target can be made has to do.
        return ["make", "--dry-run", f"PYTHON={sys.executable}", *arguments]
    if program in ("docker", "cp", "sed", "grep"):
        return [program, *arguments]
    assert program == "python", f"a document has a command that nobody tries: {command}"
    small = []
    if _is_run(arguments):
        if "--resume" in arguments:
            small = ["--epochs", "2"]
        elif "--data" in arguments:
            small = ["--smoke", "--epochs", "1"]
        else:
            small = ["--smoke", "--steps", "1"]
    if arguments[0] == "data_prep/cifar.py":
        small = ["--no-checksum"]  # the release that is made up here has no published one
    if arguments[0] == "data_prep/rendered_faces.py":
        small = ["--count", "90"]
    return [sys.executable, *arguments, *small]


def _is_run(arguments):
    script, *options = arguments
    return script.endswith("recipe.py") or (script.startswith("recipes/") and "--describe" not in options)


def takes_long(command):
    """Whether a command takes more than seconds as it stands."""
    _, *arguments = shlex.split(command)
    long = _is_run(arguments) and ("--smoke" not in arguments or "--data" in arguments)
    return long or arguments[0].startswith("data_prep/")


def matches(expected, printed):
    """Whether a command printed what its document says."""
    pattern = "".join(
        r"(?:.*\n)*?" if line == "..." else r".*?".join(map(re.escape, line.split("..."))) + "\n"
        for line in expected.rstrip("\n").splitlines()
    )
    lines = [line.rstrip() for line in printed.rstrip("\n").splitlines()]
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in lines)) is not None


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
    archive = re.search(r"--input (\S+)", read("docs/RUNS.md")).group(1)
    return None if (ROOT / archive).is_file() else f"no {archive}: make image"


def lay_clone(clone):
    """Make a folder look like a clone with its data, a portrait and a Lasagne program beside it."""
    for name in ("crmn_legacy", "data_prep", "recipes"):
        (clone / name).symlink_to(ROOT / name)
    for name in ("Makefile", "requirements.lock", "requirements-build.lock"):
        shutil.copy(ROOT / name, clone)
    if (ROOT / "dist").is_dir():
        (clone / "dist").symlink_to(ROOT / "dist")
    _write_release(clone / "300w")
    with pytest.MonkeyPatch.context() as changed:
        changed.setitem(cifar_folders.PICTURES, 10, 40)  # so many that a published batch fits in
        make_folder(clone / "cifar", CIFAR10)
    _write_picture(clone / "portrait.jpg", read_faces(samples.path("rendered_faces.h5")), -1)
    (clone / "script.py").write_text(LASAGNE_PROGRAM)


def do(step, clone, small=True):
    """What became of a step in that folder, tried in small or as it stands (a `subprocess.CompletedProcess`)."""
    if step.is_program:
        words = [sys.executable, "-c", step.text]
    elif small or step.text.startswith("make "):
        words = in_small(step.text)
    else:
        program, *arguments = shlex.split(step.text)
        words = [sys.executable if program == "python" else program, *arguments]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    environment = {**kept, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.run(words, cwd=clone, env=environment, capture_output=True, text=True)


def _write_release(folder):
    """Lay out rendered faces as 300-W is released: pictures with their `.pts` beside them."""
    faces = read_faces(samples.path("rendered_faces.h5"))
    sets = ["afw"] * TRAINING_PICTURES + ["helen/testset"] * TEST_PICTURES + ["ibug"] * TEST_PICTURES
    for number, name in enumerate(sets):
        (folder / name).mkdir(parents=True, exist_ok=True)
        _write_picture(folder / name / f"{number:03d}.jpg", faces, number)


def _write_picture(path, faces, number):
    image, keypoints = faces.images[number], faces.keypoints[number]
    Image.fromarray(image).save(path, quality=90)
    rows = "\n".join(f"{x:.3f} {y:.3f}" for x, y in keypoints * np.array(image.shape))
    path.with_suffix(".pts").write_text(f"version: 1\nn_points: {len(keypoints)}\n{{\n{rows}\n}}\n")
