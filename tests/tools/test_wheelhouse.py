"""A wheelhouse holds what the locks name, no more and no less, with its digests."""

import hashlib
import shutil
import subprocess
import sys

import pytest

from crmn_legacy.errors import UserError
from tools import wheelhouse


def digest(content):
    return hashlib.sha256(content).hexdigest()


FILES = {"a-1-py3-none-any.whl": b"wheel a", "b-2.tar.gz": b"sources of b"}
WANTED = {digest(b"wheel a"): "a==1", digest(b"sources of b"): "b==2"}


@pytest.fixture
def folder(tmp_path):
    out = tmp_path / "house"
    out.mkdir()
    for name, content in FILES.items():
        (out / name).write_bytes(content)
    return out


@pytest.fixture
def lock(tmp_path):
    path = tmp_path / "some.lock"
    path.write_text("# Some.\n\n" + "".join(f"{pin} --hash=sha256:{held}\n" for held, pin in WANTED.items()))
    return path


def call(monkeypatch, lock, out, files=FILES):
    """Run `main` with files for those that pip would bring."""

    def bring(lock, out):
        for name, content in files.items():
            (out / name).write_bytes(content)

    monkeypatch.setattr(wheelhouse, "download", bring)
    monkeypatch.setattr(wheelhouse, "BUILDING", lock)
    monkeypatch.setattr(sys, "argv", ["wheelhouse.py", "--lock", str(lock), "--out", str(out)])
    return wheelhouse.main()


def test_a_lock_is_read_digest_by_digest(lock):
    assert wheelhouse.locked(lock) == WANTED


def test_the_locks_of_the_project_are_read():
    assert "jaxlib==0.7.1" in wheelhouse.locked(wheelhouse.ROOT / "requirements-cuda12.lock").values()


@pytest.mark.parametrize("line", ["a==1", "a --hash=sha256:" + "0" * 64, "a==1 --hash=md5:00"])
def test_a_line_without_version_or_digest_is_refused(tmp_path, line):
    (tmp_path / "bad.lock").write_text(f"{line}\n")
    with pytest.raises(UserError, match="expected name==version"):
        wheelhouse.locked(tmp_path / "bad.lock")


def test_a_missing_lock_is_told(tmp_path):
    with pytest.raises(UserError, match="cannot be read"):
        wheelhouse.locked(tmp_path / "none.lock")


def test_the_sums_are_those_of_the_files(folder):
    assert wheelhouse.sums(folder, WANTED) == [f"{digest(content)}  {name}\n" for name, content in FILES.items()]


def test_a_file_that_no_lock_names_is_refused(folder):
    (folder / "c-3-py3-none-any.whl").write_bytes(b"slipped in")
    with pytest.raises(UserError, match=r"c-3-py3-none-any\.whl', which the lock does not name"):
        wheelhouse.sums(folder, WANTED)


def test_a_changed_file_is_refused(folder):
    (folder / "b-2.tar.gz").write_bytes(b"other sources")
    with pytest.raises(UserError, match="which the lock does not name"):
        wheelhouse.sums(folder, WANTED)


def test_a_missing_file_is_told_by_its_distribution(folder):
    (folder / "b-2.tar.gz").unlink()
    with pytest.raises(UserError, match=r"got no file of b==2"):
        wheelhouse.sums(folder, WANTED)


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="no sha256sum")
def test_the_whole_is_checked_by_sha256sum(monkeypatch, lock, tmp_path, capsys):
    out = tmp_path / "made"
    assert call(monkeypatch, lock, out) == 0
    assert "2 distributions" in capsys.readouterr().out
    check = ["sha256sum", "--check", "--strict", wheelhouse.SUMS]
    good = subprocess.run(check, cwd=out, capture_output=True, text=True)
    assert good.returncode == 0
    assert {line.partition(":")[0] for line in good.stdout.splitlines()} == {*FILES, lock.name}
    (out / "b-2.tar.gz").write_bytes(b"other sources")
    assert subprocess.run(check, cwd=out, capture_output=True).returncode == 1


def test_a_folder_begun_before_is_completed(monkeypatch, lock, folder):
    (folder / "b-2.tar.gz").unlink()
    assert call(monkeypatch, lock, folder) == 0
    assert (folder / wheelhouse.SUMS).is_file()


def test_no_sums_are_written_for_an_incomplete_folder(monkeypatch, lock, tmp_path):
    with pytest.raises(UserError, match="got no file of b==2"):
        call(monkeypatch, lock, tmp_path / "half", {"a-1-py3-none-any.whl": b"wheel a"})
    assert not (tmp_path / "half" / wheelhouse.SUMS).exists()
