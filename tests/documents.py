"""The links of a Markdown document, and the places that it offers to links, as GitHub shows it."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("benchmarks", "crmn_legacy", "data_prep", "docs", "recipes", "studies", "tests", "tools")


def documents():
    """Every Markdown file of the repository, sorted."""
    return sorted([*ROOT.glob("*.md"), *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.md"))])


def slug(heading):
    """The anchor that GitHub gives to a heading."""
    text = re.sub(r"!?\[(.*?)\]\(.*?\)", r"\1", heading)
    return re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")


def without_code(text):
    """The text without fenced blocks and code in a line, in which nothing is a link or a heading."""
    text = re.sub(r"^ *```.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`", lambda code: re.sub(r"[\[\]()#<>]", "", code[0]), text)


def anchors(text):
    """What stands behind a `#` in a link to the document: slugs of headings, numbered where they repeat, and ids."""
    found = set(re.findall(r'<a id="([^"]+)"></a>', without_code(text)))
    counts = {}
    for heading in re.findall(r"^#{1,6} +(.+?) *$", without_code(text), re.MULTILINE):
        name = slug(heading)
        counts[name] = counts.get(name, -1) + 1
        found.add(f"{name}-{counts[name]}" if counts[name] else name)
    return found


def links(text):
    """Targets of the document's links and pictures that lead to no other site."""
    targets = re.findall(r"\]\(\s*<?([^)\s>]+)", without_code(text))
    return [target for target in targets if not re.match(r"[a-z][a-z+.-]*:", target)]


def broken(path):
    """Links of the document at `path` whose file, or whose place in it, is not there."""
    text = path.read_text(encoding="utf-8")
    wrong = []
    for link in links(text):
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        there = target.exists()
        if there and anchor:
            there = target.suffix == ".md" and anchor in anchors(target.read_text(encoding="utf-8"))
        if not there:
            wrong.append(link)
    return wrong
