"""Links of the documents lead to files that are there, and to places in them."""

import pytest

from tests.documents import ROOT, anchors, broken, documents, links


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files_and_places_that_are_there(path):
    assert broken(path) == []


def test_the_documents_of_every_folder_are_among_them():
    found = {str(path.relative_to(ROOT)) for path in documents()}
    assert {"DEVIATIONS.md", "docs/BITS.md", "benchmarks/RESULTS.md", "tests/golden/README.md"} <= found


def test_links_that_lead_nowhere_are_named(tmp_path):
    (tmp_path / "other.md").write_text('# One heading\n\n<a id="d8"></a>\n')
    (tmp_path / "page.md").write_text(
        "# Here\n[a](other.md) [b](other.md#one-heading) [c](other.md#d8) [d](#here) ![e](other.md)\n"
        "[f](none.md) [g](other.md#d9) [h](#there) [i](none.svg) [j](https://example.org/none.md#there)\n"
    )
    assert broken(tmp_path / "page.md") == ["none.md", "other.md#d9", "#there", "none.svg"]


def test_code_has_no_links_and_no_headings():
    text = "# A\n`[x](y.md)`\n\n```bash\n# B\n[x](y.md)\n```\n\n  ```python\n  # C\n  ```\n"
    assert links(text) == []
    assert anchors(text) == {"a"}


def test_anchors_of_headings_are_those_that_github_gives():
    text = "## The `--bits` of [it](x.md), 2.5!\n\n## Same\n\n## Same\n\n### 8. Which weights\n"
    assert anchors(text) == {"the---bits-of-it-25", "same", "same-1", "8-which-weights"}
