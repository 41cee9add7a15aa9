"""`verify`: its status says whether a folder holds, its lines say which file does not."""

import shutil

from crmn_legacy import archive


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


def test_no_folder(refused, finished, tmp_path):
    assert "which is no folder" in refused("verify", tmp_path / "nowhere")
    assert "which is no folder" in refused("verify", finished[0] / archive.RUN)


def test_starts_without_what_computes(finished):
    """It reads files alone: neither Aesara nor JAX is imported."""
    import subprocess
    import sys

    code = (
        "import sys; sys.argv = ['x', 'verify', sys.argv[1]]\n"
        "from crmn_legacy.__main__ import main\n"
        "assert main() == 0\n"
        "print(sorted({'aesara', 'jax', 'lasagne', 'scipy'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code, finished[0]], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr
