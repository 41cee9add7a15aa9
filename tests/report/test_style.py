"""Colours stand out from their ground, light and dark; the sheet fetches nothing."""

import re

import pytest

from crmn_legacy.report.charts import COLOURS
from crmn_legacy.report.page import style

# Of light, then of dark: name -> colour.
THEMES = [dict(re.findall(r"--(\w+): (#\w{6});", block)) for block in re.findall(r":root \{([^}]*)\}", style())]
LINES = [f"line{number}" for number in range(COLOURS)]


def luminance(colour):
    """Relative luminance of WCAG 2.1."""
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_the_measure_of_contrast():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("theme", THEMES, ids=["light", "dark"])
def test_text_and_lines_stand_out(theme):
    for name in ("ink", "soft", "good", "warn", "bad"):
        for ground in ("ground", "panel"):
            assert contrast(theme[name], theme[ground]) >= 4.5, (name, ground)
    for name in LINES:
        assert contrast(theme[name], theme["ground"]) >= 4.5, name


def test_both_themes_name_the_same():
    light, dark = THEMES
    assert light.keys() == dark.keys()
    assert [name for name in light if name.startswith("line")] == LINES


def test_each_line_of_a_chart_has_a_colour():
    assert re.findall(r"\.c(\d+) \{ --c: var\(--line(\d+)\); \}", style()) == [(str(k), str(k)) for k in range(COLOURS)]


def test_the_sheet_fetches_nothing_and_closes_what_it_opens():
    sheet = style()
    assert not any(word in sheet for word in ("url(", "@import", "@font-face", "http", "\\", "<"))
    assert sheet.count("{") == sheet.count("}")
    assert "prefers-color-scheme: dark" in sheet and "@media print" in sheet


def test_every_colour_that_is_used_is_defined():
    assert set(re.findall(r"var\(--(\w+)\)", style())) - {"c"} <= set(re.findall(r"--(\w+):", style()))
