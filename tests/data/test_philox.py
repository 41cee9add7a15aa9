"""The words are those of `numpy.random.Philox`, and of its authors' known answers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmn_legacy.data.philox import philox

WORD = st.integers(0, 2**64 - 1)


def words_of(key, counter):
    return philox(key, np.array(counter, np.uint64)[:, None])[:, 0].tolist()


@pytest.mark.parametrize(
    ("word", "answer"),
    [
        (0, [0x16554D9ECA36314C, 0xDB20FE9D672D0FDC, 0xD7E772CEE186176B, 0x7E68B68AEC7BA23B]),
        (2**64 - 1, [0x87B092C3013FE90B, 0x438C3C67BE8D0224, 0x9CC7D7C69CD777B6, 0xA09CAEBF594F0BA0]),
    ],
)
def test_words_are_the_known_answers_of_random123(word, answer):
    assert words_of((word, word), [word] * 4) == answer


@given(key=st.tuples(WORD, WORD), counter=st.tuples(*[WORD] * 4))
def test_words_are_numpy_s(key, counter):
    whole = sum(word << 64 * place for place, word in enumerate(counter))
    # NumPy counts on before it makes its first block.
    made = np.random.Philox(key=key[0] | key[1] << 64, counter=(whole - 1) % 2**256)
    assert words_of(key, counter) == made.random_raw(4).tolist()


def test_many_counters_are_each_by_itself():
    counters = np.random.default_rng(0).integers(0, 2**64, size=(4, 3, 5), dtype=np.uint64)
    found = philox((3, 4), counters)
    assert found.shape == (4, 3, 5)
    for place in np.ndindex(3, 5):
        assert found[:, *place].tolist() == words_of((3, 4), counters[:, *place])
