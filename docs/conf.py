"""How Sphinx makes the manual; `make manual` calls it."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]

# The first of all imports of the package, so that Lasagne finds Theano's names.
import crmn_legacy  # noqa: E402

project = "crmn_legacy"
version = release = crmn_legacy.__version__
html_title = f"crmn_legacy {release}"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "numpydoc", "command_line", "mathml"]

# Pages lie where a reader of the repository looks for them, at its root too, so the root is what Sphinx reads.
root_doc = "docs/index"
include_patterns = ["*.md", "docs/**.md", "studies/**.md", "benchmarks/**.md", "crmn_legacy/pretrained/*.md"]
include_patterns += ["tests/golden/README.md"]
exclude_patterns = ["docs/_build", "**/.*", "dist", "build", "runs", "**/runs"]

# A link of the pages that leads nowhere is an error; so is a name of the package that is none.
nitpicky = True
nitpick_ignore_regex = [(r"py:.*", r"(?!crmn_legacy).*")]
default_role = "literal"
# They would make one dash of the two that begin an option.
smartquotes = False

myst_heading_anchors = 4

autosummary_generate = False
autodoc_inherit_docstrings = False
autodoc_preserve_defaults = True
autodoc_member_order = "bysource"
autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_show_inherited_class_members = False

html_math_renderer = "mathml"
html_theme = "furo"
html_additional_pages = {"index": "redirect.html"}
templates_path = ["templates"]
html_static_path = ["static"]
html_css_files = ["manual.css"]
html_copy_source = html_show_sourcelink = html_show_copyright = False


def _anchors(app, docname, content):
    """What GitHub shows as an HTML anchor, `<a id="d9"></a>`, is a target for Sphinx."""
    content[0] = re.sub(r'^<a id="([^"]+)"></a>$', r"(\1)=", content[0], flags=re.MULTILINE)


def setup(app):
    """Tell Sphinx what is done to pages before they are read."""
    app.connect("source-read", _anchors)
