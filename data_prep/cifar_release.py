"""The files of the CIFAR archives (Krizhevsky, 2009, "python version"), found, checked and read into memory."""

import gzip
import hashlib
import io
import os
import re
import tarfile
import zlib
from dataclasses import dataclass
from pathlib import PurePosixPath

from crmn_legacy.data.files.unfetched import check_link, check_stub
from crmn_legacy.errors import UserError, shown

# An archive has 170 MB, and unpacks to 186 MB.
_LARGEST_ARCHIVE = 2**28
_LARGEST_UNPACKED = 2**29
_MOST_MEMBERS = 100
# By this much of an archive, unpacked, its first file has begun and told its folder.
_HEAD = 2**20
_GZIP = b"\x1f\x8b"
# What macOS, and archivers that write others' extensions as files, put beside the files themselves.
_LEAVINGS = re.compile(r"\._.*|__MACOSX|\.DS_Store|PaxHeaders?(\..*)?|@PaxHeader")


@dataclass(frozen=True)
class Release:
    """What Krizhevsky published of one data set.

    Attributes
    ----------
    classes : int
    archive, folder : str
        Names of the archive and of the folder in it.
    archive_md5 : str
    train, test : tuple of str
        Names of the batches.
    names : str
        Name of the file of class names.
    md5s : dict of str to str
        Of each file.
    """

    classes: int
    archive: str
    archive_md5: str
    folder: str
    train: tuple[str, ...]
    test: tuple[str, ...]
    names: str
    md5s: dict[str, str]


RELEASES = (
    Release(
        classes=10,
        archive="cifar-10-python.tar.gz",
        archive_md5="c58f30108f718f92721af3b95e74349a",
        folder="cifar-10-batches-py",
        train=tuple(f"data_batch_{number}" for number in range(1, 6)),
        test=("test_batch",),
        names="batches.meta",
        md5s={
            "data_batch_1": "c99cafc152244af753f735de768cd75f",
            "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
            "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
            "data_batch_4": "634d18415352ddfa80567beed471001a",
            "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
            "test_batch": "40351d587109b95175f43aff81a1287e",
            "batches.meta": "5ff9c542aee3614f3951f8cda6e48888",
        },
    ),
    Release(
        classes=100,
        archive="cifar-100-python.tar.gz",
        archive_md5="eb9058c3a382ffc7106e4002c42a8d85",
        folder="cifar-100-python",
        train=("train",),
        test=("test",),
        names="meta",
        md5s={
            "train": "16019d7e3df5f24257cddd939b257f8d",
            "test": "f0ef6b0ae62326f3e7ffdfab6717acfc",
            "meta": "7973b15100ade9c7d40fb424638fde48",
        },
    ),
)


def find_release(root, classes=None):
    """Which release lies at `root`, and where.

    Parameters
    ----------
    root : pathlib.Path
        The folder or archive of a release, or a folder that holds one. An unpacked folder goes before its archive.
    classes : int or None
        10 or 100; needed only where both are there.

    Returns
    -------
    release : Release
    place : pathlib.Path
        The folder or archive.

    Raises
    ------
    UserError
        If there is none, or more than one and `classes` does not tell which.
    """
    if not root.exists():
        raise UserError(f"got --root '{root}', which does not exist; expected a folder with {_layouts(classes)}")
    found = [(release, place) for release in RELEASES if (place := _place(root, release)) is not None]
    wanted = [pair for pair in found if classes in (None, pair[0].classes)]
    if not wanted:
        other = f", which holds CIFAR-{found[0][0].classes}" if found else ""
        raise UserError(f"got --root '{root}'{other}; expected {_layouts(classes)}")
    if len(wanted) > 1:
        raise UserError(f"got --root '{root}' with both CIFAR-10 and CIFAR-100; expected one: give --classes 10 or 100")
    return wanted[0]


def read_files(release, place, checked):
    """The bytes of each file of `release`.

    Parameters
    ----------
    release : Release
    place : pathlib.Path
        From :func:`find_release`.
    checked : bool
        Whether the MD5s must be the published ones.

    Returns
    -------
    dict of str to bytes
        By the names in ``release.md5s``, in their order.

    Raises
    ------
    UserError
        If a file is missing or cannot be read, if an MD5 differs, or if the archive holds what it must not.
    """
    files = _read_folder(release, place) if place.is_dir() else _read_archive(release, place, checked)
    for name, md5 in release.md5s.items():
        if checked:
            _check_md5(f"{place}/{name}", files[name], md5)
    return files


def _layouts(classes):
    wanted = [release for release in RELEASES if classes in (None, release.classes)]
    return " or ".join(f"{release.folder}/ or {release.archive}" for release in wanted)


def _place(root, release):
    if root.is_file():
        return root if root.name == release.archive or _holds(root, release) else None
    if release.names in _listing(root) and set(release.md5s) & set(_listing(root)) - {release.names}:
        return root
    if root.name == release.folder:
        return root
    for place in (root / release.folder, root / release.archive):
        if place.exists():
            return place
    return _renamed(root, release)


