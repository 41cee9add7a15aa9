"""Prediction from raw pictures as programs: crop and warp of a face, preprocessing of a classified picture.

They compute in 64 bits what `crmn_legacy.data` computes with NumPy, SciPy and Pillow, which a bundle does without. All
that goes in and comes out has 32 bits at most, so that they can be called by a JAX that has 64 bits switched off.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax import export

from crmn_legacy.backend.programs.writing import artifact_of, held, without_paths
from crmn_legacy.data import preprocessing
from crmn_legacy.data.boxes import CROP_RATIO, CROP_SIZE
from crmn_legacy.data.distortion import FieldDistortion
from crmn_legacy.data.whitening import MIN_DIVISOR
from crmn_legacy.errors import UserError

# Pillow's weights are whole multiples of 2**-22, and its Lanczos kernel reaches so far.
_WEIGHT_BITS, _REACH = 22, 3.0
# A box may be so many times as wide as its picture.
_WIDEST = 8


def face_program(step, augmentation, platform):
    """Keypoints of a face.

    Parameters
    ----------
    step : crmn_legacy.backend.compile.XlaStep
        Of ``images`` (1, 1, size, size) to ``predicted`` (1, 136), made for `platform`.
    augmentation : crmn_legacy.data.FaceAugmentation
    platform : str

    Returns
    -------
    crmn_legacy.backend.programs.writing.Artifact
        Of ``pictures`` uint8 (height, width), gray, and ``box`` (x0, y0, x1, y1), the face's tight box in pixels, to
        ``points`` float32 (68, 2), (x, y) in pixels.
    """
    state, network, axes = _network(step, (1, augmentation.size, augmentation.size), np.uint8, platform)

    def predict(state, batch):
        picture, box = batch["pictures"].astype(jnp.float64), batch["box"].astype(jnp.float64)
        crop, box, corners = _crop(picture, box)
        zoom, offset = _plain(corners, augmentation)
        images = _warp(crop, zoom, offset, augmentation.size).astype(jnp.uint8)
        points = network(state, images[None, None])[0].reshape(-1, 2).astype(jnp.float64)
        inside = (points * augmentation.size - offset) / zoom / CROP_SIZE
        return {}, {"points": (inside * (box[2] - box[0]) + box[:2]).astype(jnp.float32)}

    height, width = export.symbolic_shape("height, width")
    batch = {
        "pictures": jax.ShapeDtypeStruct((height, width), np.uint8),
        "box": jax.ShapeDtypeStruct((4,), np.float32),
    }
    with jax.experimental.enable_x64():
        return artifact_of(predict, {"state": state, "batch": batch}, platform, axes)


def _network(step, shape, dtype, platform):
    """Kinds of the held state, the network as a function of it and pictures (N, ...), and how the state is held."""
    state, program, axes = held(step)

    def network(state, pictures):
        def one(picture):
            _, outputs = program(state, {"images": picture[None]}, {})
            return outputs["predicted"][0]

        # The lowering needs shapes as numbers; one picture's are, so that the count of pictures may stay open.
        return jax.vmap(one)(pictures)

    (count,) = export.symbolic_shape("N")
    # By itself, because it is to be traced with 32 bits.
    with without_paths():
        exported = export.export(jax.jit(network), platforms=(platform,))(
            state, jax.ShapeDtypeStruct((count, *shape), dtype)
        )
    return state, exported.call, axes


def _crop(picture, box):
    """`crmn_legacy.data.boxes.crop_face`: the crop, its box, and the tight box in the crop's pixels."""
    x0, y0, x1, y1 = _square(box.reshape(2, 2), CROP_RATIO)
    height, width = picture.shape
    longest = _WIDEST * (height + width)  # no box that `crop_face` takes has a longer side
    across, down = (
        _lanczos(x1 - x0, jnp.arange(count) - start, longest) for count, start in ((width, x0), (height, y0))
    )
    # Pillow's passes: rows, then columns, each rounded to whole gray values.
    image = _gray(down @ _gray(picture @ across.T))
    # Through float32, as stored points go.
    corners = ((box.reshape(2, 2) - jnp.stack([x0, y0])) / (x1 - x0)).astype(jnp.float32).astype(jnp.float64)
    return image, jnp.stack([x0, y0, x1, y1]), corners * CROP_SIZE


