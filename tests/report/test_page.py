"""The page as a whole: it fetches nothing, runs nothing, says what is altered, and is the same every time."""

import re
from itertools import pairwise

import pytest

from crmn_legacy import archive
from crmn_legacy.report import MARK, read_run, render
from tests.report import pages

HOSTILE = (
    "<script>alert(1)</script>",
    '" onload="alert(1)',
    "'><img src=x onerror=alert(1)>",
    "</style><style>@import url(http://a)</style>",
    "</title><svg onload=1>",
    "\x1b]0;x\x07\u202e\ud800\x00",
    "-->",
    "a" * 10_000,
)


@pytest.fixture
def run(tmp_path):
    return read_run(pages.write(tmp_path / "run"))


def test_it_fetches_nothing_and_runs_nothing(tmp_path, run):
    other = read_run(pages.write(tmp_path / "other", pages.record(seed=2)))
    for page in (render([run]), render([run, other])):
        parsed = pages.Parsed(page)
        assert not parsed.tags & {"script", "link", "iframe", "img", "object", "embed", "base", "form", "image", "use"}
        assert not parsed.attribute_names & {"src", "srcset", "action", "style"}
        links = [e["attributes"]["href"] for e in parsed.elements if "href" in e["attributes"]]
        names = [e["attributes"]["id"] for e in parsed.elements if "id" in e["attributes"]]
        assert len(set(names)) == len(names)
        assert all(link.startswith("#") and link[1:] in names for link in links)
        assert not re.search(r"https?:|url\(|@import|javascript:", page)
        (policy,) = (e for e in parsed.all("meta") if e["attributes"].get("http-equiv"))
        assert policy["attributes"]["content"] == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
        assert page.startswith(MARK) and parsed.declarations == ["doctype html"]


def test_it_can_be_heard(tmp_path, run):
    other = read_run(pages.write(tmp_path / "other", pages.record(seed=2)))
    parsed = pages.Parsed(render([run, other]))
    names = {e["attributes"]["id"] for e in parsed.elements if "id" in e["attributes"]}
    for svg in parsed.all("svg"):
        given = svg["attributes"]
        assert given.get("aria-hidden") == "true" or set(given["aria-labelledby"].split()) <= names
    assert len(parsed.all("caption")) == len(parsed.all("table")) > 5
    assert all("scope" in e["attributes"] for e in parsed.all("th"))
    levels = [int(e["tag"][1]) for e in parsed.elements if re.fullmatch(r"h\d", e["tag"])]
    assert levels[0] == 1 and all(b <= a + 1 for a, b in pairwise(levels[1:]))
    assert parsed.all("html")[0]["attributes"] == {"lang": "en"}


def hostile(value, words):
    """The same record with every string in it, names too, made hostile."""
    if isinstance(value, dict):
        kept = {name: hostile(entry, words) for name, entry in value.items()}
        return {**kept, words: words}
    if isinstance(value, list):
        return [hostile(entry, words) for entry in value]
    return words if isinstance(value, str) else value


@pytest.mark.parametrize("words", HOSTILE, ids=range(len(HOSTILE)))
def test_what_files_say_stays_text(tmp_path, run, words):
    record = {
        **hostile(pages.record(), words),
        "result": {"test": {words: {"mean": 0.1, "pictures": 3}}},
        "error": words,
    }
    lines = [hostile(line, words) for line in pages.curve()]
    for line in lines:
        line["rates"] = {words: line["rates"]["resnet"]}
    page = render([read_run(pages.write(tmp_path / "hostile", record, lines)), run])
    parsed, benign = pages.Parsed(page), pages.Parsed(render([run, run]))
    assert parsed.tags <= benign.tags | {"ul"} and parsed.attribute_names <= benign.attribute_names
    assert "<script" not in page and "<img" not in page
    assert all(letter.isprintable() or letter == "\n" for letter in page)
    assert len(page) < 200_000
    if words.isprintable() and len(words) < 100:
        assert words in "".join(e["text"] for e in parsed.all("body"))


def test_a_folders_name_is_text_too(tmp_path):
    page = render([read_run(pages.write(tmp_path / '<b>\x1b[31m"x'))])
    parsed = pages.Parsed(page)
    assert parsed.all("h1")[0]["text"].strip() == '<b>\\x1b[31m"x' and "b" not in parsed.tags


NO_NUMBERS = ("NaN", "Infinity", "-Infinity", "1e999", "1" * 4000, "null", "true", '"x"', "[]", "{}")


@pytest.mark.parametrize("value", NO_NUMBERS, ids=lambda value: value[:10])
def test_numbers_that_are_none_are_shown_as_such(tmp_path, value):
    line = '{"epoch": 1, "updates": V, "rates": {"a": V}, "train_loss": V, "validation_loss": V, "seconds": V}\n'
    record = (
        '{"row": V, "seed": V, "parameters": V, "flops": V, "seconds": V, "result": {"test": {"ibug": {"mean": V}}}}'
    )
    folder = pages.write(tmp_path / "run", record.replace("V", value).encode(), line.replace("V", value).encode())
    page = render([read_run(folder)])
    body = pages.Parsed(page).all("body")[0]["text"]
    assert "not recorded" in body and not re.search(r"\b(nan|inf)\b", "".join(re.findall(r' [dxy]\d?="[^"]*"', page)))


def test_the_same_folders_give_the_same_bytes(tmp_path):
    one, other = (render([read_run(pages.write(tmp_path / place / "run"))]) for place in ("a", "b"))
    assert one == other


def test_an_altered_folder_is_flagged_at_the_top_in_the_table_and_in_its_section(tmp_path, run):
    folder = pages.write(tmp_path / "bad")
    (folder / archive.MANIFEST).write_text(f"{'0' * 64}  run.json\n")
    parsed = pages.Parsed(render([run, read_run(folder)]))
    banners = [" ".join(e["text"].split()) for e in parsed.all("div", "altered")]
    assert banners[0].startswith("1 altered. Not as its run left it: run 2, bad.")
    assert banners[1].startswith("Altered.") and "run.json: altered" in banners[1]
    assert [e["text"] for e in parsed.all("span", "altered")] == ["altered"]
    assert len(parsed.all("div", "unfinished")) == 1
    legends = [" ".join(e["text"].split()) for e in parsed.all("li")]
    assert "2: bad (altered)" in legends and "2: bad" not in legends


def test_one_run_has_no_comparison(run):
    parsed = pages.Parsed(render([run]))
    assert parsed.all("section") == [] and parsed.all("h1")[0]["text"].strip() == "run"
