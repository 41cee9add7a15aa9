"""Releases are found wherever they lie, and read only if they are whole and nothing else."""

import gzip
import hashlib
import io
import os
import tarfile
from dataclasses import replace

import pytest

from crmn_legacy.errors import UserError
from data_prep import cifar_release
from data_prep.cifar_release import RELEASES, find_release, read_files
from tests.data.files.test_faces import refused
from tests.data_prep.cifar_folders import CIFAR10, CIFAR100, contents, make_archive, make_folder, member


@pytest.fixture(scope="module")
def content():
    return contents(CIFAR10)


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.folder)
def test_folder_is_found_by_itself_and_from_above(tmp_path, release):
    folder = make_folder(tmp_path / "data", release)
    renamed = tmp_path / "renamed"
    for root in (tmp_path / "data", folder):
        assert find_release(root) == (release, folder)
    folder.rename(renamed)
    assert find_release(renamed) == (release, renamed)


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.folder)
def test_archive_is_found_by_itself_and_from_above(tmp_path, release):
    archive = make_archive(tmp_path, release)
    for root in (tmp_path, archive):
        assert find_release(root) == (release, archive)


def test_folder_goes_before_the_archive_it_came_from(tmp_path):
    make_archive(tmp_path, CIFAR10)
    folder = make_folder(tmp_path, CIFAR10)
    assert find_release(tmp_path) == (CIFAR10, folder)


def test_both_releases_need_a_choice(tmp_path):
    make_folder(tmp_path, CIFAR10)
    make_archive(tmp_path, CIFAR100)
    assert "give --classes 10 or 100" in refused(find_release, tmp_path)
    for release in RELEASES:
        assert find_release(tmp_path, release.classes)[0] == release


def test_other_release_than_asked_for_is_told(tmp_path):
    make_archive(tmp_path, CIFAR100)
    said = refused(find_release, tmp_path, 10)
    assert "holds CIFAR-100; expected cifar-10-batches-py/ or cifar-10-python.tar.gz" in said


def test_nothing_there_is_refused(tmp_path):
    assert "cifar-10-batches-py/ or" in refused(find_release, tmp_path)
    assert "does not exist" in refused(find_release, tmp_path / "none")
    (tmp_path / "file").write_text("")
    refused(find_release, tmp_path / "file")


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.folder)
def test_folder_and_archive_give_the_same_files(tmp_path, release):
    expected = contents(release)
    for place in (make_folder(tmp_path, release), make_archive(tmp_path, release)):
        found = read_files(release, place, checked=False)
        assert list(found.items()) == [(name, expected[name]) for name in release.md5s]


def with_md5s(release, content, archive=None):
    """`release` as if its published MD5s were those of `content`."""
    md5s = {name: hashlib.md5(part).hexdigest() for name, part in content.items()}
    return replace(release, md5s=md5s, archive_md5=archive and hashlib.md5(archive.read_bytes()).hexdigest())


def test_right_md5s_are_taken(tmp_path, content):
    folder, archive = make_folder(tmp_path, CIFAR10), make_archive(tmp_path, CIFAR10)
    release = with_md5s(CIFAR10, content, archive)
    assert read_files(release, folder, checked=True) == read_files(release, archive, checked=True) == content


def test_wrong_md5_of_a_file_is_refused(tmp_path, content):
    folder = make_folder(tmp_path, CIFAR10)
    release = with_md5s(CIFAR10, content)
    (folder / "data_batch_3").write_bytes(content["data_batch_3"][:-1] + b"?")
    said = refused(read_files, release, folder, True)
    assert "data_batch_3' with md5" in said and release.md5s["data_batch_3"] in said and "--no-checksum" in said
    read_files(release, folder, checked=False)


def test_wrong_md5_of_an_archive_is_refused_before_it_is_opened(tmp_path, monkeypatch):
    archive = make_archive(tmp_path, CIFAR10)
    monkeypatch.setattr(tarfile, "open", None)
    assert "c58f30108f718f92721af3b95e74349a" in refused(read_files, CIFAR10, archive, True)


@pytest.mark.parametrize("missing", ["data_batch_5", "batches.meta"])
def test_missing_file_is_refused(tmp_path, missing):
    folder, archive = make_folder(tmp_path, CIFAR10), make_archive(tmp_path, CIFAR10, without=[missing])
    (folder / missing).unlink()
    for place in (folder, archive):
        assert f"without {missing}" in refused(read_files, CIFAR10, place, False)


@pytest.mark.parametrize(
    "name", ["../train", "cifar-10-batches-py/../../x", "/etc/passwd", "other/test_batch", "test_batch", "a\nb"]
)
def test_path_outside_of_the_folder_is_refused(tmp_path, name):
    archive = make_archive(tmp_path, CIFAR10, more=[member(name, b"content")])
    assert "expected none outside of cifar-10-batches-py/" in refused(read_files, CIFAR10, archive, False)
    assert os.listdir(tmp_path) == [archive.name]


def test_archive_s_file_that_comes_twice_is_refused(tmp_path, content):
    more = [member("./cifar-10-batches-py/test_batch", content["data_batch_1"])]
    assert "test_batch twice" in refused(read_files, CIFAR10, make_archive(tmp_path, CIFAR10, more=more), False)


LEAVINGS = ["._cifar-10-batches-py", "cifar-10-batches-py/._test_batch", "__MACOSX/cifar-10-batches-py/._train"]
LEAVINGS += [".DS_Store", "cifar-10-batches-py/.DS_Store", "./PaxHeaders.7/cifar-10-batches-py", "@PaxHeader"]


