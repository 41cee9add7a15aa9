"""Each program of examples/ runs in an empty folder; `tests/training/test_fitting.py` has that of one's own network."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import crmn_legacy
from crmn_legacy import samples
from crmn_legacy.data.files.faces import read_faces

ROOT = Path(__file__).parents[1]


def ran(*words, cwd, **changes):
    """What a program printed."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | changes
    done = subprocess.run([sys.executable, *map(str, words)], cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.slow
def test_the_memory_is_looked_at(tmp_path):
    said = ran(ROOT / "examples" / "look_at_memory.py", cwd=tmp_path)
    assert [line.split()[0] for line in said[-5:-1]] == ["ingate", "forgetgate", "outgate", "hidden"]
    assert all(line.count("step ") == 3 for line in said[-5:-1])
    assert {path.name for path in tmp_path.iterdir()} == {"run", "predictions.npz", "report.html"}


@pytest.mark.slow
def test_a_bundle_is_used_without_this_package(tmp_path):
    image = read_faces(samples.path("rendered_faces.h5")).images[0]
    Image.fromarray(image).save(tmp_path / "portrait.png")
    ran("-m", "crmn_legacy", "export", "--pretrained", "table1_crmn_quarter", "--out", "bundle", cwd=tmp_path)
    said = ran(ROOT / "examples" / "use_bundle.py", "bundle", "portrait.png", cwd=tmp_path, PYTHONPATH="")
    points = np.array([[float(number) for number in line.split()] for line in said[-68:]])
    expected = crmn_legacy.load("table1_crmn_quarter").predict(image)
    # In pixels: another program, whose box has 32 bits, so that a gray value may be rounded otherwise.
    np.testing.assert_allclose(points, expected, atol=0.1)


def test_every_example_is_tried():
    names = {path.name for path in (ROOT / "examples").glob("*.py")}
    assert names == {"look_at_memory.py", "own_network.py", "use_bundle.py"}
