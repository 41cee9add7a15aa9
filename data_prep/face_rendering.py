"""A picture of a face: surfaces turned, lit, and thrown on to a grid of pixels, the nearest one winning."""

import math

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from data_prep import face_texture
from data_prep.face_model import CROWN, Face, draw_expression, draw_person, open_curve, shifted

PICTURE_SIZE = 240
_OVERSAMPLING = 2


class Canvas:
    """A square picture with a depth for each sample; what is thrown on it is averaged over the samples."""

    def __init__(self, ground, scale, origin, rotation):
        self._side = PICTURE_SIZE * _OVERSAMPLING
        self._ground = ground
        self._scale = scale
        self._origin = np.asarray(origin)
        self.rotation = rotation
        self._throws = []

    def project(self, points):
        """Points (..., 3) of the face in the picture's pixels (..., 2)."""
        turned = _turned(points, self.rotation)
        # A weak perspective: the nose is a little larger than the ears.
        near = 1 / (1 - 0.035 * turned[..., 2:])
        return turned[..., :2] * near * self._scale + self._origin

    def throw(self, points, tones):
        """Lay samples of a surface, points (..., 3) with gray `tones` (...), on the canvas."""
        # Rounded, so that of samples that coincide the last bit does not choose one: the order does.
        depth = np.round(_turned(points, self.rotation)[..., 2], 6)
        places = np.floor(np.round(self.project(points) * _OVERSAMPLING, 6)).astype(np.int64)
        inside = ((places >= 0) & (places < self._side)).all(axis=-1)
        flat = places[..., 1] * self._side + places[..., 0]
        self._throws.append((flat[inside], depth[inside], np.broadcast_to(tones, inside.shape)[inside]))

    def finished(self):
        """The picture in 0 to 1, float64."""
        flat, depth, tones = (np.concatenate(parts) for parts in zip(*self._throws, strict=True))
        order = np.argsort(depth, kind="stable")
        image = np.full(self._side**2, np.nan)
        image[flat[order]] = tones[order]
        image = _fill_pinholes(image.reshape(self._side, self._side))
        ground = np.kron(self._ground, np.ones((_OVERSAMPLING, _OVERSAMPLING)))
        image = np.where(np.isnan(image), ground, image)
        return image.reshape(PICTURE_SIZE, _OVERSAMPLING, PICTURE_SIZE, _OVERSAMPLING).mean(axis=(1, 3))


class Light:
    """A distant lamp and light from all around."""

    def __init__(self, generator):
        azimuth, elevation = generator.uniform(-1.2, 1.2), generator.uniform(-0.25, 0.95)
        self._direction = np.array(
            [math.sin(azimuth) * math.cos(elevation), -math.sin(elevation), math.cos(azimuth) * math.cos(elevation)]
        )
        self._ambient = generator.uniform(0.3, 0.6)
        self._strength = generator.uniform(0.55, 0.85)
        self._gloss = generator.uniform(0.02, 0.14)

    def shade(self, points, albedo, rotation, gloss=1.0):
        """The gray tones of a surface sampled on a grid, points (rows, columns, 3)."""
        along, across = np.gradient(points, axis=0), np.gradient(points, axis=1)
        normals = np.cross(across, along)
        normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-12)
        normals = _turned(normals, rotation)
        facing = np.clip(_along(normals, self._direction), 0, None)
        halfway = np.add(self._direction, (0, 0, 1))
        halfway /= math.hypot(*halfway)
        shine = np.clip(_along(normals, halfway), 0, None) ** 18
        # What faces away from the viewer sees less of the room.
        room = self._ambient * (0.72 + 0.28 * np.clip(normals[..., 2], 0, 1))
        return albedo * (room + self._strength * facing) + gloss * self._gloss * shine


