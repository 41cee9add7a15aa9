"""`export`: the network in a file that JAX alone can use, with the results of `evaluate`."""

import hashlib
import json
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import jax
import numpy as np
import pytest
from jax import export

from crmn_legacy import archive
from crmn_legacy.commands import export as export_command
from tests.training.runs import TINY, contents, environment

# Of coordinates in [0, 1]: how many pictures are computed together moves float32 sums in their last bits.
TOLERANCE = 1e-6

# Runs what docs/RUNS.md shows, for batches of 1 and of 3 pictures, where the package cannot be imported.
LOADER = """
import sys
sys.modules.update(dict.fromkeys(("crmn_legacy", "aesara", "lasagne", "theano")))
from pathlib import Path
import numpy as np
import jax.export
snippet, predictions, found = sys.argv[1:]
stored, results = np.load(predictions)["pictures"], {}
for n in (1, 3):
    pictures = stored[:n]
    exec(snippet)
    results[str(n)] = keypoints
np.savez(found, **results)
"""


# The command line over the tiny recipe, which stands in the place of the row's own.
COMMANDS = """
import sys
from pathlib import Path
from crmn_legacy.cli import main
from crmn_legacy.commands import trained_network
trained_network.RECIPES = Path(sys.argv[1])
run, data, folder = sys.argv[2:]
for words in (
    ["export", run, "--out", f"{folder}/crmn.stablehlo"],
    ["evaluate", run, "--data", data, "--predictions", f"{folder}/predictions.npz"],
):
    sys.argv[1:] = words
    assert main() == 0
"""


@pytest.fixture(scope="module")
def exported(finished, data, tmp_path_factory):
    """The exported file, and the file of predictions of the same run."""
    folder = tmp_path_factory.mktemp("exported")
    done = subprocess.run(
        [sys.executable, "-c", COMMANDS, *map(str, (TINY.parent, finished[0], data, folder))],
        capture_output=True,
        text=True,
        env=environment(),
    )
    assert done.returncode == 0, done.stderr
    return folder / "crmn.stablehlo", folder / "predictions.npz"


def test_a_process_without_the_package_computes_what_evaluate_does(exported, tmp_path, root):
    network, predictions = exported
    snippets = re.findall(
        r"^ *```python\n(.*?)^ *```$", (root / "docs" / "RUNS.md").read_text(), re.MULTILINE | re.DOTALL
    )
    (snippet,) = (dedent(words) for words in snippets if "jax.export" in words)
    done = subprocess.run(
        [sys.executable, "-c", LOADER, snippet, str(predictions), str(tmp_path / "found.npz")],
        capture_output=True,
        text=True,
        cwd=network.parent,
        env=environment(PYTHONPATH=None),
    )
    assert done.returncode == 0, done.stderr
    found, expected = archive.read_arrays(tmp_path / "found.npz"), archive.read_arrays(predictions)["predicted"]
    assert expected.std() > 0.01
    for n in (1, 3):
        assert found[str(n)].dtype == expected.dtype and found[str(n)].shape == (n, 136)
        np.testing.assert_allclose(found[str(n)], expected[:n], rtol=0, atol=TOLERANCE)


def test_it_is_for_every_platform_and_any_number_of_pictures(exported):
    network = export.deserialize(bytearray(exported[0].read_bytes()))
    assert network.platforms == ("cpu", "cuda", "rocm", "tpu") and network.disabled_safety_checks == ()
    assert str(network.in_avals) == "(ShapedArray(uint8[N,1,16,16]),)" and network.fun_name == "table1_crmn"
    calls = {line.split("@")[1].split("(")[0] for line in network.mlir_module().splitlines() if "custom_call" in line}
    assert calls <= {"shape_assertion"}, "a custom call may not exist where the file is loaded"


def test_no_picture_depends_on_the_others(exported):
    network = export.deserialize(bytearray(exported[0].read_bytes()))
    pictures = archive.read_arrays(exported[1])["pictures"]
    together = np.asarray(network.call(pictures))
    pictures[1:] = 255 - pictures[1:]
    np.testing.assert_allclose(network.call(pictures)[0], together[0], rtol=0, atol=TOLERANCE)
    assert np.abs(np.asarray(network.call(pictures))[1:] - together[1:]).max() > 100 * TOLERANCE


