"""Files that are still elsewhere: links and stubs put down by git-annex, DVC or Git LFS until they are fetched."""

import os

from crmn_legacy.errors import UserError

_STUBS = {
    b"version https://git-lfs.github.com/spec/": "git lfs pull",
    b"/annex/objects/": "git annex get",
}


def check_link(path, expected):
    """Refuse a link that leads nowhere, and pass over all else.

    Parameters
    ----------
    path : path
    expected : str
        What it should be, such as ``a .pts file``.

    Raises
    ------
    UserError
    """
    if os.path.islink(path) and not os.path.lexists(os.path.realpath(path)):
        raise UserError(
            f"got '{path}', a link to '{os.readlink(path)}', which is not there; expected {expected}: "
            "fetch it (git annex get, dvc pull), or mend the link"
        )


def check_stub(content, path, expected):
    """Refuse the content of a file that stands for another, which has not been fetched.

    Parameters
    ----------
    content : bytes
        At least its beginning.
    path : path
    expected : str

    Raises
    ------
    UserError
    """
    for beginning, mend in _STUBS.items():
        if content.startswith(beginning):
            raise UserError(f"got '{path}', which stands for a file that is not here; expected {expected}: {mend}")
