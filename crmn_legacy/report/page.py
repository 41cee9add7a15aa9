"""The page as a whole: what Python found, put into the templates beside it."""

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from crmn_legacy.errors import printable
from crmn_legacy.report import charts, comparison, formatting, sections

# The first bytes of every page: by them a former report is known from any other file.
MARK = "<!doctype html>\n<!-- report of crmn_legacy -->\n"

_HERE = Path(__file__).parent


def render(runs):
    """One HTML page of one run or many.

    Parameters
    ----------
    runs : list of crmn_legacy.report.reading.Run
        At least one; shown in this order.

    Returns
    -------
    str
        The same runs give the same page.
    """
    alone = len(runs) == 1
    page = environment().get_template("page.html.jinja")
    return MARK + page.render(
        title=runs[0].name if alone else f"{len(runs)} runs compared",
        style=Markup(style()),
        comparison=None if alone else comparison.content(runs),
        sections=[sections.content(run, place) for place, run in enumerate(runs, start=1)],
    )


def style():
    """The style sheet (str); it names nothing outside the page."""
    return charts.style() + (_HERE / "report.css").read_text(encoding="utf-8")


@cache
def environment():
    """Where the templates are found, and what becomes of strings in them (a `jinja2.Environment`).

    Whatever a template prints is escaped, and what does not print is written out, unless it is `Markup`. A name that
    nobody gave is an error.
    """
    made = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalized,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    for form in (formatting.count, formatting.duration, formatting.percent, formatting.significant, formatting.text):
        made.filters[form.__name__] = form
    return made


def _finalized(value):
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value