def _square(corners, ratio):
    """`crmn_legacy.data.boxes.face_box` of two corners."""
    x0, y0 = jnp.floor(corners.min(axis=0))
    x1, y1 = jnp.ceil(corners.max(axis=0))
    difference = (y1 - y0) - (x1 - x0)
    before, after = jnp.floor((jnp.abs(difference) + 1) / 2), jnp.floor(jnp.abs(difference) / 2)
    high = jnp.where(difference > 0, 1.0, 0.0)
    wide = 1 - high
    x0, y0, x1, y1 = x0 - before * high, y0 - before * wide, x1 + after * high, y1 + after * wide
    margin = jnp.ceil(jnp.round((ratio - 1) / 2 * (x1 - x0), 9))
    return x0 - margin, y0 - margin, x1 + margin, y1 + margin


def _lanczos(side, places, longest):
    """Pillow's weights of the pixels at `places` of a box for each pixel of the crop, times 2**22; (crop, places)."""
    scale = side / CROP_SIZE
    stretch = jnp.maximum(scale, 1.0)
    centre = ((jnp.arange(CROP_SIZE) + 0.5) * scale)[:, None]
    first = jnp.maximum(jnp.floor(centre - _REACH * stretch + 0.5), 0)
    end = jnp.minimum(jnp.floor(centre + _REACH * stretch + 0.5), side)

    def weights(place):
        distance = (place - centre + 0.5) / stretch
        kernel = jnp.where(jnp.abs(distance) < _REACH, jnp.sinc(distance) * jnp.sinc(distance / _REACH), 0.0)
        return jnp.where((place >= first) & (place < end), kernel, 0.0)

    total = weights(jnp.arange(longest)).sum(axis=1, keepdims=True)
    scaled = weights(places) / total * 2**_WEIGHT_BITS
    return jnp.trunc(scaled + jnp.copysign(0.5, scaled))


def _gray(sums):
    """Sums of pixels by weights times 2**22, as whole gray values."""
    return jnp.clip(jnp.floor((sums + 2 ** (_WEIGHT_BITS - 1)) / 2**_WEIGHT_BITS), 0, 255)


def _plain(corners, augmentation):
    """The map of a crop to the network's input without jitter: zoom, and offset of (x, y)."""
    x0, y0, x1, y1 = _square(corners, augmentation.ratio)
    zoom = augmentation.size / (x1 - x0)
    return zoom, augmentation.size / 2 - zoom * jnp.stack([x0 + x1, y0 + y1]) / 2


def _warp(image, zoom, offset, size):
    """SciPy's `affine_transform` of order 1 with black around, rounded to whole gray values."""
    # For each pixel's centre of the output the place to read, in indices, half a pixel less than coordinates.
    columns, rows = ((jnp.arange(size) + 0.5 - along) / zoom - 0.5 for along in offset)

    def weights(places):
        below = jnp.floor(places)[:, None]
        part, indices = places[:, None] - below, jnp.arange(CROP_SIZE)
        return jnp.where(indices == below, 1 - part, 0.0) + jnp.where(indices == below + 1, part, 0.0)

    return jnp.floor(weights(rows) @ image @ weights(columns).T + 0.5)


