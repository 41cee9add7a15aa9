"""Counts of the rows' networks: kept under the digest of recipe and package, and never believed blindly."""

import pytest

from crmn_legacy import installation
from crmn_legacy.commands import row_counts
from crmn_legacy.commands.row_counts import counts_of_rows

ROWS = ["table1_resnet_n5_fm4", "no_such_row"]


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """A cache of its own, and a list of the recipes that were loaded."""
    monkeypatch.setenv("CRMN_LEGACY_CACHE", str(tmp_path / "cache"))
    loaded = []

    def load_recipe(script):
        loaded.append(script.stem)
        return installation.load_recipe(script)

    monkeypatch.setattr(row_counts, "load_recipe", load_recipe)
    return tmp_path / "cache", loaded


def count():
    return counts_of_rows(ROWS, installation.RECIPES)


def test_a_row_is_counted_once(cache):
    place, loaded = cache
    first = count()
    assert {name: round(number / 1e6) for name, number in first[ROWS[0]].items()} == {"parameters": 7, "flops": 13_755}
    assert first["no_such_row"] is None and list(first) == ROWS
    assert count() == first and loaded == ["table1_resnet_n5_fm4"]
    assert len(list((place / "counts").iterdir())) == 1


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"parameters": 7}', '{"parameters": 1.5, "flops": 2}', "[" * 10**5]
)
def test_what_was_spoilt_is_counted_anew_and_mended(cache, content):
    place, loaded = cache
    first = count()
    (kept,) = (place / "counts").iterdir()
    kept.write_text(content)
    assert count() == first and count() == first
    assert len(loaded) == 2


def test_another_package_or_recipe_counts_for_itself(cache, monkeypatch, tmp_path):
    _, loaded = cache
    count()
    monkeypatch.setattr(row_counts, "_package", lambda: "another")
    count()
    recipe = (installation.RECIPES / f"{ROWS[0]}.py").read_text().replace("n=5, fm=4", "n=5, fm=1")
    (tmp_path / f"{ROWS[0]}.py").write_text(recipe)
    assert counts_of_rows(ROWS, tmp_path)[ROWS[0]]["parameters"] < 10**6
    assert len(loaded) == 3


@pytest.mark.parametrize("place", ["off", "{tmp}/file", "/proc/crmn_legacy"])
def test_without_a_cache_they_are_counted_each_time(cache, monkeypatch, tmp_path, place):
    _, loaded = cache
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CRMN_LEGACY_CACHE", place.format(tmp=tmp_path))
    assert count() == count() and len(loaded) == 2
