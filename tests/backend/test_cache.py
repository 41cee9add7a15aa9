"""Compiled programs kept between processes: where, for whom, and what is never mixed."""

import os
import stat

import jax
import pytest

from crmn_legacy.backend import cache


@pytest.fixture(autouse=True)
def restored(monkeypatch, tmp_path):
    """No place chosen, a home of the test's own, and JAX's settings as they were."""
    before = jax.config.jax_compilation_cache_dir
    monkeypatch.delenv(cache.VARIABLE, raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    jax.config.update("jax_compilation_cache_dir", None)
    yield
    jax.config.update("jax_compilation_cache_dir", before)


def place():
    found = jax.config.jax_compilation_cache_dir
    return found and os.path.normpath(found)


def test_lies_in_the_users_cache_folder(monkeypatch, tmp_path):
    assert cache.folder() == tmp_path / "home" / ".cache" / "crmn_legacy"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache.folder() == tmp_path / "xdg" / "crmn_legacy"
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "mine"))
    assert cache.folder() == tmp_path / "mine"


def test_off_keeps_none(monkeypatch):
    monkeypatch.setenv(cache.VARIABLE, "off")
    assert cache.folder() is None
    cache.use("key")
    assert place() is None


def test_unlike_keys_never_meet(monkeypatch, tmp_path):
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "mine"))
    places = []
    for key in ("xla/cpu/float32", "xla/cpu/float64", "xla/cpu/float32"):
        cache.use(key)
        places.append(place())
    assert places[0] == places[2] != places[1]
    assert all(os.path.isdir(found) for found in places)


def test_nobody_else_may_write_there(monkeypatch, tmp_path):
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "mine"))
    cache.use("key")
    assert stat.S_IMODE(os.stat(place()).st_mode) == 0o700


@pytest.mark.parametrize("mode", [0o770, 0o777, 0o702])
def test_a_place_that_others_may_write_is_not_trusted(monkeypatch, tmp_path, mode):
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "mine"))
    cache.use("key")
    os.chmod(place(), mode)
    jax.config.update("jax_compilation_cache_dir", None)
    cache.use("key")
    assert place() is None


def test_a_place_that_cannot_be_made_is_done_without(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "file" / "below"))
    cache.use("key")
    assert place() is None
