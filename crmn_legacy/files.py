"""Files written so that nobody ever finds half of one."""

import contextlib
import errno
import os
import secrets

from crmn_legacy.errors import UserError

# What a file system says that lacks a call: some of the network, and those of a program (FUSE).
UNSUPPORTED = {errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.ENOLCK, errno.ENOTTY}


def write_whole(path, content):
    """Write `content` (bytes) to `path` so that after a crash the old file or the new one is there, whole.

    Raises
    ------
    UserError
        If the file cannot be written; what stood at `path` is as it was.
    """
    path = os.path.abspath(path)
    # A name of its own, so that two writers cannot spoil each other's file.
    temporary = f"{path}.{secrets.token_hex(4)}.part"
    try:
        with open(temporary, "xb") as file:
            file.write(content)
            file.flush()
            sync(file.fileno())
        os.replace(temporary, path)
        _sync_folder(os.path.dirname(path))
    except OSError as error:
        raise UserError(
            f"got '{path}', which cannot be written ({error.strerror}); "
            "expected a file in an existing, writable folder with space left"
        ) from None
    finally:
        with contextlib.suppress(OSError):
            os.unlink(temporary)


def sync(handle):
    """Make what was written outlast a loss of power, as far as the file system can."""
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise


def _sync_folder(folder):
    try:
        handle = os.open(folder, os.O_RDONLY)
    except PermissionError:  # a folder may be writable and not readable
        return
    try:
        sync(handle)
    finally:
        os.close(handle)
