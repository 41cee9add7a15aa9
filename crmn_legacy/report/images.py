"""Arrays as pictures within the page: PNG in data URIs, and the colours of numbers."""

import base64
import io

import numpy as np
from markupsafe import Markup
from PIL import Image

from crmn_legacy.errors import printable

# Red, green, blue. From nothing to all; and from as much below zero, over zero, to as much above.
_SEQUENTIAL = ((247, 247, 243), (120, 168, 210), (12, 52, 105))
_DIVERGING = ((140, 62, 8), (240, 180, 120), (247, 247, 243), (120, 168, 210), (12, 52, 105))


def data_uri(pixels):
    """A picture as text: uint8 (height, width), or (height, width, 3) of red, green and blue."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def coloured(values, low, high):
    """Numbers as colours, on a scale with two sides where `low` is negative.

    Parameters
    ----------
    values : array (height, width)
        What lies beyond an end has its colour.
    low, high : float
        The ends of the scale.

    Returns
    -------
    uint8 array (height, width, 3)
    """
    stops = np.array(_DIVERGING if low < 0 else _SEQUENTIAL, dtype=np.float64)
    share = np.clip((np.nan_to_num(values, nan=low) - low) / ((high - low) or 1.0), 0.0, 1.0) * (len(stops) - 1)
    below = np.minimum(share.astype(int), len(stops) - 2)
    weight = (share - below)[..., None]
    return np.round(stops[below] * (1 - weight) + stops[below + 1] * weight).astype(np.uint8)


def drawn(pixels, words, over=(), across=None):
    """A picture as an SVG element, each of whose units is a pixel (`Markup`).

    Parameters
    ----------
    pixels : uint8 array (height, width) or (height, width, 3)
    words : str
        Read out in its place.
    over : iterable of Markup
        Drawn above it.
    across : (float, float), optional
        Width and height to which the picture is stretched.
    """
    height, width = pixels.shape[:2]
    across = across or (width, height)
    head = Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">').format(*across, printable(words))
    image = Markup('<image href="{}" width="{}" height="{}" preserveAspectRatio="none"/>').format(
        data_uri(pixels), *across
    )
    return Markup("").join([head, image, *over, Markup("</svg>")])
