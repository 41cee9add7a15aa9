"""What is learned: the data of a task, its loss, and how a prediction is scored."""

from dataclasses import asdict, dataclass
from typing import ClassVar

import numpy as np

from crmn_legacy import formats
from crmn_legacy.data import FaceAugmentation, FaceBatches
from crmn_legacy.metrics import interocular_error


@dataclass(frozen=True)
class Keypoints:
    """68 facial keypoints as numbers in [0, 1] of the face's box, by squared error (the paper's Section 4.1).

    Parameters
    ----------
    augmentation : FaceAugmentation
        Jitter of the training and, once for all, of the validation pictures.
    """

    augmentation: FaceAugmentation
    sample: ClassVar[str] = "rendered_faces.h5"
    metric: ClassVar[str] = "error"

    def read(self, path):
        """The data of a file that data_prep made (`crmn_legacy.formats.Faces`)."""
        return formats.read_faces(path)

    def batches(self, data, split, batch_size, seed):
        """Batches of a split (`crmn_legacy.data.FaceBatches`)."""
        return FaceBatches(data, split, batch_size, self.augmentation, seed)

    def inputs(self):
        """Symbolic batch: ``images`` (batch, 1, height, width) uint8; ``keypoints`` and ``mask`` (batch, 136)."""
        import aesara.tensor as T

        return {
            "images": T.tensor4("images", dtype="uint8"),
            "keypoints": T.matrix("keypoints"),
            "mask": T.matrix("mask"),
        }

    def losses(self, predicted, inputs):
        """Loss of each picture, (batch,): squared error summed over the coordinates that count."""
        return (inputs["mask"] * (predicted - inputs["keypoints"]) ** 2).sum(axis=1)

    def score(self, predicted, batch, all_points=False):
        """Error of each picture, as a fraction of the inter-ocular distance.

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
        as_points = (len(predicted), -1, 2)
        mask = None if all_points else batch["mask"].reshape(as_points)[:, :, 0] > 0
        return interocular_error(
            np.asarray(predicted, np.float64).reshape(as_points),
            np.asarray(batch["keypoints"], np.float64).reshape(as_points),
            mask,
        )

    def describe(self):
        """The augmentation, for ``--describe`` and provenance."""
        return asdict(self.augmentation)
