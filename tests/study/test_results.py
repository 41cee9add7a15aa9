"""Tables and figures of a study: of made runs, whose numbers are known."""

import dataclasses
import json
from types import SimpleNamespace
from xml.etree import ElementTree

import msgspec
import numpy as np
import pytest

from crmn_legacy import archive
from crmn_legacy.errors import UserError
from crmn_legacy.landmarks import PARTS
from crmn_legacy.study import Study, StudyRun, document, figures, results, tables
from crmn_legacy.study.keeping import Places, errors_by_part, read_errors
from crmn_legacy.study.results import Result, Variant, read


def epoch(number, error):
    return SimpleNamespace(epoch=number, score=error, seconds=30.0)


def result(seed, error, trial=False, moved=0.1, row="table1_crmn"):
    """A run whose points of two faces all lie `moved` beside the true ones, in distances of the eyes."""
    record = SimpleNamespace(
        seed=seed,
        bits=f"sha256:{seed:064d}",
        parameters=1_234_567,
        flops=2_345_678_901,
        result=SimpleNamespace(
            best_epoch=2, epochs=3, validation_error=error, validation_accuracy=None, test={"all": None}
        ),
    )
    epochs = [epoch(number, error * (4 - number)) for number in (1, 2, 3)]
    run = SimpleNamespace(record=record, epochs=epochs, metric="error")
    planned = StudyRun("a", row, {"n": 1}, epochs=3, seed=seed, trial=trial)
    return Result(run, planned, None if trial else dict.fromkeys(PARTS, np.full(2, 100 * moved)))


def faces():
    """The true points of two faces, eyes 1 apart."""
    target = np.zeros((2, 68, 2))
    target[:, [42, 45], 0] = 1
    return target


@pytest.fixture
def variants():
    return [
        Variant("memory", [result(1, 0.10, moved=0.05), result(2, 0.12, moved=0.07)]),
        Variant("plain", [result(1, 0.2, row="table1_resnet_n5_fm4")]),
        Variant("tried", [result(1, 0.3, trial=True)]),
    ]


def cells(table):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]


def test_errors_are_those_of_the_points_over_the_distance_of_the_eyes(variants):
    numbers = variants[0].results[0].numbers()
    assert numbers["test"] == pytest.approx(5.0) and numbers["validation"] == pytest.approx(10.0)
    assert all(numbers[part] == pytest.approx(5.0) for part in PARTS)
    assert numbers["failures"] == 0 and numbers["area"] == pytest.approx(100 * 3 / 8)
    assert variants[1].results[0].numbers()["failures"] == 100


def test_the_parts_of_a_face_are_all_its_points_once():
    assert sorted(point for points in PARTS.values() for point in points) == list(range(68))


def test_a_table_of_variants_has_means_deviations_and_differences(variants):
    head, _, memory, plain, tried = cells(tables.of_variants(variants, base="plain"))
    assert memory[:6] == ["memory", "2", "1.23M", "2.35G", "11.00 ± 1.41", "6.00 ± 1.41"]
    assert (memory[-1], plain[-1], tried[-1]) == ("-4.00", "-", "-")
    assert (plain[5], tried[5]) == ("10.00", "-") and head[-1] == "test less that of plain"


def test_a_table_of_runs_says_nothing_of_a_trials_test(variants):
    assert cells(tables.of_runs(variants))[-1][:6] == ["tried", "1", "2 of 3", "30.00", "-", "2"]


def test_figures_are_drawings_with_a_line_for_each_variant(variants):
    for chart in (figures.learning(variants[:2]), figures.cumulative(variants[:2])):
        assert [line.name for line in chart.lines] == ["memory", "plain"]
    assert figures.learning(variants[:2]).lines[0].points == pytest.approx(np.array([(1, 33.0), (2, 22.0), (3, 11.0)]))
    assert figures.cumulative(variants[:2]).lines[1].points[-1] == pytest.approx((20.0, 100.0))


def test_errors_by_part_are_distances_over_that_of_the_eyes():
    predicted = faces()
    predicted[:, 48:, 1] += 0.3
    errors = errors_by_part(predicted.reshape(2, 136), faces().reshape(2, 136))
    assert errors["mouth"] == pytest.approx([30, 30]) and not any(
        errors[part].any() for part in PARTS if part != "mouth"
    )
    assert results.of_faces(errors) == pytest.approx([30 * 20 / 68] * 2)


