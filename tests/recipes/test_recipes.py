"""Every recipe as a user calls it: it describes itself, and its smallest run gives the same bits everywhere."""

import ast
import json
import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from crmn_legacy import archive, paper, samples
from crmn_legacy.installation import GOLDEN
from tests.test_recipe import KEYS
from tests.training.runs import bits_of, environment

ROOT = Path(__file__).parents[2]
RECIPES = sorted((ROOT / "recipes").glob("*.py"))
CRMN = ROOT / "recipes" / "table1_crmn.py"


def run_recipe(script, *arguments, prefix=(), cwd=ROOT, **changes):
    command = [*prefix, sys.executable, str(script), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, cwd=cwd, env=environment(**changes))


@pytest.mark.parametrize("script", RECIPES, ids=lambda path: path.stem)
def test_describes_its_row_as_one_json_object_with_the_printed_counts(script, tmp_path):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    # No compiler and no place for compiled programs: nothing is compiled.
    done = run_recipe(script, "--describe", cwd=tmp_path, CRMN_LEGACY_CACHE=str(tmp_path / "cache"))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # Of the processor, not of the clock: other processes may hold it.
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert done.returncode == 0 and done.stderr == ""
    (line,) = done.stdout.splitlines()
    described = json.loads(line)
    assert described.keys() >= KEYS
    assert list(tmp_path.iterdir()) == []
    assert seconds < 10
    printed = paper.ROWS[script.stem]
    assert (described["row"], described["table"], described["method"]) == (script.stem, printed.table, printed.method)
    assert described["paper"] == printed.printed
    counts = f"{paper.in_millions(described['parameters'])} parameters, {paper.in_billions(described['flops'])} FLOPs"
    docstring = ast.get_docstring(ast.parse(script.read_text(encoding="utf-8")))
    assert counts in docstring and "`python -m crmn_legacy tables` lists what was measured" in docstring
    if printed.table > 1:
        assert described["outputs"] == {2: 100, 3: 10}[printed.table]
        assert described["input_shape"][0] == 3
    elif script.stem == "table1_rcn":
        # The printed counts fit no network of the authors' code: ours are held fast, the difference is told.
        assert (described["parameters"], described["flops"]) == (26_501_704, 329_028_350_400)
    else:
        assert paper.in_millions(described["parameters"]) == printed.printed["parameters"]
        assert paper.in_billions(described["flops"]) == printed.printed["flops"]
        assert described["input_shape"] == [1, 80, 80] and described["outputs"] == 136
        assert described["layers"] == 6 * printed.printed["n"] + 2


def test_every_row_has_its_recipe():
    assert {path.stem for path in RECIPES} == set(paper.ROWS)
    assert len(RECIPES) == 28


# One row a family: those of a family share network and layers.
FAMILIES = (
    "table1_rcn",
    "table1_resnet_n5_fm4",
    "table2_crmn_32_64",
    "table2_densenet",
    "table2_highway",
    "table2_preact_resnet_1001",
    "table2_stochastic_depth",
    "table2_wide_resnet_dropout",
    "table3_all_convolutional",
    "table3_fractional_max_pooling_1_test",
    "table3_maxout",
    "table3_resnet_110",
    "table3_swapout",
)


@pytest.mark.parametrize("row", FAMILIES)
def test_the_smallest_network_of_each_family_trains(row, tmp_path):
    done = run_recipe(ROOT / "recipes" / f"{row}.py", "--smoke", "--steps", "1", "--out", tmp_path / "run")
    bits_of(done)
    assert archive.verify(tmp_path / "run") == []
    assert "the network at its smallest" in done.stdout


@pytest.mark.parametrize("row", [pytest.param("table2_highway", marks=pytest.mark.slow), "table2_densenet"])
def test_a_smoke_run_can_be_resumed_for_more_epochs_and_evaluated(row, tmp_path):
    """Of the smallest networks one has settings that JSON gives back as other than they were."""
    data = samples.path("rendered_shapes100.h5")
    script = ROOT / "recipes" / f"{row}.py"
    bits_of(run_recipe(script, "--smoke", "--epochs", "1", "--data", data, "--out", tmp_path / "run"))
    bits_of(run_recipe(script, "--resume", tmp_path / "run", "--epochs", "2"))
    command = [sys.executable, "-m", "crmn_legacy", "evaluate", tmp_path / "run", "--data", data]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment())
    assert done.returncode == 0 and row in done.stdout, done.stderr


