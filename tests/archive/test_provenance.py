"""What a run was made by: the words it is told in, and whether anybody else can have the same source."""

import json
import shutil
import subprocess
import sys

import pytest

from crmn_legacy.archive import provenance as module
from crmn_legacy.archive.provenance import provenance, source, source_digest
from crmn_legacy.backend import determinism


def test_names_versions_machine_and_command_line():
    found = provenance()
    assert found["packages"]["aesara"] == "2.9.4" and found["packages"]["lasagne"] == "0.1"
    assert found["packages"].items() <= found["distributions"].items()
    assert "pytest" in found["distributions"]
    assert found["python"].startswith("3.11")
    assert found["orig_argv"] == sys.orig_argv[1:]
    assert found["hardware"]["memory_bytes"] > 2**28 and found["hardware"]["cores"] >= 1
    assert found["hardware"]["processor"] and found["libc"]
    json.dumps(found)


def test_variables_that_matter_are_kept_and_no_others(monkeypatch):
    fixed = determinism.pin("portable").environment
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("A_PASSWORD", "secret")
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", "of another program")
    monkeypatch.setenv("PYTHONPATH", f"{module.IMPORT_PATH}:/elsewhere")
    found = provenance()["variables"]
    assert found["OMP_NUM_THREADS"] == "3" and found["LANG"] == "C.UTF-8"
    assert found["PYTHONPATH"] == "<source>:/elsewhere"
    assert not {"A_PASSWORD", "HOME", "TF_CLI_CONFIG_FILE"} & found.keys()
    assert fixed.keys() <= found.keys()


# --- the source


def take_for_own(monkeypatch, root):
    """Have the module take a folder for the checkout that it lies in."""
    places = {"CHECKOUT": root, "IMPORT_PATH": root, "PACKAGE": root / "crmn_legacy", "RECIPES": root / "recipes"}
    for name, place in places.items():
        monkeypatch.setattr(module, name, place)


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A small source tree under git, with all committed; the module takes it for its own."""
    if not shutil.which("git"):
        pytest.skip("no git")
    root = tmp_path / "tree"
    for name in ("crmn_legacy/one.py", "crmn_legacy/sub/two.py", "recipes/row.py", "requirements.lock", "README.md"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"# {name}\n")
    (root / ".gitignore").write_text("__pycache__/\n")
    for variable in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{variable}_NAME", "x")
        monkeypatch.setenv(f"GIT_{variable}_EMAIL", "x@example.org")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "all"]):
        subprocess.run(["git", "-C", root, *words], check=True)
    take_for_own(monkeypatch, root)
    return root


def test_a_tree_as_committed_is_clean(tree):
    (tree / "notes.txt").write_text("no code")
    (tree / "crmn_legacy" / "__pycache__").mkdir()
    (tree / "crmn_legacy" / "__pycache__" / "one.pyc").write_text("x")
    found = source(tree / "recipes" / "row.py")
    assert found["state"] == "clean" and len(found["commit"]) == 40 and found["recipe_of_tree"]
    assert provenance(tree / "recipes" / "row.py")["git_dirty"] is False


@pytest.mark.parametrize("name", ["crmn_legacy/one.py", "recipes/row.py", "README.md", "crmn_legacy/new.py"])
def test_what_differs_from_the_commit_makes_it_dirty(tree, name):
    before = source(tree / "recipes" / "row.py")
    with open(tree / name, "a") as file:
        file.write("# more\n")
    found = source(tree / "recipes" / "row.py")
    assert found["state"] == "dirty" and found["commit"] == before["commit"]
    assert (found["digest"] != before["digest"]) == name.startswith("crmn_legacy/")


def test_a_recipe_that_is_not_the_trees_makes_it_dirty(tree, tmp_path):
    copy = tmp_path / "row.py"
    shutil.copy(tree / "recipes" / "row.py", copy)
    assert source(copy)["state"] == "clean"
    copy.write_text("# another\n")
    found = source(copy)
    assert found["state"] == "dirty" and not found["recipe_of_tree"]


def test_a_hook_of_another_repository_does_not_name_the_commit(tree, monkeypatch, tmp_path):
    other = tmp_path / "other"
    subprocess.run(["git", "init", "-q", other], check=True)
    expected = provenance()["git_commit"]
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    assert expected and provenance()["git_commit"] == expected and provenance()["git_dirty"] is False


def test_without_git_the_source_is_unknown_and_digested_all_the_same(tree, monkeypatch):
    digest = source()["digest"]
    monkeypatch.setenv("PATH", "")
    found = source()
    assert found["state"] == "unknown" and found["commit"] is None and found["digest"] == digest
    assert provenance()["git_commit"] is None and provenance()["git_dirty"] is None
    monkeypatch.undo()
    take_for_own(monkeypatch, tree)
    shutil.rmtree(tree / ".git")
    assert source()["state"] == "unknown" and source()["digest"] == digest


def test_the_digest_is_what_sha256sum_gives(tree):
    command = "find crmn_legacy -name '*.py' | LC_ALL=C sort | xargs sha256sum | sha256sum"
    done = subprocess.run(["bash", "-c", command], cwd=tree, capture_output=True, text=True, check=True)
    assert done.stdout.split()[0] == source_digest()
    lock = subprocess.run(["sha256sum", tree / "requirements.lock"], capture_output=True, text=True, check=True)
    assert lock.stdout.split()[0] == source()["lock"]
