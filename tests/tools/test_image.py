"""`tools/image.py` finds an engine and a base, hands over what fixes the image's bytes, and says so where it cannot."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from crmn_legacy.errors import UserError
from tests.tools import images
from tools import image, oci_archive, source_files

ROOT = Path(__file__).parents[2]

KEPT_BASE = "debian-bookworm-python3.tar"

# Stands for an engine: notes what it is asked, and gives a fixed image for every build.
FAKE = """#!/bin/sh
echo "$(basename "$0") $*" >> {log}
for last; do :; done
case "$*" in
    "pull "* | *" pull "*) exit {pull} ;;
    "push "* | *" push "*) cp {image} "${{last#oci-archive:}}" ;;
    "save "* | *" save "*) while [ "$1" != --output ]; do shift; done; cp {image} "$2" ;;
    "buildx "*) while [ "$1" != --output ]; do shift; done; dest="${{2#*dest=}}"; cp {image} "${{dest%%,*}}" ;;
    --quiet*) for word; do case "$word" in *.tar) echo "root file system" > "$word" ;; esac; done ;;
esac
"""


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """A function that puts fake programs alone into the path, and the file of what they were asked."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in ("sh", "basename", "cp", "git"):
        (folder / name).symlink_to(shutil.which(name))
    monkeypatch.setenv("PATH", str(folder))
    log = tmp_path / "log"
    log.touch()
    canned = images.write(tmp_path / "canned.tar", images.contents())

    def put(*names, pull=0):
        for name in names:
            (folder / name).write_text(FAKE.format(log=log, image=canned, pull=pull))
            (folder / name).chmod(0o755)
        return log

    put.folder = folder
    return put


def asked(log):
    return log.read_text().splitlines()


def build(monkeypatch, tmp_path, *words):
    """What `main` returns for a command line."""
    monkeypatch.setattr(sys, "argv", ["image.py", "--working-tree", "--out", str(tmp_path / "out"), *words])
    return image.main()


def test_the_first_engine_that_works_is_taken(programs):
    programs("docker", "podman")
    assert image.find_engine() == "podman"
    programs("buildah")
    assert image.find_engine() == "buildah"
    assert image.find_engine("docker") == "docker"


def test_a_client_without_its_service_is_none(programs):
    programs.folder.joinpath("docker").write_text("#!/bin/sh\necho 'Cannot connect to the daemon'\nexit 1\n")
    programs.folder.joinpath("docker").chmod(0o755)
    with pytest.raises(UserError, match="got no working buildah, podman, docker, expected one"):
        image.find_engine()


def test_an_engine_that_was_asked_for_is_not_replaced(programs):
    programs("buildah")
    with pytest.raises(UserError, match="got no working podman"):
        image.find_engine("podman")


@pytest.mark.parametrize("name", image.ENGINES)
def test_each_engine_builds_a_file_that_holds_the_image(programs, monkeypatch, tmp_path, capfd, name):
    log = programs(name)
    assert build(monkeypatch, tmp_path, "--base", "example.org/python:3.11") == 0
    (line,) = [line for line in asked(log) if " build " in line]
    assert "--build-arg BASE=example.org/python:3.11" in line
    assert "--build-arg SOURCE_DATE_EPOCH=1500000000" in line
    assert "--build-arg VARIANT=cpu" in line
    assert ("rewrite-timestamp=true" if name == "docker" else "--timestamp 1500000000") in line
    assert "certificates" not in line
    (archive,) = (tmp_path / "out").glob("*.tar")
    told = dict(line.split(": ", 1) for line in capfd.readouterr().out.splitlines())
    assert told["image"] == oci_archive.digests(archive).config
    assert told["manifest"] == oci_archive.digests(archive).manifest
    assert told["base"] == "example.org/python:3.11"
    assert archive.with_name(f"{archive.name}.sha256").read_text() == f"{image.sha256(archive)}  {archive.name}\n"
    # Nothing of the build stays behind.
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_the_lock_and_the_name_go_by_the_variant(programs, monkeypatch, tmp_path):
    log = programs("buildah")
    build(monkeypatch, tmp_path, "--base", "a", "--variant", "cuda12")
    (line,) = [line for line in asked(log) if " build " in line]
    assert f"LOCK={image.sha256(ROOT / 'requirements-cuda12.lock')}" in line
    assert "--build-arg VARIANT=cuda12" in line
    assert [path.name[-11:] for path in (tmp_path / "out").glob("*.tar")] == ["-cuda12.tar"]


def test_the_pinned_base_is_pulled_if_it_can_be(programs, monkeypatch, tmp_path, capfd):
    log = programs("buildah", "mmdebstrap")
    build(monkeypatch, tmp_path)
    assert f"buildah pull {image.pinned('BASE')}" in asked(log)
    assert not [line for line in asked(log) if line.startswith("mmdebstrap")]
    assert f"base: {image.pinned('BASE')}" in capfd.readouterr().out


