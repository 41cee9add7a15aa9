"""Points as pixels, and pixels as maps: what stands between the Recombinator Network and its denoiser.

A point's pixel is one number, row times width plus column. A network that gives a map a point has a number for each
pixel in it, of which a softmax over the map's pixels makes probabilities.
"""

from collections import namedtuple

import aesara
import aesara.tensor as T
from aesara.gradient import disconnected_grad
from lasagne.layers import Layer, MergeLayer

from crmn_legacy.layers.random_numbers import RandomNumbers
from crmn_legacy.metrics import LARGEST


def pixels_of(keypoints, height, width):
    """Numbers of the pixels that points lie in, of ``floatX``.

    Parameters
    ----------
    keypoints : matrix expression (batch, 2 points)
        x0, y0, x1, y1, ... in [0, 1]; what is beyond counts as at the border.
    height, width : int
        Of the map, in pixels.

    Returns
    -------
    expression (batch, points)

    References
    ----------
    Honari et al., 2016, their released code (`discretise_y`).
    """
    limited = T.clip(keypoints, 0, LARGEST)
    return T.floor(limited[:, 1::2] * height) * width + T.floor(limited[:, ::2] * width)


def spatial_cross_entropy(maps, pixels):
    r"""Cross-entropy of a softmax over the pixels of each map.

    .. math:: -\log \frac{\exp m_t}{\sum_p \exp m_p}

    with t the point's own pixel. The greatest number of a map is taken off first, so that nothing overflows.

    Parameters
    ----------
    maps : expression (batch, points, height, width)
        Before the softmax.
    pixels : expression (batch, points)
        As `pixels_of` gives them.

    Returns
    -------
    expression (batch, points)

    References
    ----------
    Honari et al., 2016, and their released code (`RCN_300W.py`).
    """
    batch, points, height, width = (maps.shape[axis] for axis in range(4))
    flat = maps.reshape((batch, points, height * width))
    # The result does not depend on what is taken off, and so has no gradient through it.
    flat = flat - disconnected_grad(flat.max(axis=2, keepdims=True))
    at_target = (flat * _one_hot(pixels, height * width)).sum(axis=2)
    return T.log(T.exp(flat).sum(axis=2)) - at_target


def _one_hot(pixels, size):
    """(..., size) of ``floatX``: 1 where the last index is the pixel's number."""
    return T.eq(T.shape_padright(pixels), T.arange(size)).astype(aesara.config.floatX)


class MovedPointsLayer(Layer):
    """Which of the points are moved while a denoiser is trained: as many in each picture, all choices alike probable.

    With ``deterministic=True`` none is.

    Parameters
    ----------
    incoming : Layer or tuple
        Shape (batch, points, height, width): a map a point. Only its shape is read.
    count : int
        Points to move.
    **kwargs
        Of `lasagne.layers.Layer`.

    Raises
    ------
    ValueError
        An input of another shape, or `count` out of range.

    References
    ----------
    Honari et al., 2016, and their released code (`get_and_noise_one_hot_maps`).
    """

    def __init__(self, incoming, count, **kwargs):
        super().__init__(incoming, **kwargs)
        self.num_points = _maps_shape(self, self.input_shape)[0]
        if not 0 <= count <= self.num_points:
            raise ValueError(f"MovedPointsLayer {self.name!r} expects a count from 0 to {self.num_points}, got {count}")
        self.count = count
        self.random_numbers = RandomNumbers(self.name)

    def get_output_shape_for(self, input_shape):
        return input_shape[:2]

    def get_output_for(self, input, deterministic=False, **kwargs):
        shape = (input.shape[0], self.num_points)
        if deterministic:
            return T.zeros(shape, dtype=aesara.config.floatX)
        drawn = self.random_numbers.uniform(shape)
        return T.lt(_ranks(drawn, self.num_points), self.count).astype(aesara.config.floatX)


def _ranks(drawn, length):
    """How many numbers of its row come before each: lesser ones, and equal ones that stand before it."""
    mine, other = drawn.dimshuffle(0, 1, "x"), drawn.dimshuffle(0, "x", 1)
    place = T.arange(length)
    stands_before = T.lt(place.dimshuffle("x", 0), place.dimshuffle(0, "x")).dimshuffle("x", 0, 1)
    return (T.lt(other, mine) | (T.eq(other, mine) & stands_before)).sum(axis=2)


