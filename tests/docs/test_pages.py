"""What the manual's pages tell their reader to do works, and prints what they say."""

import re

import pytest

from tests.walkthrough import README_AND_ITS_PAGES, ROOT, do, lay_clone, matches, read, steps, takes_long

PAGES = ("tour", "tutorial", "training", "deviations")
# What it prints in an ordinary test run; all of it is compared by the slow tests.
COMPARED = ("tour",)
# By themselves: what is wrong when they end otherwise than well.
STATUS = {"python -m crmn_legacy compare runs/smoke runs/other": 1}
ELSEWHERE = {*README_AND_ITS_PAGES, "docs/DEVICES.md", "docs/LEGACY.md", "docs/LIBRARY.md"}


def done(page, clone, small):
    """(step, what became of it, whether it was done as it stands) of each of a page's steps."""
    lay_clone(clone)
    for step in steps(read(f"docs/{page}.md")):
        if step.text.startswith("source "):
            continue
        shortened = small and (page not in COMPARED or (not step.is_program and takes_long(step.text)))
        yield step, do(step, clone, shortened), not shortened


def assert_as_told(page, clone, small=True):
    for step, outcome, whole in done(page, clone, small):
        assert outcome.returncode == STATUS.get(step.text, 0), f"{step.text}\n{outcome.stdout}{outcome.stderr}"
        if whole and step.printed is not None:
            assert matches(step.printed, outcome.stdout), f"{step.text}\n{outcome.stdout}"


# A minute and more.
LONG = ("tutorial", "training")


@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=pytest.mark.slow) if page in LONG else page for page in PAGES]
)
def test_a_page_can_be_followed(page, tmp_path):
    assert_as_told(page, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("page", ["tour", "tutorial"])
def test_a_page_followed_to_the_letter_prints_what_it_says(page, tmp_path):
    assert_as_told(page, tmp_path, small=False)


def test_every_page_with_something_to_do_is_followed():
    pages = {str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md") if steps(path.read_text())}
    assert pages == {f"docs/{page}.md" for page in PAGES} | (ELSEWHERE - {"README.md"})


def test_a_page_shows_output_for_commands_that_it_has():
    for page in PAGES:
        for step in steps(read(f"docs/{page}.md")):
            assert step.printed is None or step.printed.strip(), f"{page}: {step.text} is shown to print nothing"


def test_pictures_of_the_pages_are_there_and_used():
    shown = {name for path in (ROOT / "docs").glob("*.md") for name in re.findall(r"pictures/[\w.]+", path.read_text())}
    assert shown == {f"pictures/{path.name}" for path in (ROOT / "docs" / "pictures").iterdir()}
