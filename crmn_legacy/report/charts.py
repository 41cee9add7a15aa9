"""A chart of lines as inline SVG: axes with units, a title and a description for those who hear it."""

from dataclasses import dataclass, field
from pathlib import Path

from markupsafe import Markup

from crmn_legacy.errors import printable
from crmn_legacy.report.axes import Axis, label

# In the units of the drawing; a page shows it at 0.75 to 1.1 pixels each.
WIDTH, HEIGHT = 520, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 14, 26, 48
_MARKED_POINTS = 24
_LEAST_GAP = 14
_LEGEND_LINE = 19

# What a page says for its charts, and a file of its own must say itself.
_ALONE = """svg { font-family: sans-serif; color: var(--ink); }
.ground { fill: var(--ground); }
"""

# Colours are classes, so that light, dark and paper each have their own; the dash tells lines apart without them.
COLOURS = 8
_DASHES = (None, "7 3", "2 3", "9 3 2 3")


@dataclass(frozen=True)
class Line:
    """One line of a chart.

    Attributes
    ----------
    name : str
        In the legend.
    points : list of (float, float or None)
        In the order of the horizontal axis; None leaves a gap.
    style : int
        Its colour and dash.
    band : list of (float, float, float)
        Place, lower, upper: shaded behind the line.
    stepped : bool
        Whether a value holds until the next.
    faint : bool
        Whether it stands behind others, without a place in the legend.
    ring : (float, float) or None
        A point to single out.
    """

    name: str
    points: list
    style: int
    band: list = field(default_factory=list)
    stepped: bool = False
    faint: bool = False
    ring: tuple | None = None

    @property
    def dash(self):
        """Of the stroke, or None: faint lines take that of their style too."""
        return _DASHES[self.style // COLOURS % len(_DASHES)]


@dataclass(frozen=True)
class Chart:
    """What to draw.

    Attributes
    ----------
    title, description : str
        Read out in the place of the picture.
    across, up : crmn_legacy.report.axes.Axis
    across_title, up_title : str
        With the unit.
    lines : list of Line
    marks : list of (float, str)
        Places on the horizontal axis with a rule across the drawing, each with its number.
    """

    title: str
    description: str
    across: Axis
    across_title: str
    up: Axis
    up_title: str
    lines: list
    marks: list = field(default_factory=list)


def style():
    """The style sheet of charts (str); it names nothing outside."""
    return Path(__file__).with_name("charts.css").read_text(encoding="utf-8")


def figures(charts, name):
    """What ``figures.html.jinja`` shows of charts.

    Parameters
    ----------
    charts : list of Chart
    name : str
        Of this page's names, unlike any other's.

    Returns
    -------
    list of dict
        ``title``, ``legend`` and ``drawing`` of each.
    """
    return [
        {
            "title": chart.title,
            "legend": [{"swatch": _swatch(line), "name": line.name} for line in chart.lines if not line.faint],
            "drawing": draw(chart, f"{name}-chart-{place}"),
        }
        for place, chart in enumerate(charts, start=1)
    ]


def draw(chart, name):
    """The chart as an SVG element (`Markup`); its parts are called by `name` (str), which no other has on the page."""
    head = Markup('<svg viewBox="0 0 {} {}" role="img" aria-labelledby="{name}-title {name}-desc">')
    return _joined([head.format(WIDTH, HEIGHT, name=name), *_parts(chart, name), Markup("</svg>")])


def _parts(chart, name):
    return [
        Markup('<title id="{}-title">{}</title>').format(name, printable(chart.title)),
        Markup('<desc id="{}-desc">{}</desc>').format(name, printable(chart.description)),
        _grid(chart),
        _marks(chart),
        *(_band(chart, line) for line in chart.lines if line.band),
        *(_line(chart, line) for line in sorted(chart.lines, key=lambda line: not line.faint)),
    ]


def alone(chart):
    """The chart as a file of its own, its legend below (`Markup`)."""
    named = [line for line in chart.lines if not line.faint]
    height = HEIGHT + _LEGEND_LINE * len(named) + 4
    head = Markup('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="img">')
    sheet = Markup("<style>\n{}{}</style>").format(Markup(style()), Markup(_ALONE))
    ground = Markup('<rect class="ground" width="100%" height="100%"/>')
    legend = [_named(line, HEIGHT + _LEGEND_LINE * place + 8) for place, line in enumerate(named)]
    end = Markup("</svg>\n")
    return _joined([head.format(WIDTH, height), sheet, ground, *_parts(chart, "chart"), *legend, end])


def _named(line, y):
    return _group([_path(line, "line", [(_LEFT, y), (_LEFT + 26, y)]), _text(_LEFT + 34, y + 4, line.name, "tick")])


def _joined(parts):
    return Markup("\n").join(parts)


def _group(parts):
    return _joined([Markup("<g>"), *parts, Markup("</g>")])


def _x(chart, value):
    share = chart.across.place(value)
    return None if share is None else _LEFT + share * (WIDTH - _LEFT - _RIGHT)


def _y(chart, value):
    share = chart.up.place(value)
    return None if share is None else HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM)


