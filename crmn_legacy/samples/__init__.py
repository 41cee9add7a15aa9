"""Small rendered data that come with the package: no photograph, no one's licence."""

import hashlib
from pathlib import Path

from crmn_legacy.errors import UserError

_FOLDER = Path(__file__).parent
_SUMS = _FOLDER / "SHA256SUMS"


def path(name):
    """Where the sample `name` lies, once its bytes are found to be those that were committed.

    Parameters
    ----------
    name : str
        ``rendered_faces.h5``, a faces file; ``rendered_shapes10.h5`` and ``rendered_shapes100.h5``, pictures files of
        so many classes.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    UserError
        If there is no such sample, or the file is missing or altered.
    """
    sums = dict(reversed(line.split()) for line in _SUMS.read_text(encoding="utf-8").splitlines())
    if name not in sums:
        raise UserError(f"got the sample name '{name}'; expected one of {', '.join(sorted(sums))}")
    sample = _FOLDER / name
    mend = "install the package anew, or `git checkout` the file"
    if not sample.is_file():
        raise UserError(f"got no sample at '{sample}'; expected it beside the code: {mend}")
    found = hashlib.sha256(sample.read_bytes()).hexdigest()
    if found != sums[name]:
        raise UserError(f"got '{sample}' with sha256 {found[:12]}; expected {sums[name][:12]}: {mend}")
    return sample
