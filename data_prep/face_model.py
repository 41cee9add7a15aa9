"""A face as a surface in space with 68 points on it, drawn up from a few numbers.

Units: 1 is the distance between the centres of the eyes. The origin lies between the eyes; x runs to the
right of the picture, y down, z towards the viewer. Every number in this file was chosen by eye.
"""

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline, PchipInterpolator

CROWN = -1.45

# Heights at which the outline is given, from the crown to the chin, as parts of the way from eyes to either.
_HEIGHTS = np.array([-1.0, -0.97, -0.85, -0.6, -0.3, 0.0, 0.3, 0.55, 0.72, 0.86, 0.95, 0.985, 1.0])
_HALF_WIDTHS = np.array([0.0, 0.36, 0.72, 1.02, 1.14, 1.15, 1.11, 1.0, 0.84, 0.61, 0.36, 0.19, 0.0])
_DEPTHS = np.array([0.0, 0.40, 0.75, 0.98, 1.03, 0.95, 0.88, 0.82, 0.72, 0.56, 0.34, 0.18, 0.0])
_CENTRES = np.array([-0.55, -0.5, -0.4, -0.24, -0.15, -0.12, -0.05, 0.02, 0.10, 0.24, 0.42, 0.54, 0.62])


@dataclass(frozen=True)
class Person:
    """What stays with a person: proportions (1 is the average), tones in 0 to 1, hair, beard, glasses."""

    width: float
    length: float
    jaw: float
    eye: float
    nose_length: float
    nose_width: float
    mouth_width: float
    lips: float
    brow_height: float
    brow_thickness: float
    skin: float
    hair: float
    iris: float
    lip_tone: float
    hairline: float
    hair_volume: float
    long_hair: bool
    bald: bool
    beard: float
    glasses: bool
    age: float


@dataclass(frozen=True)
class Expression:
    """What passes: eye opening (1 is plain), gaze, brows up, frown, mouth opening, smile, lopsidedness."""

    eyes: float
    gaze_x: float
    gaze_y: float
    brows: float
    frown: float
    mouth: float
    smile: float
    skew: float


def draw_person(generator):
    """A random :class:`Person`."""
    g = generator
    skin = g.uniform(0.32, 0.9)
    long_hair = bool(g.random() < 0.45)
    return Person(
        width=g.uniform(0.9, 1.07),
        length=g.uniform(0.93, 1.08),
        jaw=g.uniform(0.86, 1.1),
        eye=g.uniform(0.88, 1.2),
        nose_length=g.uniform(0.9, 1.1),
        nose_width=g.uniform(0.85, 1.25),
        mouth_width=g.uniform(0.86, 1.12),
        lips=g.uniform(0.65, 1.4),
        brow_height=g.uniform(-0.03, 0.05),
        brow_thickness=g.uniform(0.6, 1.3),
        skin=skin,
        hair=min(g.choice([0.06, 0.1, 0.16, 0.28, 0.5, 0.75]) * g.uniform(0.8, 1.2), skin * 1.1),
        iris=g.uniform(0.08, 0.4),
        lip_tone=g.uniform(0.55, 0.85),
        hairline=g.uniform(-1.12, -0.85),
        hair_volume=g.uniform(0.05, 0.2),
        long_hair=long_hair,
        bald=bool(not long_hair and g.random() < 0.12),
        beard=0.0 if long_hair or g.random() < 0.5 else g.uniform(0.1, 0.75),
        glasses=bool(g.random() < 0.18),
        age=g.uniform(0, 1),
    )


def draw_expression(generator):
    """A random :class:`Expression`."""
    g = generator
    return Expression(
        eyes=g.uniform(0.15, 0.5) if g.random() < 0.08 else g.uniform(0.7, 1.35),
        gaze_x=g.uniform(-0.05, 0.05),
        gaze_y=g.uniform(-0.02, 0.02),
        brows=g.uniform(-0.05, 0.09),
        frown=g.uniform(-0.05, 0.06),
        mouth=g.uniform(0.05, 0.5) if g.random() < 0.4 else 0.0,
        smile=g.uniform(-0.3, 1.0),
        skew=g.normal(0, 0.02),
    )


