"""What a run was made by: versions, machine and source."""

import hashlib
import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from crmn_legacy.backend import processor, variables
from crmn_legacy.installation import CHECKOUT, IMPORT_PATH, PACKAGE, RECIPES

# Libraries read these; among them are all that are known to move bits or speed.
_VARIABLES = (
    "AESARA_", "CRMN_LEGACY_", "CUBLAS_", "CUDA_", "CUDNN_", "DNNL_", "GOMP_", "GOTO_", "HDF5_", "JAX_", "KMP_", "LC_",
    "LD_", "MALLOC_", "MKL_", "NCCL_", "NPY_", "NUMEXPR_", "NVIDIA_", "OMP_", "ONEDNN_", "OPENBLAS_", "PYTHON",
    "TF_CPP_", "THEANO_", "XLA_",
)  # fmt: skip
_MORE_VARIABLES = ("GLIBC_TUNABLES", "LANG", "NPROC", "SOURCE_DATE_EPOCH", "TZ")

# Where an untracked file is part of what ran.
_CODE = ("crmn_legacy", "recipes", "data_prep")


def provenance(script=None):
    """Versions, machine and source of this process, for ``run.json`` (a dict).

    Parameters
    ----------
    script : path, optional
        The recipe.
    """
    packages = ("aesara", "lasagne", "numpy", "scipy", "h5py", "pillow", "jax", "jaxlib")
    found = source(script)
    return {
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in packages},
        "distributions": _distributions(),
        "machine": platform.machine(),
        "system": f"{platform.system()} {platform.release()}",
        "operating_system": _operating_system(),
        "libc": " ".join(platform.libc_ver()),
        "hardware": _hardware(),
        "variables": _variables(),
        "source": found,
        "git_commit": found["commit"],
        "git_dirty": None if found["commit"] is None else _changed(),
        "argv": sys.argv[1:],
        "orig_argv": sys.orig_argv[1:],
    }


def source(script=None):
    """Which source ran, and whether anybody else can have the same.

    Parameters
    ----------
    script : path, optional
        The recipe.

    Returns
    -------
    dict
        ``commit``; ``state``: ``clean``, ``dirty`` (files differ from the commit, code lies there that is in no
        commit, or the recipe is not the commit's) or ``unknown`` (no commit to hold them against); ``digest``: SHA-256
        over the lines that ``sha256sum`` prints of the package's ``.py`` files in the order of their paths;
        ``recipe``: SHA-256 of the recipe; ``recipe_of_tree``: whether the source tree has that very recipe;
        ``lock``: SHA-256 of its ``requirements.lock``, if it has one.
    """
    commit = _git("rev-parse", "HEAD")
    recipe = None if script is None else Path(script).read_bytes()
    own = recipe is None or any(recipe == path.read_bytes() for path in RECIPES.glob("*.py"))
    dirty = commit is not None and (_changed() is not False or not own)
    lock = None if CHECKOUT is None else CHECKOUT / "requirements.lock"
    return {
        "commit": commit,
        "state": "unknown" if commit is None else "dirty" if dirty else "clean",
        "digest": source_digest(),
        "recipe": None if recipe is None else _sha256(recipe),
        "recipe_of_tree": own,
        "lock": _sha256(lock.read_bytes()) if lock and lock.is_file() else None,
    }


def source_digest():
    """SHA-256 over what ``sha256sum`` prints of the package's ``.py`` files, sorted by path, seen from its parent.

    ``find crmn_legacy -name '*.py' | LC_ALL=C sort | xargs sha256sum | sha256sum`` gives the same.
    """
    paths = {
        path.relative_to(IMPORT_PATH).as_posix(): path
        for path in PACKAGE.rglob("*.py")
        if PACKAGE / "scripts" not in path.parents
    }
    lines = [f"{_sha256(paths[name].read_bytes())}  {name}\n" for name in sorted(paths)]
    return _sha256("".join(lines).encode())


def without_root(text):
    """`text` with the place of the source tree written as ``<source>``: where it lay is nobody's business."""
    return text.replace(f"{IMPORT_PATH}", "<source>")


def _version(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _distributions():
    """Everything that is installed, name -> version."""
    found = {(one.metadata["Name"] or "").lower().replace("_", "-"): one.version for one in metadata.distributions()}
    return {name: found[name] for name in sorted(found) if name}


def _operating_system():
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME")
    except OSError:
        return None


def _hardware():
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):
        memory = None
    return {
        "processor": processor.model_name(),
        "family_model_stepping": processor.family_model_stepping(),
        "caches": processor.cache_sizes(),
        "cores": os.cpu_count(),
        "cores_usable": len(os.sched_getaffinity(0)),
        "memory_bytes": memory,
    }


def _variables():
    """Environment variables that libraries of numbers, loaders and Python read.

    As this process runs under them; what was given and set aside stands there as ``VALUE (set aside)``.
    """
    held = {
        name: without_root(value)
        for name, value in os.environ.items()
        if name.startswith(_VARIABLES) or name in _MORE_VARIABLES
    }
    aside = {name: f"{without_root(value)} (set aside)" for name, value in variables.removed().items()}
    return dict(sorted({**aside, **held}.items()))


def _sha256(content):
    return hashlib.sha256(content).hexdigest()


def _git(*arguments):
    if CHECKOUT is None or not (CHECKOUT / ".git").exists():
        return None
    command = ["git", "-C", str(CHECKOUT), *arguments]
    # Of a hook, say, that speaks of another repository; and a question must not write to this one.
    variables = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=20, env={**variables, "GIT_OPTIONAL_LOCKS": "0"}
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _changed():
    """Whether a tracked file differs from the commit, or code lies there that is in none; None: git does not say."""
    tracked = _git("status", "--porcelain", "--untracked-files=no")
    untracked = _git("ls-files", "--others", "--exclude-standard", "--", *_CODE)
    return None if tracked is None or untracked is None else bool(tracked or untracked)
