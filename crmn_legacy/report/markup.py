"""Elements of HTML and SVG; strings become text nodes, so that whatever a file says stays text."""

from xml.etree import ElementTree

from crmn_legacy.errors import printable

# Behind all others ends of lines keep the page's source readable.
_INLINE = frozenset(("a", "code", "span", "strong", "td", "th"))


def element(tag, attributes=None, *children):
    """An element.

    Parameters
    ----------
    tag : str
    attributes : dict, optional
        Our own words and numbers only, never a file's; one of None is left out.
    *children : Element, str, None, or lists of these
        Strings are text.

    Returns
    -------
    xml.etree.ElementTree.Element
    """
    given = {name: str(value) for name, value in (attributes or {}).items() if value is not None}
    made = ElementTree.Element(tag, given)
    _append(made, children)
    return made


def _append(made, children):
    for child in children:
        if child is None:
            continue
        if isinstance(child, list | tuple):
            _append(made, child)
        elif isinstance(child, str):
            child = printable(child)
            if len(made):
                made[-1].tail = (made[-1].tail or "") + child
            else:
                made.text = (made.text or "") + child
        else:
            made.append(child)


def serialise(root):
    """An element as HTML text, escaped; its style sheets as they are."""
    for node in root.iter():
        if node.tag not in _INLINE and not node.tail:
            node.tail = "\n"
    return ElementTree.tostring(root, encoding="unicode", method="html")


def table(caption, head, rows, kind=None, words=()):
    """A table with a caption and scopes for those who hear it.

    Parameters
    ----------
    caption : str
    head : list of str
        Titles of the columns.
    rows : list of list
        Cells: str, Element, or lists of these; the first one names the row.
    kind : str, optional
        Its class.
    words : collection of str
        Columns of words in a table of numbers, which stand to the left.

    Returns
    -------
    Element
        A box that scrolls sideways where the page is narrow, with the table in it.
    """
    kinds = ["words" if title in words else None for title in head]
    body = []
    for row in rows:
        cells = [element("td", {"class": k}, cell) for cell, k in zip(row[1:], kinds[1:], strict=True)]
        body.append(element("tr", {}, element("th", {"scope": "row"}, row[0]), cells))
    titles = [element("th", {"scope": "col", "class": k}, title) for title, k in zip(head, kinds, strict=True)]
    return element(
        "div",
        {"class": "wide", "role": "group", "aria-label": caption, "tabindex": "0"},
        element(
            "table",
            {"class": kind},
            element("caption", {}, element("span", {"class": "held"}, caption)),
            element("thead", {}, element("tr", {}, titles)),
            element("tbody", {}, body),
        ),
    )


def code(words):
    """Words in the type of programs."""
    return element("code", {}, words)
