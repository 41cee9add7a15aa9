"""What is painted on a face: skin, eyes, brows, lips, teeth, beard, as a gray picture seen from the front."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter
from scipy import ndimage

from data_prep.face_model import closed_curve, open_curve, shifted

# Pixels to a unit, while drawing (Pillow's polygons have hard edges) and in the finished texture.
_DRAWN = 200
SCALE = 100
LEFT, TOP, RIGHT, BOTTOM = -1.4, -1.6, 1.4, 2.3


class Painter:
    """Draws on a gray picture in the face's own units; tones run from 0 (black) to 1 (white)."""

    def __init__(self, tone):
        size = (round((RIGHT - LEFT) * _DRAWN), round((BOTTOM - TOP) * _DRAWN))
        self.image = Image.new("L", size, _level(tone))

    def polygon(self, points, tone, blur=0.0, opacity=1.0, within=None):
        """Fill the closed line through `points`, softened by `blur` units, inside the polygon `within`."""
        self._paste(points, tone, blur, within, lambda draw, pixels: draw.polygon(pixels, round(255 * opacity)))

    def line(self, points, tone, width, blur=0.0, opacity=1.0, within=None):
        """Draw along `points`, `width` units wide."""
        broad = max(round(width * _DRAWN), 1)
        self._paste(
            points, tone, blur, within, lambda draw, pixels: draw.line(pixels, round(255 * opacity), broad, "curve")
        )

    def ellipse(self, centre, radii, tone, blur=0.0, opacity=1.0, within=None):
        """Fill an upright ellipse."""
        turn = np.linspace(0, 2 * np.pi, 60, endpoint=False)
        rim = np.column_stack([centre[0] + radii[0] * np.cos(turn), centre[1] + radii[1] * np.sin(turn)])
        self.polygon(rim, tone, blur, opacity, within)

    def finished(self):
        """The texture, float64 in 0 to 1, `SCALE` pixels to a unit."""
        size = (round((RIGHT - LEFT) * SCALE), round((BOTTOM - TOP) * SCALE))
        return np.asarray(self.image.resize(size, Image.Resampling.BOX), dtype=np.float64) / 255

    def _paste(self, points, tone, blur, within, draw):
        """Paste `tone` through what `draw` leaves on a mask just large enough for it."""
        pixels = (np.asarray(points) - (LEFT, TOP)) * _DRAWN
        margin = 4 * blur * _DRAWN + 12
        corner = np.floor(pixels.min(axis=0) - margin).astype(int)
        size = tuple((np.ceil(pixels.max(axis=0) + margin).astype(int) - corner).tolist())
        mask = Image.new("L", size, 0)
        draw(ImageDraw.Draw(mask), _listed(pixels - corner))
        if blur:
            mask = mask.filter(ImageFilter.GaussianBlur(blur * _DRAWN))
        if within is not None:
            inside = Image.new("L", size, 0)
            ImageDraw.Draw(inside).polygon(_listed((within - (LEFT, TOP)) * _DRAWN - corner), fill=255)
            mask = Image.composite(mask, Image.new("L", size, 0), inside)
        self.image.paste(_level(tone), tuple(corner.tolist()), mask)


def paint(face, generator):
    """The albedo of `face` as a texture; float64 array, rows from `TOP` to `BOTTOM`."""
    person, points = face.person, face.points
    skin = person.skin
    painter = Painter(skin)
    painter.ellipse((0, 0.6), (0.3, 0.3), min(skin * 1.05, 1), blur=0.12, opacity=0.6)
    for side in (-1, 1):
        painter.ellipse((side * 0.7, 0.55), (0.25, 0.2), skin * 0.93, blur=0.12, opacity=0.7)
        painter.ellipse((side * 0.5, -0.02), (0.33, 0.17), skin * 0.84, blur=0.07, opacity=0.8)
    _paint_beard(painter, face)
    _paint_lines(painter, face)
    _paint_nose(painter, points, skin)
    for corners in (points[36:42], points[42:48]):
        _paint_eye(painter, face, corners)
    _paint_brows(painter, face)
    _paint_mouth(painter, face)
    texture = painter.finished()
    grain = ndimage.gaussian_filter(generator.normal(size=texture.shape), 1)
    patches = ndimage.gaussian_filter(generator.normal(size=texture.shape), 6)
    texture *= 1 + 0.02 * grain / grain.std() + 0.025 * patches / patches.std()
    return np.clip(texture, 0, 1)


def _paint_eye(painter, face, corners):
    person, expression = face.person, face.expression
    rim = closed_curve(corners)
    centre = corners.mean(axis=0)
    upper = corners[np.argsort(corners[:, 1])[:2]].mean(axis=0)
    white = 0.45 + 0.45 * person.skin
    painter.polygon(rim, white, blur=0.006)
    iris = shifted(centre, expression.gaze_x, expression.gaze_y - 0.005)
    painter.ellipse(iris, (0.092, 0.092), person.iris, blur=0.006, within=rim)
    painter.ellipse(iris, (0.042, 0.042), 0.02, blur=0.004, within=rim)
    painter.ellipse(shifted(iris, -0.03, -0.03), (0.017, 0.017), 0.98, blur=0.003, within=rim)
    # The upper lid throws a shadow on the eyeball.
    painter.line(_upper_lid(corners), 0.1, 0.05, blur=0.012, opacity=0.5, within=rim)
    painter.line(_upper_lid(corners), person.hair * 0.5, 0.034, blur=0.006)
    painter.line(_lower_lid(corners), person.skin * 0.5, 0.014, blur=0.006, opacity=0.8)
    crease = _upper_lid(corners) * (1, 0.9) + (0, upper[1] - 0.045 - 0.9 * upper[1])
    painter.line(crease, person.skin * 0.6, 0.016, blur=0.008, opacity=0.75)
    bag = shifted(_lower_lid(corners), 0, 0.09)
    painter.line(bag, person.skin * 0.72, 0.02, blur=0.02, opacity=0.3 + 0.4 * person.age)


