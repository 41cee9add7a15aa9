"""XLA's compiled programs, kept between processes."""

import hashlib
import os
import stat
from pathlib import Path

VARIABLE = "CRMN_LEGACY_CACHE"


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
    place = root / "xla" / hashlib.sha256(key.encode()).hexdigest()[:16]
    try:
        # JAX trusts what it finds there, so nobody else may write it.
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        status = place.stat()
    except OSError:
        return  # a read-only home: each process compiles for itself
    if status.st_uid != os.geteuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return
    jax.config.update("jax_compilation_cache_dir", str(place))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.5)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)