class NoisyPixelsLayer(MergeLayer):
    """The pixels that a denoiser is told.

    While training these are the true ones, but for points that are moved, which may be anywhere. With
    ``deterministic=True`` they are those of the maps' greatest numbers.

    Parameters
    ----------
    incomings : list of two Layers or tuples
        The maps, (batch, points, height, width), and 1 or 0 for points that are moved or not, (batch, points).
    **kwargs
        Of `lasagne.layers.MergeLayer`.

    Raises
    ------
    ValueError
        Inputs of other shapes; in training, no `keypoints`.

    References
    ----------
    Honari et al., 2016, and their released code (`get_and_noise_one_hot_maps`).
    """

    def __init__(self, incomings, **kwargs):
        super().__init__(incomings, **kwargs)
        self.num_points, self.height, self.width = _maps_shape(self, self.input_shapes[0])
        if len(self.input_shapes) != 2 or self.input_shapes[1][1:] != (self.num_points,):
            raise ValueError(
                f"NoisyPixelsLayer {self.name!r} expects maps and a mark for each of their points, got "
                f"{self.input_shapes}"
            )
        self.random_numbers = RandomNumbers(self.name)

    def get_output_shape_for(self, input_shapes):
        return input_shapes[0][:2]

    def get_output_for(self, inputs, deterministic=False, keypoints=None, **kwargs):
        """Pixels; `keypoints` are the true points, (batch, 2 points), and needed for training only."""
        maps, moved = inputs
        size = self.height * self.width
        if deterministic:
            return T.argmax(maps.reshape((maps.shape[0], self.num_points, size)), axis=2).astype(aesara.config.floatX)
        if keypoints is None:
            raise ValueError(f"NoisyPixelsLayer {self.name!r} expects the true `keypoints` for training, got none")
        drawn = self.random_numbers.uniform((maps.shape[0], self.num_points))
        anywhere = T.minimum(T.floor(drawn * size), size - 1)
        return T.switch(moved > 0, anywhere, pixels_of(keypoints, self.height, self.width))


class OneHotMapsLayer(Layer):
    """Each pixel as a map that is 1 there and 0 elsewhere.

    Parameters
    ----------
    incoming : Layer or tuple
        Numbers of pixels, (batch, points).
    height, width : int
        Of the maps.
    **kwargs
        Of `lasagne.layers.Layer`.
    """

    def __init__(self, incoming, height, width, **kwargs):
        super().__init__(incoming, **kwargs)
        self.height, self.width = height, width

    def get_output_shape_for(self, input_shape):
        return *input_shape, self.height, self.width

    def get_output_for(self, input, **kwargs):
        maps = _one_hot(input, self.height * self.width)
        return maps.reshape((input.shape[0], self.input_shape[1], self.height, self.width))


JointMaps = namedtuple("JointMaps", ("first", "second", "moved"))
JointMaps.__doc__ = """What `JointPredictionLayer` gives in training: two sets of maps, and which points were moved.

Maps of a network that is not trained any more are None.
"""


class JointPredictionLayer(MergeLayer):
    """Points where the sum of two sets of maps is greatest: the product of the two softmaxes.

    The chosen pixel is moved into the part of the picture that is not padding, that is, between its first and its
    last row and column that are not all black; the point is the pixel's centre. While training the two networks are
    apart, and the output is a `JointMaps`.

    Parameters
    ----------
    incomings : list of four Layers or tuples
        Two sets of maps, (batch, points, height, width); which points are moved, (batch, points); the picture,
        (batch, channels, height, width), 0 where it is black.
    components : tuple of two str
        Names of the two networks: a pass that is told ``trained`` gives the maps of those among them alone.
    **kwargs
        Of `lasagne.layers.MergeLayer`.

    Raises
    ------
    ValueError
        Inputs of other shapes.

    References
    ----------
    Honari et al., 2016, and their released code (`get_error_mult_probs`, `project_kpts_to_border`).
    """

    def __init__(self, incomings, components=("rcn", "denoiser"), **kwargs):
        super().__init__(incomings, **kwargs)
        self.components = components
        self.num_points, self.height, self.width = _maps_shape(self, self.input_shapes[0])
        first, second, moved, picture = (shape[1:] for shape in self.input_shapes)
        if second != first or moved != first[:1] or picture[1:] != first[1:]:
            raise ValueError(
                f"JointPredictionLayer {self.name!r} expects two sets of maps alike, a mark for each point and a "
                f"picture of the maps' size, got {self.input_shapes}"
            )

    def get_output_shape_for(self, input_shapes):
        return input_shapes[0][0], 2 * self.num_points

    def get_output_for(self, inputs, deterministic=False, trained=None, **kwargs):
        """Points (batch, 2 points) as x0, y0, x1, y1, ... in [0, 1]; in training a `JointMaps`."""
        first, second, moved, picture = inputs
        if not deterministic:
            maps = zip((first, second), self.components, strict=True)
            return JointMaps(*(m if trained is None or name in trained else None for m, name in maps), moved)
        batch = first.shape[0]
        best = T.argmax((first + second).reshape((batch, self.num_points, self.height * self.width)), axis=2)
        row, column = best // self.width, best % self.width
        x = _within(column, picture.max(axis=(1, 2)) > 0, self.width)
        y = _within(row, picture.max(axis=(1, 3)) > 0, self.height)
        points = T.stack([(x + 0.5) / self.width, (y + 0.5) / self.height], axis=2)
        return points.reshape((batch, 2 * self.num_points)).astype(aesara.config.floatX)


def _within(place, lit, length):
    """`place` (batch, points) limited to the first and the last of the places that are `lit` (batch, length)."""
    lit = lit.astype("int8")
    # Of a black picture both come out as if all of it were lit.
    first = T.argmax(lit, axis=1)
    last = length - 1 - T.argmax(lit[:, ::-1], axis=1)
    return T.clip(place, first.dimshuffle(0, "x"), last.dimshuffle(0, "x"))


def _maps_shape(layer, shape):
    """(points, height, width) of maps, or a ValueError."""
    if len(shape) != 4 or None in shape[1:]:
        raise ValueError(
            f"{type(layer).__name__} {layer.name!r} expects maps of shape (batch, points, height, width), all but the "
            f"batch known, got {shape}"
        )
    return shape[1:]
