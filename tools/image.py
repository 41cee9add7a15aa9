"""Build the image of the Dockerfile into one file, with whichever of buildah, podman and docker works here.

    python tools/image.py [--variant cpu|cuda12] [--base IMAGE|FILE.tar|local] [--certificates FILE] [--working-tree]

The image holds the files of the last commit and nothing else. Its base is the Dockerfile's, pinned by digest; where
that cannot be pulled, Debian 12 with its own Python 3.11, made here by mmdebstrap and kept as a file beside the image.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from crmn_legacy.errors import UserError, run  # noqa: E402
from crmn_legacy.parser import Parser  # noqa: E402
from tools import oci_archive, source_files  # noqa: E402

# In the order in which they are asked: the first two give every file one time and so the same digest again.
ENGINES = ("buildah", "podman", "docker")

SUITE = "bookworm"
PACKAGES = ("python3", "python3-venv", "ca-certificates")
LOCKS = {"cpu": "requirements.lock", "cuda12": "requirements-cuda12.lock"}


def arguments(words=None):
    """The options, parsed from `words` (a list of str; None takes the command line's)."""
    parser = Parser(__doc__)
    parser.add_argument("--variant", choices=LOCKS, default="cpu", help="which lock is installed (cpu)")
    parser.add_argument(
        "--base",
        help="an image with Python 3.11; a .tar of a root file system; or `local`, which makes one of Debian packages",
    )
    parser.add_argument(
        "--certificates",
        type=Path,
        metavar="FILE",
        help="bundle (PEM) for the build's downloads, where the network has a certificate authority of its own",
    )
    parser.add_argument("--engine", choices=ENGINES, help="the first of these that works")
    parser.add_argument("--mirror", help="the Debian mirror for the base `local`, such as a dated snapshot")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", metavar="DIR", help="where the files go (dist)")
    parser.add_argument(
        "--storage", type=Path, metavar="DIR", help="buildah's and podman's images go there instead of their own place"
    )
    parser.add_argument(
        "--wheelhouse", type=Path, metavar="DIR", help="a folder made by `make wheelhouse`, in place of the network"
    )
    parser.add_argument(
        "--working-tree", action="store_true", help="the files as they lie, which the label `revision` then says"
    )
    return parser.parse_args(words)


def pinned(name):
    """The default of an ``ARG`` of the Dockerfile."""
    return re.search(rf"^ARG {name}=(\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE).group(1)


EPOCH = int(pinned("SOURCE_DATE_EPOCH"))

# How buildah and podman build: one layer, every file with one time, and nothing told of the engine's version.
ALIKE = ["--isolation", "chroot", "--network", "host", "--no-cache", "--layers=false", "--timestamp", str(EPOCH)]
ALIKE += ["--identity-label=false"]


def find_engine(asked=None):
    """The name of an engine that works: that `asked` for, or the first.

    Raises
    ------
    UserError
        None does.
    """
    for name in [asked] if asked else ENGINES:
        # The client of docker is often there without the service it needs.
        if shutil.which(name) and subprocess.run([name, "info"], capture_output=True).returncode == 0:
            return name
    raise UserError(f"got no working {asked or ', '.join(ENGINES)}, expected one: `apt-get install buildah` will do")


class Engine:
    """One of `ENGINES`, with its images in `storage` (None: its own place)."""

    def __init__(self, name, storage=None):
        self.name = name
        self.command = [name]
        if storage and name != "docker":
            places = ["--root", str(storage / "images"), "--runroot", str(storage / "state")]
            self.command += [*places, "--storage-driver", "vfs"]

    def pull(self, image):
        """Whether `image` is here, or could be brought here."""
        return subprocess.run([*self.command, "pull", image], stdout=sys.stderr).returncode == 0

    def take(self, root_file_system, name, place):
        """Make an image `name` of a .tar of a root file system, by way of a folder below `place`.

        Raises
        ------
        UserError
            Docker's builder takes no image from here, but from a registry.
        """
        if self.name == "docker":
            raise UserError(
                "got docker and a base that is a .tar, expected an image of a registry, or buildah or podman"
            )
        with tempfile.TemporaryDirectory(dir=place, prefix=".base-") as folder:
            shutil.copyfile(root_file_system, Path(folder, "base.tar"))
            Path(folder, "Dockerfile").write_text("FROM scratch\nADD base.tar /\n")
            call(*self.command, "build", *ALIKE, "--tag", name, folder)

    def build(self, context, base, name, out, values, certificates, wheelhouse):
        """Build the folder `context` on the image `base` as `name`, and write it to `out`, an OCI archive.

        Raises
        ------
        UserError
            The build failed; docker was given a wheelhouse, which it has no way to mount.
        """
        if wheelhouse and self.name == "docker":
            raise UserError("got docker and --wheelhouse, expected buildah or podman, which can mount it")
        options = ["--build-arg", f"BASE={base}"]
        for key, value in values.items():
            options += ["--build-arg", f"{key}={value}"]
        if certificates:
            options += ["--secret", f"id=certificates,src={certificates}"]
        if wheelhouse:
            options += ["--volume", f"{wheelhouse.resolve()}:/mnt:ro"]
        if self.name == "docker":
            export = f"type=oci,dest={out},name={name},rewrite-timestamp=true"
            fixed = ["--no-cache", "--provenance=false", "--sbom=false", "--output", export]
            call("docker", "buildx", "build", *fixed, *options, str(context))
            return
        call(*self.command, "build", *ALIKE, "--tag", name, *options, str(context))
        if self.name == "buildah":
            call(*self.command, "push", "--quiet", name, f"oci-archive:{out}")
        else:
            call(*self.command, "save", "--quiet", "--format", "oci-archive", "--output", str(out), name)


def call(*command, **variables):
    """Run a command under further environment variables, what it prints going to standard error.

    Raises
    ------
    UserError
        It failed.
    """
    if status := subprocess.run(command, stdout=sys.stderr, env={**os.environ, **variables}).returncode:
        words = " ".join(word for word in command[:8] if not word.startswith("-"))
        raise UserError(f"`{words} ...` ended with status {status}, expected 0: its own words are above")


def make_root_file_system(out, mirror):
    """Write a Debian of `PACKAGES` to `out`, a .tar, the same bytes as long as the mirror holds the same packages.

    An unlike file that was there before, of an older mirror, is kept under its digest.
    """
    if not shutil.which("mmdebstrap"):
        raise UserError("got no mmdebstrap, expected it for a base made here: `apt-get install mmdebstrap`, or --base")
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(f"part.{out.name}")
    command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(PACKAGES)}"]
    # Both would be this machine's. A snapshot's lists are old, and meant to be.
    command += ['--customize-hook=rm -f "$1"/etc/resolv.conf "$1"/etc/hostname']
    command += ['--aptopt=Acquire::Check-Valid-Until "false"'] if mirror else []
    command += [SUITE, str(part), *([mirror] if mirror else [])]
    call(*command, SOURCE_DATE_EPOCH=str(EPOCH))
    if out.exists() and (former := sha256(out)) != sha256(part):
        os.replace(out, out.with_name(f"{out.stem}-{former[:16]}.tar"))
    os.replace(part, out)


def find_base(engine, asked, out, mirror):
    """What stands for ``BASE``, and what to tell of it: two str.

    Raises
    ------
    UserError
        `asked` is no file, or no base can be had.
    """
    if asked is None:
        asked = pinned("BASE")
        if engine.name == "docker" or engine.pull(asked):
            return asked, asked
        print("The Dockerfile's base cannot be pulled here: one is made of Debian's packages.", file=sys.stderr)
        asked = "local"
    if asked == "local":
        asked = str(out / f"debian-{SUITE}-python3.tar")
        make_root_file_system(Path(asked), mirror)
    if not asked.endswith(".tar"):
        return asked, asked
    path = Path(asked)
    if not path.is_file():
        raise UserError(f"got --base '{asked}', which is no file; expected a .tar of a root file system, or an image")
    digest = sha256(path)
    name = f"localhost/crmn_legacy-base:{digest[:16]}"
    engine.take(path, name, out)
    return name, f"{path} sha256:{digest}"


def sha256(path):
    """The file's digest, hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main():
    """Build, and print what was built: 0."""
    options = arguments()
    if options.certificates and not options.certificates.is_file():
        raise UserError(f"got --certificates '{options.certificates}', which is no file; expected a bundle in PEM")
    if options.wheelhouse and not (options.wheelhouse / "SHA256SUMS").is_file():
        raise UserError(f"got --wheelhouse '{options.wheelhouse}' without SHA256SUMS; expected one: `make wheelhouse`")
    engine = Engine(find_engine(options.engine), options.storage and options.storage.resolve())
    read = source_files.working_tree_files if options.working_tree else source_files.commit_files
    files = read(ROOT)
    version = tomllib.loads(files["pyproject.toml"][0].decode())["project"]["version"]
    values = {
        "VARIANT": options.variant,
        "SOURCE_DATE_EPOCH": EPOCH,
        "REVISION": source_files.revision(ROOT, options.working_tree),
        "LOCK": hashlib.sha256(files[LOCKS[options.variant]][0]).hexdigest(),
    }
    options.out.mkdir(parents=True, exist_ok=True)
    name = f"crmn_legacy:{version}-{options.variant}"
    archive = options.out / f"{name.replace(':', '-')}.tar"
    started = time.monotonic()
    base, told = find_base(engine, options.base, options.out, options.mirror)
    with tempfile.TemporaryDirectory(dir=options.out, prefix=".build-") as folder:
        context, raw = Path(folder, "context"), Path(folder, "image.tar")
        source_files.lay(files, context)
        engine.build(context, base, name, raw, values, options.certificates, options.wheelhouse)
        oci_archive.pack(raw, archive, name, EPOCH)
    found = oci_archive.digests(archive)
    if not options.working_tree and (left_out := source_files.changes(ROOT)):
        print(f"note: {left_out} files differ from the last commit, which is what the image holds", file=sys.stderr)
    archive.with_name(f"{archive.name}.sha256").write_text(f"{sha256(archive)}  {archive.name}\n")
    for word, value in (
        ("archive", f"{archive} ({archive.stat().st_size:,} bytes)"),
        ("revision", values["REVISION"]),
        ("base", told),
        ("image", found.config),
        ("manifest", found.manifest),
        ("seconds", f"{time.monotonic() - started:.0f}, {engine.name}"),
    ):
        print(f"{word}: {value}")
    return 0


if __name__ == "__main__":
    run(main)
