"""How good predictions are: inter-ocular error and its curve for keypoints, accuracy for classes; typical pictures."""

from dataclasses import dataclass

import numpy as np

from crmn_legacy.errors import UserError

# Corners of the two eyes in the 68-point mark-up, counted from 0.
LEFT_EYE = (36, 39)
RIGHT_EYE = (42, 45)

LARGEST = 0.99999
"""Coordinates in [0, 1] are limited to this before they become pixels, so that 1 is in the last one."""


@dataclass(frozen=True)
class Normaliser:
    """A distance in the true face that errors are divided by: between the means of two sets of points.

    Attributes
    ----------
    title : str
        What tables and pages call it.
    left, right : tuple of int
        Points of the 68-point mark-up, counted from 0.
    """

    title: str
    left: tuple
    right: tuple

    def distance(self, points):
        """The distance in each picture, float64 array (pictures,), of points (pictures, 68, 2) or (pictures, 136)."""
        points = np.asarray(points, dtype=np.float64).reshape(len(points), -1, 2)
        left, right = (points[:, chosen].mean(axis=1) for chosen in (self.left, self.right))
        return np.linalg.norm(right - left, axis=1)


NORMALISERS = {
    "eye-centres": Normaliser("inter-ocular distance (between the eyes' centres)", LEFT_EYE, RIGHT_EYE),
    "outer-corners": Normaliser("distance between the outer corners of the eyes", LEFT_EYE[:1], RIGHT_EYE[1:]),
}
"""What errors can be given in. The first is Honari et al.'s, and so the paper's; most of the later field takes the
second, by which the same points have an error about 0.7 times as large."""

INTEROCULAR = NORMALISERS["eye-centres"]


NEAREST_EYES = 1e-3
"""Eyes nearer than this, in widths of the crop, coincide: the inter-ocular error would be without bound.

Real faces, turned ones too, have them more than 0.1 apart."""


def require_eyes_apart(keypoints, path):
    """Refuse a face whose eyes coincide.

    Parameters
    ----------
    keypoints : array (68, 2)
        In [0, 1] of its crop.
    path : path
        Of its points.

    Raises
    ------
    UserError
    """
    if INTEROCULAR.distance(keypoints[None])[0] < NEAREST_EYES:
        raise UserError(
            f"got '{path}' whose eyes coincide (corners 37, 40 and 43, 46 of its points); expected two eyes, "
            "the measure of all errors: mend the points, or remove the pair"
        )


def interocular_error(predicted, target, mask=None):
    """Mean distance of the predicted from the true points, over the distance between the eyes' centres.

    An eye's centre is the mean of its two corners, as in Honari et al. (2016). Times 100 this is the percentage
    that papers print.

    Parameters
    ----------
    predicted, target : array (pictures, 68, 2) or (pictures, 136)
        Points in one and the same frame with square pixels.
    mask : array (pictures, 68), optional
        The points that count, 1 or 0; all by default. The eyes are taken from `target` whatever the mask.

    Returns
    -------
    float64 array (pictures,)
        NaN for a picture of which no point counts.

    Raises
    ------
    ValueError
        If the shapes do not fit.
    """
    target = np.asarray(target, dtype=np.float64)
    target = target.reshape(len(target), -1, 2)
    predicted = np.asarray(predicted, dtype=np.float64).reshape(len(predicted), -1, 2)
    if target.shape[1:] != (68, 2) or predicted.shape != target.shape:
        raise ValueError(f"predicted is {predicted.shape} and target {target.shape}; expected (pictures, 68, 2) twice")
    weights = np.ones(target.shape[:2]) if mask is None else np.asarray(mask, dtype=np.float64)
    if weights.shape != target.shape[:2]:
        raise ValueError(f"mask is {weights.shape}; expected {target.shape[:2]}")
    distance = np.linalg.norm(predicted - target, axis=2)
    between_eyes = INTEROCULAR.distance(target)
    with np.errstate(divide="ignore", invalid="ignore"):
        return (distance * weights).sum(axis=1) / weights.sum(axis=1) / between_eyes


@dataclass(frozen=True)
class ErrorCurve:
    """The cumulative distribution of errors up to a limit.

    Attributes
    ----------
    thresholds, fractions : float64 array
        For each threshold, evenly from 0 to the limit, the fraction of errors that do not exceed it.
    area : float
        The area under the exact step curve up to the limit, over the limit: 1 if every error is 0.
    failure_rate : float
        The fraction of errors above the limit.
    """

    thresholds: np.ndarray
    fractions: np.ndarray
    area: float
    failure_rate: float


def error_curve(errors, limit=0.08, points=81):
    """The cumulative curve of `errors`, its area and the rate of failures.

    Parameters
    ----------
    errors : array (pictures,)
        As fractions; one that is not finite counts as a failure.
    limit : float
        Above it a picture has failed.
    points : int
        Thresholds in the curve.

    Returns
    -------
    ErrorCurve

    Raises
    ------
    ValueError
        If there are no errors, or `limit` is not positive.
    """
    errors = np.asarray(errors, dtype=np.float64).ravel()
    if len(errors) == 0 or not limit > 0:
        raise ValueError(f"got {len(errors)} errors and the limit {limit}; expected at least one and > 0")
    ranked = np.sort(np.where(np.isfinite(errors), errors, np.inf))
    thresholds = np.linspace(0, limit, points)
    return ErrorCurve(
        thresholds=thresholds,
        fractions=np.searchsorted(ranked, thresholds, side="right") / len(ranked),
        area=float(np.clip(limit - ranked, 0, None).mean() / limit),
        failure_rate=float((ranked > limit).mean()),
    )


def accuracy(probabilities, labels):
    """The fraction of pictures whose most probable class is their label.

    Parameters
    ----------
    probabilities : array (pictures, classes)
    labels : int array (pictures,)

    Returns
    -------
    float
    """
    probabilities, labels = np.asarray(probabilities), np.asarray(labels)
    if probabilities.ndim != 2 or labels.shape != probabilities.shape[:1] or len(labels) == 0:
        raise ValueError(
            f"probabilities are {probabilities.shape} and labels {labels.shape}; "
            "expected (pictures, classes) and (pictures,)"
        )
    return float((probabilities.argmax(axis=1) == labels).mean())


def typical(quality, number=1):
    """Pictures that stand for all: the best, those about the median, the worst.

    Parameters
    ----------
    quality : array (pictures,)
        More is better; whatever is not finite is worst.
    number : int
        Of each kind; fewer where there are not three times as many pictures.

    Returns
    -------
    dict of str to int array
        ``best``, ``median``, ``worst``, each in falling quality; no picture is in two of them.

    Examples
    --------
    >>> typical([0.1, 0.9, 0.5, 0.4])
    {'best': array([1]), 'median': array([3]), 'worst': array([0])}
    """
    quality = np.asarray(quality, dtype=np.float64)
    ranked = np.argsort(-np.where(np.isfinite(quality), quality, -np.inf), kind="stable")
    number = min(number, len(ranked) // 3)
    middle = (len(ranked) - number + 1) // 2
    return {
        "best": ranked[:number],
        "median": ranked[middle : middle + number],
        "worst": ranked[len(ranked) - number :],
    }
