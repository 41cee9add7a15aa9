"""A classifier's predictions on the page: which class is taken for which, accuracy by class, the worst mistakes."""

import numpy as np

from crmn_legacy.report.formatting import count, percent, text
from crmn_legacy.report.images import coloured, drawn

# With more classes counts are too small to be read, and colours are shown in their place.
_MOST_COUNTED = 20
_MISTAKES = 12
_SIDE = 400


def content(found):
    """What ``classes.html.jinja`` shows.

    Parameters
    ----------
    found : crmn_legacy.report.predictions.Predictions
        Of classes.

    Returns
    -------
    dict
        ``names`` of the classes; ``matrix``, counts by true and predicted class, or None with its ``drawing``; a row a
        class, ``by_class``; ``mistakes``.
    """
    number = found.predicted.shape[1]
    labels, taken = found.target.astype(int), found.predicted.argmax(axis=1)
    matrix = np.zeros((number, number), int)
    np.add.at(matrix, (labels, taken), 1)
    names = [_name(found, k) for k in range(number)]
    few = number <= _MOST_COUNTED
    return {
        "names": names,
        "matrix": [[name, *map(count, row.tolist())] for name, row in zip(names, matrix, strict=True)] if few else None,
        "drawing": None if few else _drawing(matrix),
        "by_class": _by_class(names, matrix),
        "confusions": [(names[label], names[other], pictures) for label, other, pictures in found.confusions],
        "mistakes": [] if found.pictures is None else _mistakes(found, names, labels, taken),
    }


def _name(found, place):
    return str(place) if found.classes is None else text(str(found.classes[place]))


def _drawing(matrix):
    rows = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    words = f"{len(matrix)} true classes downwards, what they are taken for across; dark is often"
    # So that rare confusions are seen beside what is right.
    return drawn(coloured(np.sqrt(rows), 0.0, 1.0), words, across=(_SIDE, _SIDE))


def _by_class(names, matrix):
    """Rows of class, pictures, accuracy, what it is taken for most often; the least accuracy first."""
    rows = []
    for place, name in enumerate(names):
        pictures = int(matrix[place].sum())
        if pictures:
            others = matrix[place].copy()
            others[place] = 0
            most = f"{names[others.argmax()]} ({others.max()})" if others.any() else "-"
            rows.append(
                (
                    matrix[place, place] / pictures,
                    [name, count(pictures), percent(matrix[place, place] / pictures), most],
                )
            )
    return [row for _, row in sorted(rows, key=lambda item: item[0])]


def _mistakes(found, names, labels, taken):
    """The pictures whose wrong class was the most probable."""
    wrong = np.flatnonzero(labels != taken)
    certain = found.predicted[wrong, taken[wrong]]
    shown = wrong[np.argsort(-certain, kind="stable")[:_MISTAKES]]
    return [
        {
            "drawing": drawn(
                found.pictures[place].transpose(1, 2, 0), f"{names[labels[place]]}, taken for {names[taken[place]]}"
            ),
            "true": names[labels[place]],
            "taken": names[taken[place]],
            "probability": percent(float(found.predicted[place, taken[place]])),
        }
        for place in shown
    ]