class Face:
    """The surface and the points of one person with one expression.

    Attributes
    ----------
    points : float64 array (68, 2)
        (x, y) of the 68 points in the order of the 300-W mark-up, seen from the front.
    """

    def __init__(self, person, expression):
        self.person = person
        self.expression = expression
        self.chin = 1.74 * person.length + 0.34 * expression.mouth
        knots = np.where(_HEIGHTS < 0, -_HEIGHTS * CROWN, _HEIGHTS * self.chin)
        # The jaw bends the outline below the cheekbones only.
        jaw = 1 + (person.jaw - 1) * np.clip(_HEIGHTS / 0.8, 0, 1)
        self._half_width = PchipInterpolator(knots, _HALF_WIDTHS * person.width * jaw)
        self._depth = PchipInterpolator(knots, _DEPTHS)
        self._centre = PchipInterpolator(knots, _CENTRES)
        self.points = self._front_points()

    def half_width(self, y):
        """Half the width of the head at height `y`."""
        return np.maximum(self._half_width(np.clip(y, CROWN, self.chin)), 0)

    def surface(self, angle, y):
        """x and z of the head at height `y`, `angle` radians around it from its front."""
        y = np.clip(y, CROWN, self.chin)
        x = self.half_width(y) * np.sin(angle)
        cosine = np.cos(angle)
        front = np.clip(cosine, 0, None)
        z = self._centre(y) + self._depth(y) * np.where(cosine > 0, front**0.9, cosine)
        return x, z + self._relief(x, y) * np.clip(front * 3, 0, 1)

    def lift(self, points):
        """Give points (n, 2) seen from the front the depth of the surface below them; array (n, 3)."""
        x, y = np.asarray(points, dtype=np.float64).T
        limit = np.maximum(self.half_width(y), 1e-6)
        angle = np.arcsin(np.clip(x / limit, -1, 1))
        _, z = self.surface(angle, y)
        return np.column_stack([x, y, z])

    def jaw_curves(self, count=40):
        """For each of the 17 jaw points the way from the face's front to it along the surface; (17, count, 3)."""
        curves = np.empty((17, count, 3))
        for number, (x, y) in enumerate(self.points[:17]):
            side = np.sign(x) if number != 8 else 0.0
            angle = side * np.linspace(0.25, 0.5, count) * np.pi
            across, z = self.surface(angle, np.full(count, y))
            curves[number] = np.column_stack([across, np.full(count, y), z])
        return curves

    def _relief(self, x, y):
        """Nose, eye sockets, brow ridge, lips, cheeks and chin on top of the smooth head."""
        person, points = self.person, self.points
        tip = 0.55 * person.nose_length
        base = 0.73 * person.nose_length
        rise = PchipInterpolator(
            [-0.35, -0.1, 0.1, tip - 0.02, tip + 0.07, base + 0.01, base + 0.1], [0, 0.1, 0.17, 0.42, 0.41, 0.12, 0]
        )
        height = np.where((y > -0.35) & (y < base + 0.1), rise(np.clip(y, -0.35, base + 0.1)), 0)
        breadth = person.nose_width * (0.10 + 0.07 * np.clip(y / tip, 0, 1))
        nose = height * np.exp(-((np.abs(x) / breadth) ** 2.2))
        wings = 0.14 * _bump(np.abs(x) - 0.19 * person.nose_width, y - (base - 0.1), 0.075, 0.08)
        sockets = -0.13 * _bump(np.abs(x) - 0.47, y - 0.0, 0.26, 0.17)
        eyeballs = 0.06 * _bump(np.abs(x) - 0.5, y - 0.01, 0.17, 0.1)
        ridge = 0.05 * _bump(np.abs(x) - 0.5, y + 0.36, 0.4, 0.1)
        cheeks = (0.06 + 0.04 * max(self.expression.smile, 0)) * _bump(np.abs(x) - 0.66, y - 0.5, 0.27, 0.25)
        chin = 0.09 * _bump(x, y - (self.chin - 0.22), 0.26, 0.16)
        hollow = -0.05 * _bump(x, y - (self.chin - 0.42), 0.3, 0.08)
        upper, lower = points[[51, 57], 1] + np.array([0.056, -0.064]) * person.lips
        lips = 0.09 * (_bump(x, y - upper, 0.33, 0.09) + _bump(x, y - lower, 0.3, 0.09))
        fold = (
            -0.035 * max(self.expression.smile, 0.15) * _bump(np.abs(x) - 0.42 - 0.12 * (y - 0.8), y - 0.85, 0.05, 0.2)
        )
        return nose + wings + sockets + eyeballs + ridge + cheeks + chin + hollow + lips + fold

    def _front_points(self):
        person, expression = self.person, self.expression
        points = np.empty((68, 2))
        points[:17] = self._outline()

        lift = person.brow_height + expression.brows
        brow = np.array([[-0.93, -0.25], [-0.79, -0.38], [-0.60, -0.43], [-0.41, -0.40], [-0.23, -0.33]])
        brow[:, 1] -= lift * np.array([0.6, 1.0, 1.0, 0.9, 0.8])
        brow[3:, 1] += expression.frown
        points[17:22] = brow
        points[22:27] = _mirror(brow[::-1])

        length, width = person.nose_length, person.nose_width
        points[27:31] = [[0, -0.03], [0, 0.16 * length], [0, 0.36 * length], [0, 0.55 * length]]
        points[31:36] = [
            [-0.25 * width, 0.66 * length],
            [-0.13 * width, 0.70 * length],
            [0, 0.73 * length],
            [0.13 * width, 0.70 * length],
            [0.25 * width, 0.66 * length],
        ]

        opening, size = expression.eyes * person.eye, person.eye
        eye = np.array(
            [
                [-0.21 * size, 0.015],
                [-0.085 * size, -0.085 * opening],
                [0.085 * size, -0.085 * opening],
                [0.21 * size, 0.02],
                [0.085 * size, 0.065 * opening],
                [-0.085 * size, 0.065 * opening],
            ]
        )
        points[36:42] = shifted(eye, -0.5, 0)
        # The right eye starts at its inner corner.
        points[42:48] = shifted(_mirror(eye), 0.5, 0)[[3, 2, 1, 0, 5, 4]]

        points[48:68] = self._mouth_points()
        # A face is never quite even.
        points[48:68, 0] += expression.skew
        points[17:22, 1] += expression.skew
        return points

    def _outline(self):
        y = np.linspace(-0.12, self.chin, 400)
        x = self.half_width(y)
        way = np.concatenate([[0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
        at = np.interp(np.linspace(0, way[-1], 9), way, np.arange(len(y)))
        y = np.interp(at, np.arange(len(y)), y)
        half = np.column_stack([-np.maximum(self.half_width(y), 0), y])
        return np.concatenate([half, _mirror(half[-2::-1])])

    def _mouth_points(self):
        person, expression = self.person, self.expression
        smile, opening, lips = expression.smile, 0.3 * expression.mouth, person.lips
        middle = 1.05 * (0.5 + 0.5 * person.nose_length) * (0.4 + 0.6 * person.length)
        corner = (0.40 + 0.075 * smile - 0.06 * expression.mouth) * person.mouth_width
        rise = -0.085 * smile + 0.25 * opening
        upper, lower = 0.115 * lips - 0.02 * smile, 0.14 * lips - 0.02 * smile
        gap = 0.012
        left = {
            48: [-corner, rise],
            49: [-0.60 * corner, 0.35 * rise - 0.75 * upper],
            50: [-0.22 * corner, -upper - 0.01],
            51: [0, -upper + 0.012],
            57: [0, lower + opening],
            58: [-0.28 * corner, 0.96 * lower + 0.97 * opening],
            59: [-0.64 * corner, 0.4 * rise + 0.66 * lower + 0.68 * opening],
            60: [-0.87 * corner, 0.88 * rise],
            61: [-0.30 * corner, 0.1 * rise - gap],
            62: [0, -gap],
            66: [0, gap + opening],
            67: [-0.30 * corner, 0.1 * rise + gap + 0.93 * opening],
        }
        twin = {48: 54, 49: 53, 50: 52, 58: 56, 59: 55, 60: 64, 61: 63, 67: 65}
        mouth = np.empty((20, 2))
        for number, point in left.items():
            mouth[number - 48] = point
            if number in twin:
                mouth[twin[number] - 48] = [-point[0], point[1]]
        return shifted(mouth, 0, middle)


def shifted(points, x, y):
    """`points` (..., 2) moved by (x, y)."""
    return np.add(points, (x, y))


def closed_curve(points, count=80):
    """A smooth closed curve through `points`; array (count, 2)."""
    points = np.concatenate([points, points[:1]])
    way = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    curve = CubicSpline(way, points, bc_type="periodic")(np.linspace(0, way[-1], count, endpoint=False))
    # The spline's equations are solved by a library whose last bits differ between processors.
    return np.round(curve, 9)


def open_curve(points, count=40):
    """A smooth curve from the first to the last of `points`; array (count, 2)."""
    way = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    return PchipInterpolator(way, points)(np.linspace(0, way[-1], count))


def _bump(x, y, width, height):
    return np.exp(-((x / width) ** 2) - (y / height) ** 2)


def _mirror(points):
    return points * (-1, 1)