def _coordinate(value):
    return f"{value:.1f}".removesuffix(".0")


def _rule(x1, y1, x2, y2, kind):
    ends = map(_coordinate, (x1, y1, x2, y2))
    return Markup('<line class="{}" x1="{}" y1="{}" x2="{}" y2="{}"/>').format(kind, *ends)


def _text(x, y, words, kind, turn=""):
    place = _coordinate(x), _coordinate(y)
    return Markup('<text x="{}" y="{}" class="{}"{}>{}</text>').format(*place, kind, turn, printable(words))


def _path(line, part, corners):
    way = "M" + "L".join(f"{_coordinate(x)} {_coordinate(y)}" for x, y in corners) + ("Z" if part == "band" else "")
    dash = Markup(' stroke-dasharray="{}"').format(line.dash) if part == "line" and line.dash else ""
    return Markup('<path class="{}" d="{}"{}/>').format(_kind(line, part), way, dash)


def _circle(x, y, radius, kind):
    place = _coordinate(x), _coordinate(y)
    return Markup('<circle cx="{}" cy="{}" r="{}" class="{}"/>').format(*place, radius, kind)


def _grid(chart):
    left, right, top, bottom = _LEFT, WIDTH - _RIGHT, _TOP, HEIGHT - _BOTTOM
    parts = []
    for tick in chart.up.ticks:
        y = _y(chart, tick)
        parts += [_rule(left, y, right, y, "grid"), _text(left - 8, y + 4.5, label(tick), "tick end")]
    for tick in chart.across.ticks:
        x = _x(chart, tick)
        parts += [_rule(x, bottom, x, bottom + 5, "axis"), _text(x, bottom + 19, label(tick), "tick middle")]
    parts += [_rule(left, bottom, right, bottom, "axis"), _rule(left, top, left, bottom, "axis")]
    parts.append(_text((left + right) / 2, HEIGHT - 8, chart.across_title, "name middle"))
    middle = (top + bottom) / 2
    scale = " (log scale)" if chart.up.logarithmic else ""
    turn = Markup(' transform="rotate(-90 15 {})"').format(_coordinate(middle))
    parts.append(_text(15, middle, chart.up_title + scale, "name middle", turn))
    return _group(parts)


def _marks(chart):
    """Rules across the drawing; a number is left out where it would lie on the one before."""
    parts, free_from = [], 0.0
    for place, words in chart.marks:
        x = _x(chart, place)
        parts.append(_rule(x, _TOP, x, HEIGHT - _BOTTOM, "mark"))
        if x >= free_from:
            parts.append(_text(x, _TOP - 7, words, "tick middle"))
            free_from = x + _LEAST_GAP + 5 * len(words)
    return _group(parts)


def _kind(line, part):
    return f"{part} c{line.style % COLOURS}" + (" faint" if line.faint else "")


def _pieces(chart, line):
    """The line's unbroken parts, as lists of places in the drawing."""
    pieces, piece = [], []
    for across, up in line.points:
        x, y = _x(chart, across), _y(chart, up)
        if y is None:
            pieces.append(piece)
            piece = []
            continue
        if line.stepped and piece:
            piece.append((x, piece[-1][1]))
        piece.append((x, y))
    return [piece for piece in [*pieces, piece] if piece]


def _line(chart, line):
    # Only the marks' own corners; a step adds corners between.
    few = not line.stepped and not line.faint and len(line.points) <= _MARKED_POINTS
    parts = []
    for piece in _pieces(chart, line):
        if len(piece) > 1:
            parts.append(_path(line, "line", piece))
        if few or len(piece) == 1:
            parts += [_circle(x, y, 2.6, _kind(line, "dot")) for x, y in piece]
    if line.ring and line.ring[1] is not None and _y(chart, line.ring[1]) is not None:
        parts.append(_circle(_x(chart, line.ring[0]), _y(chart, line.ring[1]), 6, _kind(line, "ring")))
    return _group(parts)


def _band(chart, line):
    lower = [(_x(chart, across), _y(chart, max(low, chart.up.low))) for across, low, _ in line.band]
    upper = [(_x(chart, across), _y(chart, high)) for across, _, high in line.band]
    return _path(line, "band", [*upper, *reversed(lower)])


def _swatch(line):
    head = Markup('<svg class="swatch" viewBox="0 0 26 12" aria-hidden="true">')
    return head + _path(line, "line", [(1, 6), (25, 6)]) + Markup("</svg>")
