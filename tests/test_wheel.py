"""The package as it is installed: from a wheel, and from a wheel that is made of an archive of sources."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig

import numpy as np
import pytest
from PIL import Image

from tests.data_prep.cifar_folders import CIFAR10, make_folder

pytestmark = pytest.mark.slow

BUILD = "from setuptools import build_meta as b; import sys; print(getattr(b, 'build_' + sys.argv[1])(sys.argv[2]))"


def ran(*words, cwd, status=0):
    """What a command printed, in an environment without a source tree."""
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "MAKEFLAGS")}
    done = subprocess.run([*map(str, words)], cwd=cwd, env=kept, capture_output=True, text=True)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


def built(kind, source, out):
    """Build a wheel or an archive of sources in `source`; the file."""
    return out / ran(sys.executable, "-c", BUILD, kind, out, cwd=source).splitlines()[-1]


@pytest.fixture(scope="module")
def source(root, tmp_path_factory):
    """A copy of the source tree, so that building leaves nothing in it."""
    copy = tmp_path_factory.mktemp("source") / "tree"
    left_out = shutil.ignore_patterns(".git", ".venv*", "runs", "dist", "build", "*.egg-info", "__pycache__", "tests")
    shutil.copytree(root, copy, ignore=left_out)
    return copy


@pytest.fixture(scope="module", params=["wheel", "sdist"])
def installed(request, source, tmp_path_factory):
    """The folder of commands of a new environment with the package in it, and an empty folder to work in."""
    place = tmp_path_factory.mktemp(request.param)
    tree = source
    if request.param == "sdist":
        shutil.unpack_archive(built("sdist", source, place), place / "unpacked", filter="data")
        (tree,) = (place / "unpacked").iterdir()
    wheel = built("wheel", tree, place)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place / "venv"], check=True)
    (site,) = (place / "venv" / "lib").glob("python*/site-packages")
    # What the lock installs is here already; as a mere folder on the path it brings no editable package along.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip = [sys.executable, "-m", "pip", "--python", place / "venv" / "bin" / "python"]
    ran(*pip, "install", "--no-deps", "--no-index", wheel, cwd=place)
    (place / "work").mkdir()
    return place / "venv" / "bin", place / "work"


def test_every_command_works_from_an_empty_folder(installed):
    commands, work = installed
    crmn = commands / "crmn-legacy"
    rows = json.loads(ran(crmn, "tables", "--json", cwd=work))
    assert len(rows) == 28 and all(row["recipe"] and row["parameters"] for row in rows)
    assert "bad " not in ran(crmn, "doctor", cwd=work)
    said = ran(crmn, "train", "table1_crmn", "--smoke", "--out", "runs/a", cwd=work)
    key = json.loads((work / "runs" / "a" / "run.json").read_text())["platform_key"]
    assert "golden: match" in said or f"golden: none for {key}" in said
    bits = said.splitlines()[-1]
    assert ran(crmn, "verify", "runs/a", cwd=work) == f"whole: table1_crmn, {bits.removeprefix('bits: ')}\n"
    assert ran(crmn, "rerun", "runs/a", "--out", "runs/b", cwd=work).splitlines()[-1] == "identical"
    assert ran(crmn, "compare", "runs/a", "runs/b", cwd=work).splitlines()[-1] == "identical"
    assert "written: report.html" in ran(crmn, "report", "runs/a", "runs/b", cwd=work)
    assert "train.cpu, evaluate.cpu, predict.cpu" in ran(crmn, "export", "runs/a", "--out", "a", cwd=work)
    ran(crmn, "data", "rendered-faces", "--out", "faces.h5", "--count", 40, cwd=work)
    assert "rendered" in ran(crmn, "evaluate", "runs/a", "--data", "faces.h5", cwd=work)
    Image.fromarray(np.zeros((90, 80), np.uint8)).save(work / "gray.png")
    assert "gray.png" in ran(crmn, "predict", "runs/a", "gray.png", cwd=work)
    record = json.loads((work / "runs" / "a" / "run.json").read_text())
    assert record["source"]["recipe_of_tree"] and record["source"]["state"] == "unknown"


def test_data_of_cifar_are_prepared_and_help_is_there(installed):
    commands, work = installed
    crmn = commands / "crmn-legacy"
    make_folder(work / "cifar", CIFAR10)
    said = ran(crmn, "data", "cifar", "--root", "cifar", "--out", "cifar10.h5", "--no-checksum", cwd=work)
    assert said.startswith("cifar10: ")
    assert "--smoke" in ran(crmn, "train", "table3_maxout", "--help", cwd=work)
    assert "--root" in ran(crmn, "data", "faces", "--help", cwd=work)
    assert "COMMAND" in ran(commands / "python", "-m", "crmn_legacy", "--help", cwd=work)


def test_networks_out_of_a_program_need_no_clone(installed, root):
    commands, work = installed
    said = ran(commands / "python", root / "examples" / "own_network.py", cwd=work).splitlines()
    assert float(said[-1].partition("%")[0]) > 95 and (work / "moons.npz").exists()
    load = "import crmn_legacy as c; n = c.load('table1_crmn_quarter'); import numpy as np; "
    load += "print(n.predict(np.zeros((90, 80), np.uint8)).shape)"
    assert ran(commands / "python", "-c", load, cwd=work) == "(68, 2)\n"
