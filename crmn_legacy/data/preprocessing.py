"""From pictures as stored to what a network reads: each paper's own centring, scaling or whitening.

Each object is called with ``images``, uint8 array (n, 3, height, width), and ``pictures``, the
:class:`~crmn_legacy.data.files.labelled_pictures.Pictures` whose training part gives the statistics; it returns a
float32 array of the same shape. A picture's result does not depend on the others, to the last bit; where it is
``costly``, it may be kept from one epoch to the next.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from crmn_legacy.data.whitening import FILTER_BIAS, SCALE, fits, global_contrast_normalize, whiten

# Pictures that are brought to float64 at a time: as many as stay in a processor's cache.
_CHUNK = 16


@dataclass(frozen=True)
class ChannelMean:
    """Take each channel's mean away, and divide by one number.

    Parameters
    ----------
    divisor : float
        255 brings pixels to a range of 1.
    """

    divisor: float = 255.0

    def __post_init__(self):
        _check_divisor(self.divisor)

    def __call__(self, images, pictures):
        return _scaled(images, _by_channel(pictures.statistics.channel_mean), self.divisor)


@dataclass(frozen=True)
class ChannelMeanStd:
    """Take each channel's mean away, and divide by its standard deviation."""

    def __call__(self, images, pictures):
        statistics = pictures.statistics
        return _scaled(images, _by_channel(statistics.channel_mean), _by_channel(statistics.channel_std))


@dataclass(frozen=True)
class PixelMean:
    """Take the mean picture away, and divide by one number.

    Parameters
    ----------
    divisor : float
        255 brings pixels to a range of 1.
    """

    divisor: float = 255.0

    def __post_init__(self):
        _check_divisor(self.divisor)

    def __call__(self, images, pictures):
        return _scaled(images, pictures.statistics.pixel_mean, self.divisor)


@dataclass(frozen=True)
class PixelMeanGlobalStd:
    """Take the mean picture away, and divide by the one standard deviation of all pixels of all channels."""

    def __call__(self, images, pictures):
        return _scaled(images, pictures.statistics.pixel_mean, pictures.statistics.global_std)


@dataclass(frozen=True)
class Centred:
    """Take one gray value away, and divide by one number.

    Parameters
    ----------
    centre : float
        128 is the middle of the range.
    divisor : float
    """

    centre: float = 128.0
    divisor: float = 1.0

    def __post_init__(self):
        _check_divisor(self.divisor)

    def __call__(self, images, pictures):
        return _scaled(images, self.centre, self.divisor)


@dataclass(frozen=True)
class GlobalContrast:
    """Bring every picture to one contrast; :func:`crmn_legacy.data.whitening.global_contrast_normalize`.

    Parameters
    ----------
    scale : float
        Euclidean norm of each picture after it.
    then_mean_image : bool
        Take away the mean of the training pictures thus normalised.
    """

    scale: float = SCALE
    then_mean_image: bool = False
    costly: ClassVar[bool] = True

    def __post_init__(self):
        _check_scale(self.scale, FILTER_BIAS)

    def __call__(self, images, pictures):
        mean = None
        if self.then_mean_image:
            mean = pictures.statistics.contrast_mean(self.scale).reshape(images.shape[1:])

        def normalised(few):
            values = global_contrast_normalize(few, self.scale)
            return values if mean is None else np.subtract(values, mean, out=values)

        return _by_chunks(normalised, images)


@dataclass(frozen=True)
class GlobalContrastZCA:
    """Bring every picture to one contrast, then whiten it; :func:`crmn_legacy.data.whitening.whitening_matrix`.

    Parameters
    ----------
    scale : float
        Euclidean norm of each picture before it is whitened.
    filter_bias : float
        Added to the variances.
    """

    scale: float = SCALE
    filter_bias: float = FILTER_BIAS
    costly: ClassVar[bool] = True

    def __post_init__(self):
        _check_scale(self.scale, self.filter_bias)

    def __call__(self, images, pictures):
        statistics = pictures.statistics
        values = global_contrast_normalize(images, self.scale)
        mean = statistics.contrast_mean(self.scale)
        return whiten(values, mean, statistics.whitening(self.scale, self.filter_bias)).astype(np.float32)


def _by_channel(values):
    return values[:, None, None]


def _scaled(images, centre, divisor):
    def scaled(few):
        values = few - centre
        return np.divide(values, divisor, out=values)

    return _by_chunks(scaled, images)


def _by_chunks(function, images):
    """What a function that treats each picture by itself makes of them, as float32."""
    found = np.empty(images.shape, np.float32)
    for first in range(0, len(images), _CHUNK):
        found[first : first + _CHUNK] = function(images[first : first + _CHUNK])
    return found


def _check_divisor(divisor):
    if not divisor > 0:
        raise ValueError(f"divisor is {divisor}; expected more than 0")


def _check_scale(scale, filter_bias):
    if not fits(scale, filter_bias):
        raise ValueError(
            f"scale, filter_bias are {scale}, {filter_bias}; expected a scale of 0 to 64, a bias of 1e-5 or more"
        )
