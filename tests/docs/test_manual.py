"""The manual is built without a warning, in whole, and its pages fetch nothing."""

import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest

from tests.walkthrough import ROOT

for name in ("sphinx", "myst_parser", "numpydoc", "furo"):
    pytest.importorskip(name, reason=f"{name} is not installed: make manual")

# Elements by which a browser fetches something without being asked to.
FETCHING = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}


@pytest.fixture(scope="module")
def manual(tmp_path_factory):
    """The folder of the built manual."""
    out = tmp_path_factory.mktemp("manual")
    words = [sys.executable, "-m", "sphinx", "-c", "docs", "-d", out / "doctrees", "-W", "--keep-going", "-q"]
    built = subprocess.run([*words, ".", out / "html"], cwd=ROOT, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    return out / "html"


class _Fetched(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if place := dict(attributes).get(FETCHING.get(tag)):
            self.found.append(place)


def test_nothing_is_fetched_from_elsewhere(manual):
    pages = list(manual.rglob("*.html"))
    fetched = {place for page in pages for place in _Fetched(page.read_text()).found}
    assert fetched and not [place for place in fetched if re.match(r"(?:\w+:)?//", place)]
    sheets = "".join(path.read_text() for path in manual.rglob("*.css"))
    assert not re.search(r"url\([\"']?(?:https?:)?//|@import", sheets)


def test_every_document_of_the_repository_for_its_users_is_a_page(manual):
    names = [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("studies/**/*.md"),
        *ROOT.glob("benchmarks/*.md"),
    ]
    missing = [path for path in names if not (manual / path.relative_to(ROOT)).with_suffix(".html").is_file()]
    assert missing == []


def test_a_link_to_a_deviation_leads_to_it(manual):
    assert 'href="../DEVIATIONS.html#d9"' in (manual / "docs" / "RUNS.html").read_text()
    assert 'id="d9"' in (manual / "DEVIATIONS.html").read_text()


def test_the_first_page_leads_to_the_manual(manual):
    assert 'url=docs/index.html"' in (manual / "index.html").read_text()


@pytest.mark.parametrize(
    ("page", "anchor"),
    [
        ("crmn_legacy", "crmn_legacy.fit"),
        ("layers", "crmn_legacy.layers.PeepholeLSTMLayer"),
        ("models", "crmn_legacy.models.crmn"),
        ("training", "crmn_legacy.training.RateSchedule"),
        ("data", "crmn_legacy.data.files.faces.read_faces"),
        ("measures", "crmn_legacy.metrics.interocular_error"),
        ("archive", "crmn_legacy.archive.verify"),
        ("report", "crmn_legacy.report.render"),
        ("backend", "crmn_legacy.backend.compile.compile_step"),
    ],
)
def test_the_api_is_there(manual, page, anchor):
    assert f'id="{anchor}"' in (manual / "docs" / "api" / f"{page}.html").read_text()


def test_the_command_line_is_there(manual):
    text = re.sub(r"<[^>]+>", "", (manual / "docs" / "commands.html").read_text())
    for said in ("--normalise DISTANCE", "-m crmn_legacy verify", "recipes/ROW.py", "data_prep/cifar.py"):
        assert said in text
