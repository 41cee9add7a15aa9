"""docs/LIBRARY.md does what it says, each block in a process and an empty folder of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from crmn_legacy import samples
from crmn_legacy.data.files.faces import read_faces

ROOT = Path(__file__).parents[1]
BLOCKS = re.findall(r"^```python\n(.*?)^```$", (ROOT / "docs" / "LIBRARY.md").read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("number", "printed"), [(0, "(68, 2)"), (1, "(100, 2)"), (2, "True")])
def test_a_block_runs(tmp_path, number, printed):
    faces = read_faces(samples.path("rendered_faces.h5"))
    Image.fromarray(faces.images[0]).save(tmp_path / "portrait.jpg")
    done = subprocess.run(
        [sys.executable, "-c", BLOCKS[number]],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == printed


def test_every_block_is_tried():
    assert len(BLOCKS) == 3
