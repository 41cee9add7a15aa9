"""Cards: the figures are of the order that their kind has, and XLA's description names each that it wants once."""

import re

import pytest

from crmn_legacy.backend.cards import CARDS, card
from crmn_legacy.errors import UserError


@pytest.mark.parametrize("name", CARDS)
def test_a_card_computes_and_moves_what_its_units_and_clock_allow(name):
    found = card(name)
    # A multiply-add of each unit in each cycle is the published float32 rate, to the boost clock that it is given at.
    assert found.rates["float32"] == pytest.approx(2 * found.cores * found.fpus * found.clock * 1e9, rel=0.1)
    assert found.shared_by_block <= found.shared and found.l2 < found.memory < 2e11
    assert found.architecture == f"sm_{found.capability[0]}{found.capability[1]}"


@pytest.mark.parametrize("name", CARDS)
def test_a_description_is_text_of_protocol_buffers(name):
    text = card(name).target_config()
    fields = re.findall(r"^ *(\w+)[:{ ]", text, re.MULTILINE)
    assert len(fields) == len(set(fields)) and text.count("{") == text.count("}")
    assert f"core_count: {card(name).cores}" in text and f'"{card(name).title}"' in text


def test_an_unknown_card_is_told_with_those_that_are_known():
    with pytest.raises(UserError, match=r"--card got 'h1000', expected one of h100, h200, a100, rtx4090, t4, b200"):
        card("h1000")
