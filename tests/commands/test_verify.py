"""`verify`: its status says whether a folder holds, its lines say which file does not."""

import json
import shutil

import pytest

from crmn_legacy import archive
from tests.training.runs import FILES


def test_a_whole_run(command, finished):
    done = command("verify", finished[0])
    assert done.status == 0 and done.err == ""
    assert done.out == f"whole: table1_crmn, {finished[1].removeprefix('bits: ')}\n"


def test_a_run_that_is_not_whole_names_each_file(command, finished, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(finished[0], folder)
    with open(folder / archive.CURVE, "a") as file:
        file.write("\n")
    (folder / archive.INITIAL_WEIGHTS).unlink()
    done = command("verify", folder)
    assert done.status == 1 and done.err == ""
    assert done.out.splitlines() == ["weights_initial.npz: missing", "curve.jsonl: altered"]


def test_json_says_the_same_as_the_lines(command, finished, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(finished[0], folder)
    whole = command("verify", "--json", folder)
    assert whole.status == 0
    assert whole.json == {
        "run": str(folder),
        "whole": True,
        "problems": [],
        "foreign": [],
        "left_out": [],
        "row": "table1_crmn",
        "bits": finished[1].removeprefix("bits: "),
    }
    (folder / "resume.log").touch()
    assert command("verify", "--json", folder).status == 0
    assert command("verify", "--json", "--strict", folder).status == 1
    (folder / archive.WEIGHTS).unlink()
    broken = command("verify", "--json", folder)
    assert broken.status == 1
    said = json.loads(broken.out)
    assert said["problems"] == ["weights.npz: missing"] and said["foreign"] == ["resume.log"]
    assert not said["whole"] and said["bits"] is None


def test_what_is_not_the_runs_is_named_and_fails_only_if_asked_to(command, finished, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(finished[0], folder)
    assert command("verify", "--strict", folder).status == 0
    (folder / "resume.log").write_text("epoch 1/3\n")
    (folder / ".nfs0000\x1b[2J").touch()
    named = "not the run's: .nfs0000\\x1b[2J, resume.log\n"
    done = command("verify", folder)
    assert done.status == 0 and done.err == ""
    assert done.out == f"{named}whole: table1_crmn, {finished[1].removeprefix('bits: ')}\n"
    done = command("verify", "--strict", folder)
    assert (done.status, done.out, done.err) == (1, named, "")
    (folder / archive.WEIGHTS).unlink()
    done = command("verify", folder)
    assert (done.status, done.out) == (1, f"weights.npz: missing\n{named}")


def test_a_run_writes_what_the_list_of_its_files_names_and_nothing_else(traced):
    assert {path.name for path in traced.iterdir()} == {*archive.WRITTEN, archive.MANIFEST}


@pytest.mark.parametrize("name", sorted({*FILES, archive.TRACE}))
def test_one_flipped_bit_in_any_file_is_found_and_the_file_named(command, traced, tmp_path, name):
    folder = tmp_path / "run"
    shutil.copytree(traced, folder)
    whole = (folder / name).read_bytes()
    for part in range(9):
        place = (len(whole) - 1) * part // 8
        spoilt = bytearray(whole)
        spoilt[place] ^= 1 << part % 8
        (folder / name).write_bytes(spoilt)
        done = command("verify", folder)
        assert done.status == 1, (name, place)
        if name == archive.MANIFEST:
            # Its lines are of other files: which of the two was altered nobody can tell.
            assert done.out
        else:
            assert done.out == f"{name}: altered\n"
    (folder / name).write_bytes(whole)
    assert command("verify", folder).status == 0


def test_a_light_folder_is_called_so(command, traced, tmp_path):
    archive.lighten(traced, tmp_path / "light")
    done = command("verify", tmp_path / "light")
    assert done.status == 0 and done.out.startswith("whole, without arrays: table1_crmn, sha256:")


def test_no_folder(refused, finished, tmp_path):
    assert "which is no folder" in refused("verify", tmp_path / "nowhere")
    assert "which is no folder" in refused("verify", finished[0] / archive.RUN)


def test_starts_without_what_computes(finished):
    """It reads files alone: neither Aesara nor JAX is imported."""
    import subprocess
    import sys

    code = (
        "import sys; sys.argv = ['x', 'verify', sys.argv[1]]\n"
        "from crmn_legacy.cli import main\n"
        "assert main() == 0\n"
        "print(sorted({'aesara', 'jax', 'lasagne', 'scipy'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code, finished[0]], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr
