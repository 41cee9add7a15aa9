"""Pictures with points drawn on them, so that they can be seen whatever the size of the picture and of its faces."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from crmn_legacy.landmarks import OUTLINES, PARTS

# Small pictures are enlarged to at least this side, in pixels.
_SIDE = 480
# A line's width, a point's radius and a letter's height, as parts of a face's span; that of a face which fills the
# picture is the picture's shorter side.
_LINE, _POINT, _LETTER = 1 / 260, 1 / 190, 1 / 32
# Spans of a face in its points' tight box.
_SPAN = 1.6
# Pixels; smaller letters cannot be read.
_SMALLEST_LETTER = 11

# Bright, for pictures are mostly darker, with a dark rim where they are not; the lines tell the parts apart where the
# colours do not.
_COLOURS = {
    "jaw": (230, 80, 50),
    "brows": (240, 200, 60),
    "nose": (90, 190, 240),
    "eyes": (70, 220, 130),
    "mouth": (235, 130, 220),
}
_TRUE, _RIM = (255, 255, 255), (0, 0, 0)


def overlay(picture, faces):
    """The picture with the points of its faces.

    Parameters
    ----------
    picture : uint8 array (height, width) or (height, width, 3)
    faces : list of (array (68, 2), array (68, 2) or None)
        Predicted points, and true ones where they are known, in pixels.

    Returns
    -------
    PIL.Image.Image
        Of whole multiples of the picture's sides; predicted points with lines, in a colour a part; true points white;
        of several faces their numbers.
    """
    image = Image.fromarray(picture).convert("RGB")
    zoom = max(1, -(-_SIDE // max(image.size)))
    image = image.resize((image.width * zoom, image.height * zoom), Image.Resampling.BICUBIC)
    draw, side = ImageDraw.Draw(image), min(image.size)
    for number, (predicted, true) in enumerate(faces, 1):
        span = min(side, _SPAN * zoom * float(np.ptp(predicted, axis=0).max()))
        _draw_face(draw, zoom * predicted, None if true is None else zoom * true, span)
        if len(faces) > 1:
            _draw_number(draw, number, zoom * predicted, span, image.size)
    _legend(draw, image.size, [*_COLOURS.items()] + [("true", _TRUE)] * any(true is not None for _, true in faces))
    return image


def _draw_face(draw, predicted, true, span):
    width, radius = max(1, round(_LINE * span)), max(1.5, _POINT * span)
    rim = max(1, round(width / 3))
    lines = [
        (part, [tuple(corner) for corner in predicted[[*along, *along[: int(closed)]]].tolist()])
        for part, along, closed in OUTLINES
    ]
    # All rims first: that of one line shall not cut another.
    for _, corners in lines:
        draw.line(corners, fill=_RIM, width=width + 2 * rim, joint="curve")
    _dots(draw, predicted, radius + rim, _RIM)
    for part, corners in lines:
        draw.line(corners, fill=_COLOURS[part], width=width, joint="curve")
    for part, points in PARTS.items():
        _dots(draw, predicted[points], radius, _COLOURS[part])
    if true is not None:
        # Smaller, so that a predicted point below one is seen.
        _dots(draw, true, 0.8 * radius + rim, _RIM)
        _dots(draw, true, 0.8 * radius, _TRUE)


def _dots(draw, points, radius, fill):
    for x, y in points.tolist():
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)


def _draw_number(draw, number, points, span, size):
    """Which face it is, left above it; large enough that it is seen where the whole picture is."""
    font = _font(_LETTER * max(1.5 * span, 0.5 * min(size)))
    x, y = points.min(axis=0) - (0, 1.6 * font.size)
    x, y = min(max(x, 0), size[0] - font.size), min(max(y, 0), size[1] - 1.3 * font.size)
    _write(draw, (x, y), str(number), _TRUE, font)


def _legend(draw, size, entries):
    """Names of the parts in their colours, along the lower edge; in a narrow picture in several lines."""
    font = _font(_LETTER * min(size))
    rows, x = [[]], font.size / 2
    for name, colour in entries:
        length = draw.textlength(name, font=font)
        if rows[-1] and x + length > size[0]:
            rows.append([])
            x = font.size / 2
        rows[-1].append((x, name, colour))
        x += length + 0.7 * font.size
    for number, row in enumerate(rows):
        y = size[1] - (0.4 + 1.2 * (len(rows) - number)) * font.size
        for x, name, colour in row:
            _write(draw, (x, y), name, colour, font)


def _font(height):
    return ImageFont.load_default(max(_SMALLEST_LETTER, round(height)))


def _write(draw, place, text, colour, font):
    rim = max(1, round(font.size / 10))
    draw.text(place, text, fill=colour, font=font, stroke_width=rim, stroke_fill=_RIM)
