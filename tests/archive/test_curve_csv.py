"""`curve.csv`: the scalars of the curve, for spreadsheets, and what becomes of folders without it."""

import csv
import json

import pytest

from crmn_legacy import archive
from crmn_legacy.archive import replay
from crmn_legacy.archive.curve_csv import as_csv
from crmn_legacy.archive.record import Epoch
from crmn_legacy.report import read_run
from tests.folders import write_run
from tests.training.runs import assert_same_run, bits_of, run_tiny


def an_epoch(number, **changes):
    given = {"rates": {"stem": 0.1, "lstm": 1e-5}, "losses": [2.0, 1.0], "train_loss": 2 / 3, "validation_loss": 0.1}
    return Epoch(**{"epoch": number, "updates": 3 * number, "bits": "sha256:0", **given, **changes})


def rows_of(text):
    return list(csv.DictReader(text.splitlines()))


def without_csv(folder):
    """The folder as a version left it that wrote no such table."""
    (folder / archive.CURVE_CSV).unlink()
    lines = (folder / archive.MANIFEST).read_text().splitlines(keepends=True)
    (folder / archive.MANIFEST).write_text("".join(line for line in lines if archive.CURVE_CSV not in line))
    return folder


def test_a_line_has_every_scalar_of_its_epoch_and_no_text_or_list():
    epochs = [an_epoch(1, weights="sha256:1", seconds=2.5), an_epoch(2, validation_error=0.05)]
    first, second = rows_of(as_csv(epochs))
    scalars = "train_loss validation_loss validation_error shifts seconds best"
    assert list(first) == ["epoch", "updates", "rates.stem", "rates.lstm", *scalars.split()]
    assert (first["validation_error"], first["seconds"], first["best"]) == ("", "2.5", "1")
    assert (second["validation_error"], second["seconds"], second["best"]) == ("0.05", "", "0")
    assert float(second["train_loss"]) == 2 / 3 and second["rates.lstm"] == "1e-05"


def test_a_component_and_a_score_that_come_later_have_their_columns_in_place():
    text = as_csv([an_epoch(1, rates={"a": 1.0}), an_epoch(2, rates={"b": 2.0}, validation_accuracy=0.5)])
    assert text.splitlines()[0].split(",")[2:4] == ["rates.a", "rates.b"]
    assert [row["rates.b"] for row in rows_of(text)] == ["", "2.0"]


def test_what_a_name_holds_cannot_break_a_line():
    (row,) = rows_of(as_csv([an_epoch(1, rates={'a,"b': 0.5})]))
    assert row['rates.a,"b'] == "0.5"


def test_no_epoch_gives_no_line_of_one():
    assert as_csv([]).splitlines() in ([], [""])


def test_a_run_writes_what_its_curve_says(finished):
    folder, _ = finished
    lines = [json.loads(line) for line in (folder / archive.CURVE).read_text().splitlines()]
    rows = rows_of((folder / archive.CURVE_CSV).read_text())
    assert len(rows) == len(lines) == 3
    for row, line in zip(rows, lines, strict=True):
        for name in ("epoch", "updates", "train_loss", "validation_loss", "validation_error", "seconds"):
            assert float(row[name]) == line[name]
        assert {name: float(row[f"rates.{name}"]) for name in line["rates"]} == line["rates"]
        assert row["best"] == str(int("weights" in line))


@pytest.mark.parametrize("missing", [True, False])
def test_a_resumed_run_has_it_whole_although_it_was_missing_or_altered(tmp_path, data, finished, missing):
    folder = tmp_path / "run"
    bits_of(run_tiny("--data", data, "--out", folder, "--epochs", "2"))
    if missing:
        without_csv(folder)
    else:
        (folder / archive.CURVE_CSV).write_text("epoch\n")
    assert bits_of(run_tiny("--resume", folder, "--epochs", "3")) == finished[1]
    assert [row["epoch"] for row in rows_of((folder / archive.CURVE_CSV).read_text())] == ["1", "2", "3"]
    assert_same_run(folder, finished[0])


def test_a_folder_of_before_is_whole_without_it(tmp_path):
    folder = without_csv(write_run(tmp_path / "run"))
    assert archive.verify(folder) == []
    assert replay.ready(folder).row == "table1_crmn"
    assert read_run(folder).verdict == "whole"
    archive.lighten(folder, tmp_path / "light")
    assert archive.verify(tmp_path / "light") == []
    assert not (tmp_path / "light" / archive.CURVE_CSV).exists()


def test_one_that_the_manifest_names_is_missed(tmp_path):
    folder = write_run(tmp_path / "run")
    (folder / archive.CURVE_CSV).unlink()
    assert archive.verify(folder) == ["curve.csv: missing"]
