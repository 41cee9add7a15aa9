"""Which charts there are, and what is marked in them."""

import numpy as np
import pytest

from crmn_legacy.report import curves, read_run
from crmn_legacy.report.comparison import groups_of
from crmn_legacy.report.predictions import Predictions
from tests.report import pages


def read(tmp_path, name="run", **more):
    lines = more.pop("lines", None)
    return read_run(pages.write(tmp_path / name, pages.record(**more), lines))


def test_each_change_of_a_rate_is_found_and_numbered(tmp_path):
    rates = [(0.08, 0.08), (0.08, 0.08), (0.008, 0.04), (0.008, 0.04), (0.008, 0.004)]
    lines = [pages.line(k, rates={"resnet": a, "lstm": b}) for k, (a, b) in enumerate(rates, start=1)]
    run = read(tmp_path, lines=lines)
    assert curves.rate_changes(run) == [(3, "resnet", 0.08, 0.008), (3, "lstm", 0.08, 0.04), (5, "lstm", 0.04, 0.004)]
    assert curves.change_numbers(run) == {3: 1, 5: 2}
    for chart in curves.of_run(run):
        assert chart.marks == [(3.0, "1"), (5.0, "2")]


def test_losses_that_fall_far_are_shown_in_decades_and_the_best_epoch_is_ringed(tmp_path):
    run = read(tmp_path, lines=pages.curve(12))
    loss, error, rate = curves.of_run(run)
    assert loss.up.logarithmic and loss.lines[1].ring == (12, run.epochs[-1].validation_loss)
    assert error.lines[0].points[0] == (1, 100 * run.epochs[0].score) and "%" in error.up_title
    assert [line.name for line in rate.lines] == ["resnet", "lstm"] and rate.up.logarithmic
    assert len({line.dash for line in rate.lines}) == 2


def losses_of(*epochs):
    """A curve whose epochs have these losses of updates, then one of the validation."""
    done, lines = 0, []
    for number, losses in enumerate(epochs, 1):
        done += len(losses)
        lines.append(pages.line(number, updates=done, losses=[*losses, 9.0]))
    return lines


def test_the_loss_of_each_update_is_shown(tmp_path):
    run = read(tmp_path, lines=losses_of([3.0, 2.0], [float("inf"), 1.0]))
    chart = curves.of_run(run)[1]
    assert chart.title == "Loss by update" and chart.lines[0].name == "each update"
    assert chart.lines[0].points == [(1, 3.0), (2, 2.0), (4, 1.0)]


def test_of_many_updates_means_are_shown(tmp_path):
    run = read(tmp_path, lines=losses_of(*([float(k) for k in range(j, j + 300)] for j in range(1, 1201, 300))))
    (line,) = curves.of_run(run)[1].lines
    assert line.name == "means of 3 updates" and len(line.points) == 400
    assert line.points[0] == (3, 2.0) and line.points[-1] == (1200, 1199.0)


def test_a_run_without_epochs_has_no_charts(tmp_path):
    assert curves.of_run(read(tmp_path, lines=[])) == []


def test_mean_and_deviation_are_of_the_epochs_that_all_have(tmp_path):
    runs = [
        read(tmp_path, str(seed), seed=seed, lines=pages.curve(epochs, shift))
        for seed, epochs, shift in ((1, 6, 0.0), (2, 5, 0.1), (3, 6, 0.4))
    ]
    groups = groups_of(runs)
    training, *_ = curves.of_runs(runs, ["a", "b", "c"], groups)
    mean = training.lines[0]
    losses = np.array([[epoch.train_loss for epoch in run.epochs[:5]] for run in runs])
    assert [place for place, _ in mean.points] == [1, 2, 3, 4, 5]
    assert [value for _, value in mean.points] == pytest.approx(losses.mean(axis=0))
    deviation = losses.std(axis=0, ddof=1)
    assert [high - low for _, low, high in mean.band] == pytest.approx(2 * deviation)
    assert "n = 3" in mean.name and [line.faint for line in training.lines] == [False, True, True, True]


def test_the_cumulative_curve_counts_pictures(tmp_path):
    errors = np.array([0.01, 0.03, 0.05, 0.3])
    run = read_run(pages.write(tmp_path / "run"), Predictions("p.npz", "0" * 64, "error", errors))
    chart = curves.of_run(run)[-1]
    (line,) = chart.lines
    fractions = dict(line.points)
    assert chart.across.high == 50
    for percent in (0.5, 2.0, 4.0, 10.0, 40.0):
        assert fractions[percent] == pytest.approx(100 * (100 * errors <= percent).mean())
    assert "4 pictures" in line.name and "beyond 8%: 25.00%" in line.name


def test_errors_within_the_usual_limit_are_shown_up_to_it(tmp_path):
    run = read_run(pages.write(tmp_path / "run"), Predictions("p.npz", "0" * 64, "error", np.full(5, 0.05)))
    assert curves.of_run(run)[-1].across.high == 8
