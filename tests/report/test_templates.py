"""Templates: strings stay text, whatever they hold; a name that nobody gave is an error."""

import re
from pathlib import Path

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmn_legacy import report
from crmn_legacy.errors import printable
from crmn_legacy.report.page import environment
from tests.report.pages import rendered

SOURCES = {
    path.name: path.read_text(encoding="utf-8")
    for path in (Path(report.__file__).parent / "templates").glob("*.html.jinja")
}


@given(st.text())
def test_a_string_is_one_text_node(words):
    parsed = rendered("<p>a<strong>{{ words }}</strong>{{ words }}</p>", words=words)
    assert parsed.tags == {"main", "p", "strong"} and parsed.attribute_names == set()
    assert parsed.all("strong")[0]["text"] == printable(words)
    assert parsed.all("p")[0]["text"] == "a" + 2 * printable(words)


@given(st.text())
def test_a_string_is_one_attribute(words):
    parsed = rendered('<p title="{{ words }}">a</p>', words=words)
    assert parsed.all("p")[0]["attributes"] == {"title": printable(words)}


def test_markup_is_escaped():
    made = environment().from_string("<td>{{ words }}</td>").render(words="<script>alert(1)</script> & \"'")
    assert made == "<td>&lt;script&gt;alert(1)&lt;/script&gt; &amp; &#34;&#39;</td>"


def test_a_list_of_strings_is_escaped_too():
    parsed = rendered('<p>{{ words | join("; ") }}</p>', words=["<b>", "\x1b"])
    assert parsed.all("p")[0]["text"] == "<b>; \\x1b"


@pytest.mark.parametrize("source", ["{{ absent }}", "{{ given.absent }}", "{% if absent %}a{% endif %}"])
def test_what_nobody_gave_is_an_error(source):
    with pytest.raises(jinja2.UndefinedError):
        environment().from_string(source).render(given={})


def test_no_template_goes_round_the_escaping():
    assert len(SOURCES) == 8
    for name, source in SOURCES.items():
        assert not re.search(r"\|\s*safe\b|autoescape|Markup", source), name
        # An attribute without quotes would end at a space.
        assert not re.search(r"=\s*\{\{", source), name


def test_tables_name_their_columns_and_rows():
    parsed = rendered(
        '{% from "table.html.jinja" import table %}'
        '{% call table("what", ["", "x", "y"], "numbers", words=["y"]) %}'
        '<tr><th scope="row">first</th><td>1</td><td class="words">2</td></tr>{% endcall %}'
    )
    assert parsed.all("caption")[0]["text"].strip() == "what"
    assert parsed.all("div", "wide")[0]["attributes"]["aria-label"] == "what"
    assert [e["attributes"]["scope"] for e in parsed.all("th")] == ["col", "col", "col", "row"]
    assert [e["text"] for e in parsed.all("th", "words")] == ["y"]
    assert parsed.rows == [["", "x", "y"], ["first", "1", "2"]]
