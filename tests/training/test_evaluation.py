"""The paper's test sets out of a file's sources; what a memory holds over a split."""

import numpy as np
import pytest

from crmn_legacy.training import evaluation
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


class Pictures:
    """Five pictures in batches of two; the last batch is filled up."""

    def evaluation(self):
        yield from (({"images": np.array(rows)}, min(2, 5 - rows[0])) for rows in ([0, 1], [2, 3], [4, 99]))


class States:
    """A step whose memory of picture p, at step l, in unit u, is known."""

    def put(self, state):
        return state

    def __call__(self, state, batch):
        p = batch["images"].astype(np.float32)
        hidden = p[:, None, None] * np.arange(1, 4, dtype=np.float32)[:, None] + np.arange(2, dtype=np.float32)
        return state, {"hidden": hidden, "from_memory": p[:, None], "from_pool": -p[:, None]}

    def get_outputs(self, outputs):
        return outputs


def test_a_memory_is_averaged_over_the_pictures_that_are_there_and_kept_of_some():
    found = evaluation.memory(States(), {}, Pictures(), np.array([4, 0]))
    step, unit = np.arange(1, 4)[:, None], np.arange(2)
    np.testing.assert_allclose(found["hidden.mean"], 2 * step + unit)
    np.testing.assert_allclose(found["hidden.deviation"], np.sqrt(2) * step + 0 * unit, rtol=1e-6)
    np.testing.assert_array_equal(found["hidden.single"], [4 * step + unit, 0 * step + unit])
    np.testing.assert_array_equal(found["from_memory"][:, 0], np.arange(5))
    np.testing.assert_array_equal(found["from_pool"][:, 0], -np.arange(5))
