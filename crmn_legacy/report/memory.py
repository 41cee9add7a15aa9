"""The memory on the page: gates, cells and hidden state over the depth, and what the output layer takes of it."""

from dataclasses import dataclass

import numpy as np

from crmn_legacy.errors import UserError
from crmn_legacy.landmarks import PARTS
from crmn_legacy.report.axes import fitted, of_epochs
from crmn_legacy.report.charts import Chart, Line, figures
from crmn_legacy.report.formatting import hundredths, significant
from crmn_legacy.report.images import coloured, drawn

# As `crmn_legacy.layers.peephole_lstm.STATES` has them, which this room may not import: it would bring Lasagne in.
STATES = {
    "ingate": "Input gate",
    "forgetgate": "Forget gate",
    "outgate": "Output gate",
    "cell": "Cell state",
    "hidden": "Hidden state",
}
GATES = ("ingate", "forgetgate", "outgate")
_SINGLE = ("best", "median", "worst")
# Of a panel, in the units of its drawing.
_PANEL = (200, 120)


@dataclass(frozen=True, eq=False)
class Memory:
    """What a memory held over the pictures of a file.

    Attributes
    ----------
    mean, deviation : dict of str to array
        Over the pictures, (depth, units), by the names of `STATES`.
    single : dict of str to array
        (3, depth, units): of the best, the median and the worst picture; (0, depth, units) of fewer than three.
    from_memory, from_pool : array (pictures, outputs)
        What the hidden state and the global pool add to the output layer's sums.
    """

    mean: dict
    deviation: dict
    single: dict
    from_memory: np.ndarray
    from_pool: np.ndarray


def read_memory(arrays, path, outputs):
    """The memory among the arrays of a file of `evaluate --predictions`.

    Parameters
    ----------
    arrays : dict of str to array
    path : path
        Of the file, for messages.
    outputs : (int, int)
        Pictures and outputs.

    Returns
    -------
    Memory or None
        None where the network has none.

    Raises
    ------
    UserError
        A part is missing or of another shape.
    """
    found = {name.removeprefix("memory."): value for name, value in arrays.items() if name.startswith("memory.")}
    if not found:
        return None
    shape = np.shape(found.get("hidden.mean"))
    kept = len(_SINGLE) if outputs[0] >= len(_SINGLE) else 0
    expected = {"from_memory": outputs, "from_pool": outputs}
    for name in STATES:
        expected |= {f"{name}.mean": shape, f"{name}.deviation": shape, f"{name}.single": (kept, *shape)}
    for name, one in expected.items():
        array = found.get(name)
        if (
            len(shape) != 2
            or array is None
            or array.shape != one
            or array.dtype.kind != "f"
            or not np.isfinite(array).all()
        ):
            raise UserError(
                f"--predictions got '{path}' with a memory whose {name} is missing or of another shape, expected "
                "one as `evaluate --predictions` writes it"
            )
    of = [{name: found[f"{name}.{kind}"] for name in STATES} for kind in ("mean", "deviation", "single")]
    return Memory(*of, found["from_memory"], found["from_pool"])


def content(memory, place):
    """What ``memory.html.jinja`` shows.

    Parameters
    ----------
    memory : Memory
    place : int
        Of the run on the page, from 1.

    Returns
    -------
    dict
        ``depth`` and ``units``; ``states``, each with panels; ``charts`` over the depth; ``shares``, what of the
        variance of the output layer's sums comes from where, a row a part.
    """
    depth, units = memory.mean["hidden"].shape
    # So that units which do alike lie beside one another in every panel.
    order = np.argsort(-memory.mean["hidden"][-1], kind="stable")
    return {
        "depth": depth,
        "units": units,
        "states": [_state(memory, name, title, order) for name, title in STATES.items()],
        "charts": figures(_over_depth(memory), f"run-{place}-memory"),
        "shares": _shares(memory),
    }


def _state(memory, name, title, order):
    """A row of panels: the mean over the pictures, the deviation, single pictures."""
    mean, deviation, single = (getattr(memory, kind)[name] for kind in ("mean", "deviation", "single"))
    high = 1.0
    if name == "cell":
        high = max(float(np.abs(mean).max()), *(float(np.abs(one).max()) for one in single), 1e-12)
    low = 0.0 if name in GATES else -high
    spread = max(float(deviation.max()), 1e-12)
    panels = [
        _panel("mean", mean[:, order], low, high, title),
        _panel(f"deviation, to {significant(spread, 2)}", deviation[:, order], 0.0, spread, title),
        *(
            _panel(f"{kind} picture", one[:, order], low, high, title)
            for kind, one in zip(_SINGLE, single, strict=False)
        ),
    ]
    scale = f"{significant(low, 2)} to {significant(high, 2)}".replace("-", "\u2212")
    return {"title": title, "scale": scale, "panels": panels}


def _panel(title, values, low, high, state):
    words = f"{state}, {title}: {values.shape[0]} steps downwards, {values.shape[1]} units across"
    return {"title": title, "drawing": drawn(coloured(values, low, high), words, across=_PANEL)}


def _over_depth(memory):
    """Charts of what gates, cell and hidden state are over the depth, over all units and pictures."""
    gates = [
        Line(STATES[name].lower(), _points(memory.mean[name].mean(axis=1)), style) for style, name in enumerate(GATES)
    ]
    charts = [_chart("Gates, mean over units and pictures", "0 shut, 1 open", gates, [0.0, 1.0])]
    for style, name in enumerate(("cell", "hidden"), start=3):
        squares = (memory.deviation[name].astype(np.float64) ** 2).mean(axis=1)
        size = np.sqrt((memory.mean[name].astype(np.float64) ** 2).mean(axis=1) + squares)
        lines = [
            Line("size: root of the mean square", _points(size), style),
            Line("of it, what differs from picture to picture", _points(np.sqrt(squares)), style + 2),
        ]
        charts.append(_chart(STATES[name], "over units and pictures", lines, [0.0, float(size.max())]))
    return charts


def _points(values):
    return [(float(step), float(value)) for step, value in enumerate(values, start=1)]


def _chart(title, unit, lines, values):
    depth = len(lines[0].points)
    said = " ".join(
        f"{line.name}: {significant(line.points[0][1])} at first, {significant(line.points[-1][1])} at last."
        for line in lines
    )
    return Chart(
        title=title,
        description=f"{title}, over {depth} steps. {said}",
        across=of_epochs(depth),
        across_title="step: residual block",
        up=fitted(values, logarithmic=False),
        up_title=unit,
        lines=lines,
    )


def _shares(memory):
    """Rows of what of the variance over the pictures is the memory's, the pool's, and of both moving together."""
    memory_, pool = (part.astype(np.float64) for part in (memory.from_memory, memory.from_pool))
    one, other, whole = memory_.var(axis=0), pool.var(axis=0), (memory_ + pool).var(axis=0)
    parts = {"all outputs": range(len(whole))}
    if len(whole) == 136:
        parts |= {name: [2 * k + axis for k in points for axis in (0, 1)] for name, points in PARTS.items()}
    rows = []
    for name, outputs in parts.items():
        chosen = list(outputs)
        total = whole[chosen].sum()
        if total > 0:
            shares = one[chosen].sum() / total, other[chosen].sum() / total
            rows.append([name, *(hundredths(100 * share) for share in (*shares, 1 - sum(shares)))])
    return rows
