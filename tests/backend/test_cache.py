"""Compiled programs kept between processes: where, for whom, and what is never mixed."""

import os
import stat
import subprocess
import sys
import threading

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


def test_without_a_home_none_are_kept(monkeypatch):
    monkeypatch.setattr(cache.Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    assert cache.folder() is None
    cache.use("key")
    assert place() is None


@pytest.mark.parametrize("home", ["", ".", "some/where"])
def test_a_home_or_cache_folder_that_is_no_whole_path_is_not_used(monkeypatch, tmp_path, home):
    monkeypatch.setenv("XDG_CACHE_HOME", "relative/cache")
    assert cache.folder() == tmp_path / "home" / ".cache" / "crmn_legacy"
    monkeypatch.setenv("HOME", home)
    assert cache.folder() is None


# --- entries


DAMAGE = {
    "empty": lambda path: path.write_bytes(b""),
    "cut off": lambda path: os.truncate(path, 100),
    "a bit": lambda path: path.write_bytes(path.read_bytes()[:-9] + b"x" + path.read_bytes()[-8:]),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"x"),
    "foreign": lambda path: path.write_bytes(b"something else" * 99),
    "a folder": lambda path: (path.unlink(), path.mkdir(), (path / "file").touch()),
    "a link to nowhere": lambda path: (path.unlink(), path.symlink_to("/nonexistent/x")),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_an_entry_that_does_not_hold_is_none_and_can_be_written_again(tmp_path, damage):
    entries = cache.Entries(tmp_path)
    assert entries.get("key") is None
    entries.put("key", b"program" * 99)
    assert entries.get("key") == b"program" * 99
    damage(tmp_path / "key-cache")
    assert entries.get("key") is None
    entries.put("key", b"anew")
    assert entries.get("key") == b"anew"
    assert [path.name for path in tmp_path.iterdir()] == ["key-cache"]


def test_an_entry_that_cannot_be_written_is_not_kept(tmp_path):
    entries = cache.Entries(tmp_path / "none")
    entries.put("key", b"program")
    assert entries.get("key") is None


def test_two_writers_at_once_leave_a_whole_entry(tmp_path):
    entries = cache.Entries(tmp_path)
    values = [bytes([number]) * 100000 for number in range(8)]
    threads = [threading.Thread(target=entries.put, args=("key", value)) for value in values for _ in range(4)]
    for thread in threads:
        thread.start()
        found = entries.get("key")
        assert found is None or found in values
    for thread in threads:
        thread.join()
    assert entries.get("key") in values
    assert [path.name for path in tmp_path.iterdir()] == ["key-cache"]


PROGRAM = """
from crmn_legacy.backend import cache
import jax, numpy
cache.use("key")
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
print(jax.jit(lambda x: jax.numpy.sin(x).sum())(numpy.arange(3.0)))
"""


def test_a_damaged_entry_of_jax_is_mended_without_a_word(tmp_path):
    variables = {**os.environ, cache.VARIABLE: str(tmp_path)}
    said, entries = [], []
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, env=variables)
        assert (done.returncode, done.stderr) == (0, "")
        said.append(done.stdout)
        found = sorted(tmp_path.rglob("*-cache"))
        entries.append({path.name: path.read_bytes() for path in found})
        if len(said) == 1:
            for path in found:
                os.truncate(path, 100)
    assert said[0] == said[1] == said[2]
    assert entries[0] and entries[0].keys() == entries[1].keys() and entries[1] == entries[2]
    assert all(len(content) > 100 for content in entries[1].values())