def test_printed_numbers_stand_beside_rows_and_not_beside_ablations(variants):
    variants[2] = Variant("without", [replaced(result(1, 0.1), ablation=True)])
    head, _, memory, plain = cells(tables.beside_printed(variants, "plain"))
    assert memory == ["memory", "CRMN", "6.00 ± 1.41", "-4.00", "5.04", "-0.87", "8.92", "-1.31"]
    assert plain == ["plain", "ResNet", "10.00", "-", "5.91", "-", "10.23", "-"]
    assert head[4:] == ["printed, Common", "less plain", "printed, iBug", "less plain"]


def replaced(result, **changed):
    return Result(result.run, dataclasses.replace(result.planned, **changed), result.parts)


@pytest.fixture
def places(tmp_path):
    return Places(tmp_path / "runs", tmp_path / "kept")


def test_without_a_kept_run_there_is_no_page(places):
    study = Study("own", (StudyRun("a", "table1_crmn", {}, epochs=1),))
    with pytest.raises(UserError, match="no run of the study was kept"):
        document.write(study, places)
    assert not places.kept.exists()


def test_an_altered_run_is_refused(places):
    run = StudyRun("a", "table1_crmn", {}, epochs=1)
    folder = places.light(run)
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps({"row": "table1_crmn", "options": msgspec.to_builtins(run.options())}))
    (folder / "MANIFEST.sha256").write_text("0" * 64 + "  weights.npz\n")
    with pytest.raises(UserError, match=r"which is altered.*train it again"):
        read([run], places)


def test_a_page_is_written_with_its_figures(variants, places, monkeypatch):
    monkeypatch.setattr(document.results, "read", lambda runs, places: variants)
    monkeypatch.setattr(document.results, "mean_face", lambda places: 25.0)
    places.kept.mkdir()
    written = document.write(Study("own", (), base="plain"), places)
    assert [path.name for path in written] == ["README.md", "learning.svg", "errors.svg"]
    page = written[0].read_text()
    assert "4 of 0 runs" in page and "errs by 25.00%" in page and "![errors](errors.svg)" in page
    assert "| memory |" in page
    assert "python recipes/table1_crmn.py --data FILE --epochs 3 --seed 2 --network n=1\nbits: sha256:0" in page
    for drawing in written[1:]:
        root = ElementTree.fromstring(drawing.read_text())
        assert root.tag.endswith("svg") and "plain" in "".join(root.itertext())


def classified(seed, accuracy):
    run = result(seed, 0.1).run
    run.metric = "accuracy"
    run.record.result = SimpleNamespace(
        best_epoch=2, epochs=3, validation_accuracy=accuracy, test={"all": SimpleNamespace(mean=accuracy - 0.01)}
    )
    return Result(run, StudyRun("a", "table3_crmn_28_160", {}, epochs=3))


def test_a_page_of_classifiers_has_accuracies_and_no_faces(places, monkeypatch):
    variants = [Variant("memory", [classified(1, 0.9), classified(2, 0.8)]), Variant("plain", [classified(1, 0.7)])]
    monkeypatch.setattr(document.results, "read", lambda runs, places: variants)
    places.kept.mkdir()
    written = document.write(Study("own", (), base="plain"), places)
    assert [path.name for path in written] == ["README.md", "learning.svg"]
    page = written[0].read_text()
    assert "Accuracies are in percent" in page and "84.00 ± 7.07" in page and "+15.00" in page and "face" not in page


@pytest.mark.parametrize("mean, problem", [(0.1, None), (0.3, "not those that the run recorded")])
def test_errors_of_another_run_are_refused(mean, problem, places, monkeypatch):
    run, made = StudyRun("a", "table1_crmn", {}, epochs=1), result(1, 0.1)
    made.run.verdict, made.run.test = results.WHOLE, lambda: {"helen": SimpleNamespace(mean=mean, pictures=2)}
    monkeypatch.setattr(results, "read_run", lambda folder: made.run)
    monkeypatch.setattr(Places, "state", lambda places, run: "kept")
    places.errors(run.name).parent.mkdir(parents=True)
    archive.write_arrays(places.errors(run.name), made.parts)
    if problem:
        with pytest.raises(UserError, match=problem):
            read([run], places)
    else:
        assert read([run], places)[0].spread("test") == (pytest.approx(10.0), None)


def test_a_file_without_errors_by_part_is_refused(tmp_path):
    archive.write_arrays(tmp_path / "e.npz", {part: np.zeros(2) for part in list(PARTS)[1:]})
    with pytest.raises(UserError, match="without errors by part of the face"):
        read_errors(tmp_path / "e.npz")
