"""The paper's test sets out of a file's sources."""

import numpy as np
import pytest

from crmn_legacy.training.tasks.keypoints import by_test_set

SCORES = np.array([0.1, 0.3, 0.2, 0.5, 0.9])


def test_sets_are_pooled_over_pictures():
    found = by_test_set(SCORES, np.array(["helen", "lfpw", "helen", "ibug", "afw"]))
    assert list(found) == ["helen", "lfpw", "common", "ibug"]
    assert {name: scored["mean"] for name, scored in found.items()} == pytest.approx(
        {"helen": 0.15, "lfpw": 0.3, "common": 0.2, "ibug": 0.5}
    )
    assert [scored["pictures"] for scored in found.values()] == [2, 1, 3, 1]
    assert all(scored["complete"] for scored in found.values())


@pytest.mark.parametrize("source", ["helen", "lfpw"])
def test_half_of_the_common_set_is_told_to_be_half(source):
    found = by_test_set(SCORES, np.full(5, source))
    assert found.keys() == {source, "common"}
    assert found[source]["complete"] and not found["common"]["complete"]


def test_what_belongs_to_no_set_stands_in_none():
    assert by_test_set(SCORES, np.full(5, "afw")) == {}
