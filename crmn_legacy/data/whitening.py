"""What preprocessing needs to know of the training pictures: means, deviations, and the whitening of ZCA.

Everything here gives the same bits on any processor. Sums of pixels are sums of integers. What goes through a matrix
product is rounded to binary fractions beforehand, so that each product and each sum is exact in float64, whatever
the order of the additions; so a picture's result does not depend on its neighbours in a batch either. The eigenvectors
alone come from a library whose last bits vary, and their product is rounded to `_MATRIX_STEP`, far coarser than these.
"""

import contextlib
import sys
import threading

import numpy as np
from scipy import linalg

# The scale and bias that are stored: those of pylearn2's whitened CIFAR.
SCALE = 55.0
FILTER_BIAS = 0.1
MIN_DIVISOR = 1e-8

# Steps to which pictures and matrices are rounded. A product has 35 binary places, which leaves 18 bits before the
# point: by Cauchy and Schwarz no sum is larger than twice the scale by the matrix's norm.
_PICTURE_STEP = 2.0**-20
_MATRIX_STEP = 2.0**-15
_LARGEST_SUM = 2.0**18

# Pictures that are brought to float64 at a time.
_CHUNK = 1000

# After so many seconds of silence a user is told what is going on.
_PATIENCE = 3.0


def global_contrast_normalize(images, scale=SCALE, subtract_mean=True, min_divisor=MIN_DIVISOR):
    """Bring every picture to one contrast: its mean taken away, and its Euclidean norm made `scale`.

    Parameters
    ----------
    images : uint8 array (pictures, ...)
    scale : float
        At most 64.
    subtract_mean : bool
        Over all pixels and channels of the picture.
    min_divisor : float
        A picture whose norm over `scale` is less is not divided.

    Returns
    -------
    float64 array (pictures, ...)
        Rounded to multiples of 2**-20.

    References
    ----------
    Goodfellow et al., "Pylearn2: a machine learning research library", 2013 (``expr.preprocessing``); Coates, Lee
    and Ng, "An analysis of single-layer networks in unsupervised feature learning", 2011.
    """
    flat = images.reshape(len(images), -1)
    pixels = flat.shape[1]
    values = flat.astype(np.float64)
    # Sums of whole numbers that a float64 holds exactly.
    squares = np.einsum("ij,ij->i", values, values).astype(np.int64)
    if subtract_mean:
        sums = values.sum(axis=1).astype(np.int64)
        values -= (sums / pixels)[:, None]
        norms = np.sqrt((pixels * squares - sums**2) / pixels)
    else:
        norms = np.sqrt(squares.astype(np.float64))
    divisors = norms / scale
    divisors[divisors < min_divisor] = 1.0
    values /= divisors[:, None]
    return _rounded(values, _PICTURE_STEP).reshape(images.shape)


def whiten(values, mean, matrix):
    """The product of `matrix` and each picture less `mean`.

    Parameters
    ----------
    values : float64 array (pictures, ...)
        From :func:`global_contrast_normalize`.
    mean, matrix : float64 arrays (pixels,), (pixels, pixels)
        From :class:`Statistics`.

    Returns
    -------
    float64 array (pictures, ...)
    """
    # The matrix is symmetric: rows need not be turned into columns.
    return ((values.reshape(len(values), -1) - mean) @ matrix).reshape(values.shape)


def fits(scale, filter_bias):
    """Whether whitening at this scale and bias is exact: whether its sums have room in a float64."""
    return 0 < scale <= 64 and filter_bias > 0 and 2 * scale / filter_bias**0.5 < _LARGEST_SUM / 2


class Statistics:
    """Statistics of the training pictures, each as stored, or computed at its first use.

    Parameters
    ----------
    images : uint8 array (pictures, 3, height, width)
        The training pictures, no others.
    stored : dict of str to array
        What a file holds of `STORED`; of scale `SCALE` and bias `FILTER_BIAS` where it is of these.
    """

    def __init__(self, images, stored=None):
        self._images = images
        self._stored = dict(stored or {})
        self._computed = {}
        self._lock = threading.RLock()

    @property
    def channel_mean(self):
        """Mean of each channel, pixels of 0 to 255; float64 array (3,)."""
        return self._get("channel_mean", lambda: self._moments()[0])

    @property
    def channel_std(self):
        """Standard deviation of each channel about its mean; float64 array (3,)."""
        return self._get("channel_std", lambda: self._moments()[1])

    @property
    def pixel_mean(self):
        """The mean picture; float64 array (3, height, width)."""
        return self._get("pixel_mean", lambda: self._images.sum(axis=0, dtype=np.int64) / len(self._images))

    @property
    def global_std(self):
        """Standard deviation of all pixels of all channels about their one mean; float64 array (1,)."""
        return self._get("global_std", lambda: self._moments()[2])

    def contrast_mean(self, scale=SCALE):
        """The mean picture after :func:`global_contrast_normalize`; float64 array (pixels,)."""
        return self._get("contrast_mean", lambda: contrast_mean(self._images, scale), scale)

    def whitening(self, scale=SCALE, filter_bias=FILTER_BIAS):
        """The matrix of :func:`whitening_matrix`; float64 array (pixels, pixels)."""
        mean = self.contrast_mean(scale)

        def compute():
            with _told_if_long(f"whitening of {len(self._images):,} training pictures is computed"):
                return whitening_matrix(self._images, mean, scale, filter_bias)

        return self._get("whitening", compute, scale, filter_bias)

    def _get(self, name, compute, scale=SCALE, filter_bias=FILTER_BIAS):
        key = name, scale, filter_bias
        # Batches are prepared in threads; the first computes, the others wait.
        with self._lock:
            if key not in self._computed:
                stored = name in self._stored and (scale, filter_bias) == (SCALE, FILTER_BIAS)
                self._computed[key] = np.asarray(self._stored[name] if stored else compute(), dtype=np.float64)
            return self._computed[key]

    def _moments(self):
        """Mean and deviation of each channel, and the deviation of all, from counts of the 256 values."""
        values = np.arange(256)
        counts = np.stack([np.bincount(channel.reshape(-1), minlength=256) for channel in self._images.swapaxes(0, 1)])
        number, sums, squares = counts.sum(axis=1), counts @ values, counts @ values**2
        # Python's integers: the squares of sums over a whole data set have more than 64 bits.
        deviations = [
            _deviation(int(n), int(total), int(square))
            for n, total, square in [*zip(number, sums, squares, strict=True), (*map(sum, (number, sums, squares)),)]
        ]
        return sums / number, np.array(deviations[:-1]), np.array(deviations[-1:])