def render(generator):
    """Draw up a person, an expression, a pose, a light and a ground, and take a picture.

    Parameters
    ----------
    generator : numpy.random.Generator

    Returns
    -------
    picture : uint8 array (PICTURE_SIZE, PICTURE_SIZE)
    points : float64 array (68, 2)
        (x, y) in pixels of the picture.
    """
    face = Face(draw_person(generator), draw_expression(generator))
    rotation = _rotation(generator)
    scale = generator.uniform(44, 54)
    origin = PICTURE_SIZE / 2 + np.array([0, -0.62 * scale]) + generator.uniform(-14, 14, size=2)
    if generator.random() < 0.08:
        # The picture's edge cuts through the face.
        origin[0] += generator.choice([-1, 1]) * generator.uniform(50, 75)
    ground = _ground(generator)
    canvas = Canvas(ground, scale, origin, rotation)
    light = Light(generator)
    _throw_body(canvas, light, face, generator)
    _throw_head(canvas, light, face, generator)
    if face.person.glasses:
        _throw_glasses(canvas, face, generator)
    # As annotators do, move on to the edge what lies beyond it.
    points = np.clip(_seen_points(canvas, face), 0, PICTURE_SIZE)
    return _photograph(canvas.finished(), generator), points


def _rotation(generator):
    yaw = math.radians(generator.uniform(-38, 38))
    pitch = math.radians(generator.uniform(-16, 16))
    roll = math.radians(generator.normal(0, 9))
    cy, sy, cp, sp, cr, sr = (f(a) for a in (yaw, pitch, roll) for f in (math.cos, math.sin))
    turn = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    nod = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    tilt = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return _turned(_turned(turn.T, nod), tilt).T


def _seen_points(canvas, face):
    """The 68 points in the picture; those of the jaw are on the face's visible outline."""
    points = canvas.project(face.lift(face.points))
    curves = canvas.project(face.jaw_curves())
    # "Outward" as the picture sees it: along the line from one ear to the other.
    axis = points[16] - points[0]
    axis /= math.hypot(*axis)
    reach = _along(curves, axis)
    for number in range(17):
        if number != 8:
            furthest = np.argmax(reach[number]) if number > 8 else np.argmin(reach[number])
            points[number] = curves[number, furthest]
    return points


def _throw_head(canvas, light, face, generator):
    person = face.person
    angle = np.linspace(-0.75, 0.75, 640)[None, :] * np.pi
    y = np.linspace(CROWN, face.chin, 430)[:, None]
    angle, y = np.broadcast_arrays(angle, y)
    x, z = face.surface(angle, y)
    points = np.stack([x, y, z], axis=-1)
    texture = face_texture.paint(face, generator)
    rows = (y - face_texture.TOP) * face_texture.SCALE - 0.5
    columns = (x - face_texture.LEFT) * face_texture.SCALE - 0.5
    albedo = ndimage.map_coordinates(texture, [rows, columns], order=1, mode="nearest")
    albedo = np.where(np.abs(angle) > np.pi / 2, person.skin, albedo)
    canvas.throw(points, light.shade(points, albedo, canvas.rotation))
    for side in (-1, 1):
        _throw_ear(canvas, light, face, side)
    if not person.bald:
        _throw_hair(canvas, light, face, angle, y, points, generator)


def _throw_hair(canvas, light, face, angle, y, points, generator):
    person = face.person
    turn = np.abs(angle) / np.pi
    wave = ndimage.gaussian_filter1d(generator.normal(size=angle.shape[1]), 14) * 1.2
    # The hairline: high over the forehead, down the temples, behind the ears.
    line = person.hairline + 3.84 * np.clip(turn - 0.26, 0, None) + 0.12 * wave
    behind = np.clip((turn - 0.47) / 0.05, 0, 1)
    line = np.minimum(line + (2.5 if person.long_hair else 0.6) * behind, 0.95)
    covered = y < line
    strands = ndimage.gaussian_filter(generator.normal(size=y.shape), (22, 1.2))
    strands /= strands.std()
    edge = np.clip((line - y) / 0.12, 0, 1)
    volume = person.hair_volume * (0.15 + 0.85 * edge) + 0.012 * strands
    centre = np.array([0.0, 0.1, -0.3])
    outward = points - centre
    outward /= np.linalg.norm(outward, axis=-1, keepdims=True)
    lifted = points + volume[..., None] * outward
    tones = light.shade(lifted, person.hair * (1 + 0.22 * strands), canvas.rotation, gloss=1.5)
    canvas.throw(lifted[covered], np.clip(tones, 0, 1)[covered])


