"""Which runs are averaged, and what the tables say of them."""

import statistics

import pytest

from crmn_legacy import archive
from crmn_legacy.report import comparison, read_run
from tests.report import pages


@pytest.fixture
def read(tmp_path):
    def call(name, shift=0.0, **changes):
        return read_run(pages.write(tmp_path / name, pages.record(**changes), pages.curve(6, shift)))

    return call


def seeds(groups):
    return [[run.record.seed for run in group.runs] for group in groups]


def test_runs_that_differ_by_their_seed_alone_are_one_group(read):
    runs = [read("a", seed=1), read("b", seed=2), read("c", seed=3, plan={**pages.record()["plan"], "epochs": 7})]
    assert seeds(comparison.groups_of(runs)) == [[1, 2]]


def test_where_the_data_lay_and_the_seed_among_the_options_do_not_matter(read):
    options = pages.record()["options"]
    runs = [read("a", seed=1), read("b", seed=2, options={**options, "seed": 2, "data": "/elsewhere.h5"})]
    assert seeds(comparison.groups_of(runs)) == [[1, 2]]


@pytest.mark.parametrize(
    "changes",
    [
        {"row": "table1_resnet_n5_fm4"},
        {"data_digest": "cd" * 32},
        {"options": {**pages.record()["options"], "backend": "c"}},
        {"options": {**pages.record()["options"], "set": {"batch_size": 8}}},
        {"source": {**pages.record()["source"], "recipe": "f" * 64}},
        {"source": {**pages.record()["source"], "digest": "f" * 64}},
        {"source": {"state": "clean"}},
        {"packages": {**pages.record()["packages"], "numpy": "1.26.5"}},
        {"options": None},
        {"seed": "2"},
        {"status": "finished"},
    ],
)
def test_unlike_and_altered_runs_stand_for_themselves(read, changes):
    assert comparison.groups_of([read("a", seed=1), read("b", **{"seed": 2, **changes})]) == []


def test_what_moves_no_result_does_not_matter(read):
    options = pages.record()["options"]
    runs = [read("a", seed=1), read("b", seed=2, options={**options, "seed": 2, "trace": True, "remat": True})]
    assert seeds(comparison.groups_of(runs)) == [[1, 2]]


def test_what_keeps_runs_of_a_row_apart_is_named_and_no_mean_is_taken_of_them(read):
    source = {**pages.record()["source"], "recipe": "f" * 64}
    runs = [read("a", seed=1), read("b", seed=2, source=source), read("c", seed=1, row="table1_rcn")]
    for run, rate in zip(runs, ("0.08", "0.2", "0.08"), strict=True):
        (run.folder / archive.RECIPE).write_text(f"first = 1\nrate = {rate}\n")
    page = tables(runs)
    (told,) = [entry["text"] for entry in page.all("li") if "Run 2 against run 1" in entry["text"]]
    assert "recipe.py: 2 lines differ" in told and "- rate = 0.08" in told and "+ rate = 0.2" in told
    assert not any("by their seed alone" in entry["text"] or "±" in entry["text"] for entry in page.elements)


def test_a_difference_that_is_not_recorded_is_not_passed_over(read):
    runs = [read("a", seed=1), read("b", seed=2, options=None), read("c", seed=3, plan=None)]
    told = [one["lines"] for one in comparison.differences_of(runs)]
    assert told[0] == ["what made one of them is not recorded"] and "plan: epochs 6 | None" in told[1]


def test_a_seed_counts_once(read):
    runs = [read("a", seed=1), read("b", seed=1), read("c", seed=2)]
    (group,) = comparison.groups_of(runs)
    assert group.runs == [runs[0], runs[2]]
    assert comparison.groups_of(runs[:2]) == []


def tables(runs):
    return pages.rendered('{% include "comparison.html.jinja" %}', comparison=comparison.content(runs))


def test_the_tables_say_what_was_measured(read):
    runs = [
        read(name, shift, seed=seed, result={"test": {"common": {"mean": error, "pictures": 5, "complete": True}}})
        for name, shift, seed, error in (("a", 0.0, 1, 0.05), ("b", 0.1, 2, 0.07))
    ]
    head, first, second, _, mean = tables(runs).rows
    assert head[-1] == "test common"
    assert first[:5] == ["1: a", "unfinished", "table1_crmn", "smoke", "1"] and first[-1] == "5.00"
    assert second[-1] == "7.00"
    losses = [run.best.validation_loss for run in runs]
    assert mean[:3] == ["table1_crmn", "2", "1, 2"]
    assert mean[3] == f"{statistics.fmean(losses):.3f} ± {statistics.stdev(losses):.3f}" and mean[3].endswith("± 0.071")
    assert mean[-1] == "6.0 ± 1.4"


def test_a_mean_is_not_taken_of_a_part(read):
    runs = [read("a", seed=1, result={"test": {"common": {"mean": 0.05}}}), read("b", seed=2)]
    rows = tables(runs).rows
    assert rows[2][-1] == "no data" and rows[-1][-1] == "recorded for 1 of 2"