@pytest.mark.parametrize("shape", [(0, 1, 16, 16), (2, 1, 16, 17), (2, 16, 16)])
def test_other_pictures_are_refused(exported, shape):
    network = export.deserialize(bytearray(exported[0].read_bytes()))
    with pytest.raises((ValueError, TypeError, jax.errors.JaxRuntimeError)):
        jax.block_until_ready(network.call(np.zeros(shape, np.uint8)))


def test_the_file_beside_says_where_it_comes_from(exported, finished):
    said = json.loads(exported[0].with_name(exported[0].name + ".json").read_text())
    record = archive.read_record(finished[0])
    assert said["sha256"] == hashlib.sha256(exported[0].read_bytes()).hexdigest()
    assert said["weights_sha256"] == hashlib.sha256((finished[0] / archive.WEIGHTS).read_bytes()).hexdigest()
    assert said["bits"] == record.bits == finished[1].removeprefix("bits: ")
    assert said["row"] == "table1_crmn" and said["whole"] is True
    assert said["input"]["array"] == "uint8 (N, 1, 16, 16)" and said["output"]["array"] == "float32 (N, 136)"


def test_the_same_run_gives_the_same_bytes_without_paths(command, exported, finished, tmp_path, root):
    shutil.copytree(finished[0], tmp_path / "elsewhere")
    done = command("export", tmp_path / "elsewhere", "--out", tmp_path / "again.stablehlo")
    assert done.status == 0 and done.out.startswith("table1_crmn: uint8 (N, 1, 16, 16) -> float32 (N, 136); ")
    content = exported[0].read_bytes()
    assert (tmp_path / "again.stablehlo").read_bytes() == content
    assert b".py" not in content and str(root).encode() not in content


def test_existing_files_are_refused(refused, finished, tmp_path):
    (tmp_path / "one").write_text("mine")
    (tmp_path / "two.json").write_text("mine")
    before = contents(tmp_path)
    for name in ("one", "two"):
        assert "exists, expected new files" in refused("export", finished[0], "--out", tmp_path / name)
    assert contents(tmp_path) == before


def test_a_runs_folder_is_no_place_for_it(refused, finished):
    before = contents(finished[0])
    assert "in a run's folder" in refused("export", finished[0], "--out", finished[0] / "network")
    assert contents(finished[0]) == before


def test_a_run_without_weights(refused, finished, tmp_path):
    shutil.copytree(finished[0], tmp_path / "run")
    (tmp_path / "run" / archive.WEIGHTS).unlink()
    assert "weights.npz', which is no file" in refused("export", tmp_path / "run", "--out", tmp_path / "network")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]


def test_an_altered_folder_is_told_and_its_names_reach_no_terminal(command, finished, tmp_path):
    shutil.copytree(finished[0], tmp_path / "run")
    record = json.loads((tmp_path / "run" / archive.RUN).read_text())
    record.update(bits="\x1b[31m", data_digest="\x1b[31m", status="\x1b[31m")
    (tmp_path / "run" / archive.RUN).write_text(json.dumps(record))
    done = command("export", tmp_path / "run", "--out", tmp_path / "network")
    assert done.status == 0 and "note: the run's folder is not whole" in done.err
    text = (tmp_path / "network.json").read_text()
    assert all(letter.isprintable() or letter == "\n" for letter in done.out + done.err + text)
    said = json.loads(text)
    assert said["whole"] is False and said["bits"] is None


@pytest.mark.parametrize(("full", "room"), [("network", 4096), ("network.json", 16)])
def test_a_full_disk_is_told_in_one_line_and_leaves_nothing(refused, finished, tmp_path, monkeypatch, full, room):
    write_whole = export_command.write_whole

    def write(path, content):
        former = resource.getrlimit(resource.RLIMIT_FSIZE)
        if Path(path).name == full:
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, former[1]))
        try:
            write_whole(path, content)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, former)

    monkeypatch.setattr(export_command, "write_whole", write)
    line = refused("export", finished[0], "--out", tmp_path / "network")
    assert f"{full}', which cannot be written (File too large)" in line
    assert list(tmp_path.iterdir()) == []


def test_out_is_required(refused, finished):
    assert "required: --out" in refused("export", finished[0])
