"""Which files of the repository go into an image: those that git tracks, of a commit or as they lie."""

import io
import os
import subprocess
import tarfile
from pathlib import Path

from crmn_legacy.errors import UserError


def git(root, *arguments):
    """What git prints about the repository at `root` (bytes).

    Raises
    ------
    UserError
        There is no git, or no repository.
    """
    command = ["git", "-C", str(root), *arguments]
    try:
        done = subprocess.run(command, capture_output=True)
    except FileNotFoundError:
        raise UserError("got no git, expected it, since it knows which files are the project's: install git") from None
    if done.returncode:
        last = (done.stderr.decode(errors="replace").strip().splitlines() or [f"status {done.returncode}"])[-1]
        raise UserError(f"git {arguments[0]} in '{root}' got {last!r}, expected a clone of the repository: clone it")
    return done.stdout


def commit_files(root):
    """The files of the last commit.

    Parameters
    ----------
    root : Path
        The clone.

    Returns
    -------
    dict
        Path (str) -> (content, whether it is a program).
    """
    found = {}
    with tarfile.open(fileobj=io.BytesIO(git(root, "archive", "--format=tar", "HEAD"))) as archive:
        for member in archive:
            if member.isdir():
                continue
            _plain(member.isreg(), member.name)
            found[member.name] = (archive.extractfile(member).read(), bool(member.mode & 0o100))
    return found


def working_tree_files(root):
    """The files as they lie, with changes and new ones, but without what git ignores; as :func:`commit_files`."""
    names = git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split(b"\0")
    found = {}
    for name in sorted({os.fsdecode(name) for name in names if name}):
        path = Path(root, name)
        if not os.path.lexists(path):
            continue  # tracked, but removed
        _plain(path.is_file() and not path.is_symlink(), name)
        found[name] = (path.read_bytes(), bool(path.stat().st_mode & 0o100))
    return found


def _plain(plain, name):
    if not plain:
        raise UserError(f"got '{name}', which is no plain file; expected only such in the repository: remove it")


def lay(files, folder):
    """Write `files`, as :func:`commit_files` gives them, into `folder`, with the same rights whatever the umask."""
    for name, (content, program) in files.items():
        path = Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(0o755 if program else 0o644)
    for path in Path(folder).rglob("*"):
        if path.is_dir():
            path.chmod(0o755)


def revision(root, working_tree):
    """The commit's name, with ``-dirty`` behind it for a working tree that differs from it."""
    commit = git(root, "rev-parse", "HEAD").decode().strip()
    return f"{commit}-dirty" if working_tree and changes(root) else commit


def changes(root):
    """How many files differ from the last commit, new ones included."""
    return len(git(root, "status", "--porcelain", "--untracked-files=all").splitlines())
