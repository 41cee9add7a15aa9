"""Labelled pictures in batches, preprocessed and augmented."""

import numpy as np

from crmn_legacy.data.batches import Batches
from crmn_legacy.data.randomness import Generators


class PictureBatches(Batches):
    """The batches of one split of a pictures file; see `Batches`.

    A batch is a dict of ``images``, float32 (batch, 3, size, size), preprocessed and then augmented; and ``labels``,
    int32 (batch,).

    Parameters
    ----------
    pictures : crmn_legacy.data.files.labelled_pictures.Pictures
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

    Raises
    ------
    UserError
        If the split has no pictures.
    """

    def __init__(self, pictures, split, batch_size, preprocessing, augmentation, seed):
        super().__init__(pictures, split, batch_size, augmentation, seed)
        self.preprocessing = preprocessing
        # Of costly preprocessing, by place in `self.rows`: what was prepared, and whether it was. The system gives
        # memory for these zeros only where they are written over.
        self._kept = self._is_kept = None
        if getattr(preprocessing, "costly", False):
            self._kept = np.zeros((len(self.rows), *pictures.images.shape[1:]), np.float32)
            self._is_kept = np.zeros(len(self.rows), bool)

    def _batch(self, rows, seed, purpose, epoch):
        images = self._preprocessed(rows)
        if purpose is None:
            images = self.augmentation.plain(images)
        else:
            images = self.augmentation(images, Generators(seed, purpose, epoch, rows))
        return {"images": images, "labels": self.data.labels[rows].astype(np.int32)}

    def _preprocessed(self, rows):
        if self._kept is None:
            return self.preprocessing(self.data.images[rows], self.data)
        places = np.searchsorted(self.rows, rows)
        fresh = places[~self._is_kept[places]]
        if len(fresh):
            # Another thread may prepare the same picture at the same time, to the same bits.
            self._kept[fresh] = self.preprocessing(self.data.images[self.rows[fresh]], self.data)
            self._is_kept[fresh] = True
        return self._kept[places]