def picture_program(step, task, data, platform):
    """Probabilities of a picture's classes.

    Parameters
    ----------
    step : crmn_legacy.backend.compile.XlaStep
        Of ``images`` (1, channels, height, width) to ``predicted`` (1, classes), made for `platform`.
    task : crmn_legacy.training.Classification
    data : crmn_legacy.data.files.labelled_pictures.Pictures
        Whose statistics prepare pictures.
    platform : str

    Returns
    -------
    Artifact
        Of ``pictures`` uint8 (N, 3, 32, 32) and statistics to ``probabilities`` float32 (N, classes).
    dict of str to array
        The statistics.
    """
    statistics, prepare = _preparation(task.preprocessing, data)
    shape = data.images.shape[1:]
    side = task.augmentation.size
    state, network, axes = _network(step, (shape[0], side, side), np.float32, platform)

    def predict(state, batch):
        given = {name: batch[name].astype(jnp.float64) for name in statistics}
        prepared = prepare(batch["pictures"].astype(jnp.float64), given).astype(jnp.float32)
        return {}, {"probabilities": network(state, _on_field(prepared, task.augmentation))}

    (count,) = export.symbolic_shape("N")
    batch = {"pictures": jax.ShapeDtypeStruct((count, *shape), np.uint8)}
    batch |= {name: jax.ShapeDtypeStruct(value.shape, value.dtype) for name, value in statistics.items()}
    with jax.experimental.enable_x64():
        return artifact_of(predict, {"state": state, "batch": batch}, platform, axes), statistics


def _preparation(how, data):
    """Statistics by name (float32), and a traced function of float64 pictures and them, for a `preprocessing`."""
    of = data.statistics
    if isinstance(how, preprocessing.GlobalContrastZCA):
        mean, matrix = of.contrast_mean(how.scale), of.whitening(how.scale, how.filter_bias)
        return _as_float32(mean=mean, whitening=matrix), lambda pictures, given: (
            (_contrast(pictures, how.scale) - given["mean"]) @ given["whitening"]
        ).reshape(pictures.shape)
    if isinstance(how, preprocessing.GlobalContrast):
        mean = of.contrast_mean(how.scale) if how.then_mean_image else np.zeros(data.images[0].size)
        return _as_float32(mean=mean), lambda pictures, given: (_contrast(pictures, how.scale) - given["mean"]).reshape(
            pictures.shape
        )
    centres = {
        preprocessing.ChannelMean: lambda: (of.channel_mean[:, None, None], how.divisor),
        preprocessing.ChannelMeanStd: lambda: (of.channel_mean[:, None, None], of.channel_std[:, None, None]),
        preprocessing.PixelMean: lambda: (of.pixel_mean, how.divisor),
        preprocessing.PixelMeanGlobalStd: lambda: (of.pixel_mean, of.global_std),
        preprocessing.Centred: lambda: (how.centre, how.divisor),
    }
    if type(how) not in centres:
        raise UserError(
            f"got the preprocessing {type(how).__name__}, expected one of `crmn_legacy.data`: no program has it"
        )
    centre, divisor = centres[type(how)]()
    return _as_float32(
        centre=centre, divisor=divisor
    ), lambda pictures, given: (pictures - given["centre"]) / given["divisor"]


def _as_float32(**statistics):
    return {name: np.asarray(value, np.float32) for name, value in statistics.items()}


def _contrast(pictures, scale):
    """`crmn_legacy.data.whitening.global_contrast_normalize`, rows of pixels."""
    rows = pictures.reshape(pictures.shape[0], -1)
    rows = rows - rows.mean(axis=1, keepdims=True)
    divisors = jnp.sqrt((rows**2).sum(axis=1, keepdims=True)) / scale
    return rows / jnp.where(divisors < MIN_DIVISOR, 1.0, divisors)


def _on_field(pictures, augmentation):
    """What the augmentation makes of test pictures: those of a distortion lie in the middle of a field of zeros."""
    if not isinstance(augmentation, FieldDistortion):
        return pictures
    margins = []
    for size in pictures.shape[2:]:
        before = (augmentation.size - size) // 2
        margins.append((before, augmentation.size - size - before))
    visible = (jnp.abs(pictures) > augmentation.threshold).any(axis=1, keepdims=True)
    return jnp.pad(jnp.where(visible, pictures, 0), ((0, 0), (0, 0), *margins))
