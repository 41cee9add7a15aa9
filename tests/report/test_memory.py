"""The memory on the page."""

import numpy as np
import pytest

from crmn_legacy.errors import UserError
from crmn_legacy.layers.peephole_lstm import STATES
from crmn_legacy.report import memory, read_predictions
from tests.report import predicted
from tests.report.pages import Parsed
from tests.report.test_images import pixels_of


def read(tmp_path, **changes):
    columns = {name: value for name, value in (predicted.faces() | changes).items() if value is not None}
    return read_predictions(predicted.write(tmp_path / "p.npz", columns)).memory


def test_the_page_knows_the_states_of_the_layer():
    assert set(memory.STATES) == set(STATES)


def test_every_state_has_its_mean_its_deviation_and_three_pictures(tmp_path):
    content = memory.content(read(tmp_path), 1)
    assert (content["depth"], content["units"]) == (predicted.DEPTH, predicted.UNITS)
    assert [state["title"] for state in content["states"]] == [
        "Input gate",
        "Forget gate",
        "Output gate",
        "Cell state",
        "Hidden state",
    ]
    for state in content["states"]:
        titles = [panel["title"].partition(",")[0] for panel in state["panels"]]
        assert titles == ["mean", "deviation", "best picture", "median picture", "worst picture"]
        for panel in state["panels"]:
            (image,) = Parsed(panel["drawing"]).all("image")
            assert pixels_of(image["attributes"]["href"]).shape == (predicted.DEPTH, predicted.UNITS, 3)


def test_units_stand_in_the_order_of_the_last_hidden_state(tmp_path):
    hidden = np.zeros((3, 5), np.float32)
    hidden[-1] = (-1.0, 1.0, 0.0, 0.5, -0.5)
    content = memory.content(read(tmp_path, **{"memory.hidden.mean": hidden}), 1)
    (image,) = Parsed(content["states"][-1]["panels"][0]["drawing"]).all("image")
    last = pixels_of(image["attributes"]["href"])[-1].astype(int)
    # From blue, above zero, to brown, below.
    assert (np.diff(last[:, 0] - last[:, 2]) > 0).all()


def test_shares_are_those_of_the_variance(tmp_path):
    random = np.random.default_rng(5)
    both = random.normal(size=(13, 136)).astype(np.float32)
    rows = memory.content(read(tmp_path, **{"memory.from_memory": 3 * both, "memory.from_pool": both}), 1)["shares"]
    assert [row[0] for row in rows] == ["all outputs", "jaw", "brows", "nose", "eyes", "mouth"]
    # (3x + x): 9/16 and 1/16 of the variance, and 2 * 3/16 of both together.
    assert rows[0][1:] == ["56.25", "6.25", "37.50"]


def test_a_classifier_has_one_row_of_shares(tmp_path):
    found = read_predictions(predicted.write(tmp_path / "p.npz", predicted.classes()))
    assert [row[0] for row in memory.content(found.memory, 1)["shares"]] == ["all outputs"]


def test_outputs_that_never_move_have_no_shares(tmp_path):
    still = {f"memory.from_{part}": np.zeros((13, 136), np.float32) for part in ("memory", "pool")}
    assert memory.content(read(tmp_path, **still), 1)["shares"] == []


def test_a_file_of_two_pictures_has_no_single_ones(tmp_path):
    found = read_predictions(predicted.write(tmp_path / "p.npz", predicted.faces(pictures=2)))
    assert len(memory.content(found.memory, 1)["states"][0]["panels"]) == 2


def test_a_file_without_a_memory_shows_none(tmp_path):
    none = dict.fromkeys(name for name in predicted.faces() if name.startswith("memory."))
    assert read(tmp_path, **none) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hidden.mean", None),
        ("hidden.mean", np.zeros(3, np.float32)),
        ("cell.deviation", np.zeros((3, 4), np.float32)),
        ("ingate.single", np.zeros((2, 3, 5), np.float32)),
        ("outgate.mean", np.zeros((3, 5), np.int32)),
        ("forgetgate.mean", np.full((3, 5), np.nan, np.float32)),
        ("from_pool", np.zeros((13, 10), np.float32)),
    ],
)
def test_a_memory_of_another_shape_is_refused(tmp_path, name, value):
    with pytest.raises(UserError, match=r"a memory whose .* is missing or of another shape, expected one as"):
        read(tmp_path, **{f"memory.{name}": value})
