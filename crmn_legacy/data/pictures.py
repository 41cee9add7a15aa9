"""Labelled pictures in batches: an order and an augmentation that are pure functions of seed, epoch and picture."""

import numpy as np

from crmn_legacy.data.prefetch import prefetch
from crmn_legacy.data.randomness import Purpose, generator
from crmn_legacy.errors import UserError

# Augmented validation pictures are drawn once for all runs, so that their losses can be compared.
_VALIDATION_SEED = 0


class PictureBatches:
    """The batches of one split of a pictures file.

    A batch is a dict of ``images``, float32 (batch, 3, size, size), preprocessed and then augmented; and ``labels``,
    int32 (batch,).

    Parameters
    ----------
    pictures : crmn_legacy.pictures.Pictures
    split : str
        ``train``, ``valid`` or ``test``.
    batch_size : int
        Pictures in a batch.
    preprocessing : callable
        Such as :class:`crmn_legacy.data.preprocessing.ChannelMeanStd`; its statistics are those of the training
        pictures, whatever the split.
    augmentation : callable
        Such as :class:`crmn_legacy.data.crop_flip.CropFlip`.
    seed : int
        The run's seed.

    Attributes
    ----------
    rows : int64 array
        Where the split's pictures stand in `pictures`.
    steps_per_epoch : int
        Full batches in an epoch; the remainder of the shuffled pictures is dropped.

    Raises
    ------
    UserError
        If the split has no pictures.
    """

    def __init__(self, pictures, split, batch_size, preprocessing, augmentation, seed):
        if batch_size < 1:
            raise UserError(f"got batch size {batch_size}; expected at least 1")
        self.pictures = pictures
        self.split = split
        self.batch_size = batch_size
        self.preprocessing = preprocessing
        self.augmentation = augmentation
        self.seed = seed
        self.rows = np.flatnonzero(pictures.split == split)
        if len(self.rows) == 0:
            raise UserError(f"got data with no picture in its split '{split}'; expected some: prepare it anew")
        self.steps_per_epoch = len(self.rows) // batch_size

    def order(self, epoch):
        """The rows of `epoch`, shuffled; int64 array."""
        return generator(self.seed, Purpose.ORDER, epoch).permutation(self.rows)

    def epoch(self, epoch, start=0, workers=1, depth=4):
        """Iterate over the augmented batches of `epoch` from step `start` on.

        Parameters
        ----------
        epoch : int
            The first is 1. After the augmentation's `last_epoch` the pictures are plain.
        start : int
            The first step to yield: a run resumed within an epoch skips those done.
        workers, depth : int
            See :func:`crmn_legacy.data.prefetch.prefetch`. They change no batch.

        Returns
        -------
        generator of dict
            Close it, or run it to its end, to end its threads.

        Raises
        ------
        UserError
            If the split has fewer pictures than one batch.
        """
        if self.steps_per_epoch == 0:
            raise UserError(
                f"got {len(self.rows)} pictures in split '{self.split}'; expected at least a batch of "
                f"{self.batch_size}: give more data or a smaller batch size"
            )
        order = self.order(epoch)
        last = self.augmentation.last_epoch
        purpose = Purpose.AUGMENTATION if last is None or epoch <= last else None

        def prepare(step):
            rows = order[step * self.batch_size : (step + 1) * self.batch_size]
            return self._batch(rows, self.seed, purpose, epoch)

        return prefetch(prepare, range(start, self.steps_per_epoch), workers, depth)

    def evaluation(self, jitter=False, workers=1, depth=4):
        """Iterate over all pictures in the file's order.

        Parameters
        ----------
        jitter : bool
            Augment the pictures, alike in every epoch and every run.
        workers, depth : int
            See :func:`crmn_legacy.data.prefetch.prefetch`.

        Returns
        -------
        generator of (dict, int)
            A batch and how many of its pictures are real: the last batch is filled up with zeros of label 0.
        """
        purpose = Purpose.VALIDATION_AUGMENTATION if jitter else None

        def prepare(first):
            rows = self.rows[first : first + self.batch_size]
            return self._batch(rows, _VALIDATION_SEED, purpose, 0), len(rows)

        return prefetch(prepare, range(0, len(self.rows), self.batch_size), workers, depth)

    def _batch(self, rows, seed, purpose, epoch):
        size = self.augmentation.size
        images = np.zeros((self.batch_size, 3, size, size), dtype=np.float32)
        labels = np.zeros(self.batch_size, dtype=np.int32)
        labels[: len(rows)] = self.pictures.labels[rows]
        prepared = self.preprocessing(self.pictures.images[rows], self.pictures)
        for place, row in enumerate(rows):
            if purpose is None:
                images[place] = self.augmentation.plain(prepared[place])
            else:
                images[place] = self.augmentation(prepared[place], generator(seed, purpose, epoch, int(row)))
        return {"images": images, "labels": labels}
