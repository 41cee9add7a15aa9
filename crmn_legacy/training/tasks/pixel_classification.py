"""Keypoints as classes: each is one of the pixels of the input (Honari et al., 2016)."""

from dataclasses import dataclass

import numpy as np

from crmn_legacy.metrics import LARGEST, LEFT_EYE, RIGHT_EYE, interocular_error
from crmn_legacy.training.tasks.keypoints import Keypoints


@dataclass(frozen=True)
class PixelClassification(Keypoints):
    """68 facial keypoints, each as one pixel of the input, by the cross-entropy of a softmax over all of them.

    The network's output is a `crmn_legacy.layers.JointPredictionLayer`: in training two sets of maps, of a network
    that reads the picture and of a denoiser that reads noisy points; else predicted points.

    Parameters
    ----------
    augmentation : FaceAugmentation
        Jitter of the training and, once for all, of the validation pictures.

    References
    ----------
    Honari et al., 2016, and their released code (`RCN_300W.py`, `Denoising_300W.py`).
    """

    def known(self, inputs):
        """What layers are told of the symbolic batch beside its pictures: the true points, which the denoiser reads."""
        return {"keypoints": inputs["keypoints"]}

    def losses(self, predicted, inputs):
        """Loss of each picture, (batch,).

        In training, of each set of maps, 68 times the mean cross-entropy of the batch's points that count, as sums
        whose mean over the batch is that; for the denoiser only those count that were moved. Otherwise the error that
        `score` gives, so that the best epoch is the one with the least validation error. Maps that are None, of a
        network that is not trained any more, have no loss.

        Parameters
        ----------
        predicted : crmn_legacy.layers.JointMaps or expression (batch, 136)
            The network's output, in training or not.
        inputs : dict of str to Variable
            The symbolic batch.
        """
        from crmn_legacy.layers.pixel_maps import JointMaps, pixels_of, spatial_cross_entropy

        counts = inputs["mask"][:, ::2]
        if not isinstance(predicted, JointMaps):
            return _errors(predicted, inputs, counts)
        width, height = _sides(inputs)
        pixels = pixels_of(inputs["keypoints"], height, width)
        losses = [
            _summed(spatial_cross_entropy(maps, pixels), counted)
            for maps, counted in ((predicted.first, counts), (predicted.second, counts * predicted.moved))
            if maps is not None
        ]
        return sum(losses[1:], start=losses[0])

    def score(self, predicted, batch, all_points=False):
        """Error of each picture, as a fraction of the inter-ocular distance, between pixels.

        The true points too count as the pixels that they lie in; the distance of the eyes does not.

        Parameters
        ----------
        predicted : array (batch, 136)
            In [0, 1] of the picture.
        batch : dict
            As `FaceBatches` yields it.
        all_points : bool
            Whether points that the mask leaves out count too, as they do in the test sets' published numbers.

        Returns
        -------
        float64 array (batch,)
        """
        shape = (len(predicted), -1, 2)
        points, found = (np.asarray(given).reshape(shape) for given in (batch["keypoints"], predicted))
        # In the batch's own precision, as the training step has it: rounding must not move a point to another pixel.
        sides = np.array(batch["images"].shape[:1:-1], points.dtype)
        steps = (np.floor(found * sides) - np.floor(np.clip(points, 0, LARGEST) * sides)) / sides.astype(np.float64)
        target = points.astype(np.float64)
        mask = None if all_points else np.asarray(batch["mask"]).reshape(shape)[:, :, 0] > 0
        return interocular_error(target + steps, target, mask)


def _sides(inputs):
    """Width and height of the symbolic batch's pictures, of ``floatX``."""
    import aesara
    import aesara.tensor as T

    return [T.cast(inputs["images"].shape[axis], aesara.config.floatX) for axis in (3, 2)]


def _summed(losses, counts):
    """Sums (batch,) whose mean over the batch is the number of points times the mean of the losses that count."""
    import aesara.tensor as T

    batch, points = losses.shape[0], losses.shape[1]
    factor = (batch * points).astype(losses.dtype) / T.maximum(counts.sum(), 1)
    return factor * (losses * counts).sum(axis=1)


def _errors(predicted, inputs, counts):
    """What `PixelClassification.score` gives, as an expression (batch,); 0 where no point counts."""
    import aesara.tensor as T

    keypoints, squares = inputs["keypoints"], 0
    true = T.clip(keypoints, 0, LARGEST)
    for axis, side in enumerate(_sides(inputs)):
        steps = T.floor(predicted[:, axis::2] * side) - T.floor(true[:, axis::2] * side)
        squares += T.square(steps / side)
    # Each eye's centre is the mean of its two corners.
    left, right = (
        [(keypoints[:, 2 * a + k] + keypoints[:, 2 * b + k]) / 2 for k in (0, 1)] for a, b in (LEFT_EYE, RIGHT_EYE)
    )
    between_eyes = T.sqrt(sum(T.square(there - here) for here, there in zip(left, right, strict=True)))
    summed = (T.sqrt(squares) * counts).sum(axis=1)
    # The pictures that fill up a batch have neither points that count nor eyes.
    return summed / T.maximum(counts.sum(axis=1) * between_eyes, 1e-6)