STORED = ("channel_mean", "channel_std", "pixel_mean", "global_std", "contrast_mean", "whitening")
"""What a file may hold of these, by the name of attribute or method; contrast as ``SCALE`` and ``FILTER_BIAS`` say."""


def training_statistics(images):
    """Everything of `STORED`, computed from the training pictures.

    Parameters
    ----------
    images : uint8 array (pictures, ...)

    Returns
    -------
    dict of str to float64 array
    """
    statistics = Statistics(images)
    return {name: value() if callable(value := getattr(statistics, name)) else value for name in STORED}


def contrast_mean(images, scale=SCALE):
    """The mean of the pictures after :func:`global_contrast_normalize`.

    Parameters
    ----------
    images : uint8 array (pictures, ...)
    scale : float
        Of that function.

    Returns
    -------
    float64 array (pixels,)
    """
    # Sums of multiples of 2**-20 below 2**6 stay exact for as many pictures as a file can hold.
    total = sum(_chunks(images, lambda chunk: chunk.sum(axis=0), scale))
    return _rounded(total / len(images), _PICTURE_STEP)


def whitening_matrix(images, mean, scale=SCALE, filter_bias=FILTER_BIAS):
    """The symmetric matrix of ZCA: one over the square root of the pictures' covariance plus `filter_bias`.

    Parameters
    ----------
    images : uint8 array (pictures, ...)
        The training pictures.
    mean : float64 array (pixels,)
        :func:`contrast_mean` of them.
    scale, filter_bias : float
        The bias stands on the covariance's diagonal, so that nothing is divided by zero.

    Returns
    -------
    float64 array (pixels, pixels)
        Rounded to multiples of 2**-15.

    References
    ----------
    Krizhevsky, "Learning multiple layers of features from tiny images", 2009, appendix A; pylearn2's ``ZCA``.
    """
    if len(images) < len(mean):
        return _whitening_of_few(images, mean, scale, filter_bias)
    covariance = sum(_chunks(images, lambda chunk: (chunk - mean).T @ (chunk - mean), scale)) / len(images)
    variances, vectors = linalg.eigh(covariance, overwrite_a=True)
    scaled = vectors * (np.maximum(variances, 0) + filter_bias) ** -0.25
    return _rounded(scaled @ scaled.T, _MATRIX_STEP)


def _whitening_of_few(images, mean, scale, filter_bias):
    """:func:`whitening_matrix` from the inner products of fewer pictures than pixels.

    With X the pictures in rows and X X' / n = U L U', any function f of the covariance X' X / n is
    f(0) I + X' U g(L) U' X / n, where g(l) = (f(l) - f(0)) / l. Here f(l) = 1 / sqrt(l + b), and g has a form that
    divides by no l.
    """
    centred = np.concatenate(list(_chunks(images, lambda chunk: chunk - mean, scale)))
    variances, vectors = linalg.eigh(centred @ centred.T / len(images))
    roots, root = np.sqrt(np.maximum(variances, 0) + filter_bias), filter_bias**0.5
    gain = 1 / (root * roots * (roots + root))
    scaled = (vectors * np.sqrt(gain / len(images))).T @ centred
    matrix = -(scaled.T @ scaled)
    matrix[np.diag_indices_from(matrix)] += 1 / root
    return _rounded(matrix, _MATRIX_STEP)


@contextlib.contextmanager
def _told_if_long(what):
    """Say on standard error that `what` goes on, if it takes longer than `_PATIENCE`."""

    def tell():
        from tqdm import tqdm  # it goes round progress bars

        with contextlib.suppress(OSError, ValueError):  # nobody listens
            tqdm.write(f"note: {what}: once, a minute or so", file=sys.stderr)

    timer = threading.Timer(_PATIENCE, tell)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _chunks(images, function, scale):
    for first in range(0, len(images), _CHUNK):
        chunk = images[first : first + _CHUNK]
        yield function(global_contrast_normalize(chunk, scale).reshape(len(chunk), -1))


def _deviation(number, total, square):
    return ((number * square - total**2) / number**2) ** 0.5


def _rounded(values, step):
    """To the nearest multiples of `step`, a power of two."""
    values = values * (1 / step)
    np.rint(values, out=values)
    values *= step
    return values
