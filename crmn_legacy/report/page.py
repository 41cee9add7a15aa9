"""The page as a whole."""

from crmn_legacy.report import comparison, curves, sections
from crmn_legacy.report.charts import draw
from crmn_legacy.report.markup import element, serialise
from crmn_legacy.report.reading import ALTERED
from crmn_legacy.report.style import sheet

# The first bytes of every page: by them a former report is known from any other file.
MARK = "<!doctype html>\n<!-- report of crmn_legacy -->\n"

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


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
    if len(runs) == 1:
        title, parts = runs[0].name, sections.body(runs[0], 1)
    else:
        title = f"{len(runs)} runs compared"
        parts = [_compared(runs), [_section(run, place) for place, run in enumerate(runs, start=1)]]
    main = element("main", {}, element("h1", {}, title), parts)
    footer = element(
        "footer",
        {},
        "Made by crmn_legacy from the folders alone; the same folders give the same page. Paper: Moniz and Pal, Deep "
        "Convolutional Networks with Non-convolutional Recurrent Memory for Structured Prediction, 2017.",
    )
    head = element(
        "head",
        {},
        element("meta", {"charset": "utf-8"}),
        element("meta", {"http-equiv": "Content-Security-Policy", "content": _POLICY}),
        element("meta", {"name": "referrer", "content": "no-referrer"}),
        element("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}),
        element("title", {}, f"{title} - crmn_legacy"),
        element("style", {}, sheet()),
    )
    return MARK + serialise(element("html", {"lang": "en"}, head, element("body", {}, main, footer))) + "\n"


def _compared(runs):
    groups = comparison.groups_of(runs)
    names = comparison.names_of(runs)
    charts = [draw(chart, f"all-chart-{k}") for k, chart in enumerate(curves.of_runs(runs, names, groups), start=1)]
    altered = [f"run {place}, {run.name}" for place, run in enumerate(runs, start=1) if run.verdict == ALTERED]
    warning = None
    if altered:
        said = " Not as their runs left them: " if len(altered) > 1 else " Not as its run left it: "
        warning = element(
            "div",
            {"class": "verdict altered"},
            element("p", {}, element("strong", {}, f"{len(altered)} altered."), said, "; ".join(altered), "."),
        )
    return [
        warning,
        comparison.section(runs, groups),
        element("div", {"class": "charts"}, charts) if charts else None,
    ]


def _section(run, place):
    return element(
        "section",
        {"id": f"run-{place}"},
        element("h2", {}, f"Run {place}: {run.name}"),
        sections.body(run, place),
    )
