"""What is learned: the data of a task, its loss, and how a prediction is scored."""

from dataclasses import asdict, dataclass
from typing import ClassVar

import numpy as np

from crmn_legacy.data import FaceAugmentation, FaceBatches
from crmn_legacy.data.files import faces
from crmn_legacy.data.files.faces import RELEASED
from crmn_legacy.metrics import INTEROCULAR, interocular_error

# The paper's test sets of faces: which of a file's sources make each, in the order of its Table 1.
TEST_SETS = {
    "helen": ("helen",),
    "lfpw": ("lfpw",),
    "common": ("helen", "lfpw"),
    "ibug": ("ibug",),
    "rendered": ("rendered",),
}


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
    measure: ClassVar[str] = f"of the {INTEROCULAR.title}"
    predicts: ClassVar[str] = "keypoints"
    samples: ClassVar[int] = 0
    jitters_validation: ClassVar[bool] = True

    def read(self, path):
        """The data of a file that data_prep made (`crmn_legacy.data.files.faces.Faces`)."""
        return faces.read_faces(path)

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

    def known(self, inputs):
        """What layers are told of the symbolic batch beside its pictures: nothing (dict of str to Variable)."""
        return {}

    def watched(self, predicted, inputs):
        """What a training step puts out beside the loss: nothing (dict of str to Variable)."""
        return {}

    def target(self, batch):
        """What predictions are held against, out of a batch: the keypoints, (batch, 136)."""
        return batch["keypoints"]

    def by_test_set(self, scores, data, rows):
        """Mean score of each of the paper's test sets; see `by_test_set`.

        Parameters
        ----------
        scores : array (pictures,)
        data : crmn_legacy.data.files.faces.Faces
        rows : int array (pictures,)
            Where the pictures stand in `data`.
        """
        return by_test_set(scores, data.source[rows])

    def unlike_release(self, data):
        """What the training and validation pictures lack of the 300-W release, or have beyond it (list of str)."""
        sources = data.source[data.split != "test"]
        found = {str(source): int((sources == source).sum()) for source in (*RELEASED["train"], *np.unique(sources))}
        released = RELEASED["train"]
        return [
            f"{count:,} training pictures of {source} (the release's {released.get(source, 0):,})"
            for source, count in found.items()
            if count != released.get(source, 0)
        ]

    def describe(self):
        """The augmentation, for ``--describe`` and provenance."""
        return asdict(self.augmentation)


def by_test_set(scores, sources):
    """Mean score of each of the paper's test sets of faces, pooled over pictures.

    Parameters
    ----------
    scores : array (pictures,)
        Fractions.
    sources : str array (pictures,)
        Where each picture comes from.

    Returns
    -------
    dict of str to dict
        For each set with pictures: ``mean``, ``pictures``, ``released`` (as many as the release has, None for a set
        of no release) and ``complete``: whether each of its sources has the release's count.
    """
    results, released = {}, RELEASED["test"]
    for name, members in TEST_SETS.items():
        chosen = np.isin(sources, members)
        if chosen.any():
            counts = {member: int((sources == member).sum()) for member in members}
            results[name] = {
                "mean": float(np.mean(scores[chosen])),
                "pictures": int(chosen.sum()),
                "released": sum(released[member] for member in members) if members[0] in released else None,
                "complete": all(count == released.get(member, count) for member, count in counts.items()),
            }
    return results