def _throw_ear(canvas, light, face, side):
    up, round_ = np.meshgrid(np.linspace(0, np.pi, 90), np.linspace(0, 2 * np.pi, 160), indexing="ij")
    x0, z0 = face.surface(np.array(side * 0.54 * np.pi), np.array(0.15))
    x = x0 + side * (0.05 + 0.10 * np.sin(up) * np.cos(round_) - 0.05 * np.sin(up) * np.sin(round_))
    y = 0.2 - 0.33 * np.cos(up)
    z = z0 + 0.17 * np.sin(up) * np.sin(round_) - 0.03
    points = np.stack([x, y, z], axis=-1)
    fold = 1 - 0.35 * np.exp(-(((up - 1.4) / 0.5) ** 2)) * (np.cos(round_) > 0.2)
    # Samples in an order that turns the surface's outside outwards.
    points, fold = points[:, ::side], fold[:, ::side]
    canvas.throw(points, light.shade(points, face.person.skin * 0.9 * fold, canvas.rotation))


def _throw_body(canvas, light, face, generator):
    person = face.person
    upright = _Upright(canvas)
    angle, y = np.meshgrid(np.linspace(-0.5, 0.5, 420) * np.pi, np.linspace(0.9, 3.2, 420), indexing="xy")
    flare = np.clip(y - 1.9, 0, None)
    radius = 0.66 * person.width + 0.35 * flare**2
    neck = np.stack([radius * np.sin(angle), y, -0.45 + radius * np.cos(angle)], axis=-1)
    shadow = 0.55 + 0.45 * np.clip((y - 1.5) / 0.9, 0, 1)
    upright.throw(neck, light.shade(neck, person.skin * shadow, np.eye(3)))
    x, y = np.meshgrid(np.linspace(-3.2, 3.2, 700), np.linspace(0, 2.0, 300), indexing="xy")
    top = 1.95 + 0.16 * np.abs(x) + 0.10 * x**2 + 0.30 * np.exp(-((x / 0.6) ** 2))
    tone = generator.uniform(0.08, 0.85)
    stripes = 1 + generator.choice([0, 0, 0.25]) * np.sign(np.sin(y * generator.uniform(10, 40)))
    cloth = np.stack([x, top + y, -0.25 + 0.5 * np.sin(np.clip(y, 0, 1)) - 0.05 * x**2], axis=-1)
    upright.throw(cloth, light.shade(cloth, tone * stripes * np.ones_like(x), np.eye(3), gloss=0.2))
    if person.long_hair:
        _throw_mane(upright, light, face, generator)


def _throw_mane(upright, light, face, generator):
    length = generator.uniform(1.3, 3.0)
    width = generator.uniform(1.2, 1.5) * face.person.width
    angle, y = np.meshgrid(np.linspace(-0.55, 0.55, 620) * np.pi, np.linspace(-0.9, length, 460), indexing="xy")
    strands = ndimage.gaussian_filter(generator.normal(size=y.shape), (30, 2))
    strands /= strands.std()
    radius = (width + 0.02 * strands) * np.sqrt(np.clip(1 - np.clip((-0.2 - y) / 1.1, 0, 1) ** 2, 0.05, 1))
    points = np.stack([radius * np.sin(angle), y, -0.75 + 0.45 * np.cos(angle)], axis=-1)
    tones = light.shade(points, face.person.hair * (1 + 0.25 * strands), np.eye(3), gloss=1.5)
    upright.throw(points, np.clip(tones, 0, 1))


class _Upright:
    """The canvas for what is below the head: carried along by the neck, but never turned."""

    def __init__(self, canvas):
        self._canvas = canvas
        self._pivot = np.array([0.0, 1.0, -0.4])

    def throw(self, points, tones):
        """As :meth:`Canvas.throw`, about the neck."""
        full = self._canvas.rotation
        moved = points - self._pivot + _turned(self._pivot, full)
        self._canvas.throw(_turned(moved, full.T), tones)


