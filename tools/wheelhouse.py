"""Bring all that a lock names into one folder, with digests, so that it can be installed with no network.

    python tools/wheelhouse.py [--lock requirements.lock] [--out DIR]

To be run by Python 3.11 on x86-64 Linux, with the setuptools and wheel of requirements-build.lock: pip takes the files
for the Python that runs it, and asks Lasagne's archive of sources for its name. Then, with that folder as DIR:

    sha256sum --check SHA256SUMS
    PIP_NO_INDEX=1 PIP_FIND_LINKS=DIR make environment
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from crmn_legacy.cli import Parser  # noqa: E402
from crmn_legacy.errors import UserError, run  # noqa: E402
from tools.lock import PUBLIC  # noqa: E402

SUMS = "SHA256SUMS"
BUILDING = ROOT / "requirements-build.lock"


def arguments(words=None):
    """The options, parsed from `words` (a list of str; None takes the command line's)."""
    parser = Parser(description=__doc__.partition("\n")[0])
    parser.add_argument("--lock", type=Path, default=ROOT / "requirements.lock", help="what is brought")
    parser.add_argument("--out", type=Path, help="the folder; one begun before is completed (dist/wheelhouse-<lock>)")
    return parser.parse_args(words)


def locked(*locks):
    """The digests that locks name: SHA-256 -> ``name==version`` (a dict of str).

    Raises
    ------
    UserError
        One is no lock.
    """
    found = {}
    for lock in locks:
        try:
            lines = lock.read_text(encoding="utf-8").splitlines()
        except OSError:
            raise UserError(
                f"got --lock '{lock}', which cannot be read; expected a lock, as `make lock` makes"
            ) from None
        for line in filter(None, lines):
            if line.startswith("#"):
                continue
            match = re.fullmatch(r"(\S+==\S+) --hash=sha256:([0-9a-f]{64})", line)
            if not match:
                raise UserError(f"got {line!r} in '{lock}', expected name==version --hash=sha256:...: `make lock`")
            found[match.group(2)] = match.group(1)
    return found


def download(lock, out):
    """Let pip bring the files of `lock` into `out`; those that lie there already are kept."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--require-hashes", "--no-build-isolation", "--dest", str(out), "--requirement", str(lock)]
    environment = {name: value for name, value in {**os.environ, **PUBLIC}.items() if value}
    if status := subprocess.run(command, env=environment, stdout=sys.stderr).returncode:
        raise UserError(f"pip ended with status {status}, expected 0: its own words are above; begin again to go on")


def sums(out, wanted):
    """The lines of ``SHA256SUMS`` for the files in `out`, which must be just those `wanted`, as :func:`locked` gives.

    Raises
    ------
    UserError
        A file is missing, or is none of them.
    """
    lines, missing = [], dict(wanted)
    for path in sorted(path for path in out.iterdir() if path.suffix in (".whl", ".gz", ".zip")):
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest not in wanted:
            raise UserError(f"got '{path}', which the lock does not name; expected its files only: remove it")
        missing.pop(digest, None)
        lines.append(f"{digest}  {path.name}\n")
    if missing:
        raise UserError(f"got no file of {', '.join(sorted(missing.values()))} in '{out}', expected one each")
    return lines


def main():
    """Bring the files and write their digests: 0."""
    options = arguments()
    wanted = locked(BUILDING, options.lock)
    out = options.out or ROOT / "dist" / f"wheelhouse-{options.lock.stem}"
    out.mkdir(parents=True, exist_ok=True)
    for lock in (BUILDING, options.lock):
        download(lock, out)
    lines = sums(out, wanted)
    for lock in (BUILDING, options.lock):
        shutil.copyfile(lock, out / lock.name)
        lines.append(f"{hashlib.sha256(lock.read_bytes()).hexdigest()}  {lock.name}\n")
    (out / SUMS).write_text("".join(lines))
    size = sum(path.stat().st_size for path in out.iterdir())
    print(f"{out}: {len(wanted)} distributions, {size:,} bytes")
    return 0


if __name__ == "__main__":
    run(main)
