from crmn_legacy.paper import ROWS, in_billions, in_millions


def test_the_tables_have_6_9_and_13_rows():
    assert [sum(row.table == table for row in ROWS.values()) for table in (1, 2, 3)] == [6, 9, 13]


def test_a_row_is_kept_under_its_recipes_name():
    assert all(name == row.row and name.startswith(f"table{row.table}_") for name, row in ROWS.items())


def test_counts_are_printed_as_the_tables_print_them():
    assert (in_millions(17_758_372), in_billions(100_298_276_864)) == ("17.76M", "100.30G")
