"""Faces on the page: typical pictures with their points, and the error of each landmark and part."""

import numpy as np
from markupsafe import Markup

from crmn_legacy.landmarks import OUTLINES, PARTS
from crmn_legacy.metrics import INTEROCULAR, typical
from crmn_legacy.report.formatting import percent, text
from crmn_legacy.report.images import drawn

_EACH = 4
_KINDS = {"best": "The least errors", "median": "Errors about the median", "worst": "The largest errors"}
# The side of the drawing in which the mean face lies.
_SIDE = 200


def content(found):
    """What ``faces.html.jinja`` shows.

    Parameters
    ----------
    found : crmn_legacy.report.predictions.Predictions
        Of keypoints.

    Returns
    -------
    dict
        ``groups`` of faces, each with a ``title``; what the page says of their ``origin``; the ``outline`` and a row a
        part of the face, ``parts``.
    """
    predicted, target = (points.reshape(-1, 68, 2).astype(np.float64) for points in (found.predicted, found.target))
    off = np.linalg.norm(predicted - target, axis=2)
    relative = off / INTEROCULAR.distance(target)[:, None]
    return {
        "groups": [] if found.pictures is None else _groups(found, predicted, target),
        "origin": _origin(found.sources),
        "outline": _outline(target.mean(axis=0), off.mean(axis=0), relative.mean(axis=0)),
        "parts": [_part(name, points, relative.mean(axis=0)) for name, points in PARTS.items()],
    }


def _groups(found, predicted, target):
    groups = []
    for kind, chosen in typical(-found.scores, _EACH).items():
        faces = [_face(found, place, predicted[place], target[place]) for place in chosen]
        if faces:
            groups.append({"title": _KINDS[kind], "faces": faces})
    return groups


def _face(found, place, predicted, target):
    pixels = found.pictures[place, 0]
    scale = np.array(pixels.shape[::-1], dtype=np.float64)
    error = f"{percent(float(found.scores[place]))}%"
    name = text(str(found.names[place])) if found.names is not None else f"picture {place}"
    over = [_lines(target * scale, "true"), _lines(predicted * scale, "predicted"), _dots(predicted * scale)]
    return {
        "drawing": drawn(pixels, f"{name}: predicted and true points, error {error}", over),
        "error": error,
        "name": name,
    }


def _corners(points):
    return " ".join(f"{x:.2f},{y:.2f}" for x, y in points)


def _lines(points, kind):
    """The lines of a face's parts."""
    lines = []
    for _, along, closed in OUTLINES:
        shape = Markup("<polygon") if closed else Markup("<polyline")
        lines.append(shape + Markup(' class="{}" points="{}"/>').format(kind, _corners(points[along])))
    return Markup("").join(lines)


def _dots(points):
    dot = Markup('<circle class="predicted" cx="{:.2f}" cy="{:.2f}" r="0.7"/>')
    return Markup("").join(dot.format(x, y) for x, y in points)


def _origin(sources):
    """What may be done with the pictures (str)."""
    real = sorted({text(str(source)) for source in sources} - {"rendered"}) if sources is not None else ["unknown"]
    if not real:
        return "The faces are rendered ones, which may be shown to anybody."
    named = ", ".join(real)
    return (
        f"The photographs come from the data file that the predictions were made of ({named}). Those of 300-W "
        "are for research use only: keep this page to those who have them."
    )


def _outline(face, off, relative):
    """The mean face: about each landmark a circle as far as predictions are off it on average."""
    # A little more than the circles, for their rims.
    low, high = (face - off[:, None]).min() - 0.01, (face + off[:, None]).max() + 0.01
    scale = _SIDE / (high - low)
    parts = [
        Markup('<svg viewBox="0 0 {0} {0}" role="img" aria-label="{1}">').format(
            _SIDE, "The mean face; about each landmark a circle as large as its mean error."
        )
    ]
    for (x, y), radius, error, number in zip((face - low) * scale, off * scale, relative, range(1, 69), strict=True):
        circle = Markup('<circle class="off" cx="{:.1f}" cy="{:.1f}" r="{:.1f}"><title>{}</title></circle>')
        parts.append(circle.format(x, y, radius, f"point {number}: {percent(float(error))}%"))
    parts += [_lines((face - low) * scale, "drawn"), Markup("</svg>")]
    return Markup("").join(parts)


def _part(name, points, relative):
    worst = max(points, key=lambda point: relative[point])
    mean = float(relative[list(points)].mean())
    return [name, str(len(points)), percent(mean), f"{worst + 1}", percent(float(relative[worst]))]
