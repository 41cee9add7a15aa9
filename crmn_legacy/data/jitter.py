"""The jitter of Honari et al. (2016): the face's box is moved, scaled and turned, and warped to the input.

Points and pixels go through one affine map. Both take pixel i to cover the interval from i to i + 1, so the
centre of the first pixel is 0.5.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import ndimage

from crmn_legacy.data.boxes import crop_to_picture, face_boxes


@dataclass(frozen=True)
class FaceAugmentation:
    """Warp the face of a stored crop to the network's input, jittered or plain.

    Parameters
    ----------
    size : int
        Side of the network's input in pixels.
    ratio : float
        Side of the box over the longer side of the points' tight box.
    scale : float
        The box is scaled by a factor drawn evenly from 1 - scale to 1 + scale.
    translation : float
        The box is moved, along each axis, by up to this part of its side.
    rotation : int
        The box is turned by a whole number of degrees, at most this many either way.
    occlusion : (int, int) or None
        Shortest and longest side, in pixels of the input, of the one black rectangle that is laid somewhere on
        the input; None for no rectangle.
    """

    size: int = 80
    ratio: float = 1.3
    scale: float = 0.1
    translation: float = 0.1
    rotation: int = 20
    occlusion: tuple[int, int] | None = (20, 50)
    last_epoch: ClassVar[None] = None  # faces are jittered to the end

    def __post_init__(self):
        if self.occlusion is not None and not 0 < self.occlusion[0] <= self.occlusion[1] <= self.size:
            raise ValueError(f"occlusion is {self.occlusion}; expected sides from 1 to size = {self.size}")
        if not (0 <= self.scale < 1 and self.translation >= 0 and self.rotation >= 0):
            raise ValueError(
                f"scale, translation, rotation are {self.scale}, {self.translation}, {self.rotation}; "
                "expected 0 <= scale < 1 and the others not negative"
            )

    def __call__(self, images, keypoints, visible, generators):
        """Jitter faces.

        Parameters
        ----------
        images : uint8 array (faces, height, width)
            Stored crops.
        keypoints : float array (faces, points, 2)
            In [0, 1] of the crop.
        visible : bool array (faces, points)
        generators : crmn_legacy.data.randomness.Generators
            One for each face.

        Returns
        -------
        images : uint8 array (faces, size, size)
        keypoints : float32 array (faces, points, 2)
            In [0, 1] of the new image; beyond it where the jitter pushed them out.
        mask : float32 array (faces, points)
            0 for points that are not visible or lie outside the new image, else 1.
        """
        scale = 1 + generators.uniform(-self.scale, self.scale)
        translation = generators.uniform(-self.translation, self.translation, size=2)
        degrees = generators.integers(-self.rotation, self.rotation, endpoint=True)
        points = _pixels(images, keypoints)
        warped, moved, mask = self._warp(images, points, visible, self._forward(points, scale, translation, degrees))
        if self.occlusion is not None:
            self._occlude(warped, generators)
        return warped, moved, mask

    def _occlude(self, images, generators):
        sides = generators.integers(*self.occlusion, size=2, endpoint=True)
        starts = [generators.integers(0, self.size - along, endpoint=True) for along in sides.T]
        for image, (height, width), row, column in zip(images, sides, *starts, strict=True):
            image[row : row + height, column : column + width] = 0

    def plain(self, images, keypoints, visible):
        """The same without jitter and without the rectangle, as test pictures are seen; see `__call__`."""
        points = _pixels(images, keypoints)
        return self._warp(images, points, visible, self._forward(points))

    def to_picture(self, predicted, crop):
        """Carry points predicted on the plain input back to the source picture's pixels.

        Parameters
        ----------
        predicted : array (points, 2)
            In [0, 1] of the plain input.
        crop : crmn_legacy.data.boxes.Crop
            What the plain input was made from.

        Returns
        -------
        float64 array (points, 2)
        """
        matrix, offset = (part[0] for part in self._forward(_pixels(crop.image[None], crop.keypoints[None])))
        inside = (np.asarray(predicted, dtype=np.float64) * self.size - offset) @ np.linalg.inv(matrix).T
        return crop_to_picture(inside / crop.image.shape[::-1], crop.box)

    def _forward(self, points, scale=1.0, translation=((0.0, 0.0),), degrees=None):
        """The affine maps of (x, y) in the crops to (x, y) in the inputs.

        Parameters
        ----------
        points : float64 array (faces, points, 2)
            In pixels of the crop.
        scale : float or float64 array (faces,)
        translation : float64 array (faces, 2)
        degrees : int array (faces,), optional

        Returns
        -------
        float64 arrays (faces, 2, 2), (faces, 2)
            Matrices and offsets.
        """
        x0, y0, x1, y1 = face_boxes(points, self.ratio).astype(np.float64).T
        side = x1 - x0
        # Moved first, then scaled about its new centre, then turned about it.
        right, down = np.transpose(translation)
        x, y = (x0 + x1) / 2 + right * side, (y0 + y1) / 2 + down * side
        # Python's own functions: NumPy's depend on the processor's vector instructions in the last bit.
        turns = [math.radians(turn) for turn in ([0] * len(points) if degrees is None else degrees.tolist())]
        cosine, sine = ([function(turn) for turn in turns] for function in (math.cos, math.sin))
        zoom = self.size / (side * scale)
        # Turning the box by an angle turns what is in it by the opposite one.
        matrix = _by_face([[cosine, sine], [np.negative(sine), cosine]]) * zoom[:, None, None]
        centre = self.size / 2
        return matrix, centre - (matrix[:, :, 0] * x[:, None] + matrix[:, :, 1] * y[:, None])

    def _warp(self, images, points, visible, forward):
        matrix, offset = forward
        (a, b), (c, d) = np.moveaxis(matrix, 0, -1)
        inverse = _by_face([[d, -b], [-c, a]]) / (a * d - b * c)[:, None, None]
        # For each pixel centre of the output the place to read: rows first, and indices, which are half a pixel
        # less than coordinates.
        rows_first = inverse[:, ::-1, ::-1]
        row, column = (0.5 - offset[:, ::-1]).T[:, :, None]
        start = rows_first[:, :, 0] * row + rows_first[:, :, 1] * column - 0.5
        warped = np.empty((len(images), self.size, self.size), np.uint8)
        for image, each, first, output in zip(images, rows_first, start, warped, strict=True):
            ndimage.affine_transform(
                image, each, first, output=output, order=1, mode="grid-constant", cval=0, prefilter=False
            )
        # A product for each face, whose bits do not depend on how many they are.
        moved = ((points @ matrix.swapaxes(1, 2) + offset[:, None]) / self.size).astype(np.float32)
        inside = ((moved >= 0) & (moved < 1)).all(axis=2)
        return warped, moved, (visible & inside).astype(np.float32)


def _pixels(images, keypoints):
    """Keypoints in [0, 1] of their images as float64 pixels."""
    return np.asarray(keypoints, dtype=np.float64) * images.shape[:0:-1]


def _by_face(rows):
    """A matrix of arrays (faces,) as an array (faces, 2, 2), contiguous by face."""
    return np.ascontiguousarray(np.moveaxis(np.array(rows, dtype=np.float64), -1, 0))
