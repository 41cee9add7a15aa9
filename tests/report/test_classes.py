"""A classifier's predictions on the page."""

import numpy as np
import pytest

from crmn_legacy.report import classes, read_predictions
from tests.report import predicted


@pytest.fixture
def content(tmp_path):
    def call(number=10, pictures=40, **changes):
        columns = predicted.classes(pictures, number) | changes
        return classes.content(read_predictions(predicted.write(tmp_path / "p.npz", columns)))

    return call


def test_the_matrix_counts_true_against_predicted(content):
    matrix = [[int(cell) for cell in row[1:]] for row in content()["matrix"]]
    expected = 4 * np.eye(10, dtype=int)
    expected[1] = expected[2]
    assert matrix == expected.tolist()


def test_many_classes_are_drawn_in_place_of_counted(content):
    found = content(number=100, pictures=300)
    assert found["matrix"] is None and str(found["drawing"]).startswith("<svg")
    assert len(found["by_class"]) == 100


def test_accuracy_by_class_begins_with_the_least(content):
    rows = content()["by_class"]
    assert rows[0] == ["class 1", "4", "0.00", "class 2 (4)"]
    assert rows[1:] == [[f"class {place}", "4", "100.00", "-"] for place in (0, *range(2, 10))]


def test_the_surest_mistakes_come_first(content):
    mistakes = content()["mistakes"]
    assert [(one["true"], one["taken"]) for one in mistakes] == [("class 1", "class 2")] * 4
    probabilities = [float(one["probability"]) for one in mistakes]
    assert probabilities == sorted(probabilities, reverse=True) and probabilities[0] > 80


def test_confusions_are_told_by_the_classes_names(content):
    assert content()["confusions"] == [("class 1", "class 2", 4)]
    assert content(classes=np.zeros(3))["confusions"] == [("1", "2", 4)]


def test_without_pictures_that_a_person_could_see_no_mistake_is_shown(content):
    assert content(raw=np.zeros(3))["mistakes"] == []
