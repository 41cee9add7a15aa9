"""Charts: where lines go, what they are called, and that nothing leaves the drawing."""

import re
from itertools import pairwise

import pytest

from crmn_legacy.report import axes
from crmn_legacy.report.charts import COLOURS, HEIGHT, WIDTH, Chart, Line, figures
from tests.report import pages


def drawn(lines, up=(0.0, 10.0), marks=(), last=10):
    chart = Chart("Loss", "what it shows", axes.of_epochs(last), "epoch", axes.fitted(up), "loss", lines, list(marks))
    return shown(chart)


def shown(chart):
    source = '{% from "figures.html.jinja" import figures %}{{ figures(charts) }}'
    return pages.rendered(source, charts=figures([chart], "c"))


def corners(path):
    return [tuple(map(float, pair.split())) for pair in re.split("[MLZ]", path) if pair]


def test_a_line_goes_through_its_points():
    (path,) = drawn([Line("a", [(0, 0.0), (5, 5.0), (10, 10.0)], 0)]).all("path", "c0")[1:]
    (x0, y0), (x1, y1), (x2, y2) = corners(path["attributes"]["d"])
    assert x0 < x1 < x2 and y0 > y1 > y2
    assert (x0 + x2) / 2 == pytest.approx(x1, abs=0.1) and (y0 + y2) / 2 == pytest.approx(y1, abs=0.1)


def test_what_is_missing_is_a_gap():
    parsed = drawn([Line("a", [(1, 1.0), (2, 2.0), (3, None), (4, 2.0), (5, 1.0)], 0)])
    assert len([e for e in parsed.all("path", "line") if "figcaption" not in e["within"]]) == 2


def test_a_single_point_is_seen():
    parsed = drawn([Line("a", [(1, 1.0)], 0)])
    assert len(parsed.all("circle", "dot")) == 1


def test_steps_hold_their_value_until_the_next():
    (path,) = drawn([Line("a", [(1, 2.0), (2, 4.0)], 0, stepped=True)]).all("path", "line")[1:]
    first, corner, last = corners(path["attributes"]["d"])
    assert corner == (last[0], first[1])


def test_a_band_lies_about_its_line():
    parsed = drawn([Line("a", [(1, 2.0), (2, 4.0)], 0, band=[(1, 1.0, 3.0), (2, 3.0, 5.0)])])
    (band,) = parsed.all("path", "band")
    upper, lower = corners(band["attributes"]["d"])[:2], corners(band["attributes"]["d"])[2:][::-1]
    assert all(high[1] < low[1] and high[0] == low[0] for high, low in zip(upper, lower, strict=True))


def test_lines_are_told_apart_without_colour_once_colours_repeat():
    kinds = set()
    for style in range(4 * COLOURS):
        (swatch, *_) = drawn([Line("a", [(1, 1.0)], style)]).all("path", "line")
        kinds.add((swatch["attributes"]["class"], swatch["attributes"].get("stroke-dasharray")))
    assert len(kinds) == 4 * COLOURS


def test_the_legend_names_each_line_but_the_faint_ones():
    parsed = drawn([Line("<b>bold</b>", [(1, 1.0)], 0), Line("thin", [(1, 1.0)], 1, faint=True)])
    assert [e["text"].strip() for e in parsed.all("li")] == ["<b>bold</b>"]


def test_it_is_read_out_by_its_title_and_description():
    parsed = drawn([Line("a", [(1, 1.0)], 0)])
    (svg,) = (e for e in parsed.all("svg") if e["attributes"].get("role") == "img")
    named = {e["attributes"]["id"]: e["text"].strip() for e in parsed.elements if "id" in e["attributes"]}
    assert [named[name] for name in svg["attributes"]["aria-labelledby"].split()] == ["Loss", "what it shows"]


def test_whatever_it_is_told_stays_text():
    words = "</title></svg><script>'\"&"
    line = Line(words, [(1, 1.0)], 0)
    chart = Chart(words, words, axes.of_epochs(3), words, axes.fitted([0.0, 1.0]), words, [line], [(1.0, words)])
    parsed = shown(chart)
    assert parsed.tags == drawn([line], marks=[(1.0, "1")]).tags
    places = [*parsed.all("title"), *parsed.all("desc"), *parsed.all("li"), *parsed.all("figcaption")]
    assert all(words in entry["text"] for entry in places) and len(places) == 4
    assert [entry["text"] for entry in parsed.all("text")].count(words) == 3


def test_what_does_not_print_is_written_out():
    parsed = drawn([Line("a", [(1, 1.0)], 0)], marks=[(1.0, "\x1b\ud800")])
    assert "\\x1b\\ud800" in [entry["text"] for entry in parsed.all("text", "tick")]


def test_axes_say_what_and_in_what_unit_they_measure():
    texts = [e["text"].strip() for e in drawn([Line("a", [(1, 1.0)], 0)], up=(0.01, 10.0)).all("text")]
    assert "epoch" in texts and "loss (log scale)" in texts
    assert {"0.01", "0.1", "1", "10"} <= set(texts)


def test_crowded_marks_keep_their_rules_and_drop_numbers():
    parsed = drawn([Line("a", [(1, 1.0)], 0)], marks=[(float(k), str(k)) for k in range(1, 101)], last=100)
    rules = parsed.all("line", "mark")
    assert len(rules) == 100
    numbers = [e for e in parsed.all("text", "tick") if float(e["attributes"]["y"]) < 26]
    places = [float(e["attributes"]["x"]) for e in numbers]
    assert 5 < len(places) < 50
    assert min(b - a for a, b in pairwise(places)) >= 14


def test_nothing_leaves_the_drawing():
    line = Line("a", [(0, 1e300), (3, -1e300), (10, 5.0)], 0, band=[(0, -9.0, 99.0)], ring=(10, 5.0))
    parsed = drawn([line], marks=[(10.0, "1")])
    for entry in parsed.elements:
        given = entry["attributes"]
        pairs = corners(given["d"]) if "d" in given else []
        pairs += [(float(given[x]), float(given[y])) for x, y in (("x", "y"), ("cx", "cy"), ("x1", "y1")) if x in given]
        assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in pairs)
