"""Settings of Aesara that a user has for other work, kept out of runs; and a folder for what Aesara compiles.

Aesara reads ``AESARA_FLAGS`` and ``~/.aesararc`` (or the files that ``AESARARC`` names), and ends in a traceback on a
``device = cuda`` of Theano's days. A run takes from ``AESARA_FLAGS`` what `CHOICES` names, and nothing else.
"""

import atexit
import os
import shlex
import shutil
import stat
import tempfile
from pathlib import Path

from crmn_legacy.backend import cache, theano_config, variables
from crmn_legacy.errors import UserError

CHOICES = ("cxx", "blas__ldflags", "gcc__cxxflags", "compiledir", "base_compiledir")
"""What a user of ``--backend c`` may choose in ``AESARA_FLAGS``: compiler, BLAS, flags, and where its output lies."""

_MOVES_BITS = CHOICES[:3]

_told = False


def fix():
    """Set aside Aesara's files of settings, and of ``AESARA_FLAGS`` all but `CHOICES`; call it before Aesara starts."""
    given = os.environ.get("AESARA_FLAGS", "")
    flags = _parse(given)
    kept = {name: value for name, value in (flags or {}).items() if name in CHOICES and _can_be(name, value)}
    if flags is None or kept != flags:
        other = given if flags is None else ",".join(f"{name}={flags[name]}" for name in flags.keys() - kept.keys())
        variables.note({"AESARA_FLAGS": other})
    if given:
        os.environ["AESARA_FLAGS"] = _joined(kept)
    files = os.environ.get("AESARARC", "~/.aesararc").split(os.pathsep)
    found = [name for name in files if name != os.devnull and os.path.exists(os.path.expanduser(name))]
    if found:
        variables.note({"AESARARC": os.pathsep.join(found)})
    os.environ["AESARARC"] = os.devnull


def _can_be(name, value):
    """Whether a folder for compiled modules can be written."""
    return not name.endswith("compiledir") or _is_ours(Path(value).expanduser())


def choices():
    """What the user chose of what moves bits under ``--backend c``, name -> value (a dict)."""
    flags = _parse(os.environ.get("AESARA_FLAGS", "")) or {}
    return {name: flags[name] for name in _MOVES_BITS if name in flags}


def tell_float64():
    """Say once how a script is computed in float32, where nobody has chosen; call it when a function is in float64."""
    global _told
    import aesara

    if not (_told or theano_config.is_chosen("floatX")) and aesara.config.floatX == "float64":
        _told = True
        variables.tell("computed in float64, Theano's default; THEANO_FLAGS=floatX=float32 has it in float32")


def _parse(text):
    """``AESARA_FLAGS`` as Aesara takes them apart, name -> value; None where it could not."""
    splitter = shlex.shlex(text, posix=True)
    splitter.whitespace, splitter.whitespace_split = ",", True
    try:
        pairs = [part.strip().partition("=") for part in splitter]
    except ValueError:
        return None
    return {name: value for name, equals, value in pairs if equals}


def _joined(flags):
    return ",".join(shlex.quote(pair) if "," not in pair else f"'{pair}'" for pair in map("=".join, flags.items()))


def compile_folder():
    """Where Aesara keeps compiled modules: ``.aesara`` at home, or where there is no such place, one of this process.

    Returns
    -------
    Path

    Raises
    ------
    UserError
        No folder can be written at all.
    """
    home = cache.home()
    if home is not None and home.is_dir() and _is_ours(home / ".aesara"):
        return home / ".aesara"
    try:
        # Code is loaded from there, so it is a place that nobody else could have prepared.
        place = tempfile.mkdtemp(prefix="crmn_legacy-")
    except OSError as error:
        raise UserError(
            f"got no folder that can be written ({error.strerror or error}), expected one for temporary files: set "
            "TMPDIR to one"
        ) from None
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    return Path(place)


def _is_ours(place):
    try:
        place.mkdir(parents=True, exist_ok=True, mode=0o770)
        status = place.stat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and os.access(place, os.W_OK | os.X_OK)
