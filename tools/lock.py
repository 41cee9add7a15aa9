"""Make the three locks anew: every distribution, its version, its file's SHA-256.

    python tools/lock.py

What is asked for stands in requirements.txt and pyproject.toml; pip chooses the rest, the newest that fit. Nothing
is installed. To be run by Python 3.11 on x86-64 Linux, since that is what the locks are for; its environment needs
the setuptools and wheel of pyproject.toml. No GPU is needed: what XLA needs of CUDA comes as wheels.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# A lock holds digests of the public index's files: no other source of packages that a machine may have is asked.
PUBLIC = {"PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": "", "PIP_INDEX_URL": "", "PIP_EXTRA_INDEX_URL": ""}

HEADER = """\
# {what} Made by `make lock`; do not edit.
# For CPython 3.11 on x86-64 Linux with glibc 2.28 or later:
#     pip install --require-hashes -r requirements-build.lock
#     pip install --require-hashes --no-build-isolation -r {installed}
"""

# The plugin of this very jax, with the CUDA libraries, compiler and communication that it loads.
CUDA12 = "jax-cuda12-plugin[with-cuda]=={jax}"


def resolve(requirements):
    """Let pip choose what to install for `requirements`, a list of str.

    Returns
    -------
    dict
        Lower-case name -> (name, version, SHA-256 of its file).
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"]
        command += ["--no-build-isolation", "--report", str(report), *requirements]
        environment = {name: value for name, value in {**os.environ, **PUBLIC}.items() if value}
        subprocess.run(command, check=True, env=environment)
        chosen = json.loads(report.read_text())["install"]
    found = {}
    for item in chosen:
        name, version = item["metadata"]["name"], item["metadata"]["version"]
        found[name.lower()] = (name, version, item["download_info"]["archive_info"]["hashes"]["sha256"])
    return found


def lines(found):
    """The lines of a lock for `found`, as :func:`resolve` gives it, in name order."""
    return [f"{name}=={version} --hash=sha256:{digest}" for _, (name, version, digest) in sorted(found.items())]


def write(name, what, *sections):
    """Write the lock `name` of sections (title, lines)."""
    installed = "requirements.lock" if name == "requirements-build.lock" else name
    parts = [HEADER.format(what=what, installed=installed)]
    parts += ["\n".join([f"\n# {title}", *content, ""]) for title, content in sections]
    (ROOT / name).write_text("".join(parts))


def main():
    """Resolve what the project asks for and write the locks."""
    if sys.version_info[:2] != (3, 11) or (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        sys.exit("error: expected Python 3.11 on x86-64 Linux, which is what the locks are for")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    building = project["build-system"]["requires"]
    direct = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if not line.startswith("#")]
    testing = project["project"]["optional-dependencies"]["test"]
    # Aesara needs setuptools while it runs as well: it shall be the one that builds.
    needed = [*direct, next(line for line in building if line.startswith("setuptools=="))]
    running = resolve(needed)
    pins = [f"{name}=={version}" for name, version, _ in running.values()]
    tests = {key: pin for key, pin in resolve([*pins, *testing]).items() if key not in running}
    # Beside the same pins, so that a run on a GPU and one without share all else.
    plugin = CUDA12.format(jax=running["jax"][1])
    cuda12 = {key: pin for key, pin in resolve([*pins, plugin]).items() if key not in running}
    write(
        "requirements-build.lock",
        "What builds Lasagne's source archive and this package.",
        ("Building", lines(resolve(building))),
    )
    write(
        "requirements.lock",
        "Everything that the package and its tests need.",
        ("Run time", lines(running)),
        ("Tests only", lines(tests)),
    )
    write(
        "requirements-cuda12.lock",
        "What requirements.lock has, and what XLA needs on NVIDIA GPUs but the driver.",
        ("Run time", lines(running)),
        ("CUDA 12", lines(cuda12)),
        ("Tests only", lines(tests)),
    )


if __name__ == "__main__":
    main()