def test_what_file_managers_leave_in_an_archive_is_passed_over(tmp_path, content):
    archive = make_archive(tmp_path, CIFAR10, more=[member(name, b"\0\5\x16\7") for name in LEAVINGS])
    assert read_files(CIFAR10, archive, checked=False) == content


@pytest.mark.parametrize("prefix", ["./", "data/", "./data/cifar/"])
@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_archive_packed_from_above_is_read(tmp_path, content, prefix, form):
    path = tmp_path / "again.tar.gz"
    headers = {"comment": "é"} if form == tarfile.PAX_FORMAT else None
    with tarfile.open(path, "w:gz", format=form, pax_headers=headers) as archive:
        archive.addfile(member(prefix, kind=tarfile.DIRTYPE)[0])
        for name, part in content.items():
            archive.addfile(member(f"{prefix}{CIFAR10.folder}/{name}", part)[0], io.BytesIO(part))
    assert find_release(path) == (CIFAR10, path)
    assert read_files(CIFAR10, path, checked=False) == content


@pytest.mark.parametrize("name", ["cifar-{}-python (1).tar.gz", "cifar-{}-python.tgz", "Cifar-{}-Python-2.TAR.GZ"])
@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.folder)
def test_renamed_archive_is_found_by_itself_and_from_above(tmp_path, release, name):
    archive = make_archive(tmp_path, release).rename(tmp_path / name.format(release.classes))
    for root in (tmp_path, archive):
        assert find_release(root) == (release, archive)
    other = archive.rename(tmp_path / "download")
    assert find_release(other) == (release, other)


def test_two_renamed_archives_are_refused_and_the_published_name_goes_first(tmp_path):
    archive = make_archive(tmp_path, CIFAR10)
    copy = tmp_path / "cifar-10-python (1).tar.gz"
    copy.write_bytes(archive.read_bytes())
    assert find_release(tmp_path) == (CIFAR10, archive)
    archive.rename(tmp_path / "cifar-10-python (2).tar.gz")
    assert "expected one archive" in refused(find_release, tmp_path)


def test_archive_that_a_browser_has_unpacked_is_read_and_its_files_are_checked(tmp_path, content):
    archive = make_archive(tmp_path, CIFAR10)
    plain = tmp_path / "cifar-10-python.tar"
    plain.write_bytes(gzip.decompress(archive.read_bytes()))
    archive.unlink()
    assert find_release(tmp_path) == (CIFAR10, plain)
    assert read_files(with_md5s(CIFAR10, content), plain, checked=True) == content
    assert "data_batch_1' with md5" in refused(read_files, CIFAR10, plain, True)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(tmp_path, kind):
    more = [member("cifar-10-batches-py/test_batch", kind=kind, link="data_batch_1")]
    archive = make_archive(tmp_path, CIFAR10, more=more)
    assert "a link or device" in refused(read_files, CIFAR10, archive, False)


@pytest.mark.parametrize("part", [0.0, 0.3, 0.7, 0.999])
def test_archive_cut_off_is_refused(tmp_path, part):
    archive = make_archive(tmp_path, CIFAR10)
    whole = archive.read_bytes()
    archive.write_bytes(whole[: int(part * len(whole))])
    refused(read_files, CIFAR10, archive, False)


@pytest.mark.parametrize("content", [b"no archive", gzip.compress(b"no archive" * 200, mtime=0)], ids=["text", "gzip"])
def test_what_is_no_archive_is_refused(tmp_path, content):
    (tmp_path / CIFAR10.archive).write_bytes(content)
    refused(read_files, CIFAR10, tmp_path / CIFAR10.archive, False)


def test_damaged_archive_is_refused(tmp_path):
    archive = make_archive(tmp_path, CIFAR10)
    damaged = bytearray(archive.read_bytes())
    damaged[len(damaged) // 2 : len(damaged) // 2 + 40] = bytes(40)
    archive.write_bytes(damaged)
    refused(read_files, CIFAR10, archive, False)


def test_archive_that_unpacks_to_more_than_any_is_refused_unread(tmp_path, monkeypatch):
    archive = make_archive(tmp_path, CIFAR10)
    monkeypatch.setattr(cifar_release, "_LARGEST_UNPACKED", 100_000)
    assert "more than any" in refused(read_files, CIFAR10, archive, False)


def test_member_that_declares_more_than_any_holds_is_refused_unread(tmp_path):
    info, _ = member("cifar-10-batches-py/test_batch")
    info.size = 2**40
    with tarfile.open(tmp_path / CIFAR10.archive, "w:gz") as archive:
        archive.addfile(info)
    assert "more than any" in refused(read_files, CIFAR10, tmp_path / CIFAR10.archive, False)


def test_archive_of_more_members_than_any_is_refused(tmp_path):
    more = [member(f"cifar-10-batches-py/{number}") for number in range(200)]
    assert "more than any" in refused(read_files, CIFAR10, make_archive(tmp_path, CIFAR10, more=more), False)


def test_file_larger_than_any_is_refused(tmp_path, monkeypatch):
    folder = make_folder(tmp_path, CIFAR10)
    monkeypatch.setattr(cifar_release, "_LARGEST_ARCHIVE", 1000)
    assert "more than 1,000 bytes" in refused(read_files, CIFAR10, folder, False)


def test_what_is_no_regular_file_is_not_waited_for(tmp_path):
    folder = make_folder(tmp_path, CIFAR10)
    (folder / "test_batch").unlink()
    os.mkfifo(folder / "test_batch")
    assert "no regular file" in refused(read_files, CIFAR10, folder, False)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_folder_is_refused(tmp_path):
    tmp_path.chmod(0)
    try:
        with pytest.raises(UserError, match="expected"):
            find_release(tmp_path)
    finally:
        tmp_path.chmod(0o700)
