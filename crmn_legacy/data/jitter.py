"""The jitter of Honari et al. (2016): the face's box is moved, scaled and turned, and warped to the input.

Points and pixels go through one affine map. Both take pixel i to cover the interval from i to i + 1, so the
centre of the first pixel is 0.5.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import ndimage

from crmn_legacy.data.boxes import crop_to_picture, face_box


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

    def __call__(self, image, keypoints, visible, generator):
        """Jitter one face.

        Parameters
        ----------
        image : uint8 array (height, width)
            A stored crop.
        keypoints : float array (points, 2)
            In [0, 1] of the crop.
        visible : bool array (points,)
        generator : numpy.random.Generator
            From :func:`crmn_legacy.data.randomness.generator`.

        Returns
        -------
        image : uint8 array (size, size)
        keypoints : float32 array (points, 2)
            In [0, 1] of the new image; beyond it where the jitter pushed them out.
        mask : float32 array (points,)
            0 for points that are not visible or lie outside the new image, else 1.
        """
        scale = 1 + generator.uniform(-self.scale, self.scale)
        translation = generator.uniform(-self.translation, self.translation, size=2)
        degrees = int(generator.integers(-self.rotation, self.rotation, endpoint=True))
        forward = self._forward(image.shape, keypoints, scale, translation, degrees)
        image, keypoints, mask = self._warp(image, keypoints, visible, forward)
        if self.occlusion is not None:
            height, width = generator.integers(*self.occlusion, size=2, endpoint=True)
            row = generator.integers(0, self.size - height, endpoint=True)
            column = generator.integers(0, self.size - width, endpoint=True)
            image[row : row + height, column : column + width] = 0
        return image, keypoints, mask

    def plain(self, image, keypoints, visible):
        """The same without jitter and without the rectangle, as test pictures are seen; see `__call__`."""
        return self._warp(image, keypoints, visible, self._forward(image.shape, keypoints))

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
        matrix, offset = self._forward(crop.image.shape, crop.keypoints)
        inside = (np.asarray(predicted, dtype=np.float64) * self.size - offset) @ np.linalg.inv(matrix).T
        return crop_to_picture(inside / crop.image.shape[::-1], crop.box)

    def _forward(self, shape, keypoints, scale=1.0, translation=(0.0, 0.0), degrees=0):
        """The affine map, (2, 2) matrix and (2,) offset, of (x, y) in the crop to (x, y) in the input."""
        points = np.asarray(keypoints, dtype=np.float64) * shape[::-1]
        x0, y0, x1, y1 = face_box(points, self.ratio)
        side = x1 - x0
        # Moved first, then scaled about its new centre, then turned about it.
        x, y = (x0 + x1) / 2 + translation[0] * side, (y0 + y1) / 2 + translation[1] * side
        # Python's own functions: NumPy's depend on the processor's vector instructions in the last bit.
        cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        zoom = self.size / (side * scale)
        # Turning the box by an angle turns what is in it by the opposite one.
        matrix = zoom * np.array([[cosine, sine], [-sine, cosine]])
        centre = self.size / 2
        offset = np.array(
            [
                centre - (matrix[0, 0] * x + matrix[0, 1] * y),
                centre - (matrix[1, 0] * x + matrix[1, 1] * y),
            ]
        )
        return matrix, offset

    def _warp(self, image, keypoints, visible, forward):
        (a, b), (c, d) = matrix = forward[0]
        offset = forward[1]
        determinant = a * d - b * c
        inverse = np.array([[d, -b], [-c, a]]) / determinant
        # For each pixel centre of the output the place to read: rows first, and indices, which are half a pixel
        # less than coordinates.
        rows_first = inverse[::-1, ::-1]
        half = np.array([0.5, 0.5])
        start = rows_first @ (half - offset[::-1]) - half
        warped = ndimage.affine_transform(
            image,
            rows_first,
            start,
            output_shape=(self.size, self.size),
            output=np.uint8,
            order=1,
            mode="grid-constant",
            cval=0,
            prefilter=False,
        )
        points = np.asarray(keypoints, dtype=np.float64) * image.shape[::-1]
        moved = ((points @ matrix.T + offset) / self.size).astype(np.float32)
        inside = ((moved >= 0) & (moved < 1)).all(axis=1)
        return warped, moved, (visible & inside).astype(np.float32)