def golden(row, kind):
    """The committed runs of a row: platform key -> bits."""
    committed = archive.read_json(GOLDEN / f"{row}.json")["runs"]
    return {run["platform_key"]: run["bits"] for run in committed if run["kind"] == kind}


@pytest.mark.parametrize("script", RECIPES, ids=lambda path: path.stem)
def test_every_row_has_a_committed_digest_of_its_smoke_run(script):
    found = golden(script.stem, "smoke")
    assert found
    assert all(re.fullmatch("sha256:[0-9a-f]{64}", bits) for bits in found.values())


@pytest.mark.slow
@pytest.mark.parametrize("script", RECIPES, ids=lambda path: path.stem)
def test_the_smoke_run_of_every_row_gives_its_committed_digest(script, tmp_path):
    bits = bits_of(run_recipe(script, "--smoke", "--out", tmp_path / "run"))
    key = archive.read_record(tmp_path / "run").platform_key
    if key not in golden(script.stem, "smoke"):
        pytest.skip(f"no digest is committed for {key}")
    assert bits == f"bits: {golden(script.stem, 'smoke')[key]}"


def assert_one_digest(runs, tmp_path):
    """The same bits under each of the circumstances."""
    found = {}
    for name, (prefix, changes) in runs.items():
        folder = tmp_path / name.replace(" ", "_")
        cwd = folder.parent if name == "elsewhere" else ROOT
        found[name] = bits_of(
            run_recipe(CRMN, "--out", folder, *changes.pop("arguments"), prefix=prefix, cwd=cwd, **changes)
        )
        assert archive.verify(folder) == []
    assert len(set(found.values())) == 1, found


def circumstances(caches, *arguments):
    """What compiles on one core and what compiles on all of them never meet."""
    core = str(min(os.sched_getaffinity(0)))
    alone, together = ({"arguments": arguments, "CRMN_LEGACY_CACHE": str(cache)} for cache in caches)
    return {
        "one core": (("taskset", "-c", core), {**alone, "OMP_NUM_THREADS": "1"}),
        "all cores": ((), {**together, "OMP_NUM_THREADS": "8", "PYTHONHASHSEED": "1", "NPROC": "3"}),
        "elsewhere": ((), {**together, "PYTHONHASHSEED": "2", "XLA_FLAGS": "--xla_cpu_enable_fast_math=true"}),
    }


def test_two_steps_of_the_smoke_run_give_one_digest_everywhere(tmp_path):
    assert_one_digest(circumstances((tmp_path / "a", tmp_path / "b"), "--smoke", "--steps", "2"), tmp_path)


@pytest.mark.slow
def test_the_smoke_run_gives_one_digest_everywhere_each_compiling_for_itself(tmp_path):
    assert_one_digest(circumstances(("off", "off"), "--smoke"), tmp_path)


@pytest.mark.slow
def test_the_rehearsal_takes_the_published_network(tmp_path):
    done = run_recipe(CRMN, "--out", tmp_path / "run")
    bits_of(done)
    assert "the full published network" in done.stdout and "say nothing about the paper" in done.stdout
    assert archive.read_record(tmp_path / "run").parameters == 17_758_372


@pytest.mark.slow
def test_training_on_photographs_lowers_the_validation_error(tmp_path, real_data):
    """Two epochs of the smallest network on prepared photographs."""
    preparation = ["--root", real_data, "--out", tmp_path / "faces.h5"]
    prepared = run_recipe(ROOT / "data_prep" / "faces_300w.py", *preparation)
    assert prepared.returncode == 0, prepared.stderr
    options = ["--smoke", "--data", tmp_path / "faces.h5", "--epochs", "2", "--out", tmp_path / "run"]
    bits_of(run_recipe(CRMN, *options))
    first, second = archive.read_curve(tmp_path / "run")
    assert second.validation_error < first.validation_error
    assert second.validation_loss < first.validation_loss
    assert archive.verify(tmp_path / "run") == []