def _throw_glasses(canvas, face, generator):
    tone = generator.uniform(0.03, 0.35)
    thickness = generator.uniform(0.022, 0.05)
    width, height = generator.uniform(0.30, 0.36), generator.uniform(0.2, 0.3)
    squareness = generator.uniform(2.0, 4.0)
    turn = np.linspace(0, 2 * np.pi, 1200)
    rounded = np.column_stack(
        [
            np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** (2 / squareness) * width,
            np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** (2 / squareness) * height + 0.05,
        ]
    )
    lines = [shifted(rounded, side * 0.49, 0) for side in (-1, 1)]
    lines.append(open_curve(np.array([[-0.16, 0.0], [0, -0.05], [0.16, 0.0]]), 300))
    front = face.lift(np.array([[0, 0.12]]))[0, 2] + 0.03
    jitter = np.linspace(-0.5, 0.5, 9) * thickness
    offsets = np.array([[a, b] for a in jitter for b in jitter])
    for line in lines:
        points = (line[:, None] + offsets[None]).reshape(-1, 2)
        depth = front - 0.16 * points[:, 0] ** 2
        canvas.throw(np.column_stack([points, depth]), tone)
    for side in (-1, 1):
        z = np.linspace(front - 0.16 * 0.7, -0.2, 500)
        x = side * np.linspace(0.49 + width, 1.25 * face.person.width, 500)
        arm = np.column_stack([x, np.full(500, -0.02), z])
        spread = np.array([[0, b, 0] for b in jitter])
        canvas.throw((arm[:, None] + spread[None]).reshape(-1, 3), tone)


def _ground(generator):
    """What is behind the face: a slope of gray, soft patches, and some shapes."""
    side = PICTURE_SIZE
    y, x = np.mgrid[0:side, 0:side] / side - 0.5
    turn = generator.uniform(0, 2 * math.pi)
    image = generator.uniform(0.15, 0.85) + generator.uniform(0, 0.5) * (x * math.cos(turn) + y * math.sin(turn))
    patches = ndimage.gaussian_filter(generator.normal(size=(side, side)), generator.uniform(4, 30))
    image = image + generator.uniform(0, 0.16) * patches / patches.std()
    shapes = Image.fromarray(np.round(255 * np.clip(image, 0, 1)).astype(np.uint8))
    draw = ImageDraw.Draw(shapes)
    for _ in range(generator.integers(0, 9)):
        corners = generator.uniform(-0.2, 1.2, size=(2, 2)) * side
        box = [*corners.min(axis=0).tolist(), *corners.max(axis=0).tolist()]
        tone = int(generator.integers(20, 235))
        (draw.rectangle if generator.random() < 0.6 else draw.ellipse)(box, fill=tone)
    image = np.asarray(shapes, dtype=np.float64) / 255
    return ndimage.gaussian_filter(image, generator.uniform(0.6, 5))


def _photograph(image, generator):
    """Gamma, contrast, blur and noise of a camera; uint8."""
    image = np.clip(image, 0, 1.2) / 1.05
    image = np.clip(image, 0, 1) ** generator.uniform(0.6, 0.95)
    image = np.clip(0.5 + generator.uniform(0.85, 1.15) * (image - 0.5) + generator.uniform(-0.06, 0.06), 0, 1)
    image = ndimage.gaussian_filter(image, generator.uniform(0.3, 1.1))
    image = image + generator.normal(size=image.shape) * generator.uniform(0.002, 0.016)
    return np.round(255 * np.clip(image, 0, 1)).astype(np.uint8)


def _along(vectors, direction):
    """The dot product with `direction`, in an order that no BLAS library chooses."""
    return sum(vectors[..., axis] * component for axis, component in enumerate(direction.tolist()))


def _turned(vectors, rotation):
    return np.stack([_along(vectors, row) for row in rotation], axis=-1)


def _fill_pinholes(image):
    """Give samples that no point of a surface hit, but most of whose neighbours were, the neighbours' mean."""
    hit = ~np.isnan(image)
    around = ndimage.uniform_filter(hit.astype(np.float64), 3)
    total = ndimage.uniform_filter(np.where(hit, image, 0.0), 3)
    filled = total / np.maximum(around, 1e-9)
    return np.where(~hit & (around > 0.6), filled, image)