def _renamed(root, release):
    """The archive as browsers rename it, such as ``cifar-10-python (1).tar.gz``; None if there is none."""
    stem = re.escape(release.archive.removesuffix(".tar.gz"))
    like = re.compile(rf"{stem}\W*\d*\W*\.(tar\.gz|tgz|tar)", re.IGNORECASE)
    found = sorted(name for name in _listing(root) if like.fullmatch(name) and (root / name).is_file())
    if len(found) > 1:
        raise UserError(
            f"got --root '{root}' with {shown(found[0])} and {shown(found[1])}; expected one archive: "
            "remove the other, or give one of them as --root"
        )
    return root / found[0] if found else None


def _holds(path, release):
    """Whether the file at `path` begins like an archive of `release`, whatever its name."""
    try:
        with open(path, "rb") as file:
            packed = file.read(len(_GZIP)) == _GZIP
            file.seek(0)
            head = (gzip.GzipFile(fileobj=file) if packed else file).read(_HEAD)
    except (OSError, EOFError, zlib.error):
        return False
    return f"{release.folder}/".encode() in head


def _listing(folder):
    try:
        return os.listdir(folder)
    except OSError as error:
        raise UserError(
            f"got --root '{folder}', which cannot be read ({error.strerror}); expected a readable folder"
        ) from None


def _read_folder(release, folder):
    return {name: _read(folder / name, f"all of {', '.join(release.md5s)}") for name in release.md5s}


def _read(path, expected):
    check_link(path, expected)
    if not path.exists():
        raise UserError(f"got '{path.parent}' without {path.name}; expected {expected}: unpack the archive anew")
    if not path.is_file():
        raise UserError(f"got '{path}', which is no regular file; expected {expected}")
    try:
        with open(path, "rb") as file:
            content = file.read(_LARGEST_ARCHIVE + 1)
    except OSError as error:
        raise UserError(f"got '{path}', which cannot be read ({error.strerror}); expected {expected}") from None
    check_stub(content, path, expected)
    if len(content) > _LARGEST_ARCHIVE:
        raise UserError(f"got '{path}' of more than {_LARGEST_ARCHIVE:,} bytes; expected {expected}")
    return content


def _check_md5(name, content, expected):
    # Not for security: it tells a damaged download from a whole one.
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if found != expected:
        raise UserError(f"got '{name}' with md5 {found}; expected {expected}: download it anew, or give --no-checksum")


def _read_archive(release, path, checked):
    content = _read(path, f"the archive {release.archive}")
    packed = content.startswith(_GZIP)
    # A browser may have unpacked it to a .tar; its files are checked one by one.
    if checked and (packed or path.name == release.archive):
        _check_md5(path, content, release.archive_md5)
    files, unpacked = {}, 0
    try:
        # All at once, and no more than there may be: a header of any size would be unpacked whole by `tarfile`.
        if packed:
            with gzip.open(io.BytesIO(content)) as stream:
                content = stream.read(_LARGEST_UNPACKED + 1)
        if len(content) > _LARGEST_UNPACKED:
            raise _too_large(path)
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
            for number, member in enumerate(archive):
                unpacked += member.size
                if number >= _MOST_MEMBERS or unpacked > _LARGEST_UNPACKED:
                    raise _too_large(path)
                name = _name_within(release, path, member)
                if name in files:
                    raise UserError(f"got '{path}' with {name} twice; expected it once: download the archive anew")
                if name in release.md5s:
                    files[name] = archive.extractfile(member).read()
    except (tarfile.TarError, zlib.error, OSError, EOFError, ValueError) as error:
        raise UserError(
            f"got '{path}', which is no whole .tar.gz ({shown(str(error))}); expected the archive {release.archive}: "
            "download it anew"
        ) from None
    missing = [name for name in release.md5s if name not in files]
    if missing:
        raise UserError(f"got '{path}' without {missing[0]}; expected all of {', '.join(release.md5s)}")
    return files


def _too_large(path):
    return UserError(f"got '{path}', which holds more than any CIFAR archive; expected the official one")


def _name_within(release, path, member):
    """The member's name below the archive's folder; None for the folder itself, and for what file managers leave.

    Nothing is unpacked on to the disk, so that no name could do harm; but a file that tries is not the archive.
    """
    parts = PurePosixPath(member.name).parts
    outside = member.name.startswith("/") or ".." in parts
    if not outside and (any(map(_LEAVINGS.fullmatch, parts)) or (member.isdir() and release.folder not in parts)):
        return None
    if outside or release.folder not in parts:
        raise UserError(
            f"got '{path}' with the path {shown(member.name)}; expected none outside of {release.folder}/: "
            "download the archive anew"
        )
    if not (member.isfile() or member.isdir()):
        raise UserError(
            f"got '{path}' with {shown(member.name)}, a link or device; expected files only: download the archive anew"
        )
    return "/".join(parts[parts.index(release.folder) + 1 :]) if member.isfile() else None