def _upper_lid(corners):
    return open_curve(corners[:4])


def _lower_lid(corners):
    return open_curve(corners[[3, 4, 5, 0]])


def _paint_brows(painter, face):
    person = face.person
    for brow, inner_last in ((face.points[17:22], True), (face.points[22:27], False)):
        line = open_curve(brow)
        taper = np.linspace(0.35, 1.0, len(line)) if inner_last else np.linspace(1.0, 0.35, len(line))
        half = 0.05 * person.brow_thickness * taper
        across = np.column_stack([np.zeros_like(half), half])
        band = np.concatenate([line - across, (line + across)[::-1]])
        painter.polygon(band, min(person.hair * 0.85, person.skin * 0.65), blur=0.014, opacity=0.92)


def _paint_nose(painter, points, skin):
    for wing, nostril in ((31, 32), (35, 34)):
        side = np.sign(points[wing, 0])
        curve = open_curve(points[wing] + np.array([[-0.03 * side, -0.13], [0.02 * side, -0.05], [-0.01 * side, 0.02]]))
        painter.line(curve, skin * 0.6, 0.02, blur=0.015, opacity=0.7)
        hole = 0.5 * (points[wing] + points[nostril]) + (-0.005 * side, 0.0)
        painter.ellipse(hole, (0.055, 0.026), skin * 0.22, blur=0.012, opacity=0.95)
    painter.line(open_curve(shifted(points[31:36], 0, 0.01)), skin * 0.62, 0.022, blur=0.015, opacity=0.55)


def _paint_mouth(painter, face):
    person, points = face.person, face.points
    tone = person.skin * person.lip_tone
    outer, inner = points[48:60], points[60:68]
    painter.polygon(_lip_line(outer, 6), tone, blur=0.01)
    upper = np.concatenate([open_curve(outer[:7]), open_curve(inner[:5])[::-1]])
    painter.polygon(upper, tone * 0.86, blur=0.01, opacity=0.8)
    painter.ellipse(points[57] - (0, 0.06 * person.lips), (0.12, 0.022), min(tone * 1.25, 1), blur=0.02, opacity=0.6)
    cavity = _lip_line(inner, 4)
    painter.polygon(cavity, 0.07, blur=0.004)
    gap = points[66, 1] - points[62, 1]
    if gap > 0.06:
        teeth = min(0.11, 0.7 * gap)
        top = points[62, 1]
        painter.ellipse(
            (points[62, 0], top), (0.30 * person.mouth_width, teeth), 0.5 + 0.4 * person.skin, 0.008, 1, cavity
        )
        painter.ellipse((points[66, 0], points[66, 1]), (0.2, 0.35 * gap), person.skin * 0.45, 0.02, 0.8, cavity)
    painter.line(open_curve(inner[:5]), person.skin * 0.22, 0.016, blur=0.006, opacity=0.9)
    for corner in (points[48], points[54]):
        painter.ellipse(corner, (0.028, 0.022), person.skin * 0.4, blur=0.014, opacity=0.8)
    below = points[57] + (0, 0.1)
    painter.ellipse(below, (0.2, 0.035), person.skin * 0.8, blur=0.03, opacity=0.6)


def _lip_line(ring, half):
    """A closed line of lips: smooth above and below, with corners at its first point and that `half` way round."""
    upper = open_curve(ring[: half + 1])
    lower = open_curve(np.concatenate([ring[half:], ring[:1]]))
    return np.concatenate([upper, lower[1:-1]])


def _paint_beard(painter, face):
    person, points = face.person, face.points
    if person.beard <= 0:
        return
    tone = min(person.hair, person.skin * 0.6)
    jaw = points[2:15]
    cheek = np.array([[0.62, 0.95], [0.45, 0.88], [0, 0.84], [-0.45, 0.88], [-0.62, 0.95]]) * (1, 1.05)
    painter.polygon(np.concatenate([jaw * (1.1, 1.05), cheek]), tone, blur=0.07, opacity=person.beard)


def _paint_lines(painter, face):
    person, points, expression = face.person, face.points, face.expression
    strength = 0.25 * person.age + 0.35 * max(expression.smile, 0)
    for wing, corner in ((31, 48), (35, 54)):
        side = np.sign(points[wing, 0])
        fold = np.array(
            [points[wing] + (0.06 * side, -0.06), 0.5 * (points[wing] + points[corner]) + (0.14 * side, -0.05)]
        )
        fold = np.concatenate([fold, [points[corner] + (0.11 * side, 0.0)]])
        painter.line(open_curve(fold), person.skin * 0.66, 0.02, blur=0.02, opacity=min(strength, 1))
    if person.age > 0.6:
        for height in (-0.62, -0.74):
            crease = np.array([[-0.5, height + 0.03], [0, height - 0.02], [0.5, height + 0.03]])
            painter.line(open_curve(crease), person.skin * 0.8, 0.014, blur=0.012, opacity=person.age - 0.4)


def _listed(pixels):
    return [tuple(pixel) for pixel in pixels.tolist()]


def _level(tone):
    return round(255 * min(max(float(tone), 0.0), 1.0))
