"""The tables of RESULTS.md are what the files in benchmarks/results give, and nothing else is a table there."""

import json
import shutil

import pytest

from benchmarks import entries, kernels, tables
from benchmarks.contents import TABLES
from crmn_legacy.errors import UserError


@pytest.fixture
def results(tmp_path, monkeypatch):
    """A copy of the document and of its files, which `tables.main` then works on."""
    folder = tmp_path / "results"
    shutil.copytree(tables.RESULTS, folder)
    shutil.copy(tables.DOCUMENT, tmp_path)
    monkeypatch.setattr(tables, "RESULTS", folder)
    monkeypatch.setattr(tables, "DOCUMENT", tmp_path / "RESULTS.md")
    return folder


def change(path, function):
    value = json.loads(path.read_text())
    function(value)
    path.write_text(entries.text(value))


def test_the_document_has_the_tables_that_its_files_give(capsys):
    before = tables.DOCUMENT.read_text(encoding="utf-8")
    assert tables.updated(before, tables.RESULTS) == (before, [])
    tables.main(["--check"])
    assert capsys.readouterr().out == "0 tables changed\n"


def test_all_tables_of_the_document_are_made_from_files():
    by_hand = tables.BLOCK.sub("", tables.DOCUMENT.read_text(encoding="utf-8"))
    assert [line for line in by_hand.splitlines() if line.startswith("|")] == []


def test_every_file_is_shown_and_written_as_the_benchmarks_write():
    # KERNELS.md has a table of its own.
    shown = {table.file for table in TABLES.values()} | {"machines.json", kernels.RESULTS.name}
    assert {path.name for path in tables.RESULTS.iterdir()} == shown
    for name in shown:
        text = (tables.RESULTS / name).read_text(encoding="utf-8")
        assert text == entries.text(json.loads(text)), name


def test_a_changed_number_is_told_and_then_written(results):
    def slower(found):
        found[0]["numbers"]["portable"]["median"] = 9.875

    change(results / "profiles.json", slower)
    with pytest.raises(UserError, match=r"whose tables profiles differ .*: run python benchmarks/tables\.py"):
        tables.main(["--check"])
    assert "9.88" not in tables.DOCUMENT.read_text()
    tables.main([])
    assert "| `portable` | 9.88 | 3.22 | 1.12 |" in tables.DOCUMENT.read_text()
    tables.main(["--check"])


def test_a_measured_entry_says_its_load_only_where_other_work_ran(results):
    def more(found):
        for load in (0.5, 1.25):
            new = {**found[0], "date": "2026-12-01", "commit": None, "environment": {"load": load}}
            del new["carried"]
            found.append(new)

    change(results / "remat.json", more)
    tables.main([])
    captions = [line for line in tables.DOCUMENT.read_text().splitlines() if "2026-12-01" in line]
    where = "AMD 25/17, 2 cores, 2026-12-01, commit unknown"
    command = "`python benchmarks/remat.py`"
    assert captions == [f"{where}: {command}", f"{where}, load average 1.2: {command}"]


@pytest.mark.parametrize(
    ("environment", "numbers", "words"),
    [
        ({"load": 2.0, "others": 0.01}, {}, ""),
        ({"load": 2.0, "others": 0.01}, {"others": 0.126}, ", other work 13%"),
        ({"load": 2.0, "others": None}, {"others": 0.02}, ""),
        ({"load": 2.0, "others": None}, {}, ", load average 2.0"),
        ({"load": 0.0, "others": 0.5}, {}, ", other work 50%"),
    ],
)
def test_an_entry_says_what_others_did_in_place_of_the_load_where_somebody_looked(environment, numbers, words):
    entry = {"date": "2026-12-01", "commit": "abc", "environment": environment, "numbers": numbers}
    assert tables.measured(entry) == f"2026-12-01, abc{words}"


def test_an_entry_of_an_unknown_machine_is_refused(results):
    change(results / "remat.json", lambda found: found[0].update(machine="Other 1/2, 64 cores"))
    with pytest.raises(UserError, match=r"'Other 1/2, 64 cores'; expected one of machines\.json: .*machine\.py"):
        tables.main([])


@pytest.mark.parametrize("name", TABLES)
def test_numbers_of_another_shape_are_refused_in_one_line(results, name):
    parts = ("contenders", "depths", "errors", "growth", "ranges", "recipe_seconds", "rows", "trials")
    path = results / TABLES[name].file
    change(path, lambda found: found[0].update(numbers=dict.fromkeys(parts, 5)))
    with pytest.raises(UserError, match="mend or remove it") as told:
        tables.table_body(TABLES[name], path, tables.read_machines(results / "machines.json"))
    assert "\n" not in str(told.value)


def test_a_load_or_cache_that_is_no_number_is_refused(results):
    change(results / "remat.json", lambda found: found[0].update(environment={"load": "high"}))
    with pytest.raises(UserError, match=r"remat\.json .*: mend or remove it"):
        tables.main([])
    change(results / "machines.json", lambda found: found["AMD 25/17, 2 cores"].update(l2_kib="many"))
    with pytest.raises(UserError, match=r"machines\.json .*: mend or remove it"):
        tables.main([])


@pytest.mark.parametrize("value", [[], {"AMD 25/17, 2 cores": 5}])
def test_a_table_of_machines_of_another_shape_is_refused(results, value):
    (results / "machines.json").write_text(json.dumps(value))
    with pytest.raises(UserError, match="expected one row per machine"):
        tables.main([])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<!-- made by benchmarks/tables.py: remat -->", "<!-- made by benchmarks/tables.py: other -->"),
        ("<!-- made by benchmarks/tables.py: remat -->\n", ""),
        ("\n<!-- end -->", "\n"),
        ("<!-- made by benchmarks/tables.py: remat -->", "<!-- made by benchmarks/tables.py: faces -->"),
    ],
)
def test_markers_that_are_not_those_of_the_tables_are_refused(results, old, new):
    before = tables.DOCUMENT.read_text().replace(old, new, 1)
    tables.DOCUMENT.write_text(before)
    with pytest.raises(UserError, match="mend the markers"):
        tables.main([])
    assert tables.DOCUMENT.read_text() == before


def test_columns_that_nothing_fills_are_left_out_and_cells_stay_in_their_line():
    columns = {"name": ("name", ""), "first": ("first, s", ".1f"), "second": ("second, s", ".1f")}
    rows = [tables.cells(columns, row) for row in ({"name": "a|b\nc", "first": 1.25}, {"name": "d"})]
    assert tables.markdown(columns, rows) == "| name | first, s |\n| --- | ---: |\n| a\\|b c | 1.2 |\n| d | - |\n"
