"""Let uv resolve what pyproject.toml and requirements.txt ask for, and write the locks.

    make lock [LOCK_OPTIONS=--upgrade]

Locked versions stay where they still fit; `--upgrade` lets all of them rise, `--upgrade-package NAME` lets one.
"""

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Lasagne is an archive of sources alone: what it requires is asked of its setup.py, with this environment's setuptools.
COMPILE = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--no-config", "--python-version=3.11"]
COMPILE += ["--python-platform=x86_64-manylinux_2_28", "--only-binary=:all:", "--no-binary=lasagne"]
COMPILE += ["--no-build-isolation", f"--python={sys.executable}"]


def resolve(locked, asked, options=()):
    """The packages, as a pylock.toml has them, that `asked` (a list of str) needs; pins of `locked` (str) are kept."""
    with tempfile.TemporaryDirectory() as folder:
        source, pins, files = (Path(folder, name) for name in ("asked.in", "pins.txt", "pylock.toml"))
        source.write_text("\n".join(asked))
        pins.write_text(locked)
        subprocess.run([*COMPILE, source, "--output-file", pins, *options], check=True)
        # Hashes in the form of pip would be of every platform's files; a pylock.toml names only those that fit.
        subprocess.run([*COMPILE, pins, "--output-file", files, "--no-deps"], check=True)
        return tomllib.loads(files.read_text())["packages"]


def line(package):
    """The package's line of a lock: ``name==version --hash=sha256:...``."""
    hashes = [f"--hash=sha256:{file['hashes']['sha256']}" for file in package.get("wheels") or [package["sdist"]]]
    return " ".join([f"{package['name']}=={package['version']}", *hashes])


def main(options):
    """Write all locks; their comments stay, and `options` go to uv."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"]
    needed = [*(ROOT / "requirements.txt").read_text().splitlines(), *extras["test"]]
    # A run on a GPU and one without it share all but what drives the GPU.
    shared = ["--constraints", ROOT / "requirements.lock"]
    for name, asked, more in (
        ("requirements-uv.lock", extras["lock"], []),
        ("requirements-build.lock", project["build-system"]["requires"], []),
        ("requirements.lock", needed, []),
        ("requirements-cuda12.lock", [*needed, *extras["cuda12"]], shared),
        ("requirements-python2.lock", extras["python2"], []),
        ("requirements-detect.lock", [*needed, *extras["detect"]], shared),
        ("requirements-tensorboard.lock", [*needed, *extras["tensorboard"]], shared),
        ("requirements-completion.lock", [*needed, *extras["completion"]], shared),
        ("requirements-docs.lock", [*needed, *extras["docs"]], shared),
    ):
        former = (ROOT / name).read_text()
        comments = [text for text in former.splitlines() if text.startswith("#")]
        packages = resolve(former, asked, [*more, *options])
        (ROOT / name).write_text("\n".join([*comments, *map(line, packages), ""]))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except subprocess.CalledProcessError as error:
        # uv has said why.
        sys.exit(error.returncode)
