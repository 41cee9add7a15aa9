"""The page as a whole: it fetches nothing, runs nothing, says what is altered, and is the same every time."""

import re
import shutil
import subprocess
from itertools import pairwise

import pytest

from crmn_legacy import archive
from crmn_legacy.report import MARK, read_predictions, read_run, render
from tests.report import pages, predicted

CHROMIUM = shutil.which("chromium")

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


@pytest.fixture(params=["faces", "classes", "many classes"])
def looked_at(request, tmp_path):
    """The page of a run with all that predictions bring."""
    columns = {
        "faces": predicted.faces,
        "classes": predicted.classes,
        "many classes": lambda: predicted.classes(number=100, pictures=300),
    }
    found = read_predictions(predicted.write(tmp_path / "p.npz", columns[request.param]()))
    lines = [pages.line(1)] if request.param == "faces" else [pages.line(1, error=None, validation_accuracy=0.5)]
    return render([read_run(pages.write(tmp_path / "looked at", lines=lines), found)])


def test_pictures_lie_in_the_page_itself(looked_at):
    parsed = pages.Parsed(looked_at)
    pictures = parsed.all("image")
    assert len(pictures) > 20
    assert all(e["attributes"]["href"].startswith("data:image/png;base64,") for e in pictures)
    assert not parsed.tags & {"script", "img", "use", "foreignobject"} and "style" not in parsed.attribute_names
    assert not re.search(r"https?:|url\(|@import|javascript:", looked_at)


def test_pictures_can_be_heard(looked_at):
    parsed = pages.Parsed(looked_at)
    names = [e["attributes"]["id"] for e in parsed.elements if "id" in e["attributes"]]
    assert len(set(names)) == len(names)
    for svg in parsed.all("svg"):
        given = svg["attributes"]
        assert given.get("aria-hidden") == "true" or given.get("aria-label") or given["aria-labelledby"]
    assert len(parsed.all("caption")) == len(parsed.all("table"))
    levels = [int(e["tag"][1]) for e in parsed.elements if re.fullmatch(r"h\d", e["tag"])]
    assert all(b <= a + 1 for a, b in pairwise(levels[1:]))


FRAME = """<body style="margin:0"><iframe src="page.html" style="width:{width}px;height:900px;border:0"></iframe>
<script>
onload = () => {{
  const page = document.querySelector("iframe").contentDocument.documentElement;
  document.title = "width " + page.scrollWidth + " of " + page.clientWidth;
}};
</script></body>"""


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")
@pytest.mark.parametrize("width", [390, 1280])
def test_a_browser_has_nothing_to_say_and_nothing_sticks_out(looked_at, tmp_path, width):
    (tmp_path / "page.html").write_text(looked_at, encoding="utf-8")
    (tmp_path / "frame.html").write_text(FRAME.format(width=width), encoding="utf-8")
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files", "--dump-dom"]
    options += ["--enable-logging=stderr", "--virtual-time-budget=4000", f"--user-data-dir={tmp_path / 'browser'}"]
    command = [CHROMIUM, *options, (tmp_path / "frame.html").as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert "CONSOLE" not in done.stderr
    title = re.search(r"<title>width (\d+) of (\d+)</title>", done.stdout)
    assert title and int(title[1]) <= int(title[2]) <= width


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
