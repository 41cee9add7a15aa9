"""Pictures with points drawn on them, so that they can be seen whatever the picture's size."""

from PIL import Image, ImageDraw, ImageFont

from crmn_legacy.landmarks import OUTLINES, PARTS

# Small pictures are enlarged to at least this side, in pixels.
_SIDE = 480
# A line's width, a point's radius and a letter's height, as parts of the shorter side.
_LINE, _POINT, _LETTER = 1 / 400, 1 / 200, 1 / 32

# Bright, for pictures are mostly darker; the lines tell the parts apart where the colours do not.
_COLOURS = {
    "jaw": (230, 80, 50),
    "brows": (240, 200, 60),
    "nose": (90, 190, 240),
    "eyes": (70, 220, 130),
    "mouth": (235, 130, 220),
}


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
        Of whole multiples of the picture's sides; predicted points with lines, in a colour a part; true points white.
    """
    image = Image.fromarray(picture).convert("RGB")
    zoom = max(1, -(-_SIDE // max(image.size)))
    image = image.resize((image.width * zoom, image.height * zoom), Image.Resampling.BICUBIC)
    draw, side = ImageDraw.Draw(image), min(image.size)
    width, radius = max(1, round(_LINE * side)), max(1.5, _POINT * side)
    for predicted, true in faces:
        for part, along, closed in OUTLINES:
            corners = [tuple(corner) for corner in (zoom * predicted[along]).tolist()]
            draw.line([*corners, *corners[: int(closed)]], fill=_COLOURS[part], width=width)
        for part, points in PARTS.items():
            _dots(draw, zoom * predicted[points], radius, _COLOURS[part])
        if true is not None:
            _dots(draw, zoom * true, radius, (255, 255, 255), outline=(0, 0, 0))
    _legend(draw, image.size, [*_COLOURS.items()] + [("true", (255, 255, 255))] * any(t is not None for _, t in faces))
    return image


def _dots(draw, points, radius, fill, outline=None):
    for x, y in points.tolist():
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill, outline=outline)


def _legend(draw, size, entries):
    """Names of the parts in their colours, along the lower edge."""
    font = ImageFont.load_default(max(11, round(_LETTER * min(size))))
    x, y = font.size / 2, size[1] - 1.6 * font.size
    for name, colour in entries:
        draw.text((x, y), name, fill=colour, font=font, stroke_width=2, stroke_fill=(0, 0, 0))
        x += draw.textlength(name, font=font) + 0.7 * font.size
