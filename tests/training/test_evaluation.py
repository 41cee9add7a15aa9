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
    assert [scored["released"] for scored in found.values()] == [330, 224, 554, 135]
    assert not any(scored["complete"] for scored in found.values())


@pytest.mark.parametrize(
    ("helen", "lfpw", "complete"),
    [
        (330, 224, {"helen": True, "lfpw": True, "common": True}),
        (330, 0, {"helen": True, "common": False}),
        (0, 224, {"lfpw": True, "common": False}),
        (329, 225, {"helen": False, "lfpw": False, "common": False}),
        (331, 224, {"helen": False, "lfpw": True, "common": False}),
    ],
)
def test_a_set_is_complete_with_the_release_s_count_of_each_of_its_sources(helen, lfpw, complete):
    sources = np.repeat(["helen", "lfpw"], [helen, lfpw])
    found = by_test_set(np.full(len(sources), 0.1), sources)
    assert {name: scored["complete"] for name, scored in found.items()} == complete


def test_what_was_never_released_is_complete():
    (found,) = by_test_set(SCORES, np.full(5, "rendered")).values()
    assert found["complete"] and found["released"] is None


def test_what_belongs_to_no_set_stands_in_none():
    assert by_test_set(SCORES, np.full(5, "afw")) == {}
