"""Where commands may write."""

import os
from pathlib import Path

from crmn_legacy import archive
from crmn_legacy.errors import UserError


def require_outside(out, folders):
    """Refuse to write into a run's folder.

    Parameters
    ----------
    out : Path
        What is to be written.
    folders : list of path
        Runs that are read.

    Raises
    ------
    UserError
        `out` lies in one of them, or in another run's folder: `verify` would call that altered.
    """
    place = os.path.realpath(Path(out).parent)
    if place in {os.path.realpath(folder) for folder in folders} or os.path.exists(os.path.join(place, archive.RUN)):
        raise UserError(f"--out got '{out}' in a run's folder, expected a place outside: it would alter the run")
