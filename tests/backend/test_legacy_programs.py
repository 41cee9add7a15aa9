"""Programs as people wrote them from 2015 to 2018 give the same numbers through XLA as through Aesara's own code."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

PROGRAMS = Path(__file__).parent / "legacy_programs"
QUICK = ("logistic_regression", "boltzmann_machine")
NAMES = sorted(path.stem for path in PROGRAMS.glob("*.py"))


def run(name, backend, folder):
    """The lines of numbers that a program prints, without a C compiler."""
    ran = subprocess.run(
        [sys.executable, "-m", "crmn_legacy.backend", "--backend", backend, str(PROGRAMS / f"{name}.py")],
        env={**os.environ, "AESARA_FLAGS": "cxx=", "PYTHONPATH": str(PROGRAMS.parents[2])},
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    return [line.translate(str.maketrans("[],", "   ")).split() for line in ran.stdout.splitlines()]


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in NAMES]
)
def test_a_program_prints_the_same_numbers_through_xla(name, tmp_path):
    found, expected = (run(name, backend, tmp_path) for backend in ("xla", "c"))
    assert [line[0] for line in found] == [line[0] for line in expected]
    numbers, others = ([[float(word) for word in line[1:]] for line in lines] for lines in (found, expected))
    assert sum(map(len, numbers)) >= 4
    for line, other in zip(numbers, others, strict=True):
        np.testing.assert_allclose(line, other, rtol=1e-9)
