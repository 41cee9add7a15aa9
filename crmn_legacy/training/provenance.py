"""What a run was made by: versions, machine and source."""

import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path


def provenance():
    """Versions, machine and source of this process, for ``run.json`` (a dict)."""
    packages = ("aesara", "lasagne", "numpy", "scipy", "h5py", "pillow", "jax", "jaxlib")
    return {
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in packages},
        "machine": platform.machine(),
        "system": f"{platform.system()} {platform.release()}",
        "git_commit": _git("rev-parse", "HEAD"),
        "git_dirty": _dirty(),
        "orig_argv": sys.orig_argv[1:],
    }


def _version(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _git(*arguments):
    folder = Path(__file__).parents[2]
    if not (folder / ".git").exists():
        return None
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _dirty():
    """True or False; None where there is no git to ask."""
    changes = _git("status", "--porcelain", "--untracked-files=no")
    return None if changes is None else bool(changes)
