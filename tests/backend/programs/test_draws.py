"""First weights are told by the draws that made them, and by nothing else."""

import numpy as np

from crmn_legacy.backend.mrg_streams import stream_states
from crmn_legacy.backend.programs.draws import Draw, describe

NORMAL = Draw((1, 0), "normal", (0.0, 0.5), {"size": (3, 4)})
SEED = Draw((7, 0), "integers", (1, 1000), {})


def values(draw):
    generator = np.random.default_rng(draw.place)
    return getattr(generator, draw.distribution)(*draw.arguments, **draw.keywords)


def told(state):
    return describe(state, [NORMAL, SEED], values, stream_states)


def test_a_draw_is_found_after_it_was_rounded():
    how = told({"W": values(NORMAL).astype(np.float32)})["W"]
    assert how == {
        "shape": [3, 4],
        "dtype": "float32",
        "draw": [1, 0],
        "distribution": "normal",
        "arguments": [0.0, 0.5],
        "keywords": {"size": [3, 4]},
    }


def test_one_number_everywhere_needs_no_draw():
    assert told({"b": np.zeros(5, np.float32)})["b"]["fill"] == 0.0
    assert told({"scale": np.float32(3)})["scale"]["fill"] == 3.0


def test_streams_of_random_numbers_are_told_by_their_seed():
    how = told({"dropout.rng": stream_states(int(values(SEED)), 6)})["dropout.rng"]
    assert how["streams"] == 6 and how["draw"] == [7, 0]


def test_what_no_draw_explains_is_told_so():
    how = told({"W": values(NORMAL).astype(np.float32).T.copy()})["W"]
    assert not how.keys() & {"fill", "draw"}


def test_a_draw_explains_one_array_only():
    twice = values(NORMAL).astype(np.float32)
    how = told({"W": twice, "V": twice.copy()})
    assert "draw" in how["W"] and "draw" not in how["V"]
