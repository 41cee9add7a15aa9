"""The benchmarks measure, at their smallest: what they append is what the tables show."""

import subprocess
import sys

import pytest

from benchmarks import contents, entries, profiles, step_time
from benchmarks.tables import cells

BENCHMARKS = entries.ROOT / "benchmarks"


def test_profiles_are_compared_with_fast_by_medians():
    found = profiles.summary({"fast": [2.0, 1.0, 9.0], "portable": [3.0, 2.0, 4.0], "strict": [2.0, 5.0, 1.0]})
    assert found["portable"] == {"median": 3.0, "minimum": 2.0, "of_fast": 1.5, "seconds": [3.0, 2.0, 4.0]}
    assert found["strict"]["of_fast"] == found["fast"]["of_fast"] == 1.0


def test_contenders_are_compared_in_pairs_of_those_that_took_part():
    records = {
        "ours": {"seconds": [3.0, 2.0, 4.0], "median": 3.0, "minimum": 2.0, "program_bytes": {"total": 30}},
        "jax": {"seconds": [4.0, 5.0, 3.0], "median": 4.0, "minimum": 3.0, "program_bytes": {"total": 20}},
    }
    ratio = {"medians": 0.75, "minima": 2 / 3, "median_of_turns": 0.75, "program_bytes": 1.5}
    assert step_time.ratios(records) == {"ours/jax": ratio}
    records["torch"] = {"seconds": [2.0, 2.0, 2.0], "median": 2.0, "minimum": 2.0, "program_bytes": None}
    assert step_time.ratios(records)["torch/jax"] == {"medians": 0.5, "minima": 2 / 3, "median_of_turns": 0.5}


@pytest.mark.parametrize("name", ["step_time", "start_time", "profiles", "remat"])
def test_a_benchmark_refuses_what_it_could_not_append(name, tmp_path):
    done = run(name, tmp_path / "none" / "file.json")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "expected a file in a folder that exists" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "words", "shown"),
    [
        ("step_time", "--n 1 --fm 1 --size 16 --batch-size 2 --turns 1 --threads 1 --memory", "step-time step-memory"),
        ("profiles", "--n 1 --fm 1 --size 16 --batch-size 2 --turns 2 --threads 1", "profiles"),
        ("start_time", "--only growth --n 1 --batch-size 1 --threads 1", "start-growth"),
        ("remat", "--n 2 --growth-rate 4 --batch-size 2 --turns 1", "remat"),
    ],
)
def test_what_a_benchmark_appends_fills_its_tables(name, words, shown, tmp_path):
    path = tmp_path / f"{name}.json"
    done = run(name, path, *words.split())
    assert done.returncode == 0, done.stderr
    (entry,) = entries.read(path)
    for table in map(contents.TABLES.get, shown.split()):
        rows = [cells(table.columns, row) for row in table.rows(entry)]
        assert rows
        assert all(any(row[key] for row in rows) for key in table.columns), rows


def run(name, path, *words):
    command = [sys.executable, BENCHMARKS / f"{name}.py", *words, "--anyway", "--json", path]
    return subprocess.run(command, cwd=entries.ROOT, capture_output=True, text=True)
