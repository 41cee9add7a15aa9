"""XLA's compiled programs, kept between processes."""

import contextlib
import hashlib
import os
import shutil
import stat
import tempfile
from pathlib import Path

VARIABLE = "CRMN_LEGACY_CACHE"

_DIGEST = hashlib.sha256().digest_size


def folder():
    """Where they are kept: ``$CRMN_LEGACY_CACHE``, or the user's cache folder.

    None if they are not kept: ``$CRMN_LEGACY_CACHE`` is ``off``, or this user has no home.
    """
    chosen = os.environ.get(VARIABLE)
    if chosen == "off":
        return None
    if chosen:
        return Path(chosen)
    place = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # A relative one is to be ignored, says the specification.
    if place.is_absolute():
        return place / "crmn_legacy"
    return None if home() is None else home() / ".cache" / "crmn_legacy"


def home():
    """The user's home, or None: a container's user may have neither ``$HOME`` nor an entry among the users."""
    try:
        place = Path.home()
    except (RuntimeError, OSError):
        return None
    # Of an empty $HOME, Python makes the root of all folders.
    return place if place.is_absolute() and os.environ.get("HOME") != "" else None


def use(key):
    """Make JAX keep and look up compiled programs.

    Parameters
    ----------
    key : str
        What moves bits (`determinism.platform_key`): programs of unlike keys never meet, since JAX's own key does not
        tell XLA's partition of the work.
    """
    import jax

    root = folder()
    if root is None:
        return
    # Not `xla`, where former versions keep entries without a digest, and would complain of these.
    place = root / "programs" / hashlib.sha256(key.encode()).hexdigest()[:16]
    try:
        # JAX trusts what it finds there, so nobody else may write it.
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        status = place.stat()
    except OSError:
        return  # a read-only home: each process compiles for itself
    if status.st_uid != os.geteuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return
    _mend_entries()
    jax.config.update("jax_compilation_cache_dir", str(place))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.5)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)


class Entries:
    """A folder of compiled programs as JAX asks for one, whose entries are whole or not at all.

    JAX's own writes an entry in its place and never again: one that was cut off is complained of in every later run,
    and compiled anew each time. Here an entry begins with the digest of the rest and is renamed into its place; one
    that does not hold is taken away, so that it is written again.

    Parameters
    ----------
    path : path
        The folder.
    """

    def __init__(self, path):
        self._path = self.path = Path(path)

    def get(self, key):
        """The value that is kept under a key (bytes), or None."""
        place = self._place(key)
        try:
            content = place.read_bytes()
        except FileNotFoundError:
            return None
        except OSError:
            content = b""
        digest, value = content[:_DIGEST], content[_DIGEST:]
        if hashlib.sha256(value).digest() == digest:
            return value
        with contextlib.suppress(OSError):
            shutil.rmtree(place) if place.is_dir() and not place.is_symlink() else place.unlink()
        return None

    def put(self, key, value):
        """Keep a value under a key; without room for it, it is not kept."""
        with contextlib.suppress(OSError):
            number, name = tempfile.mkstemp(prefix=".new-", dir=self._path)
            try:
                with os.fdopen(number, "wb") as file:
                    file.write(hashlib.sha256(value).digest() + value)
                os.replace(name, self._place(key))
            except BaseException:
                os.unlink(name)
                raise

    def _place(self, key):
        return self._path / f"{key}-cache"


def _mend_entries():
    """Have JAX keep its programs as `Entries`."""
    from jax._src import compilation_cache

    compilation_cache.get_file_cache = lambda path: (Entries(path), path)
