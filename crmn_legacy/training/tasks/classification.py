"""Pictures in classes, scored by accuracy (the paper's Section 4.2)."""

from dataclasses import asdict, dataclass
from typing import ClassVar

import numpy as np

from crmn_legacy.data import PictureBatches
from crmn_legacy.data.files.labelled_pictures import RELEASED, read_pictures
from crmn_legacy.errors import UserError
from crmn_legacy.training.protocols import Augmentation, Preprocessing


@dataclass(frozen=True)
class Classification:
    """Pictures in classes, by the cross-entropy of a softmax (the paper's Section 4.2).

    Parameters
    ----------
    num_classes : int
        10 or 100.
    preprocessing : crmn_legacy.training.protocols.Preprocessing
        Of `crmn_legacy.data`: what is done to every picture.
    augmentation : crmn_legacy.training.protocols.Augmentation
        Of `crmn_legacy.data`: what is done to training pictures anew in each epoch.
    samples : int
        0: one deterministic prediction. More: so many random ones, by layers whose published inference is random, are
        averaged when a trained network is tested. The validation of each epoch is deterministic.
    """

    num_classes: int
    preprocessing: Preprocessing
    augmentation: Augmentation
    samples: int = 0
    metric: ClassVar[str] = "accuracy"
    measure: ClassVar[str] = "of the pictures"
    predicts: ClassVar[str] = "classes"
    jitters_validation: ClassVar[bool] = False

    @property
    def sample(self):
        """Name of the embedded sample."""
        return f"rendered_shapes{self.num_classes}.h5"

    def read(self, path):
        """The data of a file that data_prep made (`crmn_legacy.pictures.Pictures`).

        Raises
        ------
        UserError
            It has another number of classes, or is no such file.
        """
        found = read_pictures(path)
        if len(found.classes) != self.num_classes:
            raise UserError(
                f"got '{path}' with {len(found.classes)} classes, expected {self.num_classes}: give the file that "
                f"data_prep/cifar.py made of CIFAR-{self.num_classes}"
            )
        return found

    def batches(self, data, split, batch_size, seed):
        """Batches of a split (`crmn_legacy.data.PictureBatches`)."""
        return PictureBatches(data, split, batch_size, self.preprocessing, self.augmentation, seed)

    def inputs(self):
        """Symbolic batch: ``images`` (batch, 3, height, width) and ``labels`` (batch,) int32."""
        import aesara.tensor as T

        return {"images": T.tensor4("images"), "labels": T.ivector("labels")}

    def losses(self, predicted, inputs):
        """Loss of each picture, (batch,): the cross-entropy, made of the logits so that no logarithm of 0 arises.

        Raises
        ------
        ValueError
            `predicted` is not put out by a softmax.
        """
        return cross_entropy(predicted, inputs["labels"], self.num_classes)

    def known(self, inputs):
        """What layers are told of the symbolic batch beside its pictures: nothing (dict of str to Variable)."""
        return {}

    def watched(self, predicted, inputs):
        """What a training step puts out beside the loss: ``training_error``, a fraction of the batch."""
        import aesara
        import aesara.tensor as T

        wrong = T.neq(T.argmax(predicted, axis=1), inputs["labels"])
        return {"training_error": wrong.astype(aesara.config.floatX).mean()}

    def score(self, predicted, batch, all_points=False):
        """1 for each picture whose most probable class is its own, else 0; float64 array (batch,)."""
        return (np.argmax(predicted, axis=1) == batch["labels"]).astype(np.float64)

    def target(self, batch):
        """What predictions are held against, out of a batch: the labels, (batch,)."""
        return batch["labels"]

    def by_test_set(self, scores, data, rows):
        """Mean score of the test set, which is one: ``all``; see `crmn_legacy.training.tasks.keypoints.by_test_set`."""
        released = RELEASED.get(data.source, {}).get("test")
        scored = {"mean": float(np.mean(scores)), "pictures": len(scores), "released": released}
        return {"all": {**scored, "complete": released in (None, len(scores))}}

    def unlike_release(self, data):
        """What the training and validation pictures lack of CIFAR's release, or have beyond it (list of str)."""
        count, released = int((data.split != "test").sum()), RELEASED.get(data.source, {}).get("train", 0)
        return [f"{count:,} training pictures of {data.source} (the release's {released:,})"] * (count != released)

    def describe(self):
        """Preprocessing, augmentation and inference, for ``--describe`` and provenance."""
        named = {"preprocessing": self.preprocessing, "augmentation": self.augmentation}
        described = {what: {"name": type(part).__name__, **asdict(part)} for what, part in named.items()}
        return {**described, "samples": self.samples}


def cross_entropy(predicted, labels, num_classes):
    """The cross-entropy of a softmax, made of its logits so that no logarithm of 0 arises.

    Parameters
    ----------
    predicted : Variable
        (batch, classes), put out by a softmax.
    labels : Variable
        (batch,), whole numbers.
    num_classes : int

    Returns
    -------
    Variable
        (batch,).

    Raises
    ------
    ValueError
        `predicted` is not put out by a softmax.
    """
    import aesara.tensor as T
    from aesara.tensor.special import Softmax, log_softmax

    if predicted.owner is None or not isinstance(predicted.owner.op, Softmax):
        raise ValueError("a classifier's network expects a softmax as its last operation")
    logarithms = log_softmax(predicted.owner.inputs[0], axis=1)
    # A comparison instead of an index: its gradient needs no scatter.
    is_label = T.eq(labels.dimshuffle(0, "x"), T.arange(num_classes).dimshuffle("x", 0))
    return -(T.switch(is_label, logarithms, 0)).sum(axis=1)