def test_without_a_registry_a_base_is_made_here_and_kept(programs, monkeypatch, tmp_path, capfd):
    log = programs("buildah", "mmdebstrap", pull=1)
    build(monkeypatch, tmp_path)
    kept = tmp_path / "out" / KEPT_BASE
    assert kept.read_text() == "root file system\n"
    digest = image.sha256(kept)
    name = f"localhost/crmn_legacy-base:{digest[:16]}"
    first, second = [line for line in asked(log) if " build " in line]
    assert f"--tag {name} " in first
    assert f"--build-arg BASE={name} " in second
    assert all("--timestamp 1500000000" in line for line in (first, second))
    assert f"sha256:{digest}" in capfd.readouterr().out


def test_a_kept_base_is_used_without_asking_anybody(programs, monkeypatch, tmp_path):
    log = programs("buildah", "mmdebstrap")
    (tmp_path / "kept.tar").write_bytes(b"a root file system")
    build(monkeypatch, tmp_path, "--base", str(tmp_path / "kept.tar"))
    assert not [line for line in asked(log) if "mmdebstrap" in line or " pull " in line]
    first, second = [line for line in asked(log) if " build " in line]
    (name,) = re.findall(r"--tag (\S+)", first)
    assert image.sha256(tmp_path / "kept.tar")[:16] in name
    assert f"--build-arg BASE={name} " in second
    # The base's context holds it and what adds it, and is gone.
    assert not list((tmp_path / "out").glob(".base-*"))


def test_docker_takes_its_base_from_a_registry(programs, monkeypatch, tmp_path):
    programs("docker")
    (tmp_path / "kept.tar").write_bytes(b"a root file system")
    with pytest.raises(UserError, match="expected an image of a registry, or buildah or podman"):
        build(monkeypatch, tmp_path, "--base", str(tmp_path / "kept.tar"))


def test_a_base_of_an_older_mirror_is_not_lost(programs, monkeypatch, tmp_path):
    programs("buildah", "mmdebstrap")
    kept = tmp_path / "out" / KEPT_BASE
    kept.parent.mkdir()
    kept.write_text("an older root file system\n")
    former = image.sha256(kept)
    for _ in range(2):
        build(monkeypatch, tmp_path, "--base", "local")
        assert kept.read_text() == "root file system\n"
    (older,) = kept.parent.glob("debian-bookworm-python3-*.tar")
    assert image.sha256(older) == former


def test_a_dated_mirror_may_be_old(programs, monkeypatch, tmp_path):
    log = programs("buildah", "mmdebstrap")
    build(monkeypatch, tmp_path, "--base", "local", "--mirror", "http://example.org/debian/20260101T000000Z")
    (line,) = [line for line in asked(log) if line.startswith("mmdebstrap")]
    assert line.endswith(" http://example.org/debian/20260101T000000Z")
    assert '--aptopt=Acquire::Check-Valid-Until "false"' in line


def test_certificates_are_handed_over_as_a_secret(programs, monkeypatch, tmp_path):
    log = programs("buildah")
    (tmp_path / "bundle.pem").write_text("certificates")
    build(monkeypatch, tmp_path, "--base", "a", "--certificates", str(tmp_path / "bundle.pem"))
    (line,) = [line for line in asked(log) if " build " in line]
    assert f"--secret id=certificates,src={tmp_path / 'bundle.pem'}" in line


def test_a_wheelhouse_is_mounted_where_the_dockerfile_looks(programs, monkeypatch, tmp_path):
    log = programs("podman")
    (tmp_path / "SHA256SUMS").touch()
    build(monkeypatch, tmp_path, "--base", "a", "--wheelhouse", str(tmp_path))
    (line,) = [line for line in asked(log) if " build " in line]
    (place,) = re.findall(rf"--volume {tmp_path}:(\S+):ro", line)
    assert f"{place}/SHA256SUMS" in (ROOT / "Dockerfile").read_text()
    programs("docker")
    with pytest.raises(UserError, match="got docker and --wheelhouse"):
        build(monkeypatch, tmp_path, "--engine", "docker", "--base", "a", "--wheelhouse", str(tmp_path))


def test_images_go_where_they_are_told(programs, monkeypatch, tmp_path):
    log = programs("buildah")
    build(monkeypatch, tmp_path, "--base", "a", "--storage", str(tmp_path / "store"))
    beginning = f"buildah --root {tmp_path}/store/images --runroot {tmp_path}/store/state --storage-driver vfs "
    assert all(line.startswith(beginning) for line in asked(log) if line != "buildah info")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--base", "local"], "got no mmdebstrap, expected it"),
        (["--base", "none.tar"], "got --base 'none.tar', which is no file"),
        (["--certificates", "none.pem"], "got --certificates 'none.pem', which is no file"),
        (["--wheelhouse", "none"], "got --wheelhouse 'none' without SHA256SUMS"),
        (["--variant", "tpu"], "invalid choice: 'tpu'"),
        (["--var", "cpu"], "unrecognized arguments"),
    ],
)
def test_mistakes_are_told_in_one_line(programs, monkeypatch, tmp_path, words, message):
    programs("buildah")
    with pytest.raises(UserError, match=message) as caught:
        build(monkeypatch, tmp_path, *words)
    assert "\n" not in str(caught.value)


