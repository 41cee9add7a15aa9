"""Only what git tracks is taken, with the same rights whatever the machine."""

import os
import shutil
import subprocess

import pytest

from crmn_legacy.errors import UserError
from tools import source_files

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="no git")


@pytest.fixture
def clone(tmp_path):
    """A repository with a program, a file in a folder, an ignored file and one that nobody added."""
    root = tmp_path / "clone"
    (root / "folder").mkdir(parents=True)
    (root / "run.sh").write_text("true\n")
    (root / "run.sh").chmod(0o700)
    (root / "folder" / "text.md").write_text("old\n")
    (root / ".gitignore").write_text("*.secret\n")
    (root / "a.secret").write_text("token\n")
    git(root, "init", "--quiet")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message=first")
    (root / "stray.txt").write_text("nobody added this\n")
    return root


def git(root, *words):
    identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", root, *identity, *words], check=True, capture_output=True)


def test_a_commit_holds_tracked_files_only_as_they_were(clone):
    (clone / "folder" / "text.md").write_text("new\n")
    assert source_files.commit_files(clone) == {
        ".gitignore": (b"*.secret\n", False),
        "folder/text.md": (b"old\n", False),
        "run.sh": (b"true\n", True),
    }


def test_the_working_tree_holds_changes_and_new_files_but_nothing_ignored(clone):
    (clone / "folder" / "text.md").write_text("new\n")
    (clone / "run.sh").unlink()
    files = source_files.working_tree_files(clone)
    assert set(files) == {".gitignore", "folder/text.md", "stray.txt"}
    assert files["folder/text.md"] == (b"new\n", False)


def test_a_link_is_refused_by_name(clone):
    (clone / "link").symlink_to("/etc/passwd")
    with pytest.raises(UserError, match="got 'link', which is no plain file"):
        source_files.working_tree_files(clone)
    git(clone, "add", "link")
    git(clone, "commit", "--quiet", "--message=link")
    with pytest.raises(UserError, match="got 'link', which is no plain file"):
        source_files.commit_files(clone)


@pytest.mark.parametrize("umask", [0o077, 0o000])
def test_rights_do_not_depend_on_the_umask(clone, tmp_path, umask):
    before = os.umask(umask)
    try:
        source_files.lay(source_files.commit_files(clone), tmp_path / "context")
    finally:
        os.umask(before)
    rights = {
        path.relative_to(tmp_path / "context").as_posix(): path.stat().st_mode & 0o777
        for path in (tmp_path / "context").rglob("*")
    }
    assert rights == {".gitignore": 0o644, "folder": 0o755, "folder/text.md": 0o644, "run.sh": 0o755}


def test_the_revision_says_whether_files_differ_from_the_commit(clone):
    commit = source_files.revision(clone, working_tree=False)
    assert len(commit) == 40
    assert source_files.changes(clone) == 1
    assert source_files.revision(clone, working_tree=True) == f"{commit}-dirty"
    (clone / "stray.txt").unlink()
    assert source_files.revision(clone, working_tree=True) == commit


def test_a_folder_that_is_no_clone_is_told_in_one_line(tmp_path):
    with pytest.raises(UserError, match=r"expected a clone of the repository") as caught:
        source_files.commit_files(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_machine_without_git_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="got no git"):
        source_files.commit_files(tmp_path)
