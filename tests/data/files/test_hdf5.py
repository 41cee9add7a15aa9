"""A file system without locks, and what a system says of a file, are not taken for damage."""

import errno
import fcntl
import os
import subprocess
import sys

import pytest

from crmn_legacy.data.files import hdf5
from crmn_legacy.data.files.faces import read_faces, write_faces
from crmn_legacy.errors import UserError
from tests.data.faces import plain_faces


@pytest.fixture
def faces_file(tmp_path):
    write_faces(tmp_path / "faces.h5", plain_faces())
    return tmp_path / "faces.h5"


def test_a_file_that_another_program_has_locked_is_read(faces_file):
    with open(faces_file, "r+b") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert len(read_faces(faces_file)) == 12


@pytest.mark.parametrize("value", ["TRUE", "BEST_EFFORT", "FALSE", ""])
def test_no_lock_is_asked_for_whatever_the_environment_says(faces_file, value):
    code = f"from crmn_legacy.data.files.faces import read_faces; print(len(read_faces({str(faces_file)!r})))"
    with open(faces_file, "r+b") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "HDF5_USE_FILE_LOCKING": value},
            capture_output=True,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stdout) == (0, "12\n"), done.stderr


def failing(number, text="Can't synchronously read data"):
    def fail(*_, **__):
        raise OSError(number, text)

    return fail


@pytest.mark.parametrize("code", ["EIO", "ESTALE", "EMFILE", "ETIMEDOUT", "EBUSY", "EACCES", "EPERM", "ENODEV"])
@pytest.mark.parametrize("where", ["File", "mmap"])
def test_what_the_system_says_is_told_and_is_no_damage(faces_file, monkeypatch, code, where):
    number = getattr(errno, code)
    monkeypatch.setattr(hdf5.h5py if where == "File" else hdf5.mmap, where, failing(number))
    with pytest.raises(UserError) as caught:
        read_faces(faces_file)
    message = str(caught.value)
    assert os.strerror(number) in message and "damaged" not in message and "prepare" not in message


@pytest.mark.parametrize("code", ["ENOLCK", "EAGAIN", "EACCES", "EOPNOTSUPP", "ENOSYS"])
def test_a_lock_that_fails_is_called_a_lock(faces_file, monkeypatch, code):
    number = getattr(errno, code)
    monkeypatch.setattr(hdf5.h5py, "File", failing(number, "Unable to open file (unable to lock file)"))
    with pytest.raises(UserError, match="which cannot be locked"):
        read_faces(faces_file)


@pytest.mark.parametrize("number", [None, errno.EINVAL, errno.EOVERFLOW])
def test_what_only_a_damaged_file_makes_the_system_say_is_damage(faces_file, monkeypatch, number):
    monkeypatch.setattr(hdf5.h5py, "File", failing(number))
    with pytest.raises(UserError, match=r"damaged one \(cut off, or still being written\)"):
        read_faces(faces_file)


def test_a_folder_that_may_not_be_entered_is_not_a_missing_file(faces_file, monkeypatch):
    monkeypatch.setattr(hdf5.os, "stat", failing(errno.EACCES))
    with pytest.raises(UserError, match="may not be read"):
        read_faces(faces_file)


@pytest.mark.parametrize("name", ["none.h5", "faces.h5/none.h5", "a\0b", "\udcff.h5"])
def test_names_of_no_file_do_not_exist(faces_file, name):
    with pytest.raises(UserError, match="does not exist"):
        read_faces(os.path.join(faces_file.parent, name))
