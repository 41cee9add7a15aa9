"""What the page says of one run."""

import numpy as np
import pytest

from crmn_legacy.report import read_run, render, sections
from crmn_legacy.report.predictions import Predictions
from tests.report import pages


@pytest.fixture
def shown(tmp_path):
    def call(lines=None, **changes):
        folder = tmp_path / f"run {len(list(tmp_path.iterdir()))}"
        run = read_run(pages.write(folder, pages.record(**changes), lines))
        return pages.rendered('{% include "run.html.jinja" %}', section=sections.content(run, 1))

    return call


def row(parsed, name):
    (found,) = (row for row in parsed.rows if row[0] == name)
    return found


def test_printed_numbers_stand_beside_ours_with_their_difference(shown):
    test = {
        "common": {"mean": 0.0523, "pictures": 554, "complete": True},
        "ibug": {"mean": 0.08, "pictures": 130, "complete": False, "released": 135},
        "helen": {"mean": 0.05, "pictures": 330, "complete": True},
    }
    parsed = shown(result={"test": test}, parameters=17_758_372, flops=14_066_960_000)
    assert row(parsed, "test common, error, %")[1:] == ["5.04", "5.23", "+0.19", "554"]
    assert row(parsed, "test ibug, error, %")[1:] == ["8.92", "8.00 (a part of the set)", "", "130 of 135"]
    assert row(parsed, "test helen, error, %")[1:] == ["-", "5.00", "", "330"]
    assert row(parsed, "parameters")[1:3] == ["17.76M", "17.76M (17,758,372)"]
    assert row(parsed, "FLOPs of one picture")[1:3] == ["14.07G", "14.07G (14,066,960,000)"]


def test_a_row_without_results_says_no_data(shown):
    assert row(shown(), "test common, error, %")[1:] == ["5.04", "no data"]


def test_rows_of_classes_print_accuracies(shown):
    test = {"all": {"mean": 0.7827, "pictures": 10_000, "complete": True}}
    lines = [{"epoch": 1, "validation_loss": 1.0, "validation_accuracy": 0.75}]
    parsed = shown(lines, row="table2_crmn_32_64", result={"test": test})
    assert row(parsed, "test all, accuracy, %")[1:] == ["78.27", "78.27", "+0.00", "10,000"]
    assert row(parsed, "validation, accuracy, %")[2] == "75.00"


def test_a_run_of_no_row_is_told(shown):
    assert "No row of the paper's tables." in shown(row=["x"]).all("main")[0]["text"]


def test_a_classifier_s_predictions_are_told_with_its_confusions(tmp_path):
    predicted = np.eye(6, dtype=np.float32)[[0, 5, 2, 5]]
    more = {"predicted": predicted, "target": np.array([0, 3, 2, 3])}
    scores = np.array([1.0, 0.0, 1.0, 0.0])
    found = Predictions("p.npz", "0" * 64, "accuracy", scores, 0.75, ((3, 5, 2),), **more)
    folder = pages.write(tmp_path / "run", pages.record(row="table2_crmn_32_64"), [pages.line(1, error=None)])
    parsed = pages.Parsed(render([read_run(folder, found)]))
    text = " ".join(parsed.all("body")[0]["text"].split())
    assert "Classes of 4 single pictures, 50.00% right, 75.00% among the five most probable, from p.npz" in text
    assert ["3", "5", "2"] in parsed.rows and "Cumulative" not in text


def test_what_is_not_as_published_is_said(shown):
    plan = {**pages.record()["plan"], "kind": "training"}
    said = shown(plan=plan, unlike=["epochs 1 (the row's 100)", "a recipe of its own"]).all("main")[0]["text"]
    assert "Trained on data, not as published: epochs 1 (the row's 100); a recipe of its own." in said
    assert "Trained as published, on data." in shown(plan=plan, unlike=[]).all("main")[0]["text"]
    own = shown(plan=plan, row="my_row").all("main")[0]["text"]
    assert "Trained on data." in own and "published" not in own


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("training", "as published"),
        ("smoke", "says little"),
        ("rehearsal", "says nothing"),
        ("odd", "Kind of run: odd"),
        (1, "not recorded"),
    ],
)
def test_the_kind_of_run_is_said(shown, kind, words):
    assert words in shown(plan={"kind": kind}).all("main")[0]["text"]


def test_changes_of_rates_are_listed_by_their_mark(shown):
    assert ["1", "4", "resnet", "0.08", "0.008"] in shown().rows


def test_options_digests_versions_times_and_state_are_there(shown):
    parsed = shown()
    assert "backend = xla" in row(parsed, "options")[1] and "smoke = yes" in row(parsed, "options")[1]
    assert "ab" * 32 in row(parsed, "data")[1]
    assert "jax = 0.7.1" in row(parsed, "versions")[1] and "Python 3.11.7" in row(parsed, "versions")[1]
    assert row(parsed, "platform key")[1] == "xla/cpu/float32/portable"
    assert "24 min 56 s" in row(parsed, "time")[1] and "2.5 s" in row(parsed, "time")[1]
    assert "c0ffee" in row(parsed, "source")[1] and "dirty" in row(parsed, "source")[1]


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"source": {"state": "clean"}}, "clean"),
        ({"source": None, "git_dirty": True}, "dirty"),
        ({"source": None, "git_dirty": False}, "clean"),
        ({"source": None, "git_dirty": None}, "state unknown"),
        ({"source": {"state": ["x"]}}, "x"),
    ],
)
def test_the_state_of_the_source_is_said(shown, changes, state):
    assert state in row(shown(**changes), "source")[1].partition(";")[2]


def test_the_chain_of_bits_has_a_line_an_epoch_and_its_end_is_held_against_the_run(shown):
    parsed = shown(bits=f"sha256:{6:064x}")
    digests = [found[-1] for found in parsed.rows if found[-1].startswith("sha256:")]
    assert {f"sha256:{k:064x}" for k in range(7)} <= set(digests)
    assert "The run's digest is that of its last epoch." in parsed.all("main")[0]["text"]


def test_an_end_that_is_another_is_told(shown):
    assert "is not that of its last epoch" in shown(bits="sha256:" + "9" * 64).all("main")[0]["text"]


def test_an_error_is_told_first(shown):
    assert row(shown(error="the loss is nan"), "error")[1] == "the loss is nan"


def test_the_share_of_time_that_batches_were_waited_for_is_said(shown):
    lines = [pages.line(1, waited_seconds=0.1), pages.line(2), pages.line(3, waited_seconds=0.05)]
    said = row(shown(lines), "time")[1]
    assert said.endswith("the median epoch 2.5 s, of the epochs' time 3.0% waiting for batches")
    assert row(shown(), "time")[1].endswith("the median epoch 2.5 s")
    assert row(shown([pages.line(1, seconds=None, waited_seconds=0.1)]), "time")[1].endswith("epochs not timed")
    assert row(shown([pages.line(1, seconds=0.0, waited_seconds=0.0)]), "time")[1].endswith("the median epoch 0.0 s")