def test_a_build_that_fails_leaves_the_former_image(programs, monkeypatch, tmp_path):
    programs("buildah")
    build(monkeypatch, tmp_path, "--base", "a")
    (archive,) = (tmp_path / "out").glob("*.tar")
    before = archive.read_bytes()
    programs.folder.joinpath("buildah").write_text('#!/bin/sh\ncase "$*" in *build*) exit 3 ;; esac\n')
    with pytest.raises(UserError, match="ended with status 3"):
        build(monkeypatch, tmp_path, "--base", "a")
    assert archive.read_bytes() == before
    assert {path.name for path in (tmp_path / "out").iterdir()} == {archive.name, f"{archive.name}.sha256"}


def for_real():
    """Why the image cannot be built here, or None."""
    if os.geteuid():
        return "not root, as which mmdebstrap and a change of root need no further set-up"
    missing = [name for name in ("buildah", "mmdebstrap", "unshare", "git") if not shutil.which(name)]
    return f"no {', '.join(missing)}" if missing else None


real = pytest.mark.skipif(for_real() is not None, reason=str(for_real()))


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """What two builds told, the second of a clone and on the base that the first one left, and how to run in it."""
    try:
        files = source_files.working_tree_files(ROOT)
    except UserError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("image")
    clones = [folder / "clone", folder / "elsewhere"]
    source_files.lay(files, clones[0])
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false", "-C", clones[0]]
    for words in (["init"], ["add", "--force", "."], ["commit", "--message=as it lies"], ["clone", ".", clones[1]]):
        subprocess.run([*git, *words], check=True, capture_output=True)
    bundle = os.environ.get("PIP_CERT") or os.environ.get("SSL_CERT_FILE")
    told = []
    for place, clone, base in zip(("one", "two"), clones, ("local", folder / "one" / KEPT_BASE), strict=True):
        command = [sys.executable, clone / "tools" / "image.py", "--engine", "buildah", "--base", base]
        command += ["--out", folder / place, "--storage", folder / f"{place}-images"]
        command += ["--certificates", bundle] if bundle else []
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        told.append(dict(line.split(": ", 1) for line in done.stdout.splitlines()))
    buildah = image.Engine("buildah", folder / "two-images").command
    archive = told[1]["archive"].partition(" (")[0]
    box = subprocess.check_output([*buildah, "from", f"oci-archive:{archive}"], text=True).split()[-1]

    def inside(*words):
        """Run a command as the image's user, with its variables and no network."""
        alone = ["unshare", "--net", *buildah, "run", "--isolation", "chroot", box, "--"]
        return subprocess.run([*alone, *words], capture_output=True, text=True)

    yield told, inside, clones[1]
    subprocess.run([*buildah, "rm", box], capture_output=True)
    for name in ("one", "two"):
        shutil.rmtree(folder / f"{name}-images")


@pytest.mark.slow
@real
def test_two_builds_give_one_image(built):
    one, two = built[0]
    assert [one[what] for what in ("revision", "image", "manifest")] == [
        two[what] for what in ("revision", "image", "manifest")
    ]
    archives = [Path(told["archive"].partition(" (")[0]) for told in (one, two)]
    assert image.sha256(archives[0]) == image.sha256(archives[1])


@pytest.mark.slow
@real
def test_the_image_has_a_user_without_rights_and_no_network(built):
    inside = built[1]
    assert inside("id", "-u").stdout == "1000\n"
    assert inside("touch", "/opt/crmn_legacy/x").returncode == 1
    devices = inside("cat", "/proc/net/dev").stdout.splitlines()[2:]
    assert [line.split(":")[0].strip() for line in devices] == ["lo"]
    doctor = inside("python", "-m", "crmn_legacy", "doctor")
    assert doctor.returncode == 0, doctor.stdout + doctor.stderr


@pytest.mark.slow
@real
def test_a_run_in_the_image_has_the_bits_of_one_outside(built, tmp_path):
    script = ["recipes/table1_crmn.py", "--smoke"]
    _, inside, clone = built
    within = inside("python", *script)
    assert within.returncode == 0, within.stdout + within.stderr
    outside = subprocess.run(
        [sys.executable, *script, "--out", tmp_path / "run"],
        cwd=clone,
        env={**os.environ, "PYTHONPATH": str(clone)},
        capture_output=True,
        text=True,
    )
    assert outside.returncode == 0, outside.stdout + outside.stderr
    assert within.stdout.splitlines()[-2:] == outside.stdout.splitlines()[-2:]
    assert within.stdout.splitlines()[-1].startswith("bits: sha256:")


@pytest.mark.slow
@real
def test_the_image_repeats_the_golden_rehearsal(built):
    done = built[1]("python", "-m", "crmn_legacy", "rerun", "golden/table1_crmn")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "identical"
