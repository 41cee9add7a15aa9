"""The functions of ``scipy.misc`` for pictures that SciPy has dropped, on Pillow; by SciPy 0.19's conventions."""

import numpy as np
from scipy import special

NAMES = (
    "bytescale", "comb", "factorial", "fromimage", "imread", "imresize", "imrotate", "imsave", "logsumexp", "toimage",
)  # fmt: skip

comb, factorial, logsumexp = special.comb, special.factorial, special.logsumexp

_FILTERS = {"nearest": 0, "lanczos": 1, "bilinear": 2, "bicubic": 3, "cubic": 3}


def bytescale(data, cmin=None, cmax=None, high=255, low=0):
    """Numbers from `cmin` to `cmax` (the least and greatest in `data`) as bytes from `low` to `high`.

    Parameters
    ----------
    data : ndarray
        Bytes are returned as they are.
    cmin, cmax : number, optional
    high, low : int

    Returns
    -------
    ndarray of uint8
    """
    if data.dtype == np.uint8:
        return data
    if not 0 <= low <= high <= 255:
        raise ValueError("`low` and `high` should be from 0 to 255, `low` the lesser.")
    cmin = data.min() if cmin is None else cmin
    cmax = data.max() if cmax is None else cmax
    span = cmax - cmin
    if span < 0:
        raise ValueError("`cmax` should be larger than `cmin`.")
    scaled = (data - cmin) * (float(high - low) / (span or 1)) + low
    return (scaled.clip(low, high) + 0.5).astype(np.uint8)


def toimage(arr, high=255, low=0, cmin=None, cmax=None, pal=None, mode=None, channel_axis=None):
    """A Pillow image of an array: (rows, columns), or three of four dimensions with one of 3 or 4 channels.

    Parameters
    ----------
    arr : ndarray
    high, low, cmin, cmax
        As `bytescale` takes them.
    pal : ndarray, optional
        A palette, (256, 3) bytes, of an image with mode ``P``.
    mode : str, optional
        Pillow's mode: of two dimensions ``L`` (the default), ``P``, ``1``, ``I``, ``F``.
    channel_axis : int, optional
        The axis of the channels; the last of 3 or 4, as a rule.

    Raises
    ------
    ValueError
        If `arr` is no picture.
    """
    from PIL import Image

    data = np.asarray(arr)
    if np.iscomplexobj(data):
        raise ValueError("Cannot convert a complex-valued array.")
    if data.ndim == 2:
        return _flat_image(data, (high, low, cmin, cmax), pal, mode)
    if data.ndim != 3 or not {3, 4}.intersection(data.shape):
        raise ValueError("'arr' does not have a suitable array shape for any mode.")
    if channel_axis is None:
        channel_axis = data.shape.index(3 if 3 in data.shape else 4)
    elif data.shape[channel_axis] not in (3, 4):
        raise ValueError("Channel axis dimension is not valid.")
    scaled = np.moveaxis(bytescale(data, cmin, cmax, high, low), channel_axis, 2)
    kind = mode or ("RGB" if scaled.shape[2] == 3 else "RGBA")
    image = Image.fromarray(np.ascontiguousarray(scaled), "RGB" if scaled.shape[2] == 3 else "RGBA")
    return image if image.mode == kind else image.convert(kind)


def _flat_image(data, scale, pal, mode):
    from PIL import Image

    high, low, cmin, cmax = scale
    if mode == "F":
        return Image.fromarray(data.astype(np.float32))
    if mode == "I":
        return Image.fromarray(data.astype(np.int32))
    if mode == "1":
        return Image.fromarray(np.where(data > 0, 255, 0).astype(np.uint8)).convert("1")
    image = Image.fromarray(bytescale(data, cmin, cmax, high, low))
    if mode == "P" or pal is not None:
        image = image.convert("P")
        image.putpalette(
            np.asarray(pal, np.uint8).tobytes() if pal is not None else bytes(np.repeat(np.arange(256), 3))
        )
    return image


def fromimage(im, flatten=False, mode=None):
    """An array of a Pillow image; of floats in one channel if `flatten`.

    Parameters
    ----------
    im : PIL.Image.Image
    flatten : bool
    mode : str, optional
        To convert it to first.
    """
    if mode is not None and mode != im.mode:
        im = im.convert(mode)
    elif im.mode == "P":
        im = im.convert("RGBA" if "transparency" in im.info else "RGB")
    if flatten:
        im = im.convert("F")
    elif im.mode == "1":
        im = im.convert("L")
    return np.array(im)


def imread(name, flatten=False, mode=None):
    """The picture in a file as an array; `flatten` and `mode` as in `fromimage`."""
    from PIL import Image

    with Image.open(name) as image:
        return fromimage(image, flatten, mode)


def imsave(name, arr, format=None):
    """Write an array as a picture, scaled so that its least number is black and its greatest white."""
    image = toimage(arr, channel_axis=2)
    image.save(name, **({} if format is None else {"format": format}))


def imresize(arr, size, interp="bilinear", mode=None):
    """Scale a picture.

    Parameters
    ----------
    arr : ndarray
    size : int, float or tuple of int
        Percent, a fraction, or rows and columns.
    interp : {'nearest', 'lanczos', 'bilinear', 'bicubic', 'cubic'}
    mode : str, optional
        Pillow's mode to do so in.

    Returns
    -------
    ndarray
        Of bytes but for `mode` ``F`` and ``I``.
    """
    image = toimage(arr, mode=mode)
    if isinstance(size, int | np.integer):
        size = size / 100.0
    if isinstance(size, float | np.floating):
        columns, rows = (int(side * size) for side in image.size)
    else:
        rows, columns = (int(side) for side in size)
    return fromimage(image.resize((columns, rows), resample=_FILTERS[interp]))


def imrotate(arr, angle, interp="bilinear"):
    """Turn a picture by degrees, against the clock, about its centre."""
    return fromimage(toimage(arr).rotate(angle, resample=_FILTERS[interp]))
