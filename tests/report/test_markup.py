"""Strings stay text, whatever they hold."""

from html import unescape

from hypothesis import given
from hypothesis import strategies as st

from crmn_legacy.report.markup import element, serialise, table
from tests.report.pages import Parsed


@given(st.text())
def test_a_string_is_one_text_node(words):
    parsed = Parsed(serialise(element("p", {}, "a", element("strong", {}, words), words)))
    assert parsed.tags == {"p", "strong"} and parsed.attribute_names == set()
    if words.isprintable():
        assert parsed.all("strong")[0]["text"] == unescape(words) if "&" not in words else True


def test_markup_is_escaped():
    said = serialise(element("td", {}, "<script>alert(1)</script> & \"'"))
    assert said == "<td>&lt;script&gt;alert(1)&lt;/script&gt; &amp; \"'</td>"


def test_attributes_are_quoted_and_none_is_left_out():
    assert serialise(element("td", {"class": 'a"b<', "id": None})) == '<td class="a&quot;b<"></td>'


def test_children_may_be_nested_and_missing():
    made = element("p", {}, ["a", None, [element("a", {}, "b"), "c"]], "d")
    assert serialise(made) == "<p>a<a>b</a>cd</p>\n"


def test_tables_name_their_columns_and_rows():
    parsed = Parsed(serialise(table("what", ["", "x", "y"], [["first", "1", "2"]], "numbers", words=("y",))))
    assert parsed.all("caption")[0]["text"].strip() == "what"
    assert [e["attributes"]["scope"] for e in parsed.all("th")] == ["col", "col", "col", "row"]
    assert [e["text"] for e in parsed.all("td", "words")] == ["2"]
    assert parsed.rows == [["", "x", "y"], ["first", "1", "2"]]
